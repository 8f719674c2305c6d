/** KT513: pods that no NetworkPolicy guards. Off by itself: most clusters have them, and mean to. */
import { directionsOf } from "../../cluster/policies/rules.ts";
import { makerRef, podField, titleOf } from "../pod-makers.ts";
import { policyMakers, selectedMakers } from "../policies.ts";
import type { Rule } from "../rule.ts";

export const KT513: Rule = {
  code: "KT513",
  name: "pod-not-isolated",
  severity: "off",
  needs: "graph",
  fix: "no",
  title: "a pod that no NetworkPolicy selects",
  why: "A pod that no policy of type Ingress selects takes connections from every pod of the cluster, and from whatever else finds the way.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: free, labels: {app: free}}
spec: {containers: [{name: c, image: x}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: free, labels: {app: free}}
spec: {containers: [{name: c, image: x}]}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: all-deny}
spec: {podSelector: {}, policyTypes: [Ingress]}
`,
  },
  check: function* (subject) {
    const makers = policyMakers(subject);
    const policies = subject.of("NetworkPolicy").filter((policy) => directionsOf(policy).includes("Ingress"));
    const guarded = new Set(policies.flatMap((policy) => selectedMakers(policy, makers)));
    for (const each of makers) {
      if (each.hostNetwork || guarded.has(each)) continue; // on its node's network no policy would help
      const { maker } = each;
      yield {
        message: `${titleOf(maker)}: no NetworkPolicy selects its pods, so every pod of the cluster reaches them`,
        at: { source: maker.object.source, field: ["metadata", "name"] },
        label: "open to all",
        related:
          maker.path.length > 0 && maker.object.spec
            ? [{ at: podField(maker, "metadata", "labels"), label: "what a policy would select by" }]
            : [],
        help: `add a NetworkPolicy in ${maker.namespace} that selects them; \`podSelector: {}\` selects every pod there`,
        about: [makerRef(maker)],
      };
    }
  },
};
