/** KT501: a policy that guards nothing: its podSelector matches no pod of its namespace. */

import { matchesSelector } from "../../objects/selector.ts";
import { outermostMakers, podField, titleOf } from "../pod-makers.ts";
import { isEmptySelector, labelledThings, namespaceOfPolicy, nearestLabel, policyMark, policyName, selectorText } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { refOf } from "../subject.ts";

export const KT501: Rule = {
  code: "KT501",
  name: "policy-selects-no-pods",
  severity: "warning",
  needs: "graph",
  fix: "suggest",
  title: "a NetworkPolicy's podSelector matches no pod of its namespace",
  why: "The policy guards nothing: the pods that it was written for stay open to everybody.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: wbe}}, ingress: [{}]}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{}]}
`,
  },
  check: function* (subject) {
    const policies = subject.of("NetworkPolicy");
    if (policies.length === 0) return;
    const things = labelledThings(subject);
    for (const policy of policies) {
      const { podSelector = {} } = policy.spec ?? {};
      const namespace = namespaceOfPolicy(policy);
      const there = things.filter((each) => each.namespace === namespace);
      // Where the input has no pod of the namespace at all, they are somewhere else.
      if (isEmptySelector(podSelector) || there.length === 0 || there.some(({ labels }) => matchesSelector(podSelector, labels))) continue;
      const makers = outermostMakers(subject).filter((maker) => maker.namespace === namespace);
      const meant = nearestLabel(podSelector, makers);
      const at = policyMark(policy, "spec", "podSelector", ...(meant ? ["matchLabels", meant.key] : []));
      yield {
        message: `${policyName(policy)} guards nothing: no pod of ${namespace} carries ${selectorText(podSelector)}`,
        at,
        about: [refOf(policy)],
        ...(meant
          ? {
              label: `${titleOf(meant.maker)} has ${meant.key}: ${meant.value}`,
              help: `write \`${meant.key}: ${meant.value}\``,
              related: [
                {
                  at: podField(meant.maker, "metadata", "labels", meant.key),
                  label: `the pods of ${titleOf(meant.maker)} carry it`,
                },
              ],
              edits: [{ kind: "value" as const, at, text: meant.value }],
            }
          : { help: "select by labels that pods of this namespace carry, or remove the policy" }),
      };
    }
  },
};
