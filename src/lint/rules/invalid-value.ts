/** KT008: a value that the API server refuses, in its own words (cluster/validation), and documents that are no object. */
import type { Finding } from "../finding.ts";
import { refusalFinding } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { refOfWritten, type Subject } from "../subject.ts";
import { placeOf, undecoded } from "../undecoded.ts";
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
    yield* undecodedFindings(subject);
    for (const refusal of subject.refusals()) if (refusal.violation.code === "KT008") yield refusalFinding(refusal);
  },
};

/** What a trace says of it, and every finding of this rule means. */
const LEFT_OUT = /(?:; )?the API server refuses the \w+, so it is left out$/;

/** What the reader could not take for an object, or not for one of its kind. */
function* undecodedFindings(subject: Subject): Iterable<Finding> {
  const found = undecoded(subject);
  const known = new Map(found.map((each) => [each.diagnostic, each]));
  const elsewhere = new Set(ambiguousScalars(subject).map(({ diagnostic }) => diagnostic));
  for (const diagnostic of subject.diagnostics) {
    const place = placeOf(diagnostic);
    if (diagnostic.code !== "KT008" || place === undefined || elsewhere.has(diagnostic)) continue;
    const { message, severity } = diagnostic;
    const help = diagnostic.help?.replace(LEFT_OUT, "");
    const object = known.get(diagnostic);
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
