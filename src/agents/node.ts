/**
 * The network stack of a node: what its set-up left, then what its daemons put in, in the order in which they start: the
 * node's own rules, kubelet, kube-proxy, the CNI daemon. The order decides source addresses and the order of rules.
 */
import type { Cluster, ClusterNode, ClusterPod } from "../cluster/cluster.ts";
import type { Netns } from "../linux/netns.ts";
import { type Family, familyOf, ipToBigInt } from "../net/address.ts";
import type { CauseTable } from "../objects/cause.ts";
import type { CniNetwork, CniSite } from "./cni/plugin.ts";
import { connectedRoutes } from "./connected-routes.ts";
import { kubeletParts } from "./kubelet/firewall.ts";
import { boundSockets, controlPlaneSockets, daemonSockets, podSockets } from "./kubelet/sockets.ts";
import { causeAt, machineLinks, machineNetns, machineRef, machineRoutes, machineSockets, speaksIpv6 } from "./machine.ts";
import { withoutRepeats } from "./own-rules.ts";
import { hasOwnNetns, isRunning } from "./pod.ts";
import { mergeRuleset, type RulesetPart } from "./ruleset.ts";
import type { Segments } from "./segments.ts";

/** What a node's daemons need to know. */
export type NodeSite = {
  readonly cluster: Cluster;
  readonly causes: CauseTable;
  readonly segments: Segments;
  readonly cni: CniNetwork;
  readonly podsOf: (node: ClusterNode) => readonly ClusterPod[];
  readonly ownRules: (node: ClusterNode) => readonly RulesetPart[];
  readonly kubeProxy: KubeProxy;
};

/** kube-proxy as seen from the node: its rules and the sysctls it sets. */
export type KubeProxy = {
  readonly parts: (node: ClusterNode) => readonly RulesetPart[];
  readonly sysctls: (node: ClusterNode) => Readonly<Record<string, string>>;
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
  const families = familiesOf(node);
  const ipv6 = families.includes(6);
  const own = machineLinks(node, { causes, netnsCause: cause, ipv6, segmentOf: (link) => site.segments.of(id, link), skip: cni.makes });
  const routes = machineRoutes(node, own, causes);
  const pods = site.podsOf(node);
  const state = cni.node(cniSite(node, own, routes, pods));
  const links = [...own, ...state.links];
  const parts = [...site.ownRules(node), ...kubeletParts(families, causes), ...site.kubeProxy.parts(node), ...state.parts];
  return {
    id,
    hostname: node.name,
    links,
    routes: [...connectedRoutes(links), ...routes, ...state.routes],
    neighbours: state.neighbours,
    fdb: state.fdb,
    sysctls: {
      ...KUBEADM_SYSCTLS,
      ...(ipv6 ? { "net.ipv6.conf.all.forwarding": "1" } : {}),
      ...site.kubeProxy.sysctls(node),
      ...state.sysctls,
      ...node.sysctls,
    },
    netfilter: mergeRuleset(withoutRepeats(parts)),
    sockets: boundSockets([
      ...daemonSockets(cluster, node, causes),
      ...machineSockets(node, causes),
      ...pods.filter((pod) => pod.hostNetwork && isRunning(pod)).flatMap((pod) => podSockets(pod, causes)),
      ...controlPlaneSockets(node, causes),
      ...state.sockets,
    ]),
    cause,
  };
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

/** IPv4 always, as kubelet and the distribution set it up; IPv6 when the node has an address or pods of it. */
const familiesOf = (node: ClusterNode): readonly Family[] =>
  speaksIpv6([...node.interfaces.flatMap((each) => each.addresses), ...node.podCIDRs]) ? [4, 6] : [4];
