/**
 * flannel with --kube-subnet-mgr --ip-masq, as its kube-flannel manifest runs it: a lease is the node's podCIDR, pods hang on
 * bridge cni0 (pkg/backend/{vxlan,hostgw}, flannel-io/cni-plugin). Not modelled: the backends wireguard, udp, ipip, ipsec
 * and alloc, EnableNFTables, VXLAN GBP; the rules of flannel before v0.20.2.
 */
import type { Cluster, ClusterNode } from "../../cluster/cluster.ts";
import type { FdbEntry, Link, ListeningSocket, Neighbour, Route } from "../../linux/netns.ts";
import { type Cidr, cidrContains, type Family, familyOf, hostCidr, type Ip, networkOf, parseIp } from "../../net/address.ts";
import type { CauseId } from "../../net/cause.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { defaultMetric, ETHERNET_MTU } from "../machine.ts";
import { bridgeConfig, bridgeInPod, bridgeOnNode, gatewaysOf } from "./bridge.ts";
import { flannelParts } from "./flannel-rules.ts";
import { derivedMac } from "./names.ts";
import { EMPTY_NODE } from "./none.ts";
import type { CniNodeState, CniPlugin, CniSite } from "./plugin.ts";

/** Outer IPv4, UDP, VXLAN and inner Ethernet headers. flannel takes 50 for IPv6 underlays too, where the outer header is 20 longer. */
const VXLAN_OVERHEAD = 50;

type Backend = "vxlan" | "host-gw";
type FlannelConfig = {
  readonly backend: Backend;
  readonly vni: number;
  readonly port: number;
  readonly directRouting: boolean;
  readonly iface?: string;
};

/** One node's lease in one family: what the others read from its annotations. */
type Lease = { readonly node: ClusterNode; readonly subnet: Cidr; readonly publicIP: Ip; readonly mac: string };

export const flannel: CniPlugin = {
  name: "flannel",
  start: (cluster, causes) => {
    const config = flannelConfig(cluster);
    const leases = once(() => leasesOf(cluster, config));
    const firstMtu = cluster.nodes[0] === undefined ? ETHERNET_MTU : (externalInterface(cluster.nodes[0], config)?.mtu ?? ETHERNET_MTU);
    const bridge = bridgeConfig(cluster, {
      network: "cbr0",
      hairpinMode: true,
      mtu: deviceMtu(cluster, config, firstMtu),
      podRoutes: networksOf(cluster),
    });
    const bridgeFor = (node: ClusterNode) => ({
      ...bridge,
      mtu: deviceMtu(cluster, config, externalInterface(node, config)?.mtu ?? ETHERNET_MTU),
    });
    return {
      node: (site) => withBridge(flanneld(cluster, config, leases(), site, causes), bridgeOnNode(site, bridgeFor(site.node), causes)),
      pod: (node, pod) => bridgeInPod(node, pod, bridgeFor(node), causes),
      addresses: (node) =>
        [...gatewaysOf(node), ...(config.backend === "vxlan" ? node.podCIDRs.map(networkOf) : [])].map((cidr) => cidr.ip),
      makes: (link) => link === bridge.bridge || (config.backend === "vxlan" && isTunnelName(link, config)),
    };
  },
};

/** net-conf.json's Backend as the topology's `cni` keys have it. */
function flannelConfig({ cni }: Cluster): FlannelConfig {
  const backend = cni.backend ?? "vxlan";
  if (backend !== "vxlan" && backend !== "host-gw")
    throw new UsageError(`flannel backend ${JSON.stringify(backend)} is not modelled`, "use vxlan or host-gw");
  return {
    backend,
    vni: typeof cni.VNI === "number" ? cni.VNI : 1,
    port: typeof cni.Port === "number" ? cni.Port : 8472,
    directRouting: cni.DirectRouting === true,
    ...(cni.iface === undefined ? {} : { iface: cni.iface }),
  };
}

