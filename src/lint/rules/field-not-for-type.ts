/** KT120: fields that a Service of another type has (ValidateService, by type). */
import { formatPath, mendingOf } from "../../objects/violation.ts";
import { markOf, writtenPath } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { objectName, refOf } from "../subject.ts";

export const KT120: Rule = {
  code: "KT120",
  name: "field-not-for-type",
  severity: "error",
  needs: "object",
  fix: "safe",
  title: "a field that the Service's type does not have",
  why: "The API server refuses the Service. Mostly the type was forgotten or changed: the node port, or the policy for traffic from outside, has nothing to work on.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: ClusterIP, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
`,
  },
  check: function* (subject) {
    for (const refusal of subject.refusals()) {
      const { object, violation } = refusal;
      if (violation.code !== "KT120" || object.kind !== "Service") continue;
      const path = writtenPath(violation);
      const at = markOf(refusal);
      const isPort = path.at(-1) === "port"; // 10250 of a balancer: the port is wanted, only not this one
      const help = mendingOf(violation) ?? (isPort ? "use another port" : `remove ${path.at(-1)}, or change the type`);
      yield {
        message: `${objectName(object)}: ${formatPath(path)} ${violation.detail.replaceAll("`", "")}`,
        at,
        label: `the Service is of type ${object.spec?.type ?? "ClusterIP"}`,
        help,
        about: [refOf(object)],
        ...(isPort ? {} : { edits: [{ kind: "remove" as const, at }] }),
      };
    }
  },
};
