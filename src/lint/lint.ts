/** One run of lint: rules, then what silences findings, the baseline, and what they change: the report. */
import type { Level } from "../manifests/project-lint.ts";
import type { Severity } from "../objects/diagnostic.ts";
import type { Place } from "../objects/source.ts";
import { type Baseline, compareBaseline, type Entry, staleFinding } from "./baseline.ts";
import type { Mark } from "./finding.ts";
import { type Editor, type Fix, fixOf } from "./fix.ts";
import { numbered } from "./identity.ts";
import { isPlanned, type RuleText } from "./rule.ts";
import { byPlace, type Found, runRules } from "./run.ts";
import { awake, type Chosen } from "./select.ts";
import { type ChangedLines, isOnChangedLine } from "./since.ts";
import type { Subject } from "./subject.ts";
import { sift, unusedFinding } from "./suppress.ts";
import { readSuppressions } from "./suppressions.ts";

/** A finding as it is printed. `object` and `field` name what it is about; with `nth` they are the same in the next run. */
export type Reported = Found & {
  readonly object: string;
  readonly field: string;
  readonly nth: number;
  readonly fix?: Fix;
};
export type Muted = Reported & { readonly reason?: string; readonly by: "comment" | "annotation" | "baseline" };
export type Report = {
  readonly findings: readonly Reported[];
  readonly muted: readonly Muted[]; // suppressed, or in the baseline
  readonly rules: readonly RuleText[]; // that ran, by code
  readonly counts: Readonly<Record<Severity, number>> & { readonly fixable: number; readonly files: number; readonly objects: number };
  readonly failed: boolean;
};

export type LintRequest = {
  readonly chosen: readonly Chosen[]; // rules that run
  readonly all: readonly RuleText[];
  readonly subject: Subject;
  readonly placeOf: (mark: Mark) => Place | undefined;
  readonly editor: Editor;
  readonly severityIn?: (code: string, file: string) => Level | undefined;
  readonly inlineConfig: boolean;
  readonly reportUnused: boolean; // KT902 runs in any case, as an error
  readonly baseline?: Baseline;
  readonly changed?: ChangedLines;
  readonly fails: (report: Pick<Report, "counts">) => boolean;
};
export type LintResult = { readonly report: Report; readonly kept: readonly Entry[]; readonly heard: readonly Found[] };

const UNUSED = "KT902";

/** Runs the rules and says what is left of their findings. `heard`: all that a new baseline would hold. */
export function lint(request: LintRequest): LintResult {
  const { subject, placeOf, editor, baseline, changed } = request;
  const ran = new Set(request.chosen.map(({ rule }) => rule.code));
  const rules = request.chosen.map(({ rule: one, severity }) => ({
    rule: one,
    severity: severity === "off" ? awake(one.severity) : severity,
  }));
  const found = runRules({ rules, subject, placeOf }).flatMap((one) => asConfigured(one, request));
  const suppressions = request.inlineConfig ? readSuppressions({ ...subject, rules: request.all }).list : [];
  const rule = unusedRule(request);
  const judged = request.inlineConfig ? found : found.filter((one) => one.rule.code !== UNUSED);
  const first = sift(judged, suppressions, ran);
  const unused =
    rule === undefined
      ? []
      : first.unused.filter(({ codes }) => !codes.has(UNUSED)).flatMap((one) => unusedFinding(rule.rule, one, placeOf));
  const compared = baseline && compareBaseline(first.heard, baseline, ran);
  const stale =
    rule === undefined || baseline === undefined ? [] : (compared?.stale ?? []).map((entry) => staleFinding(rule.rule, entry, baseline));
  const added = sift(
    [...unused, ...stale].flatMap((one) => asConfigured({ ...one, severity: rule?.severity ?? "warning" }, request)),
    suppressions,
    ran,
  );
  const order = byPlace(subject.files);
  const shown = [...(compared?.fresh ?? first.heard), ...added.heard]
    .filter((one) => changed === undefined || isOnChangedLine(one, changed))
    .sort(order);
  const muted = [
    ...[...first.silenced, ...added.silenced].map(
      ({ found: one, by }): Omit<Muted, "object" | "field" | "nth"> => ({
        ...one,
        by: by.covers.kind === "object" ? "annotation" : "comment",
        ...(by.reason !== undefined && { reason: by.reason }),
      }),
    ),
    ...(compared?.known ?? []).map((one) => ({ ...one, by: "baseline" as const })),
  ].sort(order);
  const findings = withIdentity(shown).map((one): Reported => {
    const fix = fixOf(one.rule, one.edits, editor);
    return fix === undefined ? one : { ...one, fix };
  });
  const counts = countsOf(findings, subject);
  const report: Report = {
    findings,
    muted: withIdentity(muted),
    rules: rules.map((each) => each.rule),
    counts,
    failed: request.fails({ counts }),
  };
  return { report, kept: compared?.kept ?? [], heard: first.heard };
}

function withIdentity<F extends Found>(findings: readonly F[]): readonly (F & Pick<Reported, "object" | "field" | "nth">)[] {
  const identities = numbered(findings);
  return findings.map((one, i) => ({
    ...one,
    object: identities[i]?.object ?? "",
    field: identities[i]?.field ?? "",
    nth: identities[i]?.nth ?? 1,
  }));
}

/** What the project says of this rule in this file. */
function asConfigured(found: Found, { severityIn, reportUnused, chosen }: LintRequest): Found[] {
  if (reportUnused && found.rule.code === UNUSED) return [{ ...found, severity: "error" }];
  const stated = severityIn?.(found.rule.code, found.at.file);
  const isOff =
    stated === "off" || (stated === undefined && chosen.some(({ rule, severity }) => rule === found.rule && severity === "off"));
  return isOff ? [] : [stated === undefined ? found : { ...found, severity: stated }];
}

/** KT902 as it runs here; undefined when it does not. */
function unusedRule({ chosen }: LintRequest) {
  const found = chosen.find(({ rule }) => rule.code === UNUSED);
  if (found === undefined || isPlanned(found.rule) || found.severity === "off") return undefined;
  return { rule: found.rule, severity: found.severity };
}

function countsOf(findings: readonly Reported[], { files, written }: Subject): Report["counts"] {
  const of = (severity: Severity): number => findings.filter((one) => one.severity === severity).length;
  const fixable = findings.filter(({ fix }) => fix?.kind === "safe").length;
  return { error: of("error"), warning: of("warning"), info: of("info"), fixable, files: files.length, objects: written.length };
}
