/**
 * KT303: every node asked from outside, and none that lets the packet through to a pod. Services that the network cannot tell
 * apart are asked for once; only where that one fails each is.
 */
import type { Cluster, ClusterNode, ClusterService, ClusterServicePort } from "../../cluster/cluster.ts";
import { groupBy } from "../../cluster/order.ts";
import type { ObjectRef } from "../../objects/api.ts";
import type { Source } from "../../objects/source.ts";
import { type Answer, ask, isDead, question } from "../ask.ts";
import { type Backend, backendsOf, isolationOf, isServed } from "../backends.ts";
import type { Finding } from "../finding.ts";
import { listed } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { nameOf, type Subject, serviceRef } from "../subject.ts";

export const KT303: Rule = {
  code: "KT303",
  name: "node-port-reachable-on-no-node",
  severity: "error",
  needs: "data-plane",
  fix: "no",
  title: "a node port that no node answers",
  why: "From outside the port is dropped or refused at every address of every node: by routing, nodePortAddresses, a firewall, or for want of an endpoint where it would count.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: nowhere}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, externalTrafficPolicy: Cluster, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
`,
  },
  mutedBy: ["KT101", "KT102", "KT103", "KT105", "KT106", "KT107", "KT110", "KT111", "KT201", "KT202", "KT203", "KT205", "KT211"],
  check: function* (subject) {
    const cluster = subject.cluster();
    if (cluster.nodes.length === 0 || cluster.hosts.length === 0) return;
    const backends = backendsOf(cluster);
    const isolation = isolationOf(subject);
    const doors = cluster.services.flatMap((service) => (service.type === "NodePort" ? doorsOf(service) : []));
    for (const alike of groupBy(doors, (door) => classOf(cluster, backends.of(door.service, door.port), isolation, door)).values()) {
      const [first] = alike;
      if (!first || !deadEverywhere(subject, cluster, first)) continue;
      for (const door of alike) {
        const answers = deadEverywhere(subject, cluster, door);
        if (answers) yield finding(door, answers, backends.makers(door.service));
      }
    }
  },
};

type Door = { readonly service: ClusterService; readonly port: ClusterServicePort; readonly nodePort: number; readonly source: Source };
type Isolation = ReturnType<typeof isolationOf>;
type NodeAnswer = { readonly node: ClusterNode; readonly answer: Answer };

const doorsOf = (service: ClusterService): Door[] =>
  service.ports.flatMap((port): Door[] => {
    const { origin } = service;
    return !origin || port.nodePort === undefined || port.protocol === "SCTP"
      ? []
      : [{ service, port, nodePort: port.nodePort, source: origin.source }];
  });

/** What decides how a node treats a node port; where packet filters look at ports, the port as well. */
function classOf(
  { firewalls = [], nodes }: Cluster,
  behind: readonly Backend[],
  isolation: Isolation,
  { service, port, nodePort }: Door,
): string {
  const isLocal = service.externalTrafficPolicy === "Local";
  return JSON.stringify([
    port.protocol,
    service.externalTrafficPolicy,
    service.ipFamilies,
    behind.length > 0,
    isLocal ? [...new Set(behind.map(({ node }) => node ?? ""))].sort() : [],
    behind.some((backend) => isServed(backend, port.protocol)),
    [...new Set(behind.map(({ pod }) => isolation(pod)))].sort(),
    firewalls.length > 0 || nodes.some(({ ownRules }) => ownRules !== undefined) ? nodePort : 0,
  ]);
}

/** The answers of all nodes, when none of them lets any packet through; undefined as soon as one may. */
function deadEverywhere(subject: Subject, { nodes }: Cluster, { port, nodePort }: Door): readonly NodeAnswer[] | undefined {
  const protocol = port.protocol === "UDP" ? "udp" : "tcp";
  const found: NodeAnswer[] = [];
  const knock = (node: ClusterNode, host: string): boolean => {
    const answer = ask(subject, question("external", host, nodePort, protocol));
    if (!answer?.trace.paths.every(isDead)) return false;
    if (host === node.name) found.push({ node, answer });
    return true;
  };
  if (!nodes.every((node) => knock(node, node.name))) return undefined;
  const others = (node: ClusterNode): string[] => [
    ...new Set(node.interfaces.flatMap(({ up, addresses }) => (up ? addresses.map(({ ip }) => ip) : []))),
  ];
  return nodes.every((node) => others(node).every((ip) => knock(node, ip))) ? found : undefined;
}

function finding({ service, port, nodePort, source }: Door, answers: readonly NodeAnswer[], makers: readonly ObjectRef[]): Finding {
  const how = groupBy(answers, ({ answer: { packet } }) => [packet.verdict, ...packet.reasons].join(" "));
  const nodes = [...how.values()].flatMap((alike) => {
    const [first] = alike;
    if (!first) return [];
    const { verdict, reasons } = first.answer.packet;
    return [`${verdict} at ${listed(alike.map(({ node }) => node.name))} (${reasons.join(", ")})`];
  });
  const [first] = answers;
  const isWritten = service.object?.spec?.ports?.[port.index]?.nodePort !== undefined;
  return {
    message: `Service ${nameOf(serviceRef(service))}: no node answers node port ${nodePort}/${port.protocol}: ${nodes.join(", ")}`,
    at: { source, field: ["spec", "ports", port.index, ...(isWritten ? ["nodePort"] : [])] },
    about: [serviceRef(service), ...makers],
    ...(first ? { label: first.answer.packet.text, packet: first.answer.packet } : {}),
  };
}
