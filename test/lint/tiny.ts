/** Rules of the engine's tests, so that they say nothing about the real ones; and one run of the engine over files in a directory. */
import type { Baseline } from "../../src/lint/baseline.ts";
import type { Finding } from "../../src/lint/finding.ts";
import { type LintResult, lint } from "../../src/lint/lint.ts";
import type { Rule } from "../../src/lint/rule.ts";
import { KT902 } from "../../src/lint/rules/suppression-unused.ts";
import { type AnyRule, chooseRules, type Selection } from "../../src/lint/select.ts";
import type { ChangedLines } from "../../src/lint/since.ts";
import { createSubject, refOfWritten } from "../../src/lint/subject.ts";
import { type Input, readInput } from "../../src/manifests/input.ts";
import { isMapping } from "../../src/manifests/yaml/construct.ts";

const text = { bad: {}, good: {}, why: "because", title: "a title", needs: "object" } as const;

/** Wants the label `owner` on each object; puts it in. */
export const OWNER: Rule = {
  ...text,
  code: "KT801",
  name: "owner-missing",
  severity: "error",
  fix: "safe",
  check: function* ({ written }) {
    for (const one of written) {
      const { metadata = null } = one.value;
      const labels = isMapping(metadata) && isMapping(metadata.labels ?? null) ? metadata.labels : undefined;
      if (isMapping(labels) && labels.owner !== undefined) continue;
      const name = { source: one.source, field: ["metadata", "name"] };
      yield {
        message: `${refOfWritten(one).name} has no owner`,
        at: name,
        help: "say who owns it",
        about: [refOfWritten(one)],
        edits: [{ kind: "insert", at: { source: one.source, field: ["metadata"] }, text: "labels: {owner: me}" }],
      } satisfies Finding;
    }
  },
};

/** Names must be in lower case; renames. */
export const LOWER: Rule = {
  ...text,
  code: "KT802",
  name: "name-in-capitals",
  severity: "warning",
  fix: "unsafe",
  options: { except: "names that may be" },
  check: function* ({ written, options }) {
    const except = options.rules?.get("KT802")?.except;
    for (const one of written) {
      const { name } = refOfWritten(one);
      if (name === name.toLowerCase() || (Array.isArray(except) && except.includes(name))) continue;
      const at = { source: one.source, field: ["metadata", "name"] };
      yield {
        message: `${name} has capitals`,
        at,
        label: "here",
        about: [refOfWritten(one)],
        edits: [{ kind: "value", at, text: name.toLowerCase() }],
      } satisfies Finding;
    }
  },
};

/** Off unless it is asked for, and needs the cluster. */
export const QUIET: Rule = { ...text, code: "KT811", name: "quiet-one", severity: "off", needs: "graph", fix: "no", check: () => [] };

export const TINY: readonly AnyRule[] = [OWNER, LOWER, QUIET, KT902];

export const NO_SELECTION: Selection = {
  profile: "default",
  settings: [],
  settingsFile: "ktrace.yaml",
  overrides: [],
  select: [],
  extendSelect: [],
  ignore: [],
  levels: [],
};

export type TinyRequest = {
  readonly cwd: string;
  readonly files: readonly string[];
  readonly rules?: readonly AnyRule[];
  readonly selection?: Partial<Selection>;
  readonly inlineConfig?: boolean;
  readonly reportUnused?: boolean;
  readonly baseline?: Baseline;
  readonly changed?: ChangedLines;
};

/** What the tiny rules say of files. */
export function lintTiny(request: TinyRequest): LintResult & { readonly input: Input } {
  const rules = request.rules ?? TINY;
  const input = readInput({ files: request.files, cwd: request.cwd, lint: true, config: false });
  const { objects, topology, diagnostics, written, files, sources } = input;
  const chosen = chooseRules(rules, { ...NO_SELECTION, ...request.selection });
  const subject = createSubject({
    objects,
    topology,
    diagnostics,
    written,
    files,
    textOf: sources.text,
    rules,
    open: () => {
      throw new Error("a tiny rule asked for the cluster");
    },
    options: { rules: new Map(chosen.map(({ rule, options }) => [rule.code, options])) },
  });
  const result = lint({
    chosen: chosen.filter(({ severity }) => severity !== "off"),
    all: rules,
    subject,
    placeOf: ({ source, field }) => sources.place(source, field),
    editor: sources,
    inlineConfig: request.inlineConfig ?? true,
    reportUnused: request.reportUnused ?? false,
    ...(request.baseline && { baseline: request.baseline }),
    ...(request.changed && { changed: request.changed }),
    fails: ({ counts }) => counts.error > 0,
  });
  return { ...result, input };
}

/** `file:line:column CODE message` */
export const lineOf = ({ at, rule, message }: LintResult["report"]["findings"][number]): string =>
  `${at.file}:${at.line}:${at.column} ${rule.code} ${message}`;
