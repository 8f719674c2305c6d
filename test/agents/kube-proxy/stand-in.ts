/**
 * The stand-in of a node on which the flows of packets.json were sent (fixtures/oracle): eth0, eth1, cni0 with pods, flannel.1
 * with a route to each other node's pods, an outside host in both networks. No CNI rules, no cluster beyond the node.
 */
import { createHash } from "node:crypto";
import { connectedRoutes } from "../../../src/agents/connected-routes.ts";
import type { Cluster, ClusterNode } from "../../../src/cluster/cluster.ts";
import { connectSource, sendPacket } from "../../../src/linux/kernel.ts";
import { type Netfilter, NO_NETFILTER } from "../../../src/linux/netfilter/table.ts";
import type { Link, LinkEnd, LinkKind, Netns, Route, World } from "../../../src/linux/netns.ts";
import { createRun, explore } from "../../../src/linux/run.ts";
import type { Journey } from "../../../src/linux/step.ts";
import { type Cidr, cidrContains, type Family, familyOf, type Ip, nthAddress } from "../../../src/net/address.ts";
import { DEFAULT_TTL, type Segment } from "../../../src/net/packet.ts";
import { invariant } from "../../../src/objects/diagnostic.ts";
import { capture, nodeNamed } from "./oracle.ts";

export type Flow = {
  readonly from: string; // outside, pod, node, "endpoint IP"
  readonly to: string;
  readonly outcome: "refused" | "dropped" | "sent";
  readonly connections?: readonly Translated[];
  readonly note?: string;
};
export type Translated = { readonly src: string; readonly dst: string; readonly dnat: string | null; readonly snat: string | null };

export type StandIn = {
  /** What a kernel with these rules does with the flow, over every random choice. */
  readonly send: (from: string, to: string) => Sent;
  readonly world: World;
  /** The network stack that a flow's `from` names. */
  readonly netnsOf: (from: string) => string;
  /** The endpoints that have a network stack here. */
  readonly endpoints: readonly Ip[];
};
export type Sent = {
  readonly outcomes: readonly Flow["outcome"][];
  readonly connections: readonly Translated[];
  readonly journeys: readonly Journey[];
};

export const NODE = "node/stand-in";
const OUTSIDE = "host/outside";

/** What a mode brings besides rules. */
export type Besides = Pick<Netns, "ipvs" | "sysctls"> & { readonly links: readonly Link[] };

/** The node of a case with these rules loaded. */
export function standIn(
  name: string,
  cluster: Cluster,
  nodeName: string,
  netfilter: Netfilter,
  besides?: Besides,
  family: Family = 4,
): StandIn {
  const node = nodeNamed(cluster, nodeName);
  const prefix = node.podCIDRs.find((cidr) => familyOf(cidr.ip) === family);
  invariant(prefix, "the node has a pod prefix");
  const routeLocalnet = capture(name, nodeName, "sysctl.txt")?.includes("route_localnet = 1\n") ? "1" : "0";
  const plain = worldOf(cluster, node, prefix, netfilter, routeLocalnet);
  const world = besides === undefined ? plain : withBesides(plain, besides);
  return {
    send: (from, to) => send(world, sourceOf(from, prefix), to),
    world,
    netnsOf: (from) => sourceOf(from, prefix),
    endpoints: endpointsOn(cluster, node, prefix),
  };
}

function withBesides(world: World, { links, ipvs, sysctls }: Besides): World {
  const plain = world.netns(NODE);
  invariant(plain && ipvs, "there is a node, and IPVS for it");
  const node: Netns = { ...plain, ipvs, links: [...plain.links, ...links], sysctls: { ...plain.sysctls, ...sysctls } };
  return { ...world, netns: (id) => (id === NODE ? node : world.netns(id)) };
}

function sourceOf(from: string, prefix: Cidr): string {
  if (from === "node") return NODE;
  if (from === "outside") return OUTSIDE;
  return podNetns(from === "pod" ? idlePod(prefix) : from.slice("endpoint ".length));
}

const podNetns = (ip: Ip): string => `pod/${ip}`;
const idlePod = (prefix: Cidr): Ip => nthAddress(prefix, 15n);

