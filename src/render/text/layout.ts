/**
 * The fixed columns of a trace: verb, what changed, because of what, and the place at the right edge. A row that does
 * not fit takes a second line for the reason and the place; a name or a place is never cut.
 */
import type { Tone } from "../paint.ts";
import { type Line, line, padTo, type Span, span, widthOf } from "./spans.ts";

/** One thing that happened, ready for the columns. */
export type Row = {
  readonly verb: string;
  readonly tone?: Tone; // of the verb
  readonly what: Line;
  readonly because?: Line;
  readonly right?: Line; // place, TTL, ok
  readonly outside?: boolean; // not part of a hop: starts at the left edge
  readonly whole?: boolean; // rule text, to be searched for as it stands: never broken
};

const INDENT = 2;
const VERB = 8; // columns of the verb
export const BODY = INDENT + VERB;
const BECAUSE = 57; // where the reason starts when there is room
const GAP = 2;

/** The printed lines of one row. */
export function layoutRow(row: Row, width: number): Line[] {
  const heads = headLines(row, width);
  const above = heads.slice(0, -1);
  const head = heads.at(-1) ?? [];
  const because = row.because ?? [];
  const right = row.right ?? [];
  if (because.length === 0) return [...above, ...justify(head, right, width)];
  const room = width - widthOf(because) - (right.length === 0 ? 0 : GAP + widthOf(right));
  const column = Math.max(widthOf(head) + GAP, Math.min(BECAUSE, room));
  const joined = [...padTo(head, column), ...because];
  if (fits(joined, right, width)) return [...above, right.length === 0 ? joined : atRight(joined, right, width)];
  const reason = wrap(because, width - BODY - GAP).map((one) => [...padTo([], BODY + GAP), ...one]);
  return [...heads, ...reason.slice(0, -1), ...justify(reason.at(-1) ?? [], right, width)];
}

/** Verb and what changed; a long one goes on below itself. */
function headLines(row: Row, width: number): Line[] {
  const indent = row.outside ? 0 : INDENT;
  const verb = padTo(line(" ".repeat(indent), span(row.verb, row.tone)), Math.max(BODY, indent + row.verb.length + 1));
  const used = widthOf(verb);
  if (row.whole || used + widthOf(row.what) <= width) return [[...verb, ...row.what]];
  return wrap(row.what, width - used, GAP).map((one, i) => [...(i === 0 ? verb : padTo([], used)), ...one]);
}

/** A text and something at the right edge, on one line if they fit. */
export function justify(left: Line, right: Line, width: number): Line[] {
  if (right.length === 0) return [left];
  if (fits(left, right, width)) return [atRight(left, right, width)];
  return [left, ...wrap(right, width - INDENT).map((one) => atRight([], one, width))];
}

const fits = (left: Line, right: Line, width: number): boolean => widthOf(left) + (right.length === 0 ? 0 : GAP) + widthOf(right) <= width;
const atRight = (left: Line, right: Line, width: number): Line => [...padTo(left, Math.max(INDENT, width - widthOf(right))), ...right];

/** Prose broken at blanks; a word longer than the line stands alone. `hang` indents all lines but the first. */
export function wrap(words: Line, width: number, hang = 0): Line[] {
  if (widthOf(words) <= width) return [words];
  const lines: Line[] = [];
  let current: Span[] = [];
  let used = 0;
  for (const word of words.flatMap(splitWords)) {
    const size = widthOf([word]);
    if (used > hang && used + size > width && word.text !== " ") {
      lines.push(withoutEnd(current));
      current = hang > 0 ? [{ text: " ".repeat(hang) }] : [];
      used = hang;
    }
    if (word.text === " " && used === hang && lines.length > 0) continue;
    current.push(word);
    used += size;
  }
  return [...lines, current];
}

/** Without the blank that the break stands for. */
const withoutEnd = (spans: readonly Span[]): Line => (spans.at(-1)?.text === " " ? spans.slice(0, -1) : spans);

const splitWords = ({ text, tone }: Span): Span[] =>
  text
    .split(/( )/)
    .filter((part) => part !== "")
    .map((part) => (tone === undefined ? { text: part } : { text: part, tone }));
