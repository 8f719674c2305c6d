/** Comments of a file. js-yaml's events have none: a `#` that begins a comment is one that no scalar's extent holds (YAML 1.1, 4.1.1). */
import { EVENT_ID, SCALAR_STYLE } from "js-yaml";
import { splitDocuments } from "./documents.ts";
import { readEvents } from "./parse.ts";
import type { Extent } from "./position.ts";

/** `text` follows the `#`; `start` is the offset of the `#`, `lineStart` that of its line. */
export type Comment = Extent & { readonly text: string; readonly lineStart: number };

/** The comments that hold a word, in order. Only documents with the word in them are parsed. */
export function commentsWith(text: string, word: string): readonly Comment[] {
  if (!text.includes(word)) return [];
  const comments: Comment[] = [];
  for (const document of splitDocuments(text)) {
    if (!document.text.includes(word) || document.json !== undefined) continue;
    const scalars = scalarExtents(document.text);
    for (let at = document.text.indexOf(word); at !== -1; ) {
      const lineStart = document.text.lastIndexOf("\n", at - 1) + 1;
      const lineEnd = endOfLine(document.text, at);
      const hash = commentStart(document.text, lineStart, lineEnd, scalars);
      if (hash !== undefined && hash < at)
        comments.push({
          text: document.text.slice(hash + 1, lineEnd),
          start: document.offset + hash,
          end: document.offset + lineEnd,
          lineStart: document.offset + lineStart,
        });
      at = document.text.indexOf(word, hash !== undefined && hash < at ? lineEnd : at + 1);
    }
  }
  return comments;
}

/** Without the break, whether it is LF or CRLF. */
function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  if (end === -1) return text.length;
  return text[end - 1] === "\r" ? end - 1 : end;
}

function commentStart(text: string, from: number, to: number, scalars: readonly Extent[] | undefined): number | undefined {
  for (let at = text.indexOf("#", from); at !== -1 && at < to; at = text.indexOf("#", at + 1)) {
    const before = text[at - 1];
    if (at !== from && before !== " " && before !== "\t") continue;
    if (scalars === undefined ? isQuoted(text.slice(from, at)) : isWithin(scalars, at)) continue;
    return at;
  }
  return undefined;
}

/** The scalars in order; undefined for a document that cannot be parsed. */
function scalarExtents(text: string): readonly Extent[] | undefined {
  const events = readEvents(text);
  if (events.length === 0) return undefined;
  return events.flatMap((event) => {
    if (event.type !== EVENT_ID.SCALAR || event.valueStart === -1) return [];
    const quote = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0;
    return [{ start: event.valueStart - quote, end: event.valueEnd + quote }];
  });
}

function isWithin(extents: readonly Extent[], offset: number): boolean {
  let low = 0;
  let high = extents.length; // the first that ends after the offset
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((extents[middle]?.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return (extents[low]?.start ?? Infinity) <= offset;
}

/** Without events: an odd number of quotes before it. */
const isQuoted = (before: string): boolean => before.split('"').length % 2 === 0 || before.split("'").length % 2 === 0;
