/** KT308: an external IP that belongs to somebody else, whose packets every node now takes (CVE-2020-8554). */
import type { Cluster, ClusterService, ClusterServicePort } from "../../cluster/cluster.ts";
import type { Ip } from "../../net/address.ts";
import type { ObjectRef } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Path } from "../../trace/trace.ts";
import { ask, question } from "../ask.ts";
import { backendsOf } from "../backends.ts";
import { nodeNames } from "../machines.ts";
import type { Rule } from "../rule.ts";
import { nameOf, serviceRef } from "../subject.ts";

export const KT308: Rule = {
  code: "KT308",
  name: "external-ip-hijacks-traffic",
  severity: "error",
  needs: "data-plane",
  fix: "no",
  title: "an external IP takes the packets that were meant for somebody else",
  why: "kube-proxy translates the address before any socket is looked up, on every node and for every pod: SSH, the API server, or another Service at that address and port is captured (CVE-2020-8554).",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: trap}
spec: {externalIPs: [10.0.2.4], selector: {app: web}, ports: [{port: 6443, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: trap}
spec: {externalIPs: [10.0.2.4], selector: {app: web}, ports: [{port: 8000, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    const cluster = subject.cluster();
    for (const service of cluster.services) {
      for (const { ip, field } of claimed(service)) {
        for (const port of service.ports) {
          const victim = victimOf(cluster, service, ip, port);
          const from = cluster.nodes.find(({ name }) => name !== victim?.node) ?? cluster.nodes[0];
          if (!victim || !from || !service.origin || port.protocol === "SCTP") continue;
          const protocol = port.protocol === "UDP" ? "udp" : "tcp";
          const answer = ask(subject, question(`node/${from.name}`, ip, port.port, protocol));
          const isLucky = answer?.trace.paths.some((path) => isSpared(path, victim));
          if (!answer || (isLucky && victim.isByChance !== true)) continue;
          yield {
            message: isLucky
              ? `Service ${nameOf(serviceRef(service))} claims ${ip}:${port.port} as well, ${victim.what}: whose rule comes first is left to chance`
              : `Service ${nameOf(serviceRef(service))} takes what is sent to ${ip}:${port.port}, ${victim.what}`,
            at: { source: service.origin.source, field },
            label: isLucky ? `${victim.title} may lose these packets` : `${victim.title} no longer gets these packets`,
            help: "use an address that nothing else has, or a port that nobody else listens on",
            about: [serviceRef(service), ...(victim.ref ? [victim.ref] : [])],
            packet: answer.packet,
          };
        }
      }
    }
  },
};

/** Addresses that somebody wrote: an assigned one is the provider's choice. */
function claimed({ externalIPs, object, loadBalancerIngress }: ClusterService): { readonly ip: Ip; readonly field: readonly PathPart[] }[] {
  const asked = object?.spec?.loadBalancerIP;
  return [
    ...externalIPs.map((ip, i) => ({ ip, field: ["spec", "externalIPs", i] })),
    ...loadBalancerIngress.flatMap(({ ip }) => (ip !== undefined && ip === asked ? [{ ip, field: ["spec", "loadBalancerIP"] }] : [])),
  ];
}

type Victim = {
  readonly title: string;
  readonly what: string;
  readonly node?: string;
  readonly pod?: string;
  readonly backends?: ReadonlySet<string>; // of a Service: "IP:PORT"
  readonly ref?: ObjectRef;
  /** Of two Services with one address kube-proxy's iptables mode serves the one that it happens to write first (Go's map order). */
  readonly isByChance?: boolean;
};

const RESOLVERS: ReadonlySet<Ip> = new Set(["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220"]);
/** Ports that a node's own daemons have on any node; 22 is sshd's. */
const DAEMONS: ReadonlyMap<number, string> = new Map([
  [22, "sshd"],
  [10250, "the kubelet"],
  [10256, "kube-proxy's health check"],
]);

function victimOf(cluster: Cluster, service: ClusterService, ip: Ip, { port, protocol }: ClusterServicePort): Victim | undefined {
  const other = cluster.services.find((each) => each !== service && each.clusterIPs.includes(ip));
  if (other) {
    const title = `Service ${nameOf(serviceRef(other))}`;
    const entry = other.ports.find((each) => each.port === port && each.protocol === protocol);
    if (!entry) return undefined;
    const backends = new Set(
      backendsOf(cluster)
        .of(other, entry)
        .map((each) => `${each.ip}:${each.port}`),
    );
    return { title, what: `the cluster address of ${title}`, backends, ref: serviceRef(other), isByChance: true };
  }
  const pod = cluster.pods.find((each) => !each.hostNetwork && each.ips.includes(ip));
  if (pod) {
    const title = `Pod ${pod.namespace}/${pod.name}`;
    return { title, what: `the address of ${title}`, pod: pod.name, ref: { kind: "Pod", namespace: pod.namespace, name: pod.name } };
  }
  if (RESOLVERS.has(ip) && port === 53) return { title: "the public resolver", what: "a public resolver" };
  const [name] = nodeNames(cluster.nodes, ip);
  const node = cluster.nodes.find((each) => each.name === name);
  if (!node) return undefined;
  const onHost = cluster.pods.find(
    (each) => each.hostNetwork && each.node === name && each.listens.some((l) => l.port === port && l.protocol === protocol),
  );
  const listens = node.listens.some((each) => each.port === port && (each.protocol ?? "TCP") === protocol);
  const daemon = protocol === "TCP" ? DAEMONS.get(port) : undefined;
  const who = onHost ? `Pod ${onHost.namespace}/${onHost.name}` : listens ? "a process of the node" : daemon;
  return who === undefined ? undefined : { title: who, what: `where ${who} listens on ${node.name}`, node: node.name };
}

/** It ended with the one who has the address. */
const isSpared = ({ verdict, destination }: Path, { node, pod, backends }: Victim): boolean =>
  verdict === "delivered" &&
  destination !== undefined &&
  (backends?.has(`${destination.ip}:${destination.port}`) === true ||
    (destination.name === pod && backends === undefined) ||
    (destination.kind === "node" && destination.name === node));
