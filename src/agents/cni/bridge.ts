/**
 * The bridge plugin of containernetworking/plugins with host-local addresses (plugins/main/bridge): one bridge a node, a veth
 * pair a pod, the pod's gateway on the bridge. flannel's CNI plugin hands its pods to it. On its own it joins no nodes:
 * routes between them are the topology's. Not modelled: vlan, promiscMode, portIsolation, macspoofchk.
 */
import type { Cluster, ClusterNode, ClusterPod } from "../../cluster/cluster.ts";
import type { Link, Route } from "../../linux/netns.ts";
import { anyCidr, type Cidr, cidrContains, type Family, familyOf, type Ip, nthAddress } from "../../net/address.ts";
import type { CauseId } from "../../net/cause.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { causeAt, defaultMetric, ETHERNET_MTU } from "../machine.ts";
import { type IpMasqEntry, ipMasqParts } from "./ip-masq.ts";
import { derivedMac, hostVethName, podNetns } from "./names.ts";
import { EMPTY_NODE } from "./none.ts";
import type { CniNodeState, CniPlugin, CniPodState, CniSite } from "./plugin.ts";
import { type PortMapEntry, portMapParts, portMapsOf } from "./portmap.ts";

/** The plugin's configuration, as the conflist has it. */
export type BridgeConfig = {
  readonly network: string; // the conflist's `name`
  readonly bridge: string;
  readonly mtu: number;
  readonly hairpinMode: boolean;
  readonly ipMasq: boolean;
  readonly portmap: boolean;
  /** Destinations that pods get a route for beside their default one. */
  readonly podRoutes: readonly Cidr[];
};

/** What the bridge plugin leaves on a node for the pods that run there. The bridge is made for the first pod. */
export function bridgeOnNode(site: CniSite, config: BridgeConfig, causes: CauseTable): CniNodeState {
  if (!site.hadPods || site.node.podCIDRs.length === 0) return EMPTY_NODE;
  const cause = causes.add({
    role: "cni",
    object: { kind: "Node", name: site.node.name },
    note: `bridge ${config.bridge} of the pods of this node`,
  });
  const parts = [
    ...(config.portmap ? portMapParts(portEntries(site, config), causes) : []),
    ...(config.ipMasq ? ipMasqParts(masqEntries(site, config)) : []),
  ];
  const hasHostPort = config.portmap && site.pods.some((pod) => portMapsOf(pod).length > 0);
  return {
    ...EMPTY_NODE,
    links: [bridgeLink(site, config, cause), ...site.pods.map((pod) => hostVeth(pod, config, causes))],
    parts,
    sysctls: {
      "net.ipv4.ip_forward": "1",
      ...(gatewaysOf(site.node).some((gateway) => familyOf(gateway.ip) === 6) ? { "net.ipv6.conf.all.forwarding": "1" } : {}),
      ...(hasHostPort ? { [`net.ipv4.conf.${config.bridge}.route_localnet`]: "1" } : {}),
    },
  };
}

/** eth0 of a pod, with its address in the node's prefix and the bridge as its gateway. */
export function bridgeInPod(node: ClusterNode, pod: ClusterPod, config: BridgeConfig, causes: CauseTable): CniPodState {
  const cause = podCause(pod, causes);
  const eth0: Link = {
    name: "eth0",
    mac: derivedMac(`${podNetns(pod)} eth0`),
    mtu: config.mtu,
    up: true,
    carrier: true,
    addresses: pod.ips.map((ip) => ({
      cidr: { ip, length: prefixFor(node, ip)?.length ?? defaultLength(familyOf(ip)) },
      scope: "global" as const,
    })),
    type: { kind: "veth", peer: { netns: `node/${node.name}`, link: hostVethName(pod) } },
    cause,
  };
  return { links: [eth0], routes: pod.ips.flatMap((ip) => podRoutes(node, ip, config, cause)) };
}

/** The gateway of each of a node's pod prefixes, host-local's first address, with the prefix's length. */
export const gatewaysOf = (node: ClusterNode): Cidr[] => node.podCIDRs.map((cidr) => ({ ip: nthAddress(cidr, 1n), length: cidr.length }));

