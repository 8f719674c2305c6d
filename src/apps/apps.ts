/**
 * Who the processes are: what stands behind a socket's owner, which of them open a new connection, what names each machine
 * knows by itself. The one view of the cluster that `trace` gets.
 */
import type { Cluster, ClusterPod } from "../cluster/cluster.ts";
import { ingressControllers } from "../cluster/ingress-controllers.ts";
import { netnsIdOf, podNetnsId, resolveSource, type SourceParty } from "../cluster/source.ts";
import { cidrContains, type Ip } from "../net/address.ts";
import type { CauseTable } from "../objects/cause.ts";
import { createCoreDns, isCoreDns } from "./coredns.ts";
import type { DnsReply } from "./dns/message.ts";
import { outsideReply } from "./dns/outside.ts";
import { answerHealthCheck, type HealthPorts } from "./health-check.ts";
import { handleRequest } from "./ingress.ts";
import { balanceConnection } from "./load-balancer.ts";
import { knownNames, type NameBook, type PodFiles } from "./names.ts";
import type { ProcessDecision, ProcessRequest } from "./process.ts";
import { type ProxiedPorts, proxyInUserspace } from "./userspace-proxy.ts";

/** A machine, pod or bare address, as a trace shows it. */
export type Who = {
  readonly kind: "pod" | "node" | "host" | "address";
  readonly namespace?: string;
  readonly name: string;
  readonly node?: string;
  readonly netns?: string;
  readonly ip?: Ip;
};

export type Apps = {
  /** The party that SOURCE means; throws UsageError. */
  readonly source: (text: string | undefined, namespace: string) => Who;
  /** Who owns a socket or a network stack: "pod/default/nginx", "node/k8s-node2". */
  readonly who: (owner: string) => Who;
  /** Who has an address, for the parties of a trace. */
  readonly whoHas: (ip: Ip) => Who;
  /** A Service's or pod's range: no machine outside the model has such an address. */
  readonly isClusterAddress: (ip: Ip) => boolean;
  /** The names a source knows without asking, and whom it asks. */
  readonly names: (from: Who) => NameBook;
  /** The answer of a name server process, or undefined when the socket's owner is none. */
  readonly askNameServer: (owner: string, name: string, type: string) => DnsReply | undefined;
  /** What a resolver outside the model would say. */
  readonly askOutside: (name: string, type: string) => DnsReply;
  /** What a process does with a connection it took, or undefined when that is its own affair: the request ends with it. */
  readonly askProcess: (request: ProcessRequest) => ProcessDecision | undefined;
};

/** What other daemons know of their processes and `apps` cannot. */
export type Processes = { readonly proxiedPorts?: ProxiedPorts; readonly healthPorts?: HealthPorts };

export function createApps(cluster: Cluster, causes: CauseTable, files: PodFiles, { proxiedPorts, healthPorts }: Processes = {}): Apps {
  const pods = new Map(cluster.pods.map((pod) => [`pod/${pod.namespace}/${pod.name}`, pod]));
  const byIp = new Map<Ip, Who>();
  for (const pod of cluster.pods) if (!pod.hostNetwork) for (const ip of pod.ips) byIp.set(ip, whoIsPod(pod));
  for (const machine of [...cluster.nodes, ...cluster.hosts]) {
    for (const { addresses } of machine.interfaces)
      for (const { ip } of addresses)
        byIp.set(ip, { kind: machine.kind, name: machine.name, netns: `${machine.kind}/${machine.name}`, ip });
  }
  const controllers = ingressControllers(cluster);
  const coreDns = createCoreDns(cluster, causes);
  const who = (owner: string): Who => {
    const pod = pods.get(owner);
    if (pod) return whoIsPod(pod);
    const slash = owner.indexOf("/");
    const kind = owner.slice(0, slash);
    return kind === "node" || kind === "host" ? { kind, name: owner.slice(slash + 1), netns: owner } : { kind: "address", name: owner };
  };
  return {
    source: (text, namespace) => whoIs(resolveSource(cluster, text, namespace)),
    who,
    whoHas: (ip) => byIp.get(ip) ?? { kind: "address", name: ip, ip },
    isClusterAddress: (ip) => [...cluster.serviceCIDRs, ...cluster.podCIDRs].some((cidr) => cidrContains(cidr, ip)),
    names: (from) => knownNames(cluster, from, files, causes),
    askNameServer: (owner, name, type) => {
      const pod = pods.get(owner);
      if (pod) return isCoreDns(pod) ? coreDns(name, type) : undefined;
      return owner.startsWith("host/") ? outsideReply(cluster, name, type) : undefined;
    },
    askOutside: (name, type) => outsideReply(cluster, name, type),
    askProcess: (request) => {
      const { owner, http, process } = request;
      if (request.deaf !== undefined)
        return { kind: "silence", process, text: `${process} holds the port open and reads nothing from it`, cause: request.deaf };
      const proxied = proxiedPorts && proxyInUserspace(proxiedPorts, request);
      if (proxied) return proxied;
      const known = balanceConnection(cluster, request, causes) ?? (healthPorts && answerHealthCheck(healthPorts, request));
      if (known) return known;
      const pod = pods.get(owner);
      const controller = pod && controllers.find((c) => c.pods.has(`${pod.namespace}/${pod.name}`));
      return controller && http && handleRequest(cluster, controller, http, causes);
    },
  };
}

function whoIs(party: SourceParty): Who {
  if (party.kind === "pod") return whoIsPod(party.pod);
  const machine = party.kind === "node" ? party.node : party.host;
  const ip = party.kind === "node" ? party.node.internalIPs[0] : party.host.interfaces[0]?.addresses[0]?.ip;
  return { kind: party.kind, name: machine.name, netns: netnsIdOf(party), ...(ip === undefined ? {} : { ip }) };
}

function whoIsPod(pod: ClusterPod): Who {
  const ip = pod.ips[0];
  return {
    kind: "pod",
    namespace: pod.namespace,
    name: pod.name,
    netns: podNetnsId(pod),
    ...(pod.node === undefined ? {} : { node: pod.node }),
    ...(ip === undefined ? {} : { ip }),
  };
}
