/**
 * Settings of kube-proxy that become addresses or matches on one node: nodePortAddresses (pkg/proxy/util/nodeport_addresses.go)
 * and the local traffic detector (pkg/proxy/util/localdetector.go).
 */
import type { Cluster, ClusterNode } from "../../cluster/cluster.ts";
import type { Match } from "../../linux/netfilter/rule.ts";
import { type Cidr, cidrContains, type Family, familyOf, hostCidr, type Ip, isLoopback, networkOf, parseCidr } from "../../net/address.ts";

export type NodePortAddresses = {
  readonly matchAll: boolean;
  readonly includesLoopback: boolean; // IPv4 only
  /** The node's addresses inside the ranges, in interface order, each once. */
  readonly addresses: readonly Ip[];
};

/** Ranges of one family do not restrict the other. `localAddresses`: what the node's interfaces hold besides the listed ones. */
export function nodePortAddresses(
  cluster: Cluster,
  node: ClusterNode,
  family: Family,
  localAddresses: readonly Ip[] = [],
): NodePortAddresses {
  const ranges = (cluster.kubeProxy.nodePortAddresses ?? []).flatMap((text) => rangeOf(text, node, family));
  const matchAll = ranges.length === 0 || ranges.some((range) => range.length === 0);
  const own = node.interfaces.flatMap((link) => link.addresses.map(({ ip }) => ip));
  const all = [family === 4 ? "127.0.0.1" : "::1", ...own, ...localAddresses].filter((ip) => familyOf(ip) === family);
  return {
    matchAll,
    includesLoopback: family === 4 && (matchAll || ranges.some((range) => isLoopback(range.ip) || cidrContains(range, "127.0.0.0"))),
    addresses: [...new Set(all)].filter((ip) => ranges.some((range) => cidrContains(range, ip))),
  };
}

/**
 * The addresses that the health check ports of Services listen on. nftables mode has `primary` for a default
 * (cmd/kube-proxy/app/server_linux.go), and newServiceHealthServer is given the same addresses as the rules.
 */
export function healthCheckAddresses(
  cluster: Cluster,
  node: ClusterNode,
  family: Family,
  localAddresses: readonly Ip[],
): Pick<NodePortAddresses, "matchAll" | "addresses"> {
  const { mode, nodePortAddresses: written = [] } = cluster.kubeProxy;
  if (mode !== "nftables" || written.some((text) => text !== "primary")) return nodePortAddresses(cluster, node, family, localAddresses);
  const own = nodeAddress(node, family);
  return { matchAll: false, addresses: own === undefined ? [] : [own] };
}

/** `primary` stands for the node's own address (from 1.31). */
function rangeOf(text: string, node: ClusterNode, family: Family): Cidr[] {
  const primary = nodeAddress(node, family);
  const range = text === "primary" ? primary && hostCidr(primary) : parseCidr(text);
  return range && familyOf(range.ip) === family ? [range] : [];
}

/** The node's address of a family, as kube-proxy takes it from the Node object. */
export const nodeAddress = (node: ClusterNode, family: Family): Ip | undefined => node.internalIPs.find((ip) => familyOf(ip) === family);

/** Node ports on 127.0.0.1: IPv4 only, and needs route_localnet. */
export const hasLocalhostNodePorts = (cluster: Cluster, addresses: NodePortAddresses): boolean =>
  (cluster.kubeProxy.iptables?.localhostNodePorts ?? true) && addresses.includesLoopback;

/** How a packet from one of the node's own pods is told: undefined when nothing is treated as local. */
export function localTraffic(cluster: Cluster, node: ClusterNode, family: Family): Match | undefined {
  const { detectLocalMode = "ClusterCIDR", detectLocal, clusterCIDR = "" } = cluster.kubeProxy;
  switch (detectLocalMode) {
    case "ClusterCIDR":
      return fromCidr(
        clusterCIDR.split(",").map((text) => parseCidr(text.trim())),
        family,
      );
    case "NodeCIDR":
      return fromCidr(node.podCIDRs, family);
    case "BridgeInterface":
      return detectLocal?.bridgeInterface ? { kind: "in", name: detectLocal.bridgeInterface } : undefined;
    case "InterfaceNamePrefix":
      return detectLocal?.interfaceNamePrefix ? { kind: "in", name: `${detectLocal.interfaceNamePrefix}+` } : undefined;
    default:
      return detectLocalMode satisfies never;
  }
}

function fromCidr(cidrs: readonly (Cidr | undefined)[], family: Family): Match | undefined {
  const cidr = cidrs.find((one) => one !== undefined && familyOf(one.ip) === family);
  return cidr && { kind: "src", cidr: networkOf(cidr) };
}
