/** What the streams can show: colour, width, and whether more than ASCII. Decided once a run, for stdout and stderr apart. */
import type { ColorChoice } from "./flags.ts";
import type { Io, Stream } from "./io.ts";

/** chalk's levels: none, 16, 256, 16 million colours. */
export type ColorLevel = 0 | 1 | 2 | 3;

/** --color beats NO_COLOR beats FORCE_COLOR and CLICOLOR_FORCE; else colour on a terminal that is not dumb. */
export function colorLevel(choice: ColorChoice | undefined, stream: Stream, env: Io["env"]): ColorLevel {
  if (choice === "never") return 0;
  if (choice === "always") return abilityOf(env) || 1;
  if (isSet(env.NO_COLOR)) return 0;
  if (isSet(env.FORCE_COLOR)) return forcedLevel(env.FORCE_COLOR ?? "", env);
  if (isSet(env.CLICOLOR_FORCE) && env.CLICOLOR_FORCE !== "0") return abilityOf(env) || 1;
  return stream.isTTY ? abilityOf(env) : 0;
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== "";

function forcedLevel(value: string, env: Io["env"]): ColorLevel {
  if (value === "0" || value === "false") return 0;
  if (value === "2") return 2;
  if (value === "3") return 3;
  return value === "1" ? 1 : abilityOf(env) || 1;
}

function abilityOf(env: Io["env"]): ColorLevel {
  const term = env.TERM ?? "";
  if (term === "dumb") return 0;
  if (env.COLORTERM === "truecolor" || env.COLORTERM === "24bit") return 3;
  return term.includes("256color") ? 2 : 1;
}

/** The terminal's width; 100 columns in a pipe or file, so that the bytes do not depend on who looks. */
export function widthOf(stream: Stream): number {
  if (!stream.isTTY || stream.columns === undefined) return 100;
  return Math.max(40, stream.columns);
}

/** Whether only ASCII may be printed: a terminal whose locale is not UTF-8. */
export function isAsciiOnly(stream: Stream, env: Io["env"]): boolean {
  if (!stream.isTTY) return false;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find(isSet) ?? "C";
  return !/utf-?8/i.test(locale);
}

/** Prose that keeps to the width: a longer line goes on below, an indented one two columns further in; words stay whole. */
export function foldText(text: string, width: number): string {
  return text
    .split("\n")
    .map((row) => foldLine(row, width))
    .join("\n");
}

function foldLine(row: string, width: number): string {
  if (row.length <= width) return row;
  const indent = /^ */.exec(row)?.[0] ?? "";
  const [left = "", ...columns] = row.slice(indent.length).split(/ {3,}/);
  if (columns.length > 0) return [`${indent}${left}`, `${indent}    ${columns.join("  ")}`].map((part) => foldLine(part, width)).join("\n");
  const hang = indent === "" ? "" : `${indent}  `;
  const done: string[] = [];
  let current = indent;
  for (const word of left.split(" ")) {
    const isFirst = current.trim() === "";
    if (!isFirst && current.length + 1 + word.length > width) {
      done.push(current);
      current = `${hang}${word}`;
    } else current = isFirst ? `${current}${word}` : `${current} ${word}`;
  }
  return [...done, current].join("\n");
}
