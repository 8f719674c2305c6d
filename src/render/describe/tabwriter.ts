/**
 * Cells that end with a tab, aligned in columns as Go's text/tabwriter aligns them (minimum width 0, padding 2): a column is
 * a run of neighbouring lines that have a cell there, and the last cell of a line belongs to none. kubectl describe prints so.
 */
import { textWidth } from "../text/spans.ts";

const PADDING = 2;

/** The lines of a text with tabs, aligned. */
export function alignTabs(text: string): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const out: string[] = [];
  format(lines, 0, lines.length, [], out);
  return out.join("\n");
}

type Lines = readonly (readonly string[])[];

/** One column of the lines [from, to), and those to its right. */
function format(lines: Lines, from: number, to: number, widths: readonly number[], out: string[]): void {
  const column = widths.length;
  let written = from;
  for (let at = from; at < to; at++) {
    if (!hasColumn(lines, at, column)) continue;
    write(lines, written, at, widths, out);
    const start = at;
    let width = 0;
    for (; at < to && hasColumn(lines, at, column); at++) width = Math.max(width, textWidth(lines[at]?.[column] ?? "") + PADDING);
    format(lines, start, at, [...widths, width], out);
    written = at;
  }
  write(lines, written, to, widths, out);
}

const hasColumn = (lines: Lines, at: number, column: number): boolean => column < (lines[at]?.length ?? 0) - 1;

function write(lines: Lines, from: number, to: number, widths: readonly number[], out: string[]): void {
  for (const line of lines.slice(from, to))
    out.push(line.map((cell, i) => `${cell}${" ".repeat(Math.max(0, (widths[i] ?? 0) - textWidth(cell)))}`).join(""));
}
