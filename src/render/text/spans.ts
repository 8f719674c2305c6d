/**
 * A line of output before it is coloured: pieces of text, each with a tone. All text enters through `span`, which
 * escapes it, so that widths are those of what is printed and no input can bring its own control characters.
 */
import { escapeText } from "../escape.ts";
import type { Paint, Tone } from "../paint.ts";

export type Span = { readonly text: string; readonly tone?: Tone };
export type Line = readonly Span[];

export const span = (text: string, tone?: Tone): Span =>
  tone === undefined ? { text: escapeText(text) } : { text: escapeText(text), tone };
export const line = (...parts: readonly (string | Span)[]): Line => parts.map((part) => (typeof part === "string" ? span(part) : part));
export const EMPTY: Line = [];

/** Columns that a line takes. */
export const widthOf = (spans: Line): number => spans.reduce((sum, { text }) => sum + textWidth(text), 0);

/** Columns that a text takes: two for East Asian wide characters (UAX #11), none for combining marks. */
export function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += /\p{Mn}|\p{Me}/u.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Fills up with blanks to a column; a line that is there already gets none. */
export const padTo = (spans: Line, column: number): Line => {
  const missing = column - widthOf(spans);
  return missing > 0 ? [...spans, { text: " ".repeat(missing) }] : spans;
};

/** One printed line, without blanks at its end. */
export function printLine(spans: Line, paint: Paint): string {
  const end = spans.findLastIndex(({ text }) => text.trimEnd() !== "");
  return spans
    .slice(0, end + 1)
    .map(({ text, tone }, i) => {
      const shown = escapeText(i === end ? text.trimEnd() : text);
      return tone === undefined || shown.trim() === "" ? shown : paint[tone](shown);
    })
    .join("");
}
