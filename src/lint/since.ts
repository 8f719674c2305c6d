/** Which lines changed since a git revision, out of `git diff --unified=0`; and which findings are on such lines. */
import type { Place } from "../objects/source.ts";
import type { Found } from "./run.ts";

/** First and last line, both of them changed. */
type Range = readonly [number, number];
/** By file name; `all` for a file that git does not track yet. */
export type ChangedLines = ReadonlyMap<string, readonly Range[] | "all">;

/** Reads the hunks: `+++ b/FILE`, then `@@ -a,b +c,d @@` (git-diff(1)). A deletion counts for the lines around it. */
export function changedLines(diff: string, untracked: readonly string[]): ChangedLines {
  const changed = new Map<string, Range[] | "all">();
  let ranges: Range[] = [];
  let body = 0; // lines of a hunk that are still to come; they may look like anything
  for (const line of diff.split("\n")) {
    if (body > 0) {
      if (!line.startsWith("\\")) body -= 1;
      continue;
    }
    const file = /^\+\+\+ (?:b\/([^\t]*)|"b\/(.*)")\t?$/.exec(line);
    if (file) {
      ranges = [];
      changed.set(file[1] ?? unquote(file[2] ?? ""), ranges);
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk === null) continue;
    const [removed, start, count] = [Number(hunk[1] ?? 1), Number(hunk[2]), Number(hunk[3] ?? 1)];
    body = removed + count;
    ranges.push(count === 0 ? [start, start + 1] : [start, start + count - 1]);
  }
  for (const name of untracked) changed.set(name, "all");
  return changed;
}

/** git quotes names with controls, quotes and backslashes as C does; others are asked for as they are (core.quotePath=false). */
const unquote = (name: string): string =>
  name.replace(/\\([\\"abtnvfr]|[0-7]{3})/g, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : (ESCAPES.get(code) ?? code),
  );
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["t", "\t"],
  ["n", "\n"],
  ["v", "\v"],
  ["f", "\f"],
  ["r", "\r"],
]);

/** A finding counts when its own line changed, or one that it rests on. */
export const isOnChangedLine = ({ at, related }: Pick<Found, "at" | "related">, changed: ChangedLines): boolean =>
  [at, ...related.map((each) => each.at)].some((place) => touches(place, changed));

function touches({ file, line, endLine }: Place, changed: ChangedLines): boolean {
  const ranges = changed.get(file);
  return ranges === "all" || (ranges?.some(([from, to]) => line <= to && from <= endLine) ?? false);
}