/** `Network` and `IPv6Network`: the cluster's first pod prefix of each family. */
function networksOf(cluster: Cluster): Cidr[] {
  return ([4, 6] as const).flatMap((family) => cluster.podCIDRs.filter((cidr) => familyOf(cidr.ip) === family).slice(0, 1)).map(networkOf);
}

const tunnelName = (family: Family, config: FlannelConfig): string => (family === 4 ? `flannel.${config.vni}` : `flannel-v6.${config.vni}`);
const isTunnelName = (link: string, config: FlannelConfig): boolean => link === tunnelName(4, config) || link === tunnelName(6, config);

function deviceMtu(cluster: Cluster, config: FlannelConfig, external: number): number {
  if (cluster.cni.mtu !== undefined) return cluster.cni.mtu;
  const underlay = typeof cluster.cni.MTU === "number" ? cluster.cni.MTU : external;
  return config.backend === "vxlan" ? underlay - VXLAN_OVERHEAD : underlay;
}

/** The interface that flannel announces: `--iface` by name or address, else the default route's, else the internal address's. */
function externalInterface(node: ClusterNode, { iface }: FlannelConfig): ClusterNode["interfaces"][number] | undefined {
  const holding = (ip: string | undefined) => node.interfaces.find((each) => each.addresses.some((cidr) => cidr.ip === ip));
  if (iface !== undefined) return node.interfaces.find((each) => each.name === iface) ?? holding(parseIp(iface));
  const byDefault = node.routes.find((route) => route.to === "default" || route.to === "0.0.0.0/0" || route.to === "::/0");
  const via = byDefault?.via === undefined ? undefined : parseIp(byDefault.via);
  return (
    node.interfaces.find((each) => each.name === byDefault?.dev) ??
    (via === undefined ? undefined : node.interfaces.find((each) => each.addresses.some((cidr) => cidrContains(cidr, via)))) ??
    holding(node.internalIPs[0]) ??
    node.interfaces[0]
  );
}

/** What every flanneld publishes. A node without podCIDR or address of the family has no lease: its flanneld does not start. */
function leasesOf(cluster: Cluster, config: FlannelConfig): Lease[] {
  return cluster.nodes.flatMap((node) => {
    const external = externalInterface(node, config);
    if (!external) return []; // flanneld ends: "Failed to find any valid interface to use"
    return node.podCIDRs.flatMap((subnet) => {
      const family = familyOf(subnet.ip);
      const publicIP =
        external.addresses.find((cidr) => familyOf(cidr.ip) === family)?.ip ?? node.internalIPs.find((ip) => familyOf(ip) === family);
      return publicIP === undefined ? [] : [{ node, subnet: networkOf(subnet), publicIP, mac: tunnelMac(node, family, config) }];
    });
  });
}

/** The VTEP's MAC: random at first start and kept since; the topology may pin it by listing the device. */
function tunnelMac(node: ClusterNode, family: Family, config: FlannelConfig): string {
  const name = tunnelName(family, config);
  return node.interfaces.find((each) => each.name === name)?.mac ?? derivedMac(`node/${node.name} ${name}`);
}

function withBridge(daemon: CniNodeState, bridge: CniNodeState): CniNodeState {
  return {
    links: [...daemon.links, ...bridge.links],
    routes: [...daemon.routes, ...bridge.routes],
    neighbours: daemon.neighbours,
    fdb: daemon.fdb,
    sockets: daemon.sockets,
    parts: [...daemon.parts, ...bridge.parts],
    sysctls: { ...daemon.sysctls, ...bridge.sysctls },
  };
}

