/**
 * kube-proxy in ipvs mode on one node: virtual servers, the device that makes their addresses local, ipsets, iptables rules
 * and sysctls (pkg/proxy/ipvs, v1.30; deprecated from 1.35, unchanged since). Not modelled: net.ipv4.vs.conn_reuse_mode,
 * which old kernels need set, and draining: what changes while connections are open.
 */
import type { Cluster, ClusterNode } from "../../../cluster/cluster.ts";
import type { IpSet } from "../../../linux/netfilter/table.ts";
import type { Link } from "../../../linux/netns.ts";
import type { VirtualServers } from "../../../linux/virtual-server.ts";
import { hostCidr, type Ip } from "../../../net/address.ts";
import type { CauseTable } from "../../../objects/cause.ts";
import { derivedMac } from "../../cni/names.ts";
import { causeAt, ETHERNET_MTU, machineNetns, machineRef } from "../../machine.ts";
import type { RulesetPart } from "../../ruleset.ts";
import { createEndpointDecider } from "../endpoints.ts";
import { boundAddresses, type IpvsContext, ipvsContext } from "./context.ts";
import { ipvsRules } from "./rules.ts";
import { proxySets } from "./sets.ts";
import { virtualServers } from "./virtual-servers.ts";

export type IpvsProgram = {
  readonly parts: readonly RulesetPart[];
  readonly sets: ReadonlyMap<string, IpSet>;
  readonly links: readonly Link[];
  readonly ipvs: VirtualServers;
  readonly sysctls: Readonly<Record<string, string>>;
};

/** Both families. `localAddresses`: what the node's interfaces hold besides the listed ones. */
export function programIpvs(cluster: Cluster, node: ClusterNode, causes: CauseTable, localAddresses: readonly Ip[] = []): IpvsProgram {
  const endpoints = createEndpointDecider(cluster, node);
  const contexts = ([4, 6] as const).map((family) => ipvsContext(cluster, node, causes, family, endpoints, localAddresses));
  const families = contexts.map((context) => ({ context, sets: proxySets(context) }));
  return {
    parts: families.flatMap(({ context, sets }) => ipvsRules(context, sets)),
    sets: new Map(families.flatMap(({ sets }) => sets.all.map((set) => [set.name, set]))),
    links: [dummyDevice(node, causes, contexts)],
    ipvs: virtualServers(contexts),
    sysctls: ipvsSysctls(cluster),
  };
}

export const DUMMY_DEVICE = "kube-ipvs0";

/** kube-ipvs0 is never brought up: its addresses are local all the same, and that is all it is for. */
function dummyDevice(node: ClusterNode, causes: CauseTable, contexts: readonly IpvsContext[]): Link {
  return {
    name: DUMMY_DEVICE,
    mac: derivedMac(`${machineNetns(node)} ${DUMMY_DEVICE}`),
    mtu: ETHERNET_MTU,
    up: false,
    carrier: false,
    addresses: contexts.flatMap(boundAddresses).map((ip) => ({ cidr: hostCidr(ip), scope: "global" as const })),
    type: { kind: "dummy" },
    cause: causeAt(causes, "kube-proxy", machineRef(node), undefined, "kube-proxy's device for the addresses of Services"),
  };
}

/** The sysctls that kube-proxy sets in ipvs mode. strictARP keeps the node from answering ARP for Service addresses. */
export const ipvsSysctls = (cluster: Cluster): Readonly<Record<string, string>> => ({
  "net.ipv4.vs.conntrack": "1",
  "net.ipv4.vs.expire_nodest_conn": "1",
  "net.ipv4.vs.expire_quiescent_template": "1",
  "net.ipv4.ip_forward": "1",
  ...(cluster.kubeProxy.ipvs?.strictARP ? { "net.ipv4.conf.all.arp_ignore": "1", "net.ipv4.conf.all.arp_announce": "2" } : {}),
});
