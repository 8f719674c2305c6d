/** Changes of a file as a unified diff (POSIX diff -u), made from the changes themselves: no lines have to be compared. */
import { escapeText } from "../escape.ts";

const AROUND = 3;

type TextChange = { readonly start: number; readonly end: number; readonly text: string };

type Block = { readonly from: number; readonly to: number; readonly lines: readonly string[] }; // lines from..to-1 become these

/** `changes` are in order and do not overlap; `before` is the text that they change. */
export function renderDiff(file: string, before: string, changes: readonly TextChange[]): string {
  const lines = splitLines(before);
  const blocks = blocksOf(before, lines, changes);
  if (blocks.length === 0) return "";
  const name = escapeText(file);
  let shift = 0;
  const hunks = group(blocks).map((hunk) => {
    const [first, last] = [hunk[0], hunk.at(-1)];
    const [from, to] = [Math.max(0, (first?.from ?? 0) - AROUND), Math.min(lines.length, (last?.to ?? 0) + AROUND)];
    const body: string[] = [];
    let at = from;
    for (const block of hunk) {
      body.push(...lines.slice(at, block.from).map((line) => show(" ", line)));
      body.push(...lines.slice(block.from, block.to).map((line) => show("-", line)), ...block.lines.map((line) => show("+", line)));
      at = block.to;
    }
    body.push(...lines.slice(at, to).map((line) => show(" ", line)));
    const grown = hunk.reduce((sum, block) => sum + block.lines.length - (block.to - block.from), 0);
    const head = `@@ -${range(from, to - from)} +${range(from + shift, to - from + grown)} @@\n`;
    shift += grown;
    return head + body.join("");
  });
  return `--- a/${name}\n+++ b/${name}\n${hunks.join("")}`;
}

/** An empty range is counted from the line before it. */
const range = (from: number, count: number): string => `${count === 0 ? from : from + 1}${count === 1 ? "" : `,${count}`}`;

/** A line with its break; a carriage return is a part of the line. */
const show = (sign: string, line: string): string => {
  const text = line.replace(/\n$/, "");
  const body = escapeText(text.replace(/\r$/, "").replaceAll("\t", "\0")).replaceAll("\\x00", "\t");
  return `${sign}${body}${text.endsWith("\r") ? "\r" : ""}\n${line.endsWith("\n") ? "" : "\\ No newline at end of file\n"}`;
};

const splitLines = (text: string): readonly string[] => (text === "" ? [] : (text.match(/[^\n]*\n|[^\n]+$/g) ?? []));

/** Changes that share lines come together. */
function blocksOf(before: string, lines: readonly string[], changes: readonly TextChange[]): Block[] {
  const starts: number[] = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length);
  const lineAt = (offset: number): number =>
    Math.max(
      0,
      starts.findLastIndex((start) => start <= offset && start < Math.max(1, before.length)),
    );
  const groups: { from: number; to: number; changes: TextChange[] }[] = [];
  for (const change of changes) {
    const from = lineAt(change.start);
    const to = Math.max(from, lineAt(Math.max(change.start, change.end - 1))) + 1;
    const isWhole = change.end > change.start && change.text === "" && change.end === starts[to] && change.start === starts[from];
    const end = isWhole || !endsLine(before, change) ? to : Math.min(lines.length, to + 1);
    const open = groups.at(-1);
    if (open && from < open.to) {
      open.to = Math.max(open.to, end);
      open.changes.push(change);
    } else groups.push({ from, to: end, changes: [change] });
  }
  return groups.map(({ from, to, changes: own }) => {
    const [start, stop] = [starts[from] ?? 0, starts[to] ?? before.length];
    let at = start;
    const parts: string[] = [];
    for (const change of own) {
      parts.push(before.slice(at, change.start), change.text);
      at = change.end;
    }
    return { from, to, lines: splitLines(parts.join("") + before.slice(at, stop)) };
  });
}

/** A change that takes a line's break with it joins that line and the next. */
const endsLine = (before: string, { start, end, text }: TextChange): boolean =>
  end > start && before[end - 1] === "\n" && !text.endsWith("\n");

/** Blocks whose surroundings meet are one hunk. */
function group(blocks: readonly Block[]): Block[][] {
  const hunks: Block[][] = [];
  for (const block of blocks) {
    const open = hunks.at(-1);
    if (open && block.from - (open.at(-1)?.to ?? 0) <= 2 * AROUND) open.push(block);
    else hunks.push([block]);
  }
  return hunks;
}
