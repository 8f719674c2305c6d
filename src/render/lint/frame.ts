/** A line of a file with a row of marks under what is meant: right below tabs, wide characters and very long lines. */
import { escapeText } from "../escape.ts";

/** A line, the UTF-16 columns from 1 of what is meant (end exclusive), and the columns there are on the screen. */
export type FrameRequest = { readonly line: string; readonly column: number; readonly endColumn: number; readonly room: number };
/** `text` as it is shown, and the screen columns from 0 of what is meant. */
export type Frame = { readonly text: string; readonly start: number; readonly end: number };

const TAB = 4;
const MOST_UNITS = 4000; // of a line that are looked at: a JSON dump is one line

type Cell = { readonly text: string; readonly at: number; readonly column: number; readonly width: number };

/** Cuts a line that is too long around what is meant, with `…` where it was cut. */
export function frameOf({ line, column, endColumn, room }: FrameRequest): Frame {
  const first = Math.max(0, column - 1 - MOST_UNITS / 2);
  const cells = cellsOf(line.slice(first, first + MOST_UNITS), first);
  const total = end(cells);
  const start = columnAt(cells, column - 1);
  const stop = Math.max(columnAt(cells, endColumn - 1), start + 1);
  if (total <= room && first === 0) return { text: cells.map(({ text }) => text).join(""), start, end: stop };
  const from = Math.max(0, Math.min(start - Math.floor(room / 3), total - room + 2));
  const isCutLeft = from > 0 || first > 0;
  const lead = isCutLeft ? 1 : 0;
  const shown = cells.filter((cell) => cell.column >= from && cell.column + cell.width <= from + room - 2);
  const isCutRight = end(shown) < total;
  const skipped = shown[0]?.column ?? from;
  const shift = (at: number): number => Math.max(lead, Math.min(at - skipped + lead, room));
  return {
    text: `${isCutLeft ? "…" : ""}${shown.map(({ text }) => text).join("")}${isCutRight ? "…" : ""}`,
    start: shift(start),
    end: Math.max(shift(stop), shift(start) + 1),
  };
}

function cellsOf(text: string, first: number): readonly Cell[] {
  const cells: Cell[] = [];
  let column = 0;
  let at = first;
  for (const char of text) {
    const shown = char === "\t" ? " ".repeat(TAB - (column % TAB)) : escapeText(char) === char ? char : "?";
    const width = char === "\t" ? shown.length : shown === "?" ? 1 : widthOf(char.codePointAt(0) ?? 0);
    cells.push({ text: shown, at, column, width });
    column += width;
    at += char.length;
  }
  return cells;
}

const end = (cells: readonly Cell[]): number => {
  const last = cells.at(-1);
  return last === undefined ? 0 : last.column + last.width;
};

/** The screen column of a UTF-16 offset; of one past the line, the column behind it. */
const columnAt = (cells: readonly Cell[], offset: number): number => cells.find(({ at }) => at >= offset)?.column ?? end(cells);

/** Blocks of characters that terminals draw two columns wide (UAX #11, W and F), and such as combine (none). */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x1fa70, 0x1faff],
  [0x20000, 0x3fffd],
];
const COMBINING: readonly (readonly [number, number])[] = [
  [0x0300, 0x036f],
  [0x0483, 0x0489],
  [0x0591, 0x05bd],
  [0x0610, 0x061a],
  [0x064b, 0x065f],
  [0x1ab0, 0x1aff],
  [0x1dc0, 0x1dff],
  [0x20d0, 0x20ff],
  [0xfe00, 0xfe0f],
  [0xfe20, 0xfe2f],
];

/** Screen columns of one character (wcwidth(3)). */
export function widthOf(code: number): number {
  if (code < 0x300) return 1;
  const within = (ranges: readonly (readonly [number, number])[]): boolean => ranges.some(([from, to]) => from <= code && code <= to);
  return within(COMBINING) ? 0 : within(WIDE) ? 2 : 1;
}