function send(world: World, from: string, to: string): Sent {
  const at = to.lastIndexOf(":");
  const dst = to.slice(0, at);
  const source = world.netns(from);
  const src = source && connectSource(source, dst)?.src;
  invariant(src, `${from} has a way to ${dst}`);
  const walks = explore((choose) => {
    const run = createRun(world, choose);
    const journey = sendPacket(
      run,
      from,
      { family: 4, protocol: "tcp", src, sport: 40000, dst, dport: Number(to.slice(at + 1)), ttl: DEFAULT_TTL, segment: { kind: "syn" } },
      "process",
    );
    const entry = run.conntrack.find(({ netns }) => netns === NODE);
    const { end } = journey;
    invariant(end.kind !== "unknown", `${from} -> ${to} is decided`);
    const isRefused = end.kind === "answered" && end.netns === NODE && refuses(end.answer.segment);
    const outcome: Flow["outcome"] = isRefused ? "refused" : entry ? "sent" : "dropped";
    const { original, reply } = entry ?? {};
    const translated: Translated | undefined =
      original && reply && outcome === "sent"
        ? {
            src: original.src,
            dst: `${original.dst}:${original.dport}`,
            dnat: reply.src === original.dst && reply.sport === original.dport ? null : `${reply.src}:${reply.sport}`,
            snat: reply.dst === original.src ? null : reply.dst,
          }
        : undefined;
    return { outcome, translated, journey };
  }).map(({ value }) => value);
  return {
    outcomes: [...new Set(walks.map(({ outcome }) => outcome))].sort(),
    connections: inOrder(walks.flatMap(({ translated }) => translated ?? [])),
    journeys: walks.map(({ journey }) => journey),
  };
}

/** A reset or an ICMP port unreachable: what makes connect() say "connection refused". */
const refuses = (segment: Segment): boolean =>
  segment.kind === "rst" || (segment.kind === "icmp-error" && segment.type === 3 && segment.code === 3);

