/**
 * kubectl's tables: columns as wide as their widest cell and three spaces, the last one not padded
 * (cli-runtime/pkg/printers/tabwriter.go: minwidth 6, padding 3, spaces).
 */
import { escapeText } from "../escape.ts";

const MIN_WIDTH = 6;
const PADDING = 3;

/** Header and rows as lines, each with its newline. Characters a terminal would obey are shown escaped. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(cellText));
  const widths = (cells[0] ?? []).map((_, column) =>
    cells.reduce((width, row) => Math.max(width, lengthOf(row[column] ?? "") + PADDING), MIN_WIDTH),
  );
  return cells
    .map((row) => `${row.map((cell, column) => pad(cell, column === row.length - 1 ? 0 : (widths[column] ?? 0))).join("")}\n`)
    .join("");
}

/** A cell is one line: kubectl cuts at the first line break and says so. */
function cellText(value: string): string {
  const cut = value.search(/[\f\n\r]/);
  return escapeText(cut < 0 ? value : `${value.slice(0, cut)}...`);
}

const lengthOf = (text: string): number => [...text].length;
const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - lengthOf(text)));
