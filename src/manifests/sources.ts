/**
 * The texts that were read, and places in them. Objects carry no positions: when a line is wanted, the one document it is
 * in is parsed again, for its positions only. A run asks for few places in few documents.
 */
import type { PathPart, Place, Source } from "../objects/source.ts";
import { changeOf, type FieldEdit, type TextChange } from "./edits.ts";
import { oldSpellings } from "./old-versions.ts";
import { shownLine } from "./secrets.ts";
import type { DocumentText } from "./yaml/documents.ts";
import { createFinder, type Extent, type Finder, lineStarts, placeOf } from "./yaml/position.ts";
import { createSpans, type Spans } from "./yaml/spans.ts";

export type Sources = {
  /** Where a field is written; the nearest written ancestor's place when it is not, the key's when the value is a block. */
  readonly place: (source: Source, field: readonly PathPart[]) => Place | undefined;
  /** Where a field's name is written; its value's place when it has none. */
  readonly keyPlace: (source: Source, field: readonly PathPart[]) => Place | undefined;
  /** An edit of a field as a change of the file's text; undefined when nothing but the field could not be changed. */
  readonly change: (source: Source, field: readonly PathPart[], edit: FieldEdit) => TextChange | undefined;
  /** The offsets of a place in the text. */
  readonly extentOf: (place: Place) => Extent;
  /** Extents in a file, as places. */
  readonly placeAt: (file: string, extent: Extent) => Place;
  /** A line of a file that was read, counted from 1, without its line break; undefined for what may be a Secret's. */
  readonly line: (file: string, number: number) => string | undefined;
  /** The whole text of a file that was read. */
  readonly text: (file: string) => string | undefined;
};

/** Sources, while they are being read. */
export type SourceStore = Sources & {
  readonly add: (file: string, text: string, documents: readonly DocumentText[]) => void;
};

type Entry = {
  readonly text: string;
  readonly documents: ReadonlyMap<number, string>;
  starts?: readonly number[];
  lines?: readonly string[];
  readonly finders: Map<number, Finder>;
  readonly spans: Map<number, Spans>;
};

/** An empty store. */
export function createSources(): SourceStore {
  const entries = new Map<string, Entry>();
  const startsOf = (entry: Entry): readonly number[] => {
    entry.starts ??= lineStarts(entry.text);
    return entry.starts;
  };

  const linesOf = (entry: Entry): readonly string[] => {
    const starts = startsOf(entry);
    entry.lines ??= starts.map((from, i) => entry.text.slice(from, starts[i + 1] ?? entry.text.length).replace(/\r?\n$/, ""));
    return entry.lines;
  };

  function finderOf(entry: Entry, offset: number): Finder | undefined {
    const text = entry.documents.get(offset);
    const known = entry.finders.get(offset);
    if (known !== undefined || text === undefined) return known;
    const finder = createFinder(text);
    entry.finders.set(offset, finder);
    return finder;
  }

  const place: Sources["place"] = (source, field) => {
    const entry = entries.get(source.file);
    const finder = entry && finderOf(entry, source.offset);
    if (entry === undefined || finder === undefined) return undefined;
    const { start, end } = findField(finder, source.path, field);
    return placeOf(source.file, startsOf(entry), { start: source.offset + start, end: source.offset + end });
  };

  function spansOf(entry: Entry, offset: number): Spans | undefined {
    const text = entry.documents.get(offset);
    const known = entry.spans.get(offset);
    if (known !== undefined || text === undefined) return known;
    const spans = createSpans(text);
    entry.spans.set(offset, spans);
    return spans;
  }

  return {
    add: (file, text, documents) => {
      entries.set(file, {
        text,
        documents: new Map(documents.map((document) => [document.offset, document.text])),
        finders: new Map(),
        spans: new Map(),
      });
    },
    placeAt: (file, extent) => placeOf(file, startsOf(entries.get(file) ?? NOTHING), extent),
    place,
    keyPlace: (source, field) => {
      const entry = entries.get(source.file);
      const key = entry && spansOf(entry, source.offset)?.find([...source.path, ...field])?.key;
      if (entry === undefined || key === undefined) return place(source, field);
      return placeOf(source.file, startsOf(entry), { start: source.offset + key.start, end: source.offset + key.end });
    },
    change: (source, field, edit) => {
      const entry = entries.get(source.file);
      const text = entry?.documents.get(source.offset);
      const spans = entry && spansOf(entry, source.offset);
      if (text === undefined || spans === undefined) return undefined;
      const path = [field, ...oldSpellings(field)].map((spelling) => [...source.path, ...spelling]).find((each) => spans.find(each));
      const change = path && changeOf(text, spans, path, edit);
      return change && { text: change.text, start: source.offset + change.start, end: source.offset + change.end };
    },
    extentOf: ({ file, line, column, endLine, endColumn }) => {
      const starts = startsOf(entries.get(file) ?? NOTHING);
      return { start: (starts[line - 1] ?? 0) + column - 1, end: (starts[endLine - 1] ?? 0) + endColumn - 1 };
    },
    text: (file) => entries.get(file)?.text,
    line: (file, number) => {
      const entry = entries.get(file);
      return entry && shownLine(linesOf(entry), number);
    },
  };
}

const NOTHING: Entry = { text: "", documents: new Map(), finders: new Map(), spans: new Map() };

function findField(finder: Finder, root: readonly PathPart[], field: readonly PathPart[]): Extent {
  const path = [...root, ...field];
  const found = finder.find(path);
  if (found.depth === path.length) return found.extent;
  const older = oldSpellings(field).map((spelling) => finder.find([...root, ...spelling]));
  return older.find(({ depth }) => depth > found.depth)?.extent ?? found.extent;
}
