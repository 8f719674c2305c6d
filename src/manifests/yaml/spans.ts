/**
 * Where a value, its key and the entry of both stand in one document, to the character, for edits that leave everything else as
 * it is. What is reached through an alias or a merge has no place of its own here: an edit there would change other objects.
 */
import { COLLECTION_STYLE, EVENT_ID, type Event, SCALAR_STYLE } from "js-yaml";
import type { PathPart } from "../../objects/source.ts";
import { isMergeKey, keyOf } from "./construct.ts";
import { readEvents } from "./parse.ts";
import type { Extent } from "./position.ts";

export type Span = {
  readonly key?: Extent; // with its quotes
  /** With quotes, brackets, a block scalar's header. `start === end` behind the colon when nothing is written. */
  readonly value: Extent;
  readonly kind: "scalar" | "empty" | "mapping" | "sequence";
  readonly isFlow: boolean; // of a collection
  readonly isAnchored: boolean; // an alias elsewhere means it
  readonly members: readonly Extent[]; // of a collection: each from its key, or its value
  /** Its place among the members of the collection that it is in. */
  readonly within?: { readonly members: readonly Extent[]; readonly index: number; readonly isFlow: boolean; readonly value: Extent };
};
export type Spans = { readonly find: (path: readonly PathPart[]) => Span | undefined };

type Node = {
  readonly kind: Span["kind"] | "alias";
  readonly value: Extent;
  readonly isFlow: boolean;
  readonly isAnchored: boolean;
  readonly entries: readonly Entry[];
};
type Entry = { readonly name?: string; readonly key?: Extent; readonly isMerge: boolean; readonly node: Node };

/** Parses the document once. */
export function createSpans(source: string): Spans {
  const events = readEvents(source);
  let next = events[0]?.type === EVENT_ID.DOCUMENT ? 1 : 0;

  /** `from`: where the value could begin at the earliest, behind the colon or the dash. */
  function readNode(from: number): Node {
    const event = events[next++];
    const plain = { isFlow: false, isAnchored: false, entries: [] };
    if (event === undefined || event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT)
      return { kind: "empty", value: { start: from, end: from }, ...plain };
    if (event.type === EVENT_ID.ALIAS) return { kind: "alias", value: { start: event.anchorStart - 1, end: event.anchorEnd }, ...plain };
    const isAnchored = event.anchorStart !== -1;
    const marks = [event.anchorStart - 1, event.tagStart].filter((at) => at >= 0);
    if (event.type === EVENT_ID.SCALAR) {
      if (event.valueStart === -1) return { kind: "empty", value: { start: from, end: from }, ...plain, isAnchored };
      const { start, end } = scalarExtent(source, event, from);
      return { kind: "scalar", value: { start: Math.min(start, ...marks), end }, ...plain, isAnchored };
    }
    const isFlow = event.style === COLLECTION_STYLE.FLOW;
    const entries = event.type === EVENT_ID.MAPPING ? readPairs() : readMembers(isFlow ? event.start + 1 : event.start);
    const last = entries.at(-1)?.node.value.end ?? event.start + 1;
    const end = isFlow ? closing(source, last) : last;
    const value = { start: Math.min(event.start, ...marks), end };
    return { kind: event.type === EVENT_ID.MAPPING ? "mapping" : "sequence", value, isFlow, isAnchored, entries };
  }

  function readPairs(): Entry[] {
    const entries: Entry[] = [];
    while (next < events.length && events[next]?.type !== EVENT_ID.POP) {
      const event = events[next];
      const key = readNode(0).value;
      const name = event && keyOf(source, event);
      const isMerge = event !== undefined && isMergeKey(source, event);
      entries.push({ ...(name !== undefined && { name }), key, isMerge, node: readNode(behind(source, ":", key.end)) });
    }
    next += 1;
    return entries;
  }

  function readMembers(start: number): Entry[] {
    const entries: Entry[] = [];
    let from = start;
    while (next < events.length && events[next]?.type !== EVENT_ID.POP) {
      const node = readNode(from);
      from = node.value.end;
      entries.push({ isMerge: false, node });
    }
    next += 1;
    return entries;
  }

  const root = readNode(0);
  return { find: (path) => findSpan(root, path) };
}

function findSpan(root: Node, path: readonly PathPart[]): Span | undefined {
  let node = root;
  let found: Pick<Span, "key" | "within"> = {};
  for (const part of path) {
    if (node.isAnchored && node !== root) return undefined; // others mean it too
    const index =
      node.kind === "sequence" && typeof part === "number"
        ? part
        : node.kind === "mapping"
          ? node.entries.findLastIndex(({ name, isMerge }) => !isMerge && name === String(part))
          : -1;
    const entry = node.entries[index];
    if (entry === undefined) return undefined;
    const { isFlow, value } = node;
    found = { ...(entry.key && { key: entry.key }), within: { members: membersOf(node), index, isFlow, value } };
    node = entry.node;
  }
  const { kind, value, isFlow, isAnchored } = node;
  return kind === "alias" ? undefined : { ...found, kind, value, isFlow, isAnchored, members: membersOf(node) };
}

const membersOf = ({ entries }: Node): readonly Extent[] =>
  entries.map(({ key, node }) => ({ start: key?.start ?? node.value.start, end: Math.max(node.value.end, key?.end ?? 0) }));

function scalarExtent(source: string, event: Extract<Event, { readonly type: typeof EVENT_ID.SCALAR }>, from: number): Extent {
  const { valueStart: start, valueEnd: end, style } = event;
  if (style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED) return { start: start - 1, end: end + 1 };
  if (style === SCALAR_STYLE.PLAIN) return { start, end };
  const header = source.slice(from, start).search(/[|>]/); // a block scalar: its text is whole lines
  return { start: header === -1 ? start : from + header, end: start + source.slice(start, end).trimEnd().length };
}

/** Just past the next such character; comments and space may stand before it. */
function behind(source: string, char: string, from: number): number {
  const at = source.indexOf(char, from);
  return at === -1 ? from : at + 1;
}

/** Just past the bracket that closes a flow collection, whose last member ends at `from`. */
function closing(source: string, from: number): number {
  for (let at = from; at < source.length; at += 1) {
    const char = source[at];
    if (char === "]" || char === "}") return at + 1;
    if (char === "#" && /\s/.test(source[at - 1] ?? " ")) {
      const end = source.indexOf("\n", at);
      at = end === -1 ? source.length : end;
    }
  }
  return source.length;
}