function bridgeLink(site: CniSite, config: BridgeConfig, cause: CauseId): Link {
  const listed = site.node.interfaces.find((each) => each.name === config.bridge);
  return {
    name: config.bridge,
    mac: listed?.mac ?? derivedMac(`node/${site.node.name} ${config.bridge}`),
    mtu: config.mtu,
    up: true,
    carrier: site.pods.length > 0,
    addresses: gatewaysOf(site.node).map((cidr) => ({ cidr, scope: "global" as const })),
    type: { kind: "bridge" },
    cause,
  };
}

function hostVeth(pod: ClusterPod, config: BridgeConfig, causes: CauseTable): Link {
  const name = hostVethName(pod);
  return {
    name,
    mac: derivedMac(`${podNetns(pod)} ${name}`),
    mtu: config.mtu,
    up: true,
    carrier: true,
    addresses: [],
    type: { kind: "veth", peer: { netns: podNetns(pod), link: "eth0" } },
    master: config.bridge,
    hairpin: config.hairpinMode,
    cause: podCause(pod, causes),
  };
}

const podCause = (pod: ClusterPod, causes: CauseTable): CauseId =>
  causeAt(causes, "pod", { kind: "Pod", namespace: pod.namespace, name: pod.name }, pod.origin);

function podRoutes(node: ClusterNode, ip: Ip, config: BridgeConfig, cause: CauseId): Route[] {
  const family = familyOf(ip);
  const prefix = prefixFor(node, ip) ?? node.podCIDRs.find((cidr) => familyOf(cidr.ip) === family);
  if (!prefix) return [];
  const via = nthAddress(prefix, 1n);
  const targets = [anyCidr(family), ...config.podRoutes.filter((cidr) => familyOf(cidr.ip) === family)];
  return targets.map((to) => ({ type: "unicast", to, via, dev: "eth0", metric: defaultMetric(family), proto: "boot", cause }));
}

const prefixFor = (node: ClusterNode, ip: Ip): Cidr | undefined => node.podCIDRs.find((cidr) => cidrContains(cidr, ip));
const defaultLength = (family: Family): number => (family === 4 ? 24 : 64);

const portEntries = (site: CniSite, config: BridgeConfig): PortMapEntry[] =>
  site.pods
    .filter((pod) => portMapsOf(pod).length > 0)
    .map((pod) => ({
      network: config.network,
      pod,
      prefixes: pod.ips.map((ip) => ({ ip, length: prefixFor(site.node, ip)?.length ?? defaultLength(familyOf(ip)) })),
    }));

const masqEntries = (site: CniSite, config: BridgeConfig): IpMasqEntry[] =>
  site.pods.flatMap((pod) =>
    pod.ips.flatMap((ip) => {
      const subnet = prefixFor(site.node, ip);
      return subnet ? [{ network: config.network, pod, ip, subnet }] : [];
    }),
  );

/** The topology's `cni` keys read as the plugin's own configuration. */
export function bridgeConfig(cluster: Cluster, defaults: Partial<BridgeConfig>): BridgeConfig {
  const { cni } = cluster;
  return {
    network: defaults.network ?? "bridge",
    bridge: cni.bridge ?? "cni0",
    mtu: cni.mtu ?? defaults.mtu ?? ETHERNET_MTU,
    hairpinMode: cni.hairpinMode ?? defaults.hairpinMode ?? false,
    ipMasq: typeof cni.ipMasq === "boolean" ? cni.ipMasq : (defaults.ipMasq ?? false),
    portmap: cni.portmap ?? true,
    podRoutes: defaults.podRoutes ?? [],
  };
}

/** The plugin on its own, as kubenet and hand-made clusters use it. */
export const bridge: CniPlugin = {
  name: "bridge",
  start: (cluster, causes) => {
    const config = bridgeConfig(cluster, {});
    return {
      node: (site) => bridgeOnNode(site, config, causes),
      pod: (node, pod) => bridgeInPod(node, pod, config, causes),
      addresses: (node) => gatewaysOf(node).map((cidr) => cidr.ip),
      makes: (link) => link === config.bridge,
    };
  },
};
