/** KT211: what a ResourceQuota, or a LimitRange, keeps from being created (admission plugins of those names). */
import type { Related } from "../finding.ts";
import { decidedFaults } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { refOf, type Subject } from "../subject.ts";

export const KT211: Rule = {
  code: "KT211",
  name: "quota-blocks-replicas",
  severity: "error",
  needs: "data-plane",
  fix: "no",
  title: "a ResourceQuota or LimitRange leaves pods or Services uncreated",
  why: "The controller asks for the pod again and again and is refused: the Deployment reports progress, but fewer endpoints exist. A Service over the quota does not exist at all.",
  bad: {
    manifests: `kind: ResourceQuota
apiVersion: v1
metadata: {name: q}
spec: {hard: {services.nodeports: "0"}}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
`,
  },
  good: {
    manifests: `kind: ResourceQuota
apiVersion: v1
metadata: {name: q}
spec: {hard: {services.nodeports: "10"}}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
`,
  },
  check: function* (subject) {
    if (subject.of("ResourceQuota").length + subject.of("LimitRange").length === 0) return;
    for (const { object, field, diagnostic } of decidedFaults(subject.cluster().diagnostics, subject.objects, "KT211"))
      yield {
        message: diagnostic.message,
        at: { source: object.source, field },
        related: bounds(subject, diagnostic.message, object.metadata.namespace ?? "default"),
        ...(diagnostic.help === undefined ? {} : { help: diagnostic.help }),
        about: [refOf(object)],
      };
  },
};

/** `exceeded quota: NAME`: the quota itself. */
function bounds(subject: Subject, message: string, namespace: string): Related[] {
  const name = /(?:exceeded|failed) quota: ([^,:\s]+)/.exec(message)?.[1];
  return subject
    .of("ResourceQuota")
    .filter(({ metadata }) => metadata.name === name && (metadata.namespace ?? "default") === namespace)
    .map(({ source }) => ({ at: { source, field: ["spec", "hard"] }, label: "the quota" }));
}
