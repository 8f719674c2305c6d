/** KT512: a policy port without protocol is TCP; the pods take UDP or SCTP there. */
import { allRules, type PolicyRule } from "../../cluster/policies/rules.ts";
import { titleOf } from "../pod-makers.ts";
import { connectionTargets, type PolicyMaker, policyMakers, policyName, ruleMark } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { refOf, type Subject } from "../subject.ts";

const DNS_PORT = 53;

export const KT512: Rule = {
  code: "KT512",
  name: "policy-protocol-default",
  severity: "info",
  needs: "graph",
  fix: "suggest",
  title: "a NetworkPolicy port without protocol, at which the pods take UDP or SCTP",
  why: "A port without protocol is a TCP port, so the UDP packets that were meant are dropped.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p, namespace: kube-system}
spec: {podSelector: {matchLabels: {k8s-app: kube-dns}}, ingress: [{ports: [{port: 53}]}]}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p, namespace: kube-system}
spec: {podSelector: {matchLabels: {k8s-app: kube-dns}}, ingress: [{ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}]}
`,
  },
  check: function* (subject) {
    const policies = subject.of("NetworkPolicy");
    if (policies.length === 0) return;
    const makers = policyMakers(subject);
    for (const policy of policies)
      for (const rule of allRules(policy))
        for (const [i, { port, protocol }] of rule.ports.entries()) {
          if (typeof port !== "number" || protocol !== undefined) continue;
          const meant = otherProtocol(subject, rule, makers, port);
          if (!meant || rule.ports.some((each) => each.protocol === meant.protocol && (each.port === port || each.port === undefined)))
            continue;
          yield {
            message: `${policyName(policy)}: port ${port} without protocol is TCP, and ${meant.who} ${meant.protocol} there`,
            at: ruleMark(rule, "ports", i, "port"),
            label: `${meant.protocol} does not pass`,
            help: meant.alsoTcp
              ? `add \`{port: ${port}, protocol: ${meant.protocol}}\` beside it`
              : `write \`protocol: ${meant.protocol}\``,
            about: [refOf(policy)],
            ...(meant.alsoTcp
              ? {}
              : { edits: [{ kind: "insert" as const, at: ruleMark(rule, "ports", i), text: `protocol: ${meant.protocol}` }] }),
          };
        }
  },
};

type Other = { readonly protocol: "UDP" | "SCTP"; readonly who: string; readonly alsoTcp: boolean };

function otherProtocol(subject: Subject, rule: PolicyRule, makers: readonly PolicyMaker[], port: number): Other | undefined {
  for (const target of connectionTargets(subject, rule, makers)) {
    const here = target.containers.flatMap(({ ports = [] }) => ports.filter((each) => each.containerPort === port));
    const other = here.find(({ protocol }) => protocol === "UDP" || protocol === "SCTP")?.protocol;
    const alsoTcp = here.some(({ protocol = "TCP" }) => protocol === "TCP");
    if (other === "UDP" || other === "SCTP") return { protocol: other, who: `${titleOf(target.maker)} takes`, alsoTcp };
  }
  const isToDns = rule.direction === "Egress" && port === DNS_PORT;
  return isToDns ? { protocol: "UDP", who: "a name is mostly asked for by", alsoTcp: true } : undefined;
}
