/** KT511: one side's rule lets a connection through, the other side's policies do not: both have to. */
import type { ClusterPod } from "../../cluster/cluster.ts";
import type { Policies } from "../../cluster/policies/policies.ts";
import {
  allRules,
  type Direction,
  type EndPort,
  type PolicyRule,
  peerSelects,
  portsHold,
  selectsPod,
} from "../../cluster/policies/rules.ts";
import type { NetworkPolicy } from "../../objects/api.ts";
import type { Finding } from "../finding.ts";
import { groupPods, listed, type PodGroup } from "../pod-groups.ts";
import { BY_THE_API, isEmptySelector, policiesOf, policyMark, policyName, ruleMark } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { refOf } from "../subject.ts";

const POLICIES = `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: srv}
spec: {podSelector: {matchLabels: {app: tomcat6}}, ingress: [{from: [{podSelector: {matchLabels: {app: nginx}}}]}]}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: cli-deny}
`;

export const KT511: Rule = {
  code: "KT511",
  name: "policy-one-sided-allow",
  severity: "warning",
  needs: "graph",
  fix: "suggest",
  title: "one pod's policies allow a connection, the other pod's do not",
  why: "A connection needs egress at the client and ingress at the server. Where only one of the two has the rule, the SYN is dropped although `the rule is there`.",
  bad: {
    manifests: `${POLICIES}spec: {podSelector: {matchLabels: {app: nginx}}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]}]}
`,
  },
  good: {
    manifests: `${POLICIES}spec: {podSelector: {matchLabels: {app: nginx}}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]}, {to: [{podSelector: {matchLabels: {app: tomcat6}}}]}]}
`,
  },
  check: function* (subject) {
    const known = policiesOf(subject);
    if (!known) return;
    const { cluster, policies } = known;
    const groups = groupPods(cluster.pods.filter(({ hostNetwork, phase }) => !hostNetwork && phase === "Running"));
    const labels = new Map(cluster.namespaces.map((each) => [each.name, each.labels]));
    for (const policy of subject.of("NetworkPolicy"))
      for (const rule of allRules(policy))
        for (const [i, peer] of rule.peers.entries()) {
          if (!peer.podSelector || isEmptySelector(peer.podSelector)) continue; // a rule for anybody is about nobody in particular
          const own = groups.filter(({ pods: [pod] }) => selectsPod(policy, pod));
          const others = groups.filter(({ pods: [pod] }) => peerSelects(peer, policy, pod, (name) => labels.get(name)));
          for (const other of others) {
            const wrong = own.flatMap((mine) => deniedBy(policies, rule, mine, other) ?? [])[0];
            if (wrong) yield finding(rule, i, other, wrong);
          }
        }
  },
};

type Denied = {
  readonly mine: PodGroup;
  readonly policies: readonly NetworkPolicy[];
  readonly direction: Direction;
  readonly port: EndPort;
};

/** The other side's policies, when they let none of the ports pass that this rule does. */
function deniedBy(policies: Policies, rule: PolicyRule, mine: PodGroup, other: PodGroup): Denied | undefined {
  const direction: Direction = rule.direction === "Ingress" ? "Egress" : "Ingress";
  const [own, theirs] = [mine.pods[0], other.pods[0]];
  if (mine.title === other.title) return undefined;
  const target: ClusterPod = rule.direction === "Ingress" ? own : theirs;
  const ports = target.listens.filter((port) => portsHold(rule.ports, port, target));
  const [port] = ports;
  if (!port) return undefined;
  const rulings = ports.map((each) => policies.judge(theirs, direction, { kind: "pod", pod: own }, each));
  const [first] = rulings;
  if (first?.verdict !== "denied" || !rulings.every(({ verdict }) => verdict === "denied")) return undefined;
  return { mine, policies: first.policies, direction, port };
}

function finding(rule: PolicyRule, index: number, other: PodGroup, { mine, policies, direction, port }: Denied): Finding {
  const isServer = rule.direction === "Ingress";
  const [client, server] = isServer ? [other, mine] : [mine, other];
  const names = listed(policies.map(policyName));
  return {
    message: `${policyName(rule.policy)} lets ${client.title} reach ${server.title} at ${port.protocol} ${port.port}, but no ${direction.toLowerCase()} rule of ${names} does`,
    at: ruleMark(rule, rule.side, index),
    label: BY_THE_API,
    related: policies.slice(0, 4).map((policy) => ({
      at: policyMark(policy, "metadata", "name"),
      label: `${other.title} is isolated for ${direction.toLowerCase()} by this`,
    })),
    help: isServer
      ? `add an egress rule for ${server.title} to one of ${names}`
      : `add an ingress rule for ${client.title} to one of ${names}`,
    about: [refOf(rule.policy), other.ref, mine.ref],
  };
}
