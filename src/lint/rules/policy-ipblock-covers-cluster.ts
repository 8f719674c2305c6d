/** KT509: an ipBlock that holds addresses of the cluster by accident, or holds only such as no packet has when policies are asked. */
import { blockMeets } from "../../cluster/policies/policies.ts";
import { allRules, type PolicyRule } from "../../cluster/policies/rules.ts";
import { type Cidr, cidrContains, formatCidr, parseCidr } from "../../net/address.ts";
import type { Finding } from "../finding.ts";
import { policyName, ruleMark, unenforcingPlugin } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { refOf, type Subject } from "../subject.ts";

export const KT509: Rule = {
  code: "KT509",
  name: "policy-ipblock-covers-cluster",
  severity: "warning",
  needs: "graph",
  fix: "suggest",
  title: "an ipBlock that holds the cluster's own addresses, or Service addresses that no packet has any more",
  why: "Policies see a packet after the Service's translation, so a block of cluster addresses matches nothing. And a block that was to hold the rest of the world holds every pod as well, unless `except` takes them out.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.96.0.0/12}}]}]}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: tomcat6}}}]}, {to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]}]}
`,
  },
  check: function* (subject) {
    if (unenforcingPlugin(subject) !== undefined) return;
    const ranges = statedRanges(subject);
    for (const policy of subject.of("NetworkPolicy")) {
      const rules = allRules(policy);
      for (const rule of rules)
        for (const [i, { ipBlock }] of rule.peers.entries()) {
          const cidr = ipBlock && parseCidr(ipBlock.cidr);
          if (!cidr || !ipBlock) continue;
          const services = ranges.services.find((range) => range.length <= cidr.length && cidrContains(range, cidr.ip));
          if (services) yield ofServices(rule, i, cidr, services);
          else if (rule.direction === "Egress" && tellsPodsApart(rules)) {
            const pods = ranges.pods.find((range) => cidr.length <= range.length && blockMeets(ipBlock, range));
            if (pods) yield ofPods(rule, i, cidr, pods);
          }
        }
    }
  },
};

/** Only ranges that the input states: against an assumed one nothing is proved. */
function statedRanges({ topology: { kubernetes = {} } }: Subject) {
  const read = (texts: readonly string[] = []): readonly Cidr[] => texts.flatMap((text) => parseCidr(text.trim()) ?? []);
  return { services: read(kubernetes.serviceCIDRs), pods: read(kubernetes.podCIDRs) };
}

/** Other egress rules let through some pods and not others: then a block for the world is not meant to hold them all. */
const tellsPodsApart = (rules: readonly PolicyRule[]): boolean =>
  rules.some(({ direction, peers }) => direction === "Egress" && peers.some(({ podSelector }) => podSelector !== undefined));

const ofServices = (rule: PolicyRule, index: number, cidr: Cidr, range: Cidr): Finding => ({
  message: `${policyName(rule.policy)}: ${formatCidr(cidr)} lies in the range of Services' cluster addresses ${formatCidr(range)}, which are translated before policies are asked`,
  at: ruleMark(rule, rule.side, index, "ipBlock", "cidr"),
  label: "no packet has such an address then",
  help: "select the pods behind the Service by their labels, with the pods' port",
  about: [refOf(rule.policy)],
});

const ofPods = (rule: PolicyRule, index: number, cidr: Cidr, range: Cidr): Finding => ({
  message: `${policyName(rule.policy)}: ${formatCidr(cidr)} holds all pods as well (${formatCidr(range)}), so the other egress rules' podSelectors make no difference`,
  at: ruleMark(rule, rule.side, index, "ipBlock", "cidr"),
  label: `${formatCidr(range)} is in it`,
  help: `add \`except: [${formatCidr(range)}]\``,
  about: [refOf(rule.policy)],
  edits: [{ kind: "insert", at: ruleMark(rule, rule.side, index, "ipBlock"), text: `except: [${formatCidr(range)}]` }],
});
