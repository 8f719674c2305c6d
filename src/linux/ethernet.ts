/**
 * Who answers ARP or neighbour discovery: the stacks on one Ethernet segment, across bridges. Facts: net/ipv4/arp.c
 * (any local address of any device is answered for), net/ipv6/ndisc.c. Not modelled: proxy ARP, VLANs, STP.
 */
import { familyOf, type Ip } from "../net/address.ts";
import type { Link, LinkEnd, Neighbour, Netns, World } from "./netns.ts";
import { deviceSetting, isAnycastOn, isLocalAddress, linkOf } from "./route.ts";

/** Seconds until the kernel gives up asking for a neighbour: 3 probes of 1 s (mcast_solicit, retrans_time). */
export const ARP_GIVES_UP_AFTER = 3;

/** Where a frame for `ip` goes when it leaves by `link`. */
export type Resolution =
  | { readonly kind: "found"; readonly mac: string; readonly end?: LinkEnd; readonly entry?: Neighbour } // without end: a permanent entry of nobody
  | { readonly kind: "silent" };

/** The neighbour table's answer: a permanent entry, else whoever answers on the wire. */
export function resolveNeighbour(world: World, netns: Netns, link: Link, ip: Ip): Resolution {
  const entry = netns.neighbours.find((neighbour) => neighbour.dev === link.name && neighbour.ip === ip);
  if (entry) {
    const end =
      link.type.kind === "vxlan"
        ? undefined
        : endsOn(world, { netns: netns.id, link: link.name }).find((e) => macOf(world, e) === entry.mac);
    return { kind: "found", mac: entry.mac, entry, ...(end ? { end } : {}) };
  }
  if (link.type.kind === "vxlan" || !link.up || !link.carrier) return { kind: "silent" };
  for (const end of endsOn(world, { netns: netns.id, link: link.name }, ip)) {
    const owner = world.netns(end.netns);
    const device = owner && linkOf(owner, end.link);
    if (owner && device?.up && answersFor(owner, device, ip)) return { kind: "found", mac: device.mac, end };
  }
  return { kind: "silent" };
}

/**
 * ARP is answered for any local address unless arp_ignore says otherwise (net/ipv4/arp.c arp_ignore: 1 and 2, which also
 * looks at the asker's subnet, want it on the device, 8 answers nothing); neighbour discovery only for the device's own.
 */
function answersFor(owner: Netns, device: Link, ip: Ip): boolean {
  const ignore = familyOf(ip) === 4 ? deviceSetting(owner, device.name, "arp_ignore") : 1;
  if (ignore === 8) return false;
  if (familyOf(ip) === 6 && isAnycastOn(owner, device.name, ip)) return true;
  return ignore === 1 || ignore === 2 ? device.addresses.some(({ cidr }) => cidr.ip === ip) : isLocalAddress(owner, ip);
}

const macOf = (world: World, end: LinkEnd): string | undefined => {
  const netns = world.netns(end.netns);
  return netns && linkOf(netns, end.link)?.mac;
};

/**
 * Every device that hears a broadcast sent from `from`, through bridges, each once, `from` not among them. With `ip` only
 * the stacks that may own it are looked into, so that a large segment costs nothing.
 */
export function endsOn(world: World, from: LinkEnd, ip?: Ip): LinkEnd[] {
  const heard: LinkEnd[] = [];
  const seen = new Set<string>([key(from)]);
  const owners = ip === undefined ? undefined : new Set(world.owners(ip));
  const hear = (end: LinkEnd): void => {
    if (seen.has(key(end))) return;
    seen.add(key(end));
    const netns = world.netns(end.netns);
    const link = netns && linkOf(netns, end.link);
    if (!netns || !link?.up) return;
    if (link.master === undefined) {
      heard.push(end);
      return;
    }
    hear({ netns: end.netns, link: link.master });
    for (const port of netns.links) if (port.master === link.master && port.name !== link.name) cross(netns, port);
  };
  const cross = (netns: Netns, link: Link): void => {
    if (!link.up) return;
    if (link.type.kind === "veth" && (link.master === undefined || mayHear(link.type.peer))) hear(link.type.peer);
    if (link.type.kind === "device") {
      for (const end of world.segment(link.type.segment))
        if (key(end) !== key({ netns: netns.id, link: link.name }) && mayHear(end)) hear(end);
    }
    if (link.type.kind === "bridge") for (const port of netns.links) if (port.master === link.name) cross(netns, port);
  };
  const mayHear = (end: LinkEnd): boolean => owners === undefined || owners.has(end.netns);
  const netns = world.netns(from.netns);
  const link = netns && linkOf(netns, from.link);
  if (netns && link) cross(netns, link);
  return heard;
}

const key = (end: LinkEnd): string => `${end.netns} ${end.link}`;

/** The port of a bridge behind which an end is, or undefined when it is the bridge's own stack. */
export function portTowards(world: World, netns: Netns, bridge: string, end: LinkEnd): Link | undefined {
  if (end.netns === netns.id && end.link === bridge) return undefined;
  const ports = netns.links.filter((port) => port.master === bridge);
  const cabled = ports.find(({ type }) => type.kind === "veth" && key(type.peer) === key(end));
  return cabled ?? ports.find((port) => endsOn(world, { netns: netns.id, link: port.name }).some((e) => key(e) === key(end)));
}

/**
 * Who takes a frame for `target` off the wire that `from` is on: the target itself, or the port of a bridge that stands
 * between (a machine that bridges two segments).
 */
export function takerOf(world: World, from: LinkEnd, link: Link, target: LinkEnd): LinkEnd {
  if (link.type.kind !== "device") return target;
  const there = world.segment(link.type.segment).filter((end) => key(end) !== key(from));
  if (there.some((end) => key(end) === key(target))) return target;
  return there.find((end) => bridgesTo(world, end, target)) ?? target;
}

function bridgesTo(world: World, port: LinkEnd, target: LinkEnd): boolean {
  const netns = world.netns(port.netns);
  const bridge = netns && linkOf(netns, port.link)?.master;
  const out = netns && bridge !== undefined ? portTowards(world, netns, bridge, target) : undefined;
  return out !== undefined && out.name !== port.link;
}
