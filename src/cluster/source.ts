/**
 * SOURCE as typed (`external`, `node/NAME`, `pod/NAME`, `deploy/NAME`, `NS/NAME`, an address, a bare name): which network
 * stack a request starts in. The order of DESIGN's Commands: kinds first, then a pod of the namespace, a node, a host.
 */
import { parseIp } from "../net/address.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { Cluster, ClusterNode, ClusterPod, OutsideHost } from "./cluster.ts";

export type SourceParty =
  | { readonly kind: "pod"; readonly pod: ClusterPod }
  | { readonly kind: "node"; readonly node: ClusterNode }
  | { readonly kind: "host"; readonly host: OutsideHost };

/** The network stack of a party: a hostNetwork pod has its node's. */
export function netnsIdOf(party: SourceParty): string {
  if (party.kind === "host") return `host/${party.host.name}`;
  if (party.kind === "node") return `node/${party.node.name}`;
  return podNetnsId(party.pod);
}

/** Undefined for a pod that runs nowhere. */
export const podNetnsId = (pod: ClusterPod): string => (pod.hostNetwork ? `node/${pod.node ?? ""}` : `pod/${pod.namespace}/${pod.name}`);

/** Resolves SOURCE. Throws UsageError for an unknown, ambiguous or pending one, with the names there are. */
export function resolveSource(cluster: Cluster, text: string | undefined, namespace: string): SourceParty {
  if (text === undefined || text === "external") return firstHost(cluster);
  const ip = parseIp(text);
  if (ip !== undefined) return byAddress(cluster, ip);
  const slash = text.indexOf("/");
  return slash < 0 ? byBareName(cluster, text, namespace) : byKind(cluster, text.slice(0, slash), text.slice(slash + 1), namespace);
}

function firstHost(cluster: Cluster): SourceParty {
  const host = cluster.hosts[0];
  if (!host)
    throw new UsageError(
      "there is no outside host to send from",
      "list one under spec.hosts of the topology, or name a source: --from pod/NAME",
    );
  return { kind: "host", host };
}

const POD_KINDS = new Set(["pod", "pods", "po"]);
const WORKLOAD_KINDS: Readonly<Record<string, string>> = {
  deploy: "Deployment",
  deployment: "Deployment",
  deployments: "Deployment",
  ds: "DaemonSet",
  daemonset: "DaemonSet",
  daemonsets: "DaemonSet",
  sts: "StatefulSet",
  statefulset: "StatefulSet",
  statefulsets: "StatefulSet",
  rs: "ReplicaSet",
  replicaset: "ReplicaSet",
  replicasets: "ReplicaSet",
  rc: "ReplicationController",
  replicationcontroller: "ReplicationController",
  replicationcontrollers: "ReplicationController",
  job: "Job",
  jobs: "Job",
  cronjob: "CronJob",
  cronjobs: "CronJob",
  cj: "CronJob",
};

function byKind(cluster: Cluster, kind: string, rest: string, namespace: string): SourceParty {
  const word = kind.toLowerCase();
  if (word === "node" || word === "nodes" || word === "no") return nodeNamed(cluster, rest);
  if (word === "host") return hostNamed(cluster, rest);
  const inside = rest.indexOf("/");
  const [ns, name] = inside < 0 ? [namespace, rest] : [rest.slice(0, inside), rest.slice(inside + 1)];
  if (POD_KINDS.has(word)) return running(podNamed(cluster, ns, name));
  const workload = Object.hasOwn(WORKLOAD_KINDS, word) ? WORKLOAD_KINDS[word] : undefined;
  if (workload !== undefined) return workloadPod(cluster, workload, ns, name);
  if (word === "svc" || word === "service" || word === "services") return servicePod(cluster, ns, name);
  return running(podNamed(cluster, kind, rest)); // NS/NAME
}

function byBareName(cluster: Cluster, name: string, namespace: string): SourceParty {
  const pod = cluster.pods.find((p) => p.namespace === namespace && p.name === name);
  const node = cluster.nodes.find((n) => n.name === name || n.aliases.includes(name));
  const host = cluster.hosts.find((h) => h.name === name || h.aliases.includes(name));
  const hits = [pod && `pod/${pod.name}`, node && `node/${node.name}`, host && `host/${host.name}`].filter((hit) => hit !== undefined);
  if (hits.length > 1) throw new UsageError(`"${name}" is more than one thing: ${hits.join(", ")}`, "say which one, with its kind");
  if (pod) return running(pod);
  if (node) return { kind: "node", node };
  if (host) return { kind: "host", host };
  throw unknownSource(cluster, name, namespace);
}

