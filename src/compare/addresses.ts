/** Whose an address is, by names: pods, nodes (their pod networks' gateways too), outside hosts. */
import type { Cluster, ClusterPod } from "../cluster/cluster.ts";
import { cidrContains, type Ip, parseIp } from "../net/address.ts";
import type { Party } from "../trace/trace.ts";
import { podName, workloadName } from "./who.ts";

export type AddressBook = {
  readonly podNamed: (name: string) => ClusterPod | undefined; // "default/nginx"
  /** The node or host that owns it; for an address of a node's pod range that no pod has, the node. */
  readonly machineOf: (ip: Ip) => string | undefined;
  /** `deploy/default/web`, `k8s-node2`, or the address itself. */
  readonly nameOf: (ip: string) => string;
  readonly isOwn: (party: Party, ip: string) => boolean;
};

export function createAddressBook(cluster: Cluster): AddressBook {
  const byIp = new Map<string, ClusterPod>();
  const byName = new Map<string, ClusterPod>();
  const machines = new Map<string, string>();
  for (const pod of cluster.pods) {
    byName.set(podName(pod), pod);
    if (!pod.hostNetwork) for (const ip of pod.ips) byIp.set(ip, pod);
  }
  for (const { name, interfaces } of [...cluster.hosts, ...cluster.nodes])
    for (const { addresses } of interfaces) for (const { ip } of addresses) machines.set(ip, name);
  const machineOf = (ip: Ip): string | undefined =>
    machines.get(ip) ?? cluster.nodes.find(({ podCIDRs }) => podCIDRs.some((cidr) => cidrContains(cidr, ip)))?.name;
  return {
    podNamed: (name) => byName.get(name),
    machineOf,
    nameOf: (ip) => {
      const pod = byIp.get(ip);
      return pod ? workloadName(pod) : parseIp(ip) === undefined ? ip : (machineOf(ip) ?? ip);
    },
    isOwn: ({ kind, namespace = "", name, ip }, seen) => {
      if (seen === ip) return true;
      if (kind === "pod") return byName.get(`${namespace}/${name}`)?.ips.includes(seen) ?? false;
      return parseIp(seen) !== undefined && !byIp.has(seen) && machineOf(seen) === name;
    },
  };
}
