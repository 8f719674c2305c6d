/** KT604: a tunnel device that takes packets which do not fit into the network below, once they are wrapped. */
import type { Cluster, ClusterNode } from "../../cluster/cluster.ts";
import type { Rule } from "../rule.ts";
import { nodeRef, topologyMark, topologyRef } from "../topology-faults.ts";

export const KT604: Rule = {
  code: "KT604",
  name: "overlay-mtu-too-large",
  severity: "warning",
  needs: "graph",
  fix: "safe",
  title: "the pods' MTU leaves no room for the tunnel's own headers",
  why: "A full-size packet is longer than the network below carries once it is wrapped. It may not be split, so it vanishes: the handshake works, and the first large answer hangs.",
  bad: { topology: "{cni: {plugin: flannel, backend: vxlan, mtu: 1500}}" },
  good: { topology: "{cni: {plugin: flannel, backend: vxlan, mtu: 1450}}" },
  check: function* (subject) {
    const mtu = subject.topology.cni?.mtu;
    const at = topologyMark(subject, "cni", "mtu");
    if (mtu === undefined || !at) return;
    const cluster = subject.cluster();
    const wrap = overheadOf(cluster);
    const [tightest] = cluster.nodes.flatMap((node) => underlayMtu(node, cluster)).sort((a, b) => a.mtu - b.mtu);
    if (!wrap || !tightest || cluster.nodes.length < 2 || mtu <= tightest.mtu - wrap.bytes) return;
    const fits = tightest.mtu - wrap.bytes;
    yield {
      message: `cni.mtu is ${mtu}, but ${tightest.name} of ${tightest.node.name} carries ${tightest.mtu} and ${wrap.what} needs ${wrap.bytes} of them: ${fits} are left`,
      at,
      label: `${mtu + wrap.bytes} bytes once wrapped`,
      help: `write \`mtu: ${fits}\``,
      about: [topologyRef(subject), nodeRef(tightest.node)],
      edits: [{ kind: "value", at, text: String(fits) }],
    };
  },
};

/**
 * Headers around a packet: VXLAN 50 over IPv4 (outer IP 20, UDP 8, VXLAN 8, Ethernet 14) and 70 over IPv6, IPIP 20,
 * WireGuard 80 as flannel reckons and 60 as Calico does.
 */
function overheadOf({ cni, podCIDRs, nodes }: Cluster): { readonly what: string; readonly bytes: number } | undefined {
  const backend = String(cni.backend ?? "");
  const isSix = (nodes[0]?.internalIPs[0] ?? podCIDRs[0]?.ip ?? "").includes(":");
  switch (`${cni.plugin} ${backend}`) {
    case "flannel vxlan":
    case "canal vxlan":
    case "calico vxlan":
      return { what: "VXLAN", bytes: isSix ? 70 : 50 };
    case "flannel wireguard":
      return { what: "WireGuard", bytes: 80 };
    case "calico wireguard":
      return { what: "WireGuard", bytes: 60 };
    case "flannel ipip":
    case "calico ipip":
      return { what: "IPIP", bytes: 20 };
    default:
      return undefined;
  }
}

/** The device that has the node's own address, or the one that the plugin is told to use. */
function underlayMtu(node: ClusterNode, { cni }: Cluster) {
  const { interfaces, internalIPs } = node;
  const link =
    interfaces.find(({ name }) => name === cni.iface) ??
    interfaces.find(({ addresses }) => addresses.some(({ ip }) => internalIPs.includes(ip)));
  return link ? [{ node, name: link.name, mtu: link.mtu }] : [];
}
