/** The project file `ktrace.yaml`: nearest upward from the working directory, no other place, never merged with another. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "../objects/diagnostic.ts";
import { display, type InputFile, PROJECT_FILE, readText } from "./files.ts";
import { nearest, quote } from "./words.ts";
import { isMapping, type Yaml, type YamlMapping } from "./yaml/construct.ts";
import { splitDocuments } from "./yaml/documents.ts";
import { parseDocument } from "./yaml/parse.ts";

/** Names as they can be given to -f and -t: absolute or relative to the directory that was asked for. */
export type Project = {
  readonly file: string;
  readonly directory: string;
  readonly manifests: readonly string[];
  readonly topology?: string;
};

const KEYS = ["manifests", "topology"];

/** The project that the directory is in. A project file that cannot be used is a UsageError. */
export function findProject(cwd: string): Project | undefined {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const path = join(directory, PROJECT_FILE);
    if (existsSync(path)) return readProject({ file: display(path, cwd), path, named: true }, directory);
    if (dirname(directory) === directory) return undefined;
  }
}

function readProject(file: InputFile, directory: string): Project {
  const value = readMapping(file);
  for (const key of Object.keys(value)) {
    if (KEYS.includes(key)) continue;
    const meant = nearest(key, KEYS);
    throw new UsageError(`${file.file}: unknown key ${quote(key)}`, meant ? `did you mean ${meant}?` : `known keys: ${KEYS.join(", ")}`);
  }
  const topology = value.topology ?? undefined;
  if (topology !== undefined && typeof topology !== "string") throw new UsageError(`${file.file}: topology must be a path`);
  return {
    file: file.file,
    directory,
    manifests: readManifests(value.manifests ?? [], file.file),
    ...(topology !== undefined && { topology }),
  };
}

function readManifests(value: Yaml, file: string): readonly string[] {
  const names = Array.isArray(value) ? value : [value];
  return names.map((name: Yaml) => {
    if (typeof name !== "string" || name === "-")
      throw new UsageError(`${file}: manifests must be a list of files, directories and patterns`);
    return name;
  });
}

function readMapping(file: InputFile): YamlMapping {
  const content = readText(file, () => "");
  if ("problem" in content) throw new UsageError(`${file.file}: ${content.problem}`, content.help);
  const values = splitDocuments(content.text).map((document) => {
    const parsed = parseDocument(document);
    if (!("problem" in parsed)) return parsed.value;
    const line = content.text.slice(0, document.offset + parsed.problem.start).split("\n").length;
    throw new UsageError(`${file.file}:${line}: ${parsed.problem.message}`, parsed.problem.help);
  });
  const value = values.find((document) => document !== null) ?? {};
  if (!isMapping(value)) throw new UsageError(`${file.file}: must be a mapping`, "for example `manifests: [k8s]`");
  return value;
}
