/**
 * A terminal session as text: `$ ktrace …`, then what it printed. Goldens (`*.trace`) and the examples of the documentation
 * share the form. Simple commands run in this process, pipelines in bash with the built program on the PATH.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ktrace } from "./cli/io.ts";

export const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** KTRACE_UPDATE=1 writes what was printed into the file; a person then reads the diff. */
export const UPDATE = process.env.KTRACE_UPDATE === "1";

/** Stdout, then stderr, as lines without the last line break. */
export type Ran = { readonly lines: readonly string[]; readonly status: number };

/** Runs one line as typed at a prompt. */
export async function runLine(line: string, cwd: string): Promise<Ran> {
  const ran = /[|<>;`]|&&|\$\(/.test(line.replace(/'[^']*'/g, ""))
    ? runInShell(line, cwd)
    : await ktrace(splitWords(line).slice(1), { cwd });
  const text = `${ran.stdout}${ran.stderr}`.replace(/\n$/, "");
  return { lines: text === "" ? [] : text.split("\n"), status: ran.status };
}

function runInShell(line: string, cwd: string) {
  const path = mkdtempSync(join(tmpdir(), "ktrace-path-"));
  try {
    symlinkSync(join(ROOT, "bin/ktrace"), join(path, "ktrace"));
    const { status, stdout, stderr } = spawnSync("bash", ["-c", line], {
      cwd,
      encoding: "utf8",
      env: { ...process.env, PATH: `${path}:${process.env.PATH}`, NO_COLOR: "1" },
    });
    return { status: status ?? 1, stdout, stderr };
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** Words as a shell splits them: quotes of both kinds, backslash. No expansion. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  for (const [, single, double, bare, space] of line.matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|((?:[^\s'"\\]|\\.)+)|(\s+)/g)) {
    if (space !== undefined) words.push("");
    else words.push(`${words.pop() ?? ""}${single ?? (double ?? bare ?? "").replace(/\\(.)/g, "$1")}`);
  }
  return words;
}
