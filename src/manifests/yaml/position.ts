/** Offsets to lines and columns, and a field path to the extent of its value in one document. */
import { COLLECTION_STYLE, EVENT_ID, type Event, SCALAR_STYLE } from "js-yaml";
import type { PathPart, Place } from "../../objects/source.ts";
import { isMergeKey, keyOf } from "./construct.ts";
import { readEvents } from "./parse.ts";

export type Extent = { readonly start: number; readonly end: number };

/** The offsets at which lines begin. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Line and column of an extent; columns count UTF-16 units, as editors and SARIF do. */
export function placeOf(file: string, starts: readonly number[], extent: Extent): Place {
  const from = lineAndColumn(starts, extent.start);
  const to = lineAndColumn(starts, Math.max(extent.end, extent.start));
  return { file, line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
}

function lineAndColumn(starts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

/** Finds values in one document. */
export type Finder = { readonly find: (path: readonly PathPart[]) => Found };
/** `depth`: how many steps of the path are written; less than its length means the extent is an ancestor's. */
export type Found = { readonly extent: Extent; readonly depth: number };

/** Parses the document once; each look-up walks the events. */
export function createFinder(source: string): Finder {
  const events = readEvents(source);
  const ends = subtreeEnds(events);
  const listed = new Map<number, readonly number[]>();
  const root = events[0]?.type === EVENT_ID.DOCUMENT ? 1 : 0;

  /** The event of an alias's anchor: the last one of that name before the alias. */
  function follow(index: number): number {
    const event = events[index];
    if (event?.type !== EVENT_ID.ALIAS) return index;
    const name = source.slice(event.anchorStart, event.anchorEnd);
    for (let at = index - 1; at >= 0; at -= 1) {
      const other = events[at];
      if (other && "start" in other && other.anchorStart !== -1 && source.slice(other.anchorStart, other.anchorEnd) === name) return at;
    }
    return index;
  }

  /** The children of a collection: indices of its members, for a mapping key and value by turns. */
  function* children(index: number): Generator<number> {
    for (let at = index + 1; at < events.length && events[at]?.type !== EVENT_ID.POP; at = ends[at] ?? events.length) yield at;
  }

  /** The same for a second look: a list of a thousand faults is asked for a thousand times. */
  function childrenOf(index: number): readonly number[] {
    const known = listed.get(index);
    if (known !== undefined) return known;
    const members = [...children(index)];
    listed.set(index, members);
    return members;
  }

  function step(index: number, part: PathPart): { readonly key?: number; readonly value: number } | undefined {
    const at = follow(index);
    const members = childrenOf(at);
    if (events[at]?.type === EVENT_ID.SEQUENCE) {
      const value = typeof part === "number" ? members[part] : undefined;
      return value === undefined ? undefined : { value };
    }
    return events[at]?.type === EVENT_ID.MAPPING ? stepByKey(members, String(part)) : undefined;
  }

  function stepByKey(members: readonly number[], name: string): { readonly key?: number; readonly value: number } | undefined {
    let found: { readonly key?: number; readonly value: number } | undefined;
    for (let pair = 0; pair + 1 < members.length; pair += 2) {
      const [key = 0, value = 0] = members.slice(pair, pair + 2);
      const event = events[key];
      if (event === undefined) continue;
      if (isMergeKey(source, event)) found = stepIntoMerge(value, name) ?? found;
      else if (keyOf(source, event) === name) found = { key, value };
    }
    return found;
  }

  function stepIntoMerge(index: number, name: string): { readonly key?: number; readonly value: number } | undefined {
    const at = follow(index);
    if (at >= index && events[index]?.type === EVENT_ID.ALIAS) return undefined; // no anchor of that name
    if (events[at]?.type !== EVENT_ID.SEQUENCE) return step(at, name);
    for (const member of childrenOf(at)) {
      const found = step(member, name);
      if (found !== undefined) return found; // of a list the first wins
    }
    return undefined;
  }

  function extentOf(index: number): Extent | undefined {
    const event = events[index];
    if (event?.type === EVENT_ID.SCALAR) {
      if (event.valueStart === -1) return undefined;
      const quote = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0;
      return { start: event.valueStart - quote, end: event.valueEnd + quote };
    }
    if (event?.type === EVENT_ID.ALIAS) return { start: event.anchorStart - 1, end: event.anchorEnd };
    if (event?.type !== EVENT_ID.MAPPING && event?.type !== EVENT_ID.SEQUENCE) return undefined;
    if (event.style !== COLLECTION_STYLE.FLOW) return { start: event.start, end: endOfLine(source, event.start) };
    return { start: event.start, end: endOfFlow(source, events, index, ends[index] ?? events.length) };
  }

  /** A block under a key is shown by its key: `spec:` says more than the first line below it. */
  function show(found: { readonly key?: number; readonly value: number }): Extent | undefined {
    const event = events[found.value];
    const isBlock = (event?.type === EVENT_ID.MAPPING || event?.type === EVENT_ID.SEQUENCE) && event.style !== COLLECTION_STYLE.FLOW;
    const byKey = found.key === undefined ? undefined : extentOf(found.key);
    return isBlock && byKey ? byKey : (extentOf(found.value) ?? byKey);
  }

  return {
    find: (path) => {
      let at = root;
      let depth = 0;
      let extent = extentOf(root) ?? { start: firstVisible(source), end: endOfLine(source, firstVisible(source)) };
      for (const part of path) {
        const found = step(at, part);
        if (found === undefined) break;
        extent = show(found) ?? extent;
        at = found.value;
        depth += 1;
      }
      return { extent, depth };
    },
  };
}

/** For each event, the index just past its subtree. */
function subtreeEnds(events: readonly Event[]): readonly number[] {
  const ends: number[] = [];
  const open: number[] = [];
  events.forEach((event, index) => {
    if (event.type === EVENT_ID.POP) {
      const opened = open.pop();
      if (opened !== undefined) ends[opened] = index + 1;
      ends[index] = index + 1;
    } else if (event.type === EVENT_ID.SCALAR || event.type === EVENT_ID.ALIAS) ends[index] = index + 1;
    else open.push(index);
  });
  return ends;
}

/** Just past the bracket that closes a flow collection: as many brackets after the last value as collections end there. */
function endOfFlow(source: string, events: readonly Event[], from: number, to: number): number {
  let last = to - 1;
  while (last > from && events[last]?.type === EVENT_ID.POP) last -= 1;
  const brackets = to - 1 - last;
  let written = last; // an empty value has no offset: then what stands before it
  while (written > from && offsetAfter(events[written]) < 0) written -= 1;
  let position = offsetAfter(events[written]);
  for (let closed = 0; closed < brackets; position += 1) {
    const char = source[position];
    if (char === undefined || !CLOSING.includes(char)) return position;
    if (char === "]" || char === "}") closed += 1;
  }
  return position;
}

const CLOSING = "]} \t\r\n,:\"'"; // what may stand between a last value and the brackets that close around it

function offsetAfter(event: Event | undefined): number {
  if (event?.type === EVENT_ID.SCALAR) return event.valueEnd;
  if (event?.type === EVENT_ID.ALIAS) return event.anchorEnd;
  return event !== undefined && "start" in event ? event.start + 1 : 0;
}

/** The end of a line's content, a comment after it left out. */
function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  const line = text.slice(from, end === -1 ? text.length : end);
  return from + line.replace(/\s+#.*$/, "").trimEnd().length;
}

const firstVisible = (text: string): number => Math.max(text.search(/^[ \t]*[^\s#]/m), 0);
