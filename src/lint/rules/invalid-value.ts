/** KT008: a value that the API server refuses, in its own words (cluster/validation), and documents that are no object. */
import type { PathPart, Source } from "../../objects/source.ts";
import type { Finding } from "../finding.ts";
import { refusalFinding } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { refOfWritten, type Subject } from "../subject.ts";
import { placeOf, type Undecoded, undecoded } from "../undecoded.ts";
import { ambiguousScalars } from "./yaml-ambiguous-scalar.ts";

export const KT008: Rule = {
  code: "KT008",
  name: "invalid-value",
  severity: "error",
  needs: "object",
  fix: "no",
  title: "a value that the API server refuses",
  why: "The object is not created, or the old one stays as it was: every packet that it should have steered finds nothing, or yesterday's rules.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 70000, targetPort: 8080, protocol: tcp}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 7000, targetPort: 8080, protocol: TCP}]}
`,
  },
  check: function* (subject) {
    const found = undecoded(subject);
    yield* undecodedFindings(subject, found);
    const said = new Set(found.map(({ written, violation }) => keyOf(written.source, violation.path)));
    for (const refusal of subject.refusals()) {
      const { object, violation } = refusal;
      if (violation.code === "KT008" && !said.has(keyOf(object.source, violation.path))) yield refusalFinding(refusal);
    }
  },
};

/** A field of an object: the reader and the checks may both see that it is wrong. */
const keyOf = ({ file, offset, path }: Source, field: readonly PathPart[]): string => JSON.stringify([file, offset, path, field]);

/** What a trace says of it, and every finding of this rule means. */
const LEFT_OUT = /(?:; )?the API server refuses the \w+, so it is left out$/;

/** Missing fields that rules of their own report, with their fix: a workload's selector (KT201), a path's type (KT408). */
const isSaidBetter = ({ violation }: Undecoded): boolean =>
  violation.rule === "missing" && (violation.key === "pathType" || (violation.key === "selector" && violation.path.join() === "spec"));

/** What the reader could not take for an object, or not for one of its kind. */
function* undecodedFindings(subject: Subject, found: readonly Undecoded[]): Iterable<Finding> {
  const known = new Map(found.map((each) => [each.diagnostic, each]));
  const elsewhere = new Set(ambiguousScalars(subject).map(({ diagnostic }) => diagnostic));
  for (const diagnostic of subject.diagnostics) {
    const place = placeOf(diagnostic);
    if (diagnostic.code !== "KT008" || place === undefined || elsewhere.has(diagnostic)) continue;
    const { message, severity } = diagnostic;
    const help = diagnostic.help?.replace(LEFT_OUT, "");
    const object = known.get(diagnostic);
    if (object && isSaidBetter(object)) continue;
    yield {
      message,
      at: object ? { source: object.written.source, field: object.violation.path } : place,
      ...(object ? { label: `the API server refuses the ${object.written.value.kind}` } : {}),
      about: object ? [refOfWritten(object.written)] : [],
      ...(help ? { help } : {}),
      ...(severity === "error" ? {} : { severity }),
    };
  }
}
