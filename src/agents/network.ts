/**
 * All network stacks of a decided cluster, each made when a packet first gets there, and the cables between them. What every
 * daemon of every machine would have put in; the kernel (linux/) then does the rest.
 */
import type { Cluster, ClusterNode, ClusterPod, Machine } from "../cluster/cluster.ts";
import type { Netns, NetnsId, World } from "../linux/netns.ts";
import { type Cidr, familyOf, type Ip, networkOf } from "../net/address.ts";
import type { CauseTable } from "../objects/cause.ts";
import { podNetns } from "./cni/names.ts";
import { startCni } from "./cni/plugin.ts";
import { firewallNetns, firewallStack } from "./firewall.ts";
import { hostNetns } from "./host.ts";
import { addressesOnEveryNode } from "./kube-proxy/mode.ts";
import { withBalancers } from "./load-balancer.ts";
import { machineNetns } from "./machine.ts";
import { type NodeSite, nodeNetns } from "./node.ts";
import { hasOwnNetns, podNetnsOf } from "./pod.ts";
import type { RulesetPart } from "./ruleset.ts";
import { segmentsOf } from "./segments.ts";

export type NetworkOptions = {
  /** The node's own rules, read from the file that the topology names. */
  readonly ownRules?: (node: ClusterNode) => readonly RulesetPart[];
};

/** What each node's daemons program from the decided cluster. Nothing is built before it is asked for. */
export function programNetwork(cluster: Cluster, causes: CauseTable, options: NetworkOptions = {}): World {
  const machines: readonly Machine[] = [...cluster.nodes, ...cluster.hosts];
  const cni = startCni(cluster, causes);
  const firewalls = cluster.firewalls ?? [];
  const segments = segmentsOf(machines, firewalls);
  const nodes = new Map(cluster.nodes.map((node) => [node.name, node]));
  const pods = groupBy(cluster.pods, (pod) => pod.node ?? "");
  const site: NodeSite = {
    cluster,
    causes,
    segments,
    cni,
    podsOf: (node) => pods.get(node.name) ?? [],
    ownRules: options.ownRules ?? (() => []),
  };
  const makers = new Map<NetnsId, () => Netns>();
  for (const node of cluster.nodes) makers.set(machineNetns(node), () => nodeNetns(node, site));
  for (const host of cluster.hosts) makers.set(machineNetns(host), () => withBalancers(hostNetns(host, segments, causes), cluster, causes));
  for (const firewall of firewalls) makers.set(firewallNetns(firewall), () => firewallStack(firewall, segments.cuts(firewall), causes));
  for (const pod of cluster.pods.filter(hasOwnNetns)) {
    const node = nodes.get(pod.node ?? "");
    if (node) makers.set(podNetns(pod), () => podNetnsOf(node, pod, cni, causes));
  }
  const owners = ownersIndex(cluster, machines, cni.addresses);
  const wires = firewalls.map(firewallNetns); // what stands on a wire has to be asked who is behind it
  return {
    netns: memo(makers),
    segment: segments.members,
    owners: wires.length === 0 ? owners : (ip) => [...owners(ip), ...wires],
    isOutsideGateway: (_netns, via) => owners(via).length === 0,
  };
}

/** The network stack that a pod's processes are in: its own, or its node's. Undefined when no process of it runs. */
export function netnsOfPod(pod: ClusterPod): NetnsId | undefined {
  if (pod.hostNetwork) return pod.node === undefined || pod.dead ? undefined : machineNetns({ kind: "node", name: pod.node });
  return hasOwnNetns(pod) ? podNetns(pod) : undefined;
}

function memo(makers: ReadonlyMap<NetnsId, () => Netns>): World["netns"] {
  const made = new Map<NetnsId, Netns>();
  return (id) => {
    const netns = made.get(id) ?? makers.get(id)?.();
    if (netns) made.set(id, netns);
    return netns;
  };
}

/** Who has which address, without building a netns: interfaces, the CNI's devices on nodes, pods; IPv6 prefixes have their routers. */
function ownersIndex(cluster: Cluster, machines: readonly Machine[], cniAddresses: (node: ClusterNode) => readonly Ip[]): World["owners"] {
  let index: Map<Ip, NetnsId[]> | undefined;
  const build = (): Map<Ip, NetnsId[]> => {
    const entries = new Map<Ip, NetnsId[]>();
    const add = (ip: Ip, id: NetnsId): void => {
      const ids = entries.get(ip);
      if (!ids) entries.set(ip, [id]);
      else if (!ids.includes(id)) ids.push(id);
    };
    for (const machine of machines)
      for (const each of machine.interfaces)
        for (const cidr of each.addresses) for (const ip of [cidr.ip, ...routersOf(cidr)]) add(ip, machineNetns(machine));
    for (const node of cluster.nodes)
      for (const ip of [...cniAddresses(node), ...node.podCIDRs.flatMap(routersOf)]) add(ip, machineNetns(node));
    for (const pod of cluster.pods.filter(hasOwnNetns)) for (const ip of pod.ips) add(ip, podNetns(pod));
    return entries;
  };
  const nodeIds = cluster.nodes.map(machineNetns);
  let onEveryNode: ReadonlySet<Ip> | undefined;
  return (ip) => {
    index ??= build();
    onEveryNode ??= addressesOnEveryNode(cluster);
    const owners = index.get(ip) ?? [];
    return onEveryNode.has(ip) ? [...new Set([...owners, ...nodeIds])] : owners;
  };
}

/** The subnet-router anycast address of a prefix (RFC 4291, 2.6.1). */
const routersOf = (cidr: Cidr): Ip[] => (familyOf(cidr.ip) === 6 && cidr.length < 127 ? [networkOf(cidr).ip] : []);

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group) group.push(value);
    else groups.set(key(value), [value]);
  }
  return groups;
}
