/** The entry of a mapping that a later one of the same key overrides, as text that can be cut out. */
import { EVENT_ID, type Event, SCALAR_STYLE } from "js-yaml";
import type { Place } from "../../objects/source.ts";
import { keyOf } from "./construct.ts";
import { splitDocuments } from "./documents.ts";
import { readEvents } from "./parse.ts";
import { type Extent, lineStarts, placeOf } from "./position.ts";

/** `later`: where the second key stands in the file's text. What is cut reaches up to the next key, or to a comment before it. */
export function overriddenEntry(text: string, later: Place): Place | undefined {
  const starts = lineStarts(text);
  const at = (starts[later.line - 1] ?? 0) + later.column - 1;
  const document = splitDocuments(text).findLast(({ offset }) => offset <= at);
  const found = document && findEntry(document.text, at - document.offset);
  return document && found && placeOf(later.file, starts, { start: document.offset + found.start, end: document.offset + found.end });
}

type Key = { readonly name: string | undefined; readonly start: number };

function findEntry(source: string, keyStart: number): Extent | undefined {
  const events = readEvents(source);
  let next = events[0]?.type === EVENT_ID.DOCUMENT ? 1 : 0;
  let found: Extent | undefined;

  function readNode(): void {
    const event = events[next++];
    if (event?.type === EVENT_ID.MAPPING) readPairs();
    else if (event?.type === EVENT_ID.SEQUENCE) {
      while (isMember(events[next])) readNode();
      next += 1;
    }
  }

  function readPairs(): void {
    const keys: Key[] = [];
    for (let event = events[next]; isMember(event); event = events[next]) {
      const start = startOf(event);
      const own: Key = { name: keyOf(source, event), start };
      const earlier =
        event.type === EVENT_ID.SCALAR && event.valueStart === keyStart ? keys.findLastIndex(({ name }) => name === own.name) : -1;
      keys.push(own);
      const [first, follower] = [keys[earlier], keys[earlier + 1]];
      if (earlier >= 0 && first && follower) found = cut(source, first.start, follower.start);
      readNode();
      readNode();
    }
    next += 1;
  }

  readNode();
  return found;
}

const isMember = (event: Event | undefined): event is Event => event !== undefined && event.type !== EVENT_ID.POP;

function startOf(event: Event): number {
  if (event.type !== EVENT_ID.SCALAR) return "start" in event ? event.start : 0;
  const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return event.valueStart - (isQuoted ? 1 : 0);
}

function cut(source: string, start: number, end: number): Extent {
  const tail = /\n[ \t]*(?:#[^\n]*\n[ \t]*)*$/.exec(source.slice(start, end));
  if (tail === null) return { start, end };
  return { start, end: start + tail.index + (/^\n[ \t]*/.exec(tail[0])?.[0].length ?? 0) };
}
