/** One run of `ktrace lint`: configuration, rules, fixes, reports, exit status. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BASELINE_FILE, type Baseline, baselineText, entriesOf, readBaseline } from "../../lint/baseline.ts";
import { planFixes } from "../../lint/fix.ts";
import { type LintResult, lint, type Report } from "../../lint/lint.ts";
import { RULES } from "../../lint/rules.ts";
import { type Chosen, chooseRules, createOverrides, running } from "../../lint/select.ts";
import type { ChangedLines } from "../../lint/since.ts";
import { subjectOf } from "../../linter.ts";
import { STDIN } from "../../manifests/files.ts";
import { pathMatcher } from "../../manifests/glob.ts";
import { type Input, readInput } from "../../manifests/input.ts";
import { findProject, type Project } from "../../manifests/project.ts";
import { invariant, type Severity, UsageError } from "../../objects/diagnostic.ts";
import { asRelease } from "../../release.ts";
import { note } from "../ask.ts";
import type { Call } from "../command.ts";
import { printReports } from "./reports.ts";
import { readSettings, type Settings } from "./settings.ts";
import { mended, writeAtomically, writeMended } from "./write.ts";

/** Answers 0, or 1 when there is a finding that fails. Everything unusable is thrown. */
export async function runLint(call: Call): Promise<number> {
  const { options, flags, io } = call;
  const config = flags.config ?? (io.env.KTRACE_CONFIG || undefined);
  const project = findProject(io.cwd, config);
  const settings = readSettings(call, project);
  const chosen = chooseRules(RULES, settings.selection);
  if (options.showConfig === true) {
    const { showConfig } = await import("./show-config.ts");
    showConfig(call, settings, chosen, project);
    return 0;
  }
  const run: Run = { call, settings, project, chosen, changed: await changedOf(settings, io.cwd), stdin: onceRead(io.readStdin) };
  const baseline = readKnown(run);
  const first = await lintOnce(run, baseline);
  writeBaseline(run, first, baseline);
  if (settings.fix !== undefined) return fix(run, first, baseline, settings.fix);
  const report = options.writeBaseline === true ? { ...first.report, findings: [], failed: false } : first.report;
  await printReports(run, first.input, report, baseline);
  return statusOf(run, report);
}

export type Run = {
  readonly call: Call;
  readonly settings: Settings;
  readonly project: Project | undefined;
  readonly chosen: readonly Chosen[];
  readonly changed: ChangedLines | undefined;
  readonly stdin: () => string;
};
type Linted = LintResult & { readonly input: Input };

const statusOf = ({ call }: Run, { failed }: Pick<Report, "failed">): number => (failed && call.options.exitZero !== true ? 1 : 0);

async function changedOf({ since }: Settings, cwd: string): Promise<ChangedLines | undefined> {
  if (since === undefined) return undefined;
  const { changedSince } = await import("./git.ts");
  return changedSince(since, cwd);
}

/** Standard input can be read once only, and a fix reads twice. */
function onceRead(read: () => string): () => string {
  let text: string | undefined;
  return () => {
    text ??= read();
    return text;
  };
}

/** Reads, and runs the rules. The cluster is decided only when a rule asks for it; the front door is not even loaded for the others. */
async function lintOnce(run: Run, baseline: Baseline | undefined): Promise<Linted> {
  const { call, settings, project, chosen } = run;
  const { cwd } = call.io;
  const { config } = call.flags;
  const read = readInput({
    files: settings.paths,
    ...(settings.topology !== undefined && { topology: settings.topology }),
    ...(call.flags.apply.length > 0 && { apply: call.flags.apply }),
    cwd,
    stdin: run.stdin,
    ...(settings.stdinName !== undefined && { stdinName: settings.stdinName }),
    ...((config ?? call.io.env.KTRACE_CONFIG) && { config: config ?? call.io.env.KTRACE_CONFIG ?? "" }),
    ...(config === false && { config }),
    lint: true,
  });
  const input = asRelease(read, settings.kubernetesVersion);
  const active = running(chosen, settings.selection.overrides, RULES);
  const front = active.some(({ rule }) => rule.needs !== "object") ? await import("../../ktrace.ts") : undefined;
  const { expectedQuestion } = await import("../test-question.ts");
  const subject = subjectOf(
    input,
    () => {
      invariant(front, "a rule that looks at one object asked for the cluster");
      return front.openInput(input, call.flags.namespace);
    },
    {
      knownNamespaces: project?.lint.knownNamespaces ?? [],
      expect: project?.lint.expect ?? [],
      questionOf: (command) => expectedQuestion(command, call.flags),
      rules: new Map(chosen.map(({ rule, options }) => [rule.code, options])),
    },
  );
  const base = project?.directory ?? cwd;
  const result = lint({
    chosen: active,
    all: RULES,
    subject,
    placeOf: ({ source, field, key }) => (key === true ? input.sources.keyPlace(source, field) : input.sources.place(source, field)),
    editor: input.sources,
    severityIn: createOverrides(RULES, settings.selection, (patterns) => {
      const matches = pathMatcher(patterns, base);
      return (file) => matches(resolve(cwd, file));
    }),
    inlineConfig: call.options.inlineConfig !== false,
    reportUnused: call.options.reportUnusedSuppressions === true,
    ...(baseline !== undefined && { baseline }),
    ...(run.changed !== undefined && { changed: run.changed }),
    fails: ({ counts }) => fails(counts, settings),
  });
  return { ...result, input };
}

