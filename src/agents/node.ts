/**
 * The network stack of a node: what its set-up left, then what its daemons put in, in the order in which they start: the
 * node's own rules, kubelet, kube-proxy, the CNI daemon. The order decides source addresses and the order of rules.
 */
import type { Cluster, ClusterNode, ClusterPod } from "../cluster/cluster.ts";
import type { NftTable } from "../linux/netfilter/nft.ts";
import type { Netfilter } from "../linux/netfilter/table.ts";
import type { Netns } from "../linux/netns.ts";
import { familyOf, ipToBigInt } from "../net/address.ts";
import type { CauseTable } from "../objects/cause.ts";
import type { CniNetwork, CniSite } from "./cni/plugin.ts";
import { connectedRoutes } from "./connected-routes.ts";
import { programKubeProxy } from "./kube-proxy/mode.ts";
import { programKubeletIptables } from "./kubelet/iptables.ts";
import { boundSockets, controlPlaneSockets, daemonSockets, podSockets } from "./kubelet/sockets.ts";
import { causeAt, machineLinks, machineNetns, machineRef, machineRoutes, machineSockets, speaksIpv6 } from "./machine.ts";
import { hasOwnNetns, isRunning } from "./pod.ts";
import { mergeRuleset, type RulesetPart } from "./ruleset.ts";
import type { Segments } from "./segments.ts";
import { undecidedServices } from "./unmodelled-proxy.ts";

/** What a node's daemons need to know. */
export type NodeSite = {
  readonly cluster: Cluster;
  readonly causes: CauseTable;
  readonly segments: Segments;
  readonly cni: CniNetwork;
  readonly podsOf: (node: ClusterNode) => readonly ClusterPod[];
  readonly ownRules: (node: ClusterNode) => readonly RulesetPart[];
};

/** What kubeadm asks of a node (preflight checks FileContent--proc-sys-net-…). */
const KUBEADM_SYSCTLS: Readonly<Record<string, string>> = {
  "net.ipv4.ip_forward": "1",
  "net.bridge.bridge-nf-call-iptables": "1",
  "net.bridge.bridge-nf-call-ip6tables": "1",
};

/** The network stack of a node. */
export function nodeNetns(node: ClusterNode, site: NodeSite): Netns {
  const { cluster, causes, cni } = site;
  const id = machineNetns(node);
  const cause = causeAt(causes, "node", machineRef(node), node.origin);
  const ipv6 = speaksIpv6([...node.interfaces.flatMap((each) => each.addresses), ...node.podCIDRs]);
  const own = machineLinks(node, { causes, netnsCause: cause, ipv6, segmentOf: (link) => site.segments.of(id, link), skip: cni.makes });
  const routes = machineRoutes(node, own, causes);
  const pods = site.podsOf(node);
  const state = cni.node(cniSite(node, own, routes, pods));
  const links = [...own, ...state.links];
  const localAddresses = links.flatMap((link) => link.addresses.map((address) => address.cidr.ip));
  const proxy = programKubeProxy(cluster, node, causes, { localAddresses });
  const parts = [
    ...site.ownRules(node),
    ...programKubeletIptables(causes, cluster.version),
    ...proxy.parts,
    ...(proxy.notModelled === undefined ? [] : undecidedServices(cluster, proxy.notModelled, causes)),
    ...state.parts,
  ];
  return {
    id,
    hostname: node.name,
    links: [...own, ...(proxy.links ?? []), ...state.links],
    routes: [...connectedRoutes(links), ...routes, ...state.routes],
    neighbours: state.neighbours,
    fdb: state.fdb,
    sysctls: {
      ...KUBEADM_SYSCTLS,
      ...(ipv6 ? { "net.ipv6.conf.all.forwarding": "1" } : {}),
      ...proxy.sysctls,
      ...state.sysctls,
      ...node.sysctls,
    },
    netfilter: { ...mergeRuleset(parts), ...(proxy.sets ? { sets: proxy.sets } : {}), ...nftOf(proxy.nft) },
    ...(proxy.ipvs ? { ipvs: proxy.ipvs } : {}),
    sockets: boundSockets([
      ...daemonSockets(cluster, node, causes, localAddresses),
      ...machineSockets(node, causes),
      ...(proxy.sockets ?? []),
      ...pods.filter((pod) => pod.hostNetwork && isRunning(pod)).flatMap((pod) => podSockets(pod, causes)),
      ...controlPlaneSockets(node, causes),
      ...state.sockets,
    ]),
    cause,
  };
}

/** Tables of a family are seen by its packets alone. */
function nftOf(tables: readonly NftTable[] | undefined): Pick<Netfilter, "nft"> {
  return tables ? { nft: (family) => tables.filter((table) => table.family === (family === 4 ? "ip" : "ip6")) } : {};
}

function cniSite(node: ClusterNode, links: CniSite["links"], routes: CniSite["routes"], pods: readonly ClusterPod[]): CniSite {
  const networked = pods.filter((pod) => !pod.hostNetwork);
  return {
    node,
    links,
    routes,
    pods: networked.filter(hasOwnNetns).sort(byCreation),
    hadPods: networked.some((pod) => pod.ips.length > 0),
  };
}

/** host-local hands out ascending addresses, so their order is the order in which the pods started. */
const byCreation = (a: ClusterPod, b: ClusterPod): number => {
  const [first, second] = [a.ips[0], b.ips[0]];
  if (first === undefined || second === undefined || familyOf(first) !== familyOf(second)) return 0;
  const difference = ipToBigInt(first) - ipToBigInt(second);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};