function flanneld(cluster: Cluster, config: FlannelConfig, leases: readonly Lease[], site: CniSite, causes: CauseTable): CniNodeState {
  const own = leases.filter((lease) => lease.node === site.node);
  const links: Link[] = [];
  const routes: Route[] = [];
  const neighbours: Neighbour[] = [];
  const fdb: FdbEntry[] = [];
  const sockets: ListeningSocket[] = [];
  const external = externalInterface(site.node, config);
  if (!external) return EMPTY_NODE;
  for (const lease of own) {
    const family = familyOf(lease.subnet.ip);
    if (config.backend === "vxlan") {
      links.push(tunnelLink(lease, config, external.name, deviceMtu(cluster, config, external.mtu), causes));
      if (sockets.length === 0) sockets.push(vxlanSocket(site.node, config, causes)); // one port serves both families
    }
    for (const peer of leases) {
      if (peer.node === site.node || familyOf(peer.subnet.ip) !== family) continue;
      const cause = causes.add({
        role: "overlay",
        object: { kind: "Node", name: peer.node.name },
        note: `flannel: pods of ${peer.node.name}`,
      });
      if (config.backend === "host-gw" || (config.directRouting && isNeighbour(site, peer.publicIP))) {
        routes.push(...directRoute(site, peer, cause));
        continue;
      }
      routes.push({ ...tunnelRoute(peer, tunnelName(family, config), cause), metric: defaultMetric(family) });
      neighbours.push({ ip: peer.subnet.ip, dev: tunnelName(family, config), mac: peer.mac, cause });
      fdb.push({ mac: peer.mac, dev: tunnelName(family, config), dst: peer.publicIP, cause });
    }
  }
  const parts = flannelParts(
    own.map((lease) => lease.subnet),
    networksOf(cluster),
    causes,
  );
  return { links, routes, neighbours, fdb, sockets, parts, sysctls: {} };
}

function tunnelLink(lease: Lease, config: FlannelConfig, dev: string, mtu: number, causes: CauseTable): Link {
  const family = familyOf(lease.subnet.ip);
  const name = tunnelName(family, config);
  return {
    name,
    mac: lease.mac,
    mtu,
    up: true,
    carrier: true,
    addresses: [{ cidr: hostCidr(lease.subnet.ip), scope: "global" }],
    type: { kind: "vxlan", vni: config.vni, local: lease.publicIP, dev, port: config.port },
    cause: causes.add({ role: "overlay", object: { kind: "Node", name: lease.node.name }, note: "flannel's VXLAN device" }),
  };
}

const tunnelRoute = (peer: Lease, dev: string, cause: CauseId): Omit<Route, "metric"> => ({
  type: "unicast",
  to: peer.subnet,
  via: peer.subnet.ip,
  dev,
  onlink: true,
  proto: "boot",
  cause,
});

/** The kernel's own socket of a VXLAN device: `ss` shows it without a process. */
const vxlanSocket = (node: ClusterNode, config: FlannelConfig, causes: CauseTable): ListeningSocket => ({
  protocol: "udp",
  ip: "*",
  port: config.port,
  process: "vxlan",
  owner: "kernel",
  cause: causes.add({ role: "overlay", object: { kind: "Node", name: node.name }, note: "VXLAN port of flannel" }),
});

/** A peer that the kernel reaches without a gateway. */
const isNeighbour = (site: CniSite, ip: Ip): boolean => neighbourDevice(site, ip) !== undefined;

const neighbourDevice = (site: CniSite, ip: Ip): Link | undefined =>
  site.links.find((link) => link.up && link.type.kind === "device" && link.addresses.some((address) => cidrContains(address.cidr, ip)));

/** host-gw: nothing is added for a peer beyond a router, `ip route add` would refuse its address as gateway. */
function directRoute(site: CniSite, peer: Lease, cause: CauseId): Route[] {
  const dev = neighbourDevice(site, peer.publicIP);
  if (!dev) return [];
  const metric = defaultMetric(familyOf(peer.subnet.ip));
  return [{ type: "unicast", to: peer.subnet, via: peer.publicIP, dev: dev.name, metric, proto: "boot", cause }];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
