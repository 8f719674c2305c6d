/** KT506: a policy that lists a Service's port; what it sees is the packet after the translation, at the pod's port. */
import { allRules, type PolicyRule, portsHold } from "../../cluster/policies/rules.ts";
import type { ApiProtocol, Service, ServicePort } from "../../objects/api.ts";
import { matchesLabels } from "../../objects/selector.ts";
import { listed } from "../pod-groups.ts";
import { titleOf } from "../pod-makers.ts";
import { connectionTargets, type PolicyMaker, policyMakers, policyName, ruleMark } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { protocolOf, targetMark, targetOf } from "../service-targets.ts";
import { objectName, refOf, type Subject } from "../subject.ts";

export const KT506: Rule = {
  code: "KT506",
  name: "policy-port-is-service-port",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "a NetworkPolicy lists the Service's port instead of the pods'",
  why: "Policies see a packet when the Service's address and port are already those of a pod. No packet has the Service's port then, so those that were to pass are dropped.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: tomcat6}}, ingress: [{ports: [{port: 80}]}]}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: tomcat6}}, ingress: [{ports: [{port: 8080}]}]}
`,
  },
  check: function* (subject) {
    const policies = subject.of("NetworkPolicy");
    if (policies.length === 0) return;
    const makers = policyMakers(subject);
    for (const policy of policies)
      for (const rule of allRules(policy)) {
        const targets = connectionTargets(subject, rule, makers);
        for (const [i, { port, endPort, protocol = "TCP" }] of rule.ports.entries()) {
          if (typeof port !== "number" || endPort !== undefined || targets.some((target) => declares(target, port, protocol))) continue;
          const meant = serviceOf(subject, targets, port, protocol);
          if (!meant || isHeldAnyway(rule, targets, meant.target, protocol)) continue;
          const at = ruleMark(rule, "ports", i, "port");
          yield {
            message: `${policyName(policy)} lets through port ${port}, which is the port of ${objectName(meant.service)}: the pods of ${listed(targets.map(({ maker }) => titleOf(maker)))} get its packets at ${meant.target}`,
            at,
            label: `the packet is for port ${meant.target} when the policy sees it`,
            related: [
              { at: targetMark(meant.service, meant.index, meant.port), label: `port ${port} is translated to ${meant.target} here` },
            ],
            help: `write \`port: ${meant.target}\``,
            about: [refOf(policy), refOf(meant.service)],
            edits: [{ kind: "value", at, text: String(meant.target) }],
          };
        }
      }
  },
};

const declares = ({ containers }: PolicyMaker, port: number, protocol: ApiProtocol): boolean =>
  containers.some(({ ports = [] }) => ports.some((each) => each.containerPort === port && (each.protocol ?? "TCP") === protocol));

type Meant = { readonly service: Service; readonly port: ServicePort; readonly index: number; readonly target: number | string };

/** A Service of these pods that has the port, and leads it to another one. None where one of them leads it to the same. */
function serviceOf(subject: Subject, targets: readonly PolicyMaker[], number: number, protocol: ApiProtocol): Meant | undefined {
  const found = subject.of("Service").flatMap((service): Meant[] => {
    const { selector = {}, ports = [] } = service.spec ?? {};
    const namespace = service.metadata.namespace ?? "default";
    const isTheirs =
      Object.keys(selector).length > 0 && targets.some((each) => each.namespace === namespace && matchesLabels(selector, each.labels));
    if (!isTheirs) return [];
    return ports.flatMap((port, index) => {
      const target = targetOf(port);
      return port.port === number && protocolOf(port) === protocol ? [{ service, port, index, target }] : [];
    });
  });
  return found.some(({ target }) => target === number) ? undefined : found[0];
}

/** The same rule lists the pods' port too: then the Service's is only superfluous. */
const isHeldAnyway = (rule: PolicyRule, targets: readonly PolicyMaker[], target: number | string, protocol: ApiProtocol): boolean =>
  typeof target === "string"
    ? rule.ports.some(({ port }) => port === target)
    : targets.some((each) => portsHold(rule.ports, { protocol, port: target }, each));
