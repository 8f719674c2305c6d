/** KT505: policies in a cluster whose network plugin takes no notice of them. */
import { listed } from "../pod-groups.ts";
import { policyMark, policyName, unenforcingPlugin } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { refOf } from "../subject.ts";

const MOST_RELATED = 8;

export const KT505: Rule = {
  code: "KT505",
  name: "policy-not-enforced",
  severity: "warning",
  needs: "graph",
  fix: "no",
  title: "NetworkPolicies, and a network plugin that enforces none",
  why: "The API server stores a NetworkPolicy; to drop packets is the network plugin's business. With one that does not, every pod is open to every other, whatever is written.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
`,
  },
  good: {
    manifests: `kind: ConfigMap
apiVersion: v1
metadata: {name: no-policy-on-plain-flannel}
`,
  },
  check: function* (subject) {
    const plugin = unenforcingPlugin(subject);
    const [first, ...others] = subject.of("NetworkPolicy");
    if (plugin === undefined || !first) return;
    const names = listed([first, ...others].map(policyName));
    const { source } = subject.topology;
    yield {
      message: `${names}: ${others.length === 0 ? "it drops" : "they drop"} no packet, for the network plugin is ${plugin}, which enforces no policies`,
      at: policyMark(first, "metadata", "name"),
      label: "stored, and never enforced",
      related: [
        ...(source && subject.topology.cni?.plugin ? [{ at: { source, field: ["spec", "cni", "plugin"] }, label: "the plugin" }] : []),
        ...others.slice(0, MOST_RELATED).map((policy) => ({ at: policyMark(policy, "metadata", "name"), label: "neither is this one" })),
      ],
      help:
        plugin === "flannel"
          ? "run a plugin that enforces them: canal is flannel with Calico's policies"
          : "run a plugin that enforces them",
      about: [first, ...others].map(refOf),
    };
  },
};
