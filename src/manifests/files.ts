/** What -f names: files, directories, patterns, standard input; and their text. The only place that touches the disk, with project.ts. */
import { lstatSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { type Diagnostic, UsageError } from "../objects/diagnostic.ts";
import { expandGlob, isGlob } from "./glob.ts";
import { nearest, quote } from "./words.ts";

export const STDIN = "-";
export const PROJECT_FILE = "ktrace.yaml";

/** A file to read. `named`: the user wrote this very name, so whatever is wrong with it is worth an error. */
export type InputFile = { readonly file: string; readonly path: string; readonly named: boolean };
export type FileText = { readonly text: string } | { readonly problem: string; readonly help: string };

/** All files, each once, in the order of the arguments, a directory's sorted by code units. Names are relative to `base`. */
export function listFiles(
  names: readonly string[],
  base: string,
  cwd: string,
): { readonly files: readonly InputFile[]; readonly diagnostics: readonly Diagnostic[] } {
  const files = new Map<string, InputFile>();
  const diagnostics: Diagnostic[] = [];
  for (const name of names) {
    for (const file of expandName(name, base, cwd, diagnostics)) if (!files.has(file.path)) files.set(file.path, file);
  }
  return { files: [...files.values()], diagnostics };
}

function expandName(name: string, base: string, cwd: string, diagnostics: Diagnostic[]): readonly InputFile[] {
  if (name === STDIN) return [{ file: STDIN, path: STDIN, named: true }];
  const path = resolve(base, name);
  const kind = kindOf(path);
  if (kind === "file") return [{ file: display(path, cwd), path, named: true }];
  if (kind === "missing" && isGlob(name)) return matching(name, base, cwd);
  if (kind === "missing")
    throw new UsageError(`cannot read ${quote(name)}: no such file or directory`, missingHelp(path) ?? absentHelp(path, cwd));
  const found = [...walkDirectory(path, [], diagnostics, cwd)].map((member) => ({
    file: display(member, cwd),
    path: member,
    named: false,
  }));
  if (found.length === 0)
    throw new UsageError(`no manifest in the directory ${quote(name)}`, "it holds no file that ends in .yaml, .yml or .json");
  return found;
}

function matching(pattern: string, base: string, cwd: string): readonly InputFile[] {
  const found = expandGlob(pattern, base).filter(isManifestName);
  if (found.length === 0)
    throw new UsageError(`no file matches ${quote(pattern)}`, "a pattern is matched against files that end in .yaml, .yml or .json");
  return found.map((name) => ({ file: display(resolve(base, name), cwd), path: resolve(base, name), named: false }));
}

/** Hidden directories and node_modules hold other people's files. `above` are the real paths of the directories we are in. */
function* walkDirectory(path: string, above: readonly string[], diagnostics: Diagnostic[], cwd: string): Generator<string> {
  const real = realpathSync(path);
  if (above.includes(real)) {
    diagnostics.push({
      code: "directory-loop",
      severity: "info",
      message: `${display(path, cwd)} leads back to a directory above it; not entered again`,
    });
    return;
  }
  for (const name of readDirectory(path)) {
    const member = join(path, name);
    const kind = kindOf(member);
    if (kind === "directory" && !name.startsWith(".") && name !== "node_modules")
      yield* walkDirectory(member, [...above, real], diagnostics, cwd);
    else if (kind === "file" && isManifestName(name) && statSync(member).isFile()) yield member; // a pipe would be waited for
  }
}

function readDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    throw new UsageError(`cannot read the directory ${quote(path)}: ${reasonOf(error)}`);
  }
}

/** A file's text as UTF-8 without its byte order mark. Throws UsageError when the system refuses it. */
export function readText(file: InputFile, stdin: () => string | Uint8Array): FileText {
  const bytes = file.path === STDIN ? toBytes(stdin()) : readBytes(file.path, file.file);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { problem: "the file is UTF-16", help: "save it as UTF-8" };
  }
  if (bytes.subarray(0, 8000).includes(0)) return { problem: "the file is binary, no YAML and no JSON", help: "leave it out" };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { problem: "the file is not UTF-8", help: "save it as UTF-8" };
  }
}

/** The bytes of a file, or a UsageError that names it as the user did. */
export function readBytes(path: string, shown: string): Uint8Array {
  try {
    if (isEndless(path)) throw new UsageError(`cannot read ${quote(shown)}: it is a device`, "name a file, or - for standard input");
    return readFileSync(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `cannot read ${quote(shown)}: ${reasonOf(error)}`,
      reasonOf(error) === "no such file" ? (missingHelp(path) ?? "names are relative to the working directory") : undefined,
    );
  }
}

/** A device such as /dev/zero never ends; /dev/null and the process's own streams do. A named pipe is read until its writer closes it. */
function isEndless(path: string): boolean {
  const stat = statSync(path);
  if (stat.isBlockDevice()) return true;
  return stat.isCharacterDevice() && !/^\/dev\/(?:null|stdin|tty|fd\/\d+|pts\/\d+)$/.test(path);
}

/** A path as the user would type it: relative to the working directory, with `/`. */
export const display = (path: string, cwd: string): string => relative(cwd, path).split(sep).join("/") || ".";

const toBytes = (input: string | Uint8Array): Uint8Array => (typeof input === "string" ? new TextEncoder().encode(input) : input);

/** A project file is no manifest, wherever it lies. */
const isManifestName = (name: string): boolean => /\.(?:ya?ml|json)$/i.test(name) && basename(name) !== PROJECT_FILE;

function kindOf(path: string): "file" | "directory" | "missing" {
  try {
    return statSync(path).isDirectory() ? "directory" : "file";
  } catch {
    return "missing";
  }
}

/** What there is, where a name leads nowhere. */
function absentHelp(path: string, cwd: string): string {
  const above = dirname(path);
  if (kindOf(above) === "file") return `${quote(display(above, cwd))} is a file, not a directory`;
  if (kindOf(above) === "missing") return `there is no directory ${quote(display(above, cwd))}`;
  return "name a file, a directory, a pattern in quotes, or - for standard input";
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

function missingHelp(path: string): string | undefined {
  try {
    if (isLink(path)) return "it is a link that leads nowhere, or in a circle";
    const meant = nearest(basename(path), readdirSync(dirname(path)));
    return meant === undefined ? undefined : `did you mean ${quote(meant)}?`;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return REASONS.get(code) ?? (code || "unknown error");
}

const REASONS = new Map([
  ["ENOENT", "no such file"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EISDIR", "it is a directory"],
  ["ENOTDIR", "a part of the path is no directory"],
  ["ELOOP", "its links lead in a circle"],
  ["ERR_FS_FILE_TOO_LARGE", "it is larger than 2 GiB"],
  ["ENAMETOOLONG", "the name is too long"],
  ["ERR_INVALID_ARG_VALUE", "the name holds a NUL character"],
  ["EMFILE", "too many open files"],
  ["EIO", "input/output error"],
]);
