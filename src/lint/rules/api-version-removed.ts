/** KT004: an API version that the cluster's release no longer serves (the deprecation guide's removals). */
import { CURRENT_VERSION, isRemoved, oldVersion } from "../api-versions.ts";
import { modernEdits } from "../modern-edits.ts";
import { targetVersion } from "../refusals.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOfWritten } from "../subject.ts";

export const KT004: Rule = {
  code: "KT004",
  name: "api-version-removed",
  severity: "error",
  needs: "object",
  fix: "safe",
  title: "an API version that the cluster no longer serves",
  why: "kubectl finds no such kind and the object is not created. For an Ingress that means: every request falls to the controller's default backend, a 404.",
  bad: {
    manifests: `kind: Ingress
apiVersion: extensions/v1beta1
metadata: {name: web}
spec: {rules: [{host: www.test.com, http: {paths: [{path: /, backend: {serviceName: web, servicePort: 80}}]}}]}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: web}
spec: {ingressClassName: nginx, rules: [{host: www.test.com, http: {paths: [{path: /, pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  check: function* ({ written, topology }) {
    const version = targetVersion(topology);
    for (const each of written) {
      const { kind, apiVersion } = each.value;
      if (typeof kind !== "string" || typeof apiVersion !== "string") continue;
      const old = oldVersion(kind, apiVersion);
      if (old === undefined || !isRemoved(old, version)) continue;
      const current = CURRENT_VERSION.get(kind);
      const edits = modernEdits(each);
      yield {
        message: `${kind} ${nameOf(refOfWritten(each))}: Kubernetes ${version.text} does not serve ${apiVersion} any more`,
        at: { source: each.source, field: ["apiVersion"] },
        label: `gone since 1.${old.removed}`,
        help: `write \`apiVersion: ${current}\`${edits.length > 1 ? " and the fields as they are named there" : ""}`,
        about: [refOfWritten(each)],
        edits,
      };
    }
  },
};
