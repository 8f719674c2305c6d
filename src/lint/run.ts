/** Runs rules over a subject: findings with their places, sorted, and those muted whose cause another finding names. */
import type { ObjectRef } from "../objects/api.ts";
import type { Severity } from "../objects/diagnostic.ts";
import type { Place } from "../objects/source.ts";
import type { Finding, Mark, Related } from "./finding.ts";
import { isPlanned, type PlannedRule, type Rule } from "./rule.ts";
import type { Subject } from "./subject.ts";

/** A finding as reports print it. */
export type Found = Omit<Finding, "at" | "related" | "severity"> & {
  readonly rule: Rule;
  readonly severity: Severity;
  readonly at: Place;
  readonly mark?: Mark; // what `at` was looked up from: identity across runs, and where a fix goes
  readonly related: readonly (Omit<Related, "at"> & { readonly at: Place })[];
};
export type RunRequest = {
  readonly rules: readonly { readonly rule: Rule | PlannedRule; readonly severity: Severity | "off" }[];
  readonly subject: Subject;
  readonly placeOf: (mark: Mark) => Place | undefined;
};

/** Findings by file in the order of reading, then line, column and code. */
export function runRules({ rules, subject, placeOf }: RunRequest): readonly Found[] {
  const place = (at: Mark | Place): Place | undefined => ("line" in at ? at : placeOf(at));
  const found = rules.flatMap(({ rule, severity }): Found[] => {
    if (severity === "off" || isPlanned(rule)) return [];
    return [...rule.check(subject)].flatMap((finding): Found[] => {
      const at = place(finding.at);
      if (at === undefined) return [];
      const related = (finding.related ?? []).flatMap((each) => {
        const there = place(each.at);
        return there === undefined ? [] : [{ ...each, at: there }];
      });
      const own = severity === rule.severity ? (finding.severity ?? severity) : severity; // what a project says counts
      return [{ ...finding, rule, severity: own, at, related, ...("line" in finding.at ? {} : { mark: finding.at }) }];
    });
  });
  return withoutMuted(found).sort(byPlace(subject.files));
}

/** By file in the order of reading, then line, column and code. */
export const byPlace = (files: readonly string[]): ((a: Pick<Found, "at" | "rule">, b: Pick<Found, "at" | "rule">) => number) => {
  const order = new Map(files.map((file, i) => [file, i]));
  return (a, b) =>
    (order.get(a.at.file) ?? -1) - (order.get(b.at.file) ?? -1) ||
    a.at.line - b.at.line ||
    a.at.column - b.at.column ||
    (a.rule.code < b.rule.code ? -1 : a.rule.code > b.rule.code ? 1 : 0);
};

const keyOf = ({ kind, namespace, name }: ObjectRef): string => JSON.stringify([kind, namespace, name]);

/** One cause, one finding: a finding about an object whose root cause another rule names is left out. */
function withoutMuted(found: readonly Found[]): Found[] {
  const subjects = new Map<string, Set<string>>(); // code -> the objects that it found wrong
  for (const { rule, about } of found) {
    const [first] = about;
    if (!first) continue;
    const known = subjects.get(rule.code) ?? new Set();
    subjects.set(rule.code, known.add(keyOf(first)));
  }
  return found.filter(
    ({ rule, about }) => !(rule.mutedBy ?? []).some((code) => about.some((object) => subjects.get(code)?.has(keyOf(object)))),
  );
}