const RANK: readonly Severity[] = ["info", "warning", "error"];

function fails(counts: Report["counts"], { failOn, maxWarnings }: Settings): boolean {
  if (maxWarnings !== undefined && counts.warning > maxWarnings.value) return true;
  const { value } = failOn;
  return value !== "never" && RANK.slice(RANK.indexOf(value)).some((severity) => counts[severity] > 0);
}

/** The baseline that findings are held against; a new one that is being written is held against nothing. */
function readKnown({ call, settings }: Run): Baseline | undefined {
  const { writeBaseline: writes, pruneBaseline: prunes } = call.options;
  if (writes === true && prunes === true) throw new UsageError("--write-baseline and --prune-baseline: one of them");
  if (writes === true) return undefined;
  const name = settings.baseline?.value ?? (prunes === true ? BASELINE_FILE : undefined);
  if (name === undefined) return undefined;
  try {
    return readBaseline(name, readFileSync(resolve(call.io.cwd, name), "utf8"));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read the baseline ${JSON.stringify(name)}`, "`ktrace lint --write-baseline` writes one");
  }
}

function writeBaseline(run: Run, { heard, kept }: LintResult, baseline: Baseline | undefined): void {
  const { call, settings } = run;
  const { writeBaseline: writes, pruneBaseline: prunes } = call.options;
  if (writes !== true && prunes !== true) return;
  const name = settings.baseline?.value ?? BASELINE_FILE;
  const entries = writes === true ? entriesOf(heard) : kept;
  writeAtomically(resolve(call.io.cwd, name), baselineText(entries), name);
  const before = baseline === undefined ? "" : `, ${baseline.entries.length - entries.length} removed`;
  note(call, call.flags, [`${name}: ${entries.length} ${entries.length === 1 ? "entry" : "entries"}${before}`]);
}

/** Mends the files, or prints how it would; then reports what is left. */
async function fix(run: Run, { report, input }: Linted, baseline: Baseline | undefined, level: "safe" | "unsafe"): Promise<number> {
  const { call, settings } = run;
  const stdinName = settings.paths.includes(STDIN) ? (settings.stdinName ?? STDIN) : undefined;
  const plan = planFixes(report.findings, level);
  if (call.options.diff === true) {
    const { renderDiff } = await import("../../render/lint/diff.ts");
    for (const [file, changes] of plan.changes) call.io.stdout.write(renderDiff(file, input.sources.text(file) ?? "", changes));
    return statusOf(run, report);
  }
  if (stdinName !== undefined && settings.paths.length > 1)
    throw new UsageError("--fix of standard input prints the mended text, so nothing but - can be read", "mend the files in another run");
  let written = 0;
  for (const [file, changes] of plan.changes) {
    const before = input.sources.text(file) ?? "";
    const after = mended(before, changes);
    if (after === undefined) note(call, call.flags, [`${file}: the fixes do not fit together; mend them by hand`]);
    else if (file !== stdinName) {
      writeMended(file, before, after, call.io.cwd);
      written += 1;
    } else call.io.stdout.write(after);
  }
  if (stdinName !== undefined) return fixedStdin(run, input, report, plan, stdinName);
  const rest = written === 0 ? { report, input } : await lintOnce(run, baseline);
  const later = plan.later.length > 0 ? `, ${plan.later.length} more in the next run` : "";
  note(call, call.flags, [
    `${plan.fixed.length} ${plan.fixed.length === 1 ? "finding" : "findings"} mended in ${written} ${written === 1 ? "file" : "files"}${later}`,
  ]);
  await printReports(run, rest.input, rest.report, baseline);
  return statusOf(run, rest.report);
}

/** The mended text is on stdout, so the report goes to stderr. */
async function fixedStdin(
  run: Run,
  input: Input,
  report: Report,
  { changes, fixed }: ReturnType<typeof planFixes<Report["findings"][number]>>,
  name: string,
): Promise<number> {
  if (run.settings.format.value !== "text")
    throw new UsageError("--fix of standard input prints the mended text on stdout", "write the report to a file: --output-file");
  if (!changes.has(name)) run.call.io.stdout.write(run.stdin());
  const left = report.findings.filter((found) => !fixed.includes(found));
  const { call } = run;
  const counts = { ...report.counts };
  for (const { severity } of fixed) counts[severity] -= 1;
  const rest: Report = { ...report, findings: left, counts: { ...counts, fixable: 0 }, failed: fails(counts, run.settings) };
  await printReports({ ...run, call: { ...call, io: { ...call.io, stdout: call.io.stderr } } }, input, rest, undefined);
  return statusOf(run, rest);
}
