/** KT508: one dash too many makes two peers of one: either of them is let in, where both were to hold. */
import type { PolicyRule } from "../../cluster/policies/rules.ts";
import { allRules } from "../../cluster/policies/rules.ts";
import type { LabelSelector, NetworkPolicyPeer } from "../../objects/api.ts";
import { matchesSelector } from "../../objects/selector.ts";
import { isEmptySelector, labelledThings, namespaceOfPolicy, policyName, ruleMark, selectorText } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { textEntry } from "../scalar.ts";
import { refOf, type Subject } from "../subject.ts";

export const KT508: Rule = {
  code: "KT508",
  name: "policy-and-or-confusion",
  severity: "warning",
  needs: "graph",
  fix: "unsafe",
  title: "namespaceSelector and podSelector are two peers, where one was probably meant",
  why: "Peers of a list are alternatives: every pod of that namespace gets in, and every matching pod of the policy's own. With one dash less both have to hold.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
    - podSelector: {matchLabels: {k8s-app: kube-dns}}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
      podSelector: {matchLabels: {k8s-app: kube-dns}}
`,
  },
  check: function* (subject) {
    for (const policy of subject.of("NetworkPolicy"))
      for (const rule of allRules(policy))
        for (const index of splitPeers(subject, rule)) {
          const [{ namespaceSelector = {} } = {}, { podSelector = {} } = {}] = rule.peers.slice(index - 1);
          const at = ruleMark(rule, rule.side, index);
          const who = isEmptySelector(namespaceSelector) ? "every namespace" : `namespaces with ${selectorText(namespaceSelector)}`;
          yield {
            message: `${policyName(policy)}: every pod of ${who} may pass, whatever its labels: the podSelector ${selectorText(podSelector)} is a peer of its own, and looks into ${namespaceOfPolicy(policy)} only`,
            at,
            label: "one dash too many?",
            related: [{ at: ruleMark(rule, rule.side, index - 1), label: "all pods of these namespaces" }],
            help: "write podSelector without its dash, under namespaceSelector: then both must hold",
            about: [refOf(policy)],
            edits: [
              { kind: "insert", at: ruleMark(rule, rule.side, index - 1), text: `podSelector: ${selectorYaml(podSelector)}` },
              { kind: "remove", at },
            ],
          };
        }
  },
};

/**
 * Peers that are a podSelector alone, right after a namespaceSelector alone, and that no pod of the policy's namespace
 * satisfies: where pods do, two alternatives may well be meant.
 */
export function splitPeers(subject: Subject, { policy, peers }: PolicyRule): number[] {
  const isAlone = (peer: NetworkPolicyPeer | undefined, key: "podSelector" | "namespaceSelector"): boolean =>
    peer?.[key] !== undefined && Object.keys(peer).length === 1;
  return peers.flatMap(({ podSelector }, i) => {
    if (podSelector === undefined || !isAlone(peers[i], "podSelector") || !isAlone(peers[i - 1], "namespaceSelector")) return [];
    if (isEmptySelector(podSelector)) return [];
    const own = namespaceOfPolicy(policy);
    const isHere = labelledThings(subject).some(({ namespace, labels }) => namespace === own && matchesSelector(podSelector, labels));
    return isHere ? [] : [i];
  });
}

/** In flow style, on one line. */
function selectorYaml({ matchLabels, matchExpressions }: LabelSelector): string {
  const labels = Object.entries(matchLabels ?? {}).map(([key, value]) => textEntry(key, value));
  const expressions = (matchExpressions ?? []).map(
    ({ key, operator, values }) =>
      `{${[textEntry("key", key), textEntry("operator", operator), ...(values ? [`values: ${JSON.stringify(values)}`] : [])].join(", ")}}`,
  );
  const parts = [
    ...(labels.length > 0 ? [`matchLabels: {${labels.join(", ")}}`] : []),
    ...(expressions.length > 0 ? [`matchExpressions: [${expressions.join(", ")}]`] : []),
  ];
  return `{${parts.join(", ")}}`;
}
