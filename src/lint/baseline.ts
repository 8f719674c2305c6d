/**
 * The baseline file, ktrace-baseline.json: findings that were there when lint was introduced. An entry is a code, an object, a
 * field and how often; no line numbers, so that it stays true when a file grows above it.
 */
import { UsageError } from "../objects/diagnostic.ts";
import { isFields } from "../objects/record.ts";
import type { Place } from "../objects/source.ts";
import { type Identity, identityKey, identityOf } from "./identity.ts";
import type { Rule } from "./rule.ts";
import type { Found } from "./run.ts";

export const BASELINE_FILE = "ktrace-baseline.json";
const API_VERSION = "ktrace.dev/v1alpha1";

export type Entry = Identity & { readonly count: number };
export type Baseline = { readonly file: string; readonly text: string; readonly entries: readonly Entry[] };

/** Throws UsageError for what is no baseline. */
export function readBaseline(file: string, text: string): Baseline {
  const fail = (what: string): never => {
    throw new UsageError(`${file}: ${what}`, "`ktrace lint --write-baseline` writes a new one");
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail("this is no JSON");
  }
  if (!isFields(value) || value.kind !== "LintBaseline" || !Array.isArray(value.findings))
    return fail("this is no baseline of ktrace lint");
  const entries = value.findings.map((entry: unknown, index): Entry => {
    if (!isFields(entry)) return fail(`findings[${index}] is no mapping`);
    const { code, object, field = "", count = 1 } = entry;
    if (typeof code !== "string" || typeof object !== "string" || typeof field !== "string")
      return fail(`findings[${index}] lacks its code or its object`);
    if (typeof count !== "number" || !Number.isInteger(count) || count < 1) return fail(`findings[${index}].count is no positive number`);
    return { code, object, field, count };
  });
  return { file, text, entries };
}

/** The entries of findings, sorted, as the file's text. */
export const baselineText = (entries: readonly Entry[]): string => {
  const sorted = [...entries].sort((a, b) => (identityKey(a) < identityKey(b) ? -1 : 1));
  const findings = sorted.map(({ code, object, field, count }) => ({
    code,
    object,
    ...(field !== "" && { field }),
    ...(count > 1 && { count }),
  }));
  return `${JSON.stringify({ apiVersion: API_VERSION, kind: "LintBaseline", findings }, null, 2)}\n`;
};

export function entriesOf(findings: readonly Found[]): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const found of findings) {
    const identity = identityOf(found);
    const key = identityKey(identity);
    entries.set(key, { ...identity, count: (entries.get(key)?.count ?? 0) + 1 });
  }
  return [...entries.values()];
}

export type Compared = {
  readonly fresh: readonly Found[];
  readonly known: readonly Found[];
  readonly stale: readonly Entry[];
  readonly kept: readonly Entry[];
};

/** Findings that are not in the baseline, and entries of rules that ran which found less than they say. */
export function compareBaseline(findings: readonly Found[], { entries }: Baseline, ran: ReadonlySet<string>): Compared {
  const left = new Map(entries.map((entry) => [identityKey(entry), entry.count]));
  const fresh: Found[] = [];
  const known: Found[] = [];
  for (const found of findings) {
    const key = identityKey(identityOf(found));
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    (count > 0 ? known : fresh).push(found);
  }
  const remaining = (entry: Entry): number => (ran.has(entry.code) ? Math.max(0, left.get(identityKey(entry)) ?? 0) : 0);
  const stale = entries.filter((entry) => remaining(entry) > 0);
  const kept = entries.flatMap((entry) => (entry.count > remaining(entry) ? [{ ...entry, count: entry.count - remaining(entry) }] : []));
  return { fresh, known, stale, kept };
}

/** A stale entry as a finding of KT902, at its line of the baseline file. */
export function staleFinding(rule: Rule, entry: Entry, { file, text }: Baseline): Found {
  return {
    rule,
    severity: "warning",
    message: `${entry.code} of ${entry.object}${entry.field === "" ? "" : ` at ${entry.field}`} stands in the baseline, and is found no more`,
    at: placeIn(file, text, entry),
    help: "`ktrace lint --prune-baseline` removes such entries",
    about: [],
    related: [],
  };
}

/** The line of the entry's object after its code. */
function placeIn(file: string, text: string, { code, object, field }: Entry): Place {
  const lines = text.split("\n");
  const [codeLine, objectLine, fieldLine] = [code, object, field].map((part) => JSON.stringify(part));
  const at = lines.findIndex(
    (line, i) =>
      line.includes(`"code": ${codeLine}`) &&
      (lines[i + 1] ?? "").includes(`"object": ${objectLine}`) &&
      (field === "" || (lines[i + 2] ?? "").includes(`"field": ${fieldLine}`)),
  );
  const line = Math.max(at, 0) + 1;
  const shown = lines[line - 1] ?? "";
  return { file, line, column: shown.search(/\S|$/) + 1, endLine: line, endColumn: shown.replace(/,?\s*$/, "").length + 1 };
}
