/** A report on stdout and in files, its summary on stderr, and what GitHub's runner wants besides. */
import { appendFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Baseline } from "../../lint/baseline.ts";
import type { Report } from "../../lint/lint.ts";
import type { Input } from "../../manifests/input.ts";
import { invariant } from "../../objects/diagnostic.ts";
import { LINT_FORMATS } from "../../render/lint/formats.ts";
import { type LintContext, summaryText } from "../../render/lint/report.ts";
import { PLAIN } from "../../render/paint.ts";
import { VERSION } from "../../version.ts";
import { note } from "../ask.ts";
import { paintOf } from "../print.ts";
import { colorLevel, widthOf } from "../terminal.ts";
import { repositoryPrefix } from "./git.ts";
import type { Run } from "./run.ts";
import { writeAtomically } from "./write.ts";

const MOST_SUMMARY = 1 << 20; // bytes that GitHub takes of a step

/** Everything that a run prints. */
export async function printReports(
  { call, settings }: Run,
  { sources }: Input,
  report: Report,
  baseline: Baseline | undefined,
): Promise<void> {
  const { io, flags, options } = call;
  const plain: LintContext = {
    line: (file, number) => (file === baseline?.file ? baseline.text.split("\n")[number - 1] : sources.line(file, number)),
    width: 100,
    paint: PLAIN,
    version: VERSION,
    program: io.program,
    prefix: repositoryPrefix(io.cwd),
    showMuted: options.showSuppressed === true,
  };
  const shown = { ...plain, width: widthOf(io.stdout), paint: await paintOf(colorLevel(flags.color, io.stdout, io.env)) };
  const format = settings.format.value;
  for (const piece of await pieces(format, report, shown)) io.stdout.write(piece);
  if (format === "text" && io.env.GITHUB_ACTIONS === "true")
    for (const piece of await pieces("github", report, plain)) io.stdout.write(piece);
  for (const { format: name, path } of settings.outputs)
    writeAtomically(resolve(io.cwd, path), [...(await pieces(name, report, plain))].join(""), path);
  await writeStepSummary(call, report, plain);
  if (!flags.quiet) io.stderr.write(`${summaryText(report)}\n`);
}

async function pieces(name: string, report: Report, context: LintContext): Promise<Iterable<string>> {
  const format = LINT_FORMATS.find((each) => each.name === name);
  invariant(format, `no format ${name}`);
  return (await format.load())(report, context);
}

/** The runner's own file, to which every step appends (docs.github.com, workflow commands). */
async function writeStepSummary(call: Run["call"], report: Report, context: LintContext): Promise<void> {
  const file = call.io.env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  const text = [...(await pieces("markdown", report, context))].join("");
  try {
    appendFileSync(resolve(call.io.cwd, file), Buffer.from(text).subarray(0, MOST_SUMMARY));
  } catch {
    note(call, call.flags, ["the file that GITHUB_STEP_SUMMARY names cannot be written"]);
  }
}