function byAddress(cluster: Cluster, ip: string): SourceParty {
  const pod = cluster.pods.find((p) => !p.hostNetwork && p.ips.includes(ip));
  if (pod) return running(pod);
  const owns = (machine: ClusterNode | OutsideHost): boolean => machine.interfaces.some((i) => i.addresses.some((cidr) => cidr.ip === ip));
  const node = cluster.nodes.find(owns);
  if (node) return { kind: "node", node };
  const host = cluster.hosts.find(owns);
  if (host) return { kind: "host", host };
  throw new UsageError(`no pod, node or host has the address ${ip}`, "list it under spec.hosts of the topology to send from it");
}

function nodeNamed(cluster: Cluster, name: string): SourceParty {
  const node = cluster.nodes.find((n) => n.name === name || n.aliases.includes(name));
  if (!node) throw new UsageError(`there is no node "${name}"`, `nodes: ${listed(cluster.nodes.map((n) => n.name))}`);
  return { kind: "node", node };
}

function hostNamed(cluster: Cluster, name: string): SourceParty {
  const host = cluster.hosts.find((h) => h.name === name || h.aliases.includes(name));
  if (!host) throw new UsageError(`there is no host "${name}"`, `hosts: ${listed(cluster.hosts.map((h) => h.name))}`);
  return { kind: "host", host };
}

function podNamed(cluster: Cluster, namespace: string, name: string): ClusterPod {
  const pod = cluster.pods.find((p) => p.namespace === namespace && p.name === name);
  if (pod) return pod;
  const there = cluster.pods.filter((p) => p.namespace === namespace).map((p) => p.name);
  const elsewhere = cluster.pods.find((p) => p.name === name);
  const help = elsewhere ? `it is in namespace ${elsewhere.namespace}: -n ${elsewhere.namespace}` : `pods there: ${listed(there)}`;
  throw new UsageError(`there is no pod "${name}" in namespace ${namespace}`, help);
}

function workloadPod(cluster: Cluster, kind: string, namespace: string, name: string): SourceParty {
  const pods = cluster.pods.filter(
    (p) =>
      p.namespace === namespace &&
      ((p.workload?.kind === kind && p.workload.name === name) || (p.owner?.kind === kind && p.owner.name === name)),
  );
  const pod = pods.find((p) => p.ips.length > 0 && p.node !== undefined) ?? pods[0];
  if (!pod)
    throw new UsageError(
      `no pod of ${kind} "${name}" in namespace ${namespace}`,
      `pods there: ${listed(cluster.pods.filter((p) => p.namespace === namespace).map((p) => p.name))}`,
    );
  return running(pod);
}

function servicePod(cluster: Cluster, namespace: string, name: string): SourceParty {
  const slice = cluster.slices.find((s) => s.namespace === namespace && s.service === name && s.endpoints.some((e) => e.pod !== undefined));
  const ref = slice?.endpoints.find((e) => e.pod !== undefined)?.pod;
  if (!ref) throw new UsageError(`Service "${name}" in namespace ${namespace} has no pod to send from`);
  return running(podNamed(cluster, ref.namespace, ref.name));
}

function running(pod: ClusterPod): SourceParty {
  if (pod.node === undefined || pod.ips.length === 0)
    throw new UsageError(
      `pod ${pod.namespace}/${pod.name} runs nowhere${pod.message === undefined ? "" : `: ${pod.message}`}`,
      "a pending pod has no network to send from",
    );
  if (pod.dead) throw new UsageError(`pod ${pod.namespace}/${pod.name} is dead`, "the topology says `dead: true` of it");
  return { kind: "pod", pod };
}

function unknownSource(cluster: Cluster, name: string, namespace: string): UsageError {
  const pods = cluster.pods.filter((p) => p.namespace === namespace).map((p) => `pod/${p.name}`);
  const all = [...pods, ...cluster.nodes.map((n) => `node/${n.name}`), ...cluster.hosts.map((h) => `host/${h.name}`)];
  return new UsageError(`nothing here is called "${name}"`, `sources: ${listed(all)}`);
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? "none" : names.length > 12 ? `${names.slice(0, 12).join(", ")} … ${names.length - 12} more` : names.join(", ");
