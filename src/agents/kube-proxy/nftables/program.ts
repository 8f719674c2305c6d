/**
 * kube-proxy in nftables mode on one node: table kube-proxy of both families (pkg/proxy/nftables/proxier.go,
 * captured at v1.30.3, read at v1.36). Chains are made when they are first jumped to, members of maps when looked up.
 * Not modelled: the second after which stale chains go, userspace proxying of loopback node ports (1.37 alpha).
 */
import type { Cluster, ClusterNode } from "../../../cluster/cluster.ts";
import type { NftTable } from "../../../linux/netfilter/nft.ts";
import { type Family, familyOf, type Ip, isLoopback } from "../../../net/address.ts";
import type { CauseTable } from "../../../objects/cause.ts";
import { createEndpointDecider, type EndpointDecider } from "../endpoints.ts";
import { once } from "../iptables/dispatch.ts";
import { isAtLeast } from "../names.ts";
import { localTraffic, type NodePortAddresses, nodeAddress, nodePortAddresses } from "../node-addresses.ts";
import { servicePorts } from "../service-ports.ts";
import type { Form, NftWriter } from "./context.ts";
import { prefix, source } from "./context.ts";
import { fixedChains } from "./fixed.ts";
import { fixedSets } from "./maps.ts";
import { createNftPortChains } from "./port-chains.ts";

/** Rules without jumps to mark for masquerading, a set of hairpins: kubernetes pulls 135800 and 136499, early in 2026. */
const CURRENT_FORM_SINCE = 36;
/** Filter chains after DNAT: pull 132456 (also in later 1.33.x). `iifname`: pull 134024, picked into 1.34. */
const FILTERS_AFTER_DNAT_SINCE = 34;
/** kube-proxy knows the service ranges from ServiceCIDR objects (pull 122692), whose gate is on from 1.33 (KEP-1880, pull 128971). */
const KNOWS_RANGES_SINCE = 33;

/** The tables, IPv4 first; a single-stack node has both. */
export function programNftables(
  cluster: Cluster,
  node: ClusterNode,
  causes: CauseTable,
  localAddresses: readonly Ip[] = [],
): readonly NftTable[] {
  // Older ones write `iif "veth*"`, which nft refuses, and with it the whole transaction.
  if (!isAtLeast(cluster.version, FILTERS_AFTER_DNAT_SINCE) && cluster.kubeProxy.detectLocalMode === "InterfaceNamePrefix") return [];
  const endpoints = createEndpointDecider(cluster, node);
  return ([4, 6] as const).map((family) => programFamily(cluster, node, causes, family, endpoints, localAddresses));
}

const formOf = (cluster: Cluster): Form => (isAtLeast(cluster.version, CURRENT_FORM_SINCE) ? "current" : "first");

function programFamily(
  cluster: Cluster,
  node: ClusterNode,
  causes: CauseTable,
  family: Family,
  endpoints: EndpointDecider,
  localAddresses: readonly Ip[],
): NftTable {
  const ports = once(() => servicePorts(cluster, family));
  const own = createNftPortChains(ports, () => writer);
  const { nftables } = cluster.kubeProxy;
  const writer: NftWriter = {
    form: formOf(cluster),
    filtersAfterDnat: isAtLeast(cluster.version, FILTERS_AFTER_DNAT_SINCE),
    family,
    node,
    causes,
    fixedCause: causes.add({ role: "kube-proxy" }),
    ports,
    decide: endpoints.decide,
    chainName: own.chainName,
    endpointChain: own.endpointChain,
    affinitySet: own.affinitySet,
    localTraffic: localTrafficOf(cluster, node, family),
    nodePorts: servedAddresses(cluster, node, family, localAddresses),
    serviceCIDRs: isAtLeast(cluster.version, KNOWS_RANGES_SINCE) ? cluster.serviceCIDRs.filter(({ ip }) => familyOf(ip) === family) : [],
    masqueradeAll: nftables?.masqueradeAll ?? false,
    mark: 2 ** (nftables?.masqueradeBit ?? 14),
  };
  const sets = fixedSets(writer);
  const setByName = new Map(sets.map((set) => [set.name, set]));
  const chains = fixedChains(writer);
  const chainByName = new Map(chains.map((chain) => [chain.name, chain]));
  return {
    family: family === 4 ? "ip" : "ip6",
    name: "kube-proxy",
    comment: "rules for kube-proxy",
    baseChains: chains.filter((chain) => chain.base !== undefined),
    chain: (name) => chainByName.get(name) ?? own.chain(name),
    chainNames: () => [...chainByName.keys(), ...own.chainNames()],
    sets: () => [...sets, ...own.sets()],
    set: (name) => setByName.get(name) ?? own.set(name),
  };
}

/** Without nodePortAddresses, or with `primary` alone, the node's primary address of the family, if it has one; never loopback. */
function servedAddresses(cluster: Cluster, node: ClusterNode, family: Family, localAddresses: readonly Ip[]): NodePortAddresses {
  const written = cluster.kubeProxy.nodePortAddresses ?? [];
  if (written.every((text) => text === "primary")) {
    const own = nodeAddress(node, family);
    return { matchAll: false, includesLoopback: false, addresses: own === undefined ? [] : [own] };
  }
  const served = nodePortAddresses(cluster, node, family, localAddresses);
  return { ...served, addresses: served.addresses.filter((ip) => !isLoopback(ip)) };
}

/** `ip saddr 10.244.0.0/16`, `iif "cni0"`, in newer rules `iifname "veth*"`. */
function localTrafficOf(cluster: Cluster, node: ClusterNode, family: Family): NftWriter["localTraffic"] {
  const match = localTraffic(cluster, node, family);
  if (match?.kind === "src") return { field: source({ family }), value: prefix(match.cidr) };
  if (match?.kind !== "in") return undefined;
  const name = match.name.replace(/\+$/, "*");
  return { field: isAtLeast(cluster.version, FILTERS_AFTER_DNAT_SINCE) ? "iifname" : "iif", value: { kind: "word", word: name } };
}
