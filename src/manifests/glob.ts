/** File name patterns: `*` `?` `[…]` `{a,b}` within a directory, `**` for any depth. Node 20 has no fs.glob. */
import { readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { UsageError } from "../objects/diagnostic.ts";
import { quote } from "./words.ts";

export const isGlob = (pattern: string): boolean => /[*?[{]/.test(pattern);

/** The files that match, sorted by code units. A name that begins with a dot is matched only by a pattern that does. */
export function expandGlob(pattern: string, cwd: string): readonly string[] {
  const found = new Set<string>();
  for (const alternative of expandBraces(pattern)) {
    const absolute = alternative.startsWith("/");
    const segments = alternative.split("/").filter((segment) => segment !== "" && segment !== ".");
    walk(absolute ? "/" : cwd, segments, absolute ? "/" : "", (path) => found.add(path));
  }
  return [...found].sort();
}

/** Whether a path is one of the files, below one of the directories, or matched by one of the patterns, all relative to `base`. */
export function pathMatcher(patterns: readonly string[], base: string): (path: string) => boolean {
  const forms = patterns.flatMap(expandBraces).map((pattern) => {
    const segments = pattern.split("/").filter((segment) => segment !== "" && segment !== ".");
    const text = segments.map((segment) => (segment === "**" ? "(?:[^/]+/)*" : `${translateSegment(segment)}/`)).join("");
    return expression(`^${text}(?:[^/]+/)*$`, pattern); // a directory stands for all that is below it
  });
  return (path) => {
    const name = `${relative(base, path).split(sep).join("/")}/`;
    return forms.some((form) => form.test(name));
  };
}

function walk(directory: string, segments: readonly string[], shown: string, report: (path: string) => void): void {
  const [segment = "", ...rest] = segments;
  if (!isGlob(segment) && rest.length > 0) {
    walk(join(directory, segment), rest, `${shown}${segment}/`, report);
    return;
  }
  if (segment === "**") walk(directory, rest.length > 0 ? rest : ["*"], shown, report);
  const matches = segment === "**" ? isVisible : matcher(segment);
  for (const entry of list(directory)) {
    if (!matches(entry.name)) continue;
    const deeper = segment === "**" ? segments : rest;
    if (deeper.length === 0) {
      if (!entry.isDirectory()) report(`${shown}${entry.name}`);
    } else if (entry.isDirectory() || (entry.isSymbolicLink() && segment !== "**")) {
      walk(join(directory, entry.name), deeper, `${shown}${entry.name}/`, report); // ** follows no links, so it ends
    }
  }
}

function list(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

const isVisible = (name: string): boolean => !name.startsWith(".") && name !== "node_modules";

function matcher(segment: string): (name: string) => boolean {
  const form = expression(`^${translateSegment(segment)}$`, segment);
  return (name) => (segment.startsWith(".") || !name.startsWith(".")) && form.test(name);
}

/** `[z-a]` is no set of characters. */
function expression(source: string, pattern: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new UsageError(`${quote(pattern)} is no pattern`, "characters in brackets stand in order, as in [a-z]");
  }
}

const translateSegment = (segment: string): string => segment.replace(/\[!?[^\]]+\]|[\s\S]/g, translate);

function translate(token: string): string {
  if (token === "*") return "[^/]*";
  if (token === "?") return "[^/]";
  if (token.length > 1) return `[${token[1] === "!" ? "^" : ""}${token.slice(token[1] === "!" ? 2 : 1, -1).replace(/[\\[\]^]/g, "\\$&")}]`;
  return token.replace(/[.+^${}()|[\]\\/]/, "\\$&");
}

function expandBraces(pattern: string): readonly string[] {
  const group = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
  if (group === null) return [pattern];
  const [before, after] = [pattern.slice(0, group.index), pattern.slice(group.index + group[0].length)];
  return (group[1] ?? "").split(",").flatMap((choice) => expandBraces(`${before}${choice}${after}`));
}
