/** What one run of lint was asked: flags before environment before project file before defaults. */
import { resolve } from "node:path";
import { PROFILES, type Profile, type Selection } from "../../lint/select.ts";
import { display } from "../../manifests/files.ts";
import type { Project } from "../../manifests/project.ts";
import type { Level } from "../../manifests/project-lint.ts";
import { nearest } from "../../manifests/words.ts";
import { type Severity, UsageError } from "../../objects/diagnostic.ts";
import { LINT_FORMAT_NAMES } from "../../render/lint/formats.ts";
import type { Call } from "../command.ts";
import { readNumber } from "../words.ts";

export type FailOn = Severity | "never";
/** A value, and who said so. */
export type Stated<T> = { readonly value: T; readonly origin: string };
export type Settings = {
  readonly selection: Selection;
  readonly profile: Stated<Profile>;
  readonly failOn: Stated<FailOn>;
  readonly maxWarnings: Stated<number> | undefined;
  readonly baseline: Stated<string> | undefined; // as a path to show
  readonly format: Stated<string>;
  readonly topology: string | undefined; // named by flag or environment
  readonly kubernetesVersion: string | undefined;
  readonly fix: "safe" | "unsafe" | undefined;
  readonly since: string | undefined;
  readonly outputs: readonly { readonly format: string; readonly path: string }[];
  readonly paths: readonly string[];
  readonly stdinName: string | undefined;
};

const FAIL_ON: readonly FailOn[] = ["error", "warning", "info", "never"];
const MOST_WARNINGS = 999_999_999;

/** Everything but the project file's own form, which was checked when it was read. */
export function readSettings(call: Call, project: Project | undefined): Settings {
  const { options, flags, io, words } = call;
  const file = project?.file ?? "ktrace.yaml";
  const env = (name: string): string | undefined => io.env[`KTRACE_${name}`] || undefined;
  const stated = (flag: string, variable: string, inFile?: string): Stated<string> | undefined => {
    const given = flag === "output" ? flags.output : textOf(options[camel(flag)]);
    if (given !== undefined) return { value: given, origin: `--${flag}` };
    const around = env(variable);
    if (around !== undefined) return { value: around, origin: `KTRACE_${variable}` };
    return inFile === undefined ? undefined : { value: inFile, origin: file };
  };
  const profile = oneOf(stated("profile", "PROFILE", project?.lint.profile), PROFILES, "default");
  const failOn = oneOf(stated("fail-on", "FAIL_ON", project?.lint.failOn), FAIL_ON, profile.value === "strict" ? "info" : "error");
  const maxWarnings = stated("max-warnings", "MAX_WARNINGS");
  return {
    profile,
    failOn,
    maxWarnings: maxWarnings && { ...maxWarnings, value: readNumber(maxWarnings.value, 0, MOST_WARNINGS, maxWarnings.origin) },
    baseline: baselineOf(stated("baseline", "BASELINE", project?.lint.baseline), project, io.cwd),
    format: oneOf(stated("output", "OUTPUT"), LINT_FORMAT_NAMES, "text"),
    topology: flags.topology ?? env("TOPOLOGY"),
    kubernetesVersion: flags.kubernetesVersion ?? env("KUBERNETES_VERSION"),
    selection: {
      profile: profile.value,
      settings: project?.lint.rules ?? [],
      settingsFile: file,
      overrides: project?.lint.overrides ?? [],
      select: wordsOf(options.select) ?? splitWords(env("SELECT")),
      extendSelect: [
        ...(wordsOf(options.extendSelect) ?? splitWords(env("EXTEND_SELECT"))),
        ...(options.reportUnusedSuppressions === true ? ["KT902"] : []),
      ],
      ignore: wordsOf(options.ignore) ?? splitWords(env("IGNORE")),
      levels: LEVEL_FLAGS.flatMap(([flag, level]) => (wordsOf(options[flag]) ?? []).map((rule) => ({ rule, level }))),
    },
    fix: fixOf(options),
    since: textOf(options.since) ?? textOf(options.changedSince),
    outputs: (wordsOf(options.outputFile) ?? []).map(outputOf),
    paths: [...flags.filename, ...words],
    stdinName: textOf(options.stdinFilename),
  };
}

const LEVEL_FLAGS: readonly (readonly [string, Level])[] = [
  ["error", "error"],
  ["warn", "warning"],
  ["info", "info"],
  ["off", "off"],
];

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const wordsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.filter((word) => typeof word === "string") : undefined;
const splitWords = (value: string | undefined): readonly string[] => (value ?? "").split(/[\s,]+/).filter((word) => word !== "");
const camel = (flag: string): string => flag.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());

function oneOf<T extends string>(stated: Stated<string> | undefined, known: readonly T[], usual: T): Stated<T> {
  if (stated === undefined) return { value: usual, origin: "default" };
  const value = known.find((each) => each === stated.value);
  if (value !== undefined) return { value, origin: stated.origin };
  const meant = nearest(stated.value, known);
  const name = stated.origin === "--output" ? "-o" : stated.origin;
  throw new UsageError(`${name} is one of ${known.join(", ")}, not ${JSON.stringify(stated.value)}`, meant && `did you mean ${meant}?`);
}

/** A path in the project file is relative to that file. */
function baselineOf(stated: Stated<string> | undefined, project: Project | undefined, cwd: string): Stated<string> | undefined {
  if (stated === undefined || project === undefined || stated.origin !== project.file) return stated;
  return { ...stated, value: display(resolve(project.directory, stated.value), cwd) };
}

function fixOf({ fix, diff }: Call["options"]): "safe" | "unsafe" | undefined {
  if (fix === undefined) return diff === true ? "safe" : undefined;
  if (fix === "safe" || fix === "unsafe") return fix;
  throw new UsageError(`--fix is safe or unsafe, not ${JSON.stringify(fix)}`, "paths stand before it, or after `--fix=safe`");
}

/** `sarif:out/ktrace.sarif` */
function outputOf(text: string): { readonly format: string; readonly path: string } {
  const colon = text.indexOf(":");
  const [format, path] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  if (colon > 0 && path !== "" && LINT_FORMAT_NAMES.includes(format)) return { format, path };
  const meant = nearest(format, LINT_FORMAT_NAMES);
  throw new UsageError(
    `--output-file is FORMAT:PATH, such as sarif:out.sarif, not ${JSON.stringify(text)}`,
    meant === undefined ? `formats: ${LINT_FORMAT_NAMES.join(", ")}` : `did you mean ${meant}:${path}?`,
  );
}
