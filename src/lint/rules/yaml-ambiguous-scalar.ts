/** KT003: words and numbers that mean text to their author and something else to kubectl (YAML 1.1's booleans, octal, hexadecimal). */

import { readPlain } from "../../manifests/yaml/scalar.ts";
import { formatPath } from "../../objects/violation.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOfWritten, type Subject } from "../subject.ts";
import { type Undecoded, undecoded } from "../undecoded.ts";

export const KT003: Rule = {
  code: "KT003",
  name: "yaml-ambiguous-scalar",
  severity: "warning",
  needs: "object",
  fix: "safe",
  title: "an unquoted word or number that kubectl reads as something else",
  why: "`canary: on` reaches the API server as a boolean, `version: 1.10` as the number 1.1. The server refuses the object, or a lenient reader makes another text of it that no pod's label equals.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web, canary: on}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web, canary: "on"}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    for (const { written, violation, text } of ambiguousScalars(subject)) {
      const read = readPlain(text);
      const kind = typeof read === "boolean" ? "boolean" : "number";
      yield {
        message: `${written.value.kind} ${nameOf(refOfWritten(written))}: ${formatPath(violation.path)} is text, but kubectl reads ${text} as the ${kind} ${read}`,
        at: { source: written.source, field: violation.path },
        label: `the ${kind} ${read}`,
        help: `put it in quotes: "${text}"`,
        about: [refOfWritten(written)],
        edits: [{ kind: "value", at: { source: written.source, field: violation.path }, text: JSON.stringify(text) }],
        severity: "error", // the API server refuses the object
      };
    }
  },
};

/** Refused for their type, though their author may well have meant text: `true` and `80` are plain mistakes (KT008). */
export function ambiguousScalars(subject: Subject): Undecoded[] {
  return undecoded(subject).filter(({ violation, text }) => {
    if (violation.rule !== "type" || !violation.types.includes("string")) return false;
    const read = readPlain(text);
    if (typeof read === "boolean") return !/^(?:true|false)$/i.test(text);
    return typeof read === "number" && String(read) !== text;
  });
}