/** The distinct ones, sorted. */
export function inOrder(connections: readonly Translated[]): Translated[] {
  const byText = new Map(connections.map((one) => [`${one.src} ${one.dst} ${one.dnat} ${one.snat}`, one]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

const link = (name: string, addresses: readonly Cidr[], type: LinkKind, more: Partial<Link> = {}): Link => ({
  name,
  mac: macOf(`${name} ${addresses.map(({ ip }) => ip).join()}`),
  mtu: 1500,
  up: true,
  carrier: true,
  addresses: addresses.map((cidr) => ({ cidr, scope: name === "lo" ? ("host" as const) : ("global" as const) })),
  type,
  cause: 0,
  ...more,
});
/** One of its own for each device of the world. */
const macOf = (text: string): string => `02:${createHash("sha256").update(text).digest("hex").slice(0, 10).match(/../g)?.join(":")}`;
const lo = link(
  "lo",
  [
    { ip: "127.0.0.1", length: 8 },
    { ip: "::1", length: 128 },
  ],
  { kind: "loopback" },
);
const unicast = (to: Cidr, via: Ip, dev: string): Route => ({ type: "unicast", to, via, dev, metric: 0, onlink: true, cause: 0 });
const DEFAULT: Readonly<Record<Family, Cidr>> = { 4: { ip: "0.0.0.0", length: 0 }, 6: { ip: "::", length: 0 } };
/** The router in front of eth0, and the outside host's addresses there and on eth1. */
const ROUTER: Readonly<Record<Family, Ip>> = { 4: "10.0.2.2", 6: "fd00:10:0:2::1" };
const OUTSIDE_AT: Readonly<Record<Family, readonly [Cidr, Cidr?]>> = {
  4: [
    { ip: "10.0.2.99", length: 24 },
    { ip: "192.168.56.99", length: 24 },
  ],
  6: [{ ip: "fd00:10:0:2::99", length: 64 }],
};

function worldOf(cluster: Cluster, node: ClusterNode, prefix: Cidr, netfilter: Netfilter, routeLocalnet: string): World {
  const pods = [idlePod(prefix), ...endpointsOn(cluster, node, prefix)];
  const stacks = new Map<string, Netns>([
    [NODE, nodeStack(cluster, node, prefix, pods, netfilter, routeLocalnet)],
    [OUTSIDE, outsideStack(node, familyOf(prefix.ip))],
    ...pods.map((ip): [string, Netns] => [podNetns(ip), podStack(ip, prefix)]),
  ]);
  const everyone = [...stacks.keys()];
  return {
    netns: (id) => stacks.get(id),
    segment: (name) => [NODE, OUTSIDE].map((netns): LinkEnd => ({ netns, link: name })),
    owners: () => everyone,
    isOutsideGateway: () => false,
  };
}

function endpointsOn(cluster: Cluster, node: ClusterNode, prefix: Cidr): Ip[] {
  const all = cluster.slices.flatMap((slice) =>
    slice.endpoints.flatMap(({ addresses: [ip], nodeName }) => (ip !== undefined && nodeName === node.name ? [ip] : [])),
  );
  return [...new Set(all)].filter((ip) => cidrContains(prefix, ip));
}

function stack(id: string, links: readonly Link[], routes: readonly Route[], more: Partial<Netns> = {}): Netns {
  const own = [lo, ...links];
  return {
    id,
    hostname: id,
    links: own,
    routes: [...connectedRoutes(own), ...routes],
    neighbours: [],
    fdb: [],
    sysctls: {},
    netfilter: NO_NETFILTER,
    sockets: [],
    cause: 0,
    ...more,
  };
}

function nodeStack(
  cluster: Cluster,
  node: ClusterNode,
  prefix: Cidr,
  pods: readonly Ip[],
  netfilter: Netfilter,
  routeLocalnet: string,
): Netns {
  const local = node.internalIPs[0] ?? "";
  const family = familyOf(prefix.ip);
  const own = (name: string): readonly Cidr[] =>
    (node.interfaces.find((one) => one.name === name)?.addresses ?? []).filter(({ ip }) => familyOf(ip) === family);
  const links = [
    link("eth0", own("eth0"), { kind: "device", segment: "eth0" }),
    link("eth1", own("eth1"), { kind: "device", segment: "eth1" }),
    link("flannel.1", own("flannel.1"), { kind: "vxlan", vni: 1, local, dev: "eth0", port: 8472 }),
    link("cni0", own("cni0"), { kind: "bridge" }),
    ...pods.map((ip) =>
      link(`veth${ip}`, [], { kind: "veth", peer: { netns: podNetns(ip), link: "eth0" } }, { master: "cni0", hairpin: true }),
    ),
  ];
  const others = cluster.nodes.flatMap((other) => (other === node ? [] : other.podCIDRs.filter(({ ip }) => familyOf(ip) === family)));
  const routes = [unicast(DEFAULT[family], ROUTER[family], "eth0"), ...others.map((to) => unicast(to, to.ip, "flannel.1"))];
  const sysctls = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.bridge.bridge-nf-call-ip6tables": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.all.route_localnet": routeLocalnet,
  };
  invariant(
    own("cni0").some(({ ip }) => cidrContains(prefix, ip)),
    "cni0 is the pods' gateway",
  );
  return stack(NODE, links, routes, { netfilter, sysctls });
}

/** In the networks of eth0 and eth1, with the node as its default route. */
function outsideStack(node: ClusterNode, family: Family): Netns {
  const [first, second] = OUTSIDE_AT[family];
  const links = [
    link("eth0", [first], { kind: "device", segment: "eth0" }),
    link("eth1", second === undefined ? [] : [second], { kind: "device", segment: "eth1" }),
  ];
  const gateway = node.internalIPs.find((ip) => familyOf(ip) === family) ?? "";
  return stack(OUTSIDE, links, [unicast(DEFAULT[family], gateway, "eth0")]);
}

/** Listens on every port that the cases use, so that what reaches a pod ends there. */
function podStack(ip: Ip, prefix: Cidr): Netns {
  const eth0 = link("eth0", [{ ip, length: prefix.length }], { kind: "veth", peer: { netns: NODE, link: `veth${ip}` } });
  return stack(podNetns(ip), [eth0], [unicast(DEFAULT[familyOf(ip)], nthAddress(prefix, 1n), "eth0")]);
}
