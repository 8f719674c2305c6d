/** The project file `ktrace.yaml`: nearest upward from the working directory, no other place, never merged with another. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import configSchema from "../../schema/config.schema.json" with { type: "json" };
import { UsageError } from "../objects/diagnostic.ts";
import type { PathPart, Place } from "../objects/source.ts";
import { display, type InputFile, PROJECT_FILE, readText } from "./files.ts";
import { type ProjectLint, projectLint, settingProblem, textsOf } from "./project-lint.ts";
import { checkSchema, type Definitions } from "./schema.ts";
import { createSources, type SourceStore } from "./sources.ts";
import { describeViolation } from "./violations.ts";
import { nearest, quote } from "./words.ts";
import { isMapping, type YamlMapping } from "./yaml/construct.ts";
import { splitDocuments } from "./yaml/documents.ts";
import { parseDocument } from "./yaml/parse.ts";

/** Names as they can be given to -f and -t: absolute or relative to the directory that was asked for. */
export type Project = {
  readonly file: string;
  readonly directory: string;
  readonly manifests: readonly string[];
  readonly exclude: readonly string[];
  readonly topology?: string;
  readonly lint: ProjectLint;
};

const SCHEMAS: Definitions = configSchema.$defs;
const KEYS = Object.keys(configSchema.$defs.Config.properties);

/** The project that the directory is in; of `config` when that file is named, none when it is false. One that cannot be used is a UsageError. */
export function findProject(cwd: string, config?: string | false): Project | undefined {
  if (config === false) return undefined;
  if (config !== undefined) {
    const path = resolve(cwd, config);
    return readProject({ file: display(path, cwd), path, named: true }, dirname(path));
  }
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const path = join(directory, PROJECT_FILE);
    if (existsSync(path)) return readProject({ file: display(path, cwd), path, named: true }, directory);
    if (dirname(directory) === directory) return undefined;
  }
}

type Read = { readonly value: YamlMapping; readonly place: (path: readonly PathPart[]) => Place | undefined };

function readProject(file: InputFile, directory: string): Project {
  const { value, place } = readMapping(file);
  for (const key of Object.keys(value)) {
    if (KEYS.includes(key)) continue;
    const meant = nearest(key, KEYS);
    throw new UsageError(`${file.file}: unknown key ${quote(key)}`, meant ? `did you mean ${meant}?` : `known keys: ${KEYS.join(", ")}`);
  }
  const { topology } = value;
  if (topology !== undefined && topology !== null && typeof topology !== "string")
    throw new UsageError(`${file.file}: topology must be a path`);
  const manifests = readManifests(value, file.file);
  checkForm(value, file, place);
  return {
    file: file.file,
    directory,
    manifests,
    exclude: textsOf(value.exclude ?? null),
    ...(typeof topology === "string" && { topology }),
    lint: projectLint(value, (index) => place(["expect", index, "to"]) ?? startOf(file.file)),
  };
}

const startOf = (file: string): Place => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 });

function readManifests({ manifests = [] }: YamlMapping, file: string): readonly string[] {
  const names = manifests === null ? [] : Array.isArray(manifests) ? manifests : [manifests];
  if (names.every((name) => typeof name === "string" && name !== "-")) return textsOf(names);
  throw new UsageError(`${file}: manifests must be a list of files, directories and patterns`);
}

/** The rest, as schema/config.schema.json has it. */
function checkForm(value: YamlMapping, file: InputFile, place: Read["place"]): void {
  const written = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
  const [problem] = checkSchema(SCHEMAS, "Config", written).filter(({ path }) => !isSetting(path));
  const source = { file: file.file, offset: 0, path: [] };
  const fail = (message: string, path: readonly PathPart[], help?: string): never => {
    const at = place(path);
    throw new UsageError(`${file.file}${at === undefined ? "" : `:${at.line}`}: ${message}`, help);
  };
  if (problem) {
    const { message, help } = describeViolation(problem, "", source);
    fail(message.replace(/^: /, ""), problem.rule === "unknown-key" ? [...problem.path, problem.key] : problem.path, help);
  }
  for (const [path, rules] of ruleLists(value))
    for (const [rule, setting] of Object.entries(isMapping(rules) ? rules : {})) {
      const wrong = settingProblem(setting);
      if (wrong !== undefined) fail(`the rule ${quote(rule)} ${wrong}`, [...path, rule], "for example `KT402: warning`");
    }
}

/** What a rule is set to has its own words. */
const isSetting = (path: readonly PathPart[]): boolean => path.length > 1 && path.at(-2) === "rules";

function* ruleLists({ rules, overrides }: YamlMapping): Generator<readonly [readonly PathPart[], unknown]> {
  yield [["rules"], rules];
  for (const [index, override] of (Array.isArray(overrides) ? overrides : []).entries())
    yield [["overrides", index, "rules"], isMapping(override) ? override.rules : undefined];
}

function readMapping(file: InputFile): Read {
  const content = readText(file, () => "");
  if ("problem" in content) throw new UsageError(`${file.file}: ${content.problem}`, content.help);
  const documents = splitDocuments(content.text);
  const sources: SourceStore = createSources();
  sources.add(file.file, content.text, documents);
  const values = documents.map((document) => {
    const parsed = parseDocument(document);
    if (!("problem" in parsed)) return { value: parsed.value, offset: document.offset };
    const line = content.text.slice(0, document.offset + parsed.problem.start).split("\n").length;
    throw new UsageError(`${file.file}:${line}: ${parsed.problem.message}`, parsed.problem.help);
  });
  const { value, offset } = values.find((one) => one.value !== null) ?? { value: {}, offset: 0 };
  if (!isMapping(value)) throw new UsageError(`${file.file}: must be a mapping`, "for example `manifests: [k8s]`");
  return { value, place: (path) => sources.place({ file: file.file, offset, path: [] }, path) };
}
