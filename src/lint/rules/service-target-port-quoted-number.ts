/** KT106: a number in quotes where a port's number or name is wanted (intstr.IntOrString, IsValidPortName). */
import { formatPath } from "../../objects/violation.ts";
import { markOf } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { objectName, refOf } from "../subject.ts";

export const KT106: Rule = {
  code: "KT106",
  name: "service-target-port-quoted-number",
  severity: "error",
  needs: "object",
  fix: "safe",
  title: "a port's number in quotes",
  why: "Text is a port's name, and a name needs a letter: the API server refuses the object, and what it should have steered stays as it was.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: "8080"}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    for (const refusal of subject.refusals()) {
      const { object, violation } = refusal;
      if (violation.code !== "KT106") continue;
      const number = String(Number(violation.value));
      yield {
        message: `${objectName(object)}: ${formatPath(violation.path)} is the text "${violation.value}", the name of a port, and a name needs a letter`,
        at: markOf(refusal),
        label: `the API server refuses the ${object.kind}`,
        help: `remove the quotes: ${number}`,
        about: [refOf(object)],
        edits: [{ kind: "value", at: markOf(refusal), text: number }],
      };
    }
  },
};
