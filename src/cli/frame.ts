/** The line of a file that a place points at, with a row of carets under it, as compilers print it. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { shownLine } from "../manifests/secrets.ts";
import { formatPlace, type Place } from "../objects/source.ts";
import { escapeText } from "../render/escape.ts";

const WIDEST = 120; // columns of source shown; a one-line JSON file must not fill the screen

/** `  --> service.yaml:12:7` and, when the file can be read again, its line. */
export function codeFrame(place: Place, cwd: string, read?: (file: string, line: number) => string | undefined): string[] {
  const head = `  --> ${escapeText(formatPlace(place))}`;
  const line = read === undefined ? lineOf(place, cwd) : read(place.file, place.line);
  if (line === undefined) return [head];
  const from = Math.max(0, place.column - 1 - WIDEST / 2);
  const shown = oneColumnEach(line.slice(from, from + WIDEST));
  const start = place.column - 1 - from;
  const end = place.endLine === place.line ? Math.max(place.endColumn - 1 - from, start + 1) : shown.length;
  const carets = "^".repeat(Math.max(1, Math.min(end, shown.length) - start));
  const number = String(place.line);
  const gutter = " ".repeat(number.length);
  return [head, ` ${gutter} |`, ` ${number} | ${shown}`, ` ${gutter} | ${" ".repeat(start)}${carets}`];
}

function lineOf(place: Place, cwd: string): string | undefined {
  if (place.file === "-") return undefined;
  try {
    const path = resolve(cwd, place.file);
    if (!statSync(path).isFile()) return undefined; // a pipe was read to its end, and would be waited for
    return shownLine(readFileSync(path, "utf8").split(/\r\n|\n|\r/), place.line);
  } catch {
    return undefined; // gone since it was read: the place alone must do
  }
}

/** Unsafe characters as one mark each, so that the carets stay below what they point at. */
const oneColumnEach = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => {
    const unit = text[at] ?? "";
    return unit === "\t" ? " " : escapeText(unit) === unit || isSurrogate(unit) ? unit : "?";
  }).join("");

const isSurrogate = (unit: string): boolean => /[\ud800-\udfff]/.test(unit);
