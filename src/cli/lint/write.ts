/** Files written whole or not at all: beside their place first, then moved there. */
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { applyChanges, type FileChange } from "../../lint/fix.ts";
import { parseProblems } from "../../manifests/yaml/parse.ts";
import { UsageError } from "../../objects/diagnostic.ts";

/** A link stays a link, and a file keeps its mode. */
export function writeAtomically(path: string, content: string | Uint8Array, shown: string): void {
  const target = realPath(path);
  const fresh = `${target}.${process.pid}.tmp`;
  try {
    writeFileSync(fresh, content, { mode: modeOf(target), flag: "wx" });
    renameSync(fresh, target);
  } catch (error) {
    rmSync(fresh, { force: true });
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new UsageError(`cannot write ${JSON.stringify(shown)}: ${REASONS.get(code) ?? code}`);
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such directory"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EROFS", "the file system is read-only"],
  ["EISDIR", "it is a directory"],
  ["ENOTDIR", "a part of the path is no directory"],
  ["ENOSPC", "no space is left"],
]);

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function modeOf(path: string): number {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return 0o666;
  }
}

const BOM = "\ufeff";

/** The file's text with its changes; undefined when that could be read less well than the text before. */
export function mended(text: string, changes: readonly FileChange[]): string | undefined {
  const after = applyChanges(text, changes);
  return parseProblems(after) > parseProblems(text) ? undefined : after;
}

/** Writes a mended file, if it is still what was read. Its byte order mark stays. */
export function writeMended(file: string, before: string, after: string, cwd: string): void {
  const path = resolve(cwd, file);
  const now = readFileSync(path, "utf8");
  const mark = now.startsWith(BOM) ? BOM : "";
  if (now.slice(mark.length) !== before) throw new UsageError(`${file} changed while it was read; nothing was written to it`);
  writeAtomically(path, mark + after, file);
}
