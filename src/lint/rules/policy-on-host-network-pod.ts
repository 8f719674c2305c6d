/** KT510: policies about pods that use their node's network: they are the node to everybody, and no policy guards or knows them. */
import { allRules, peerSelects } from "../../cluster/policies/rules.ts";
import type { Finding } from "../finding.ts";
import { listed } from "../pod-groups.ts";
import { makerRef, podField, titleOf } from "../pod-makers.ts";
import {
  isEmptySelector,
  namespaceLabels,
  type PolicyMaker,
  policyMakers,
  policyMark,
  policyName,
  ruleMark,
  selectedMakers,
  selectorText,
} from "../policies.ts";
import type { Rule } from "../rule.ts";
import { refOf } from "../subject.ts";

export const KT510: Rule = {
  code: "KT510",
  name: "policy-on-host-network-pod",
  severity: "warning",
  needs: "graph",
  fix: "no",
  title: "a NetworkPolicy about pods that use their node's network",
  why: "Such a pod sends and receives with its node's address. The API leaves it to the plugin whether a policy has any effect on it, and most neither guard it nor know it as a peer.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p, namespace: ingress-nginx}
spec: {podSelector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}, ingress: [{ports: [{port: 80}]}]}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}
`,
  },
  check: function* (subject) {
    const policies = subject.of("NetworkPolicy");
    if (policies.length === 0) return;
    const makers = policyMakers(subject);
    const labels = namespaceLabels(subject);
    for (const policy of policies) {
      const { podSelector = {} } = policy.spec ?? {};
      const guarded = isEmptySelector(podSelector) ? [] : selectedMakers(policy, makers).filter(({ hostNetwork }) => hostNetwork);
      if (guarded.length > 0)
        yield finding(
          guarded,
          `${policyName(policy)} selects ${names(guarded)}, which ${guarded.length === 1 ? "uses its" : "use their"} node's network: the policy has no defined effect there`,
          { at: policyMark(policy, "spec", "podSelector"), about: [refOf(policy), ...guarded.map(({ maker }) => makerRef(maker))] },
          "guard the node instead (a firewall, or the plugin's own host policies), or leave hostNetwork out",
        );
      for (const rule of allRules(policy))
        for (const [i, peer] of rule.peers.entries()) {
          if (isEmptySelector(peer.podSelector ?? {})) continue;
          const meant = makers.filter((maker) =>
            peerSelects(peer, policy, { ...maker, hostNetwork: false }, (name) => labels.get(name)?.labels),
          );
          if (meant.length === 0 || !meant.every(({ hostNetwork }) => hostNetwork)) continue;
          yield finding(
            meant,
            `${policyName(policy)}: only ${names(meant)} ${meant.length === 1 ? "carries" : "carry"} ${selectorText(peer.podSelector ?? {})}, and shows its node's address: the selector does not hold it`,
            { at: ruleMark(rule, rule.side, i, "podSelector"), about: [refOf(policy), ...meant.map(({ maker }) => makerRef(maker))] },
            "use an ipBlock with the nodes' addresses",
          );
        }
    }
  },
};

const names = (makers: readonly PolicyMaker[]): string => listed(makers.map(({ maker }) => titleOf(maker)));

function finding([first]: readonly PolicyMaker[], message: string, place: Pick<Finding, "at" | "about">, help: string): Finding {
  return {
    ...place,
    message,
    label: "pods on their node's network",
    ...(first ? { related: [{ at: podField(first.maker, "spec", "hostNetwork"), label: "hostNetwork" }] } : {}),
    help,
  };
}
