/**
 * The routing decision of one network stack: local table first, then longest prefix, then lowest metric; and which source
 * address goes with it. Answers what `ip route get` answers. Facts: net/ipv4/fib_frontend.c, fib_trie.c, devinet.c
 * (inet_select_addr), RFC 6724 for IPv6. Not modelled: policy rules, multipath, TOS, the exception cache.
 */
import { addressBits, cidrContains, type Family, familyOf, type Ip, ipToBigInt, isLinkLocal, isMulticast } from "../net/address.ts";
import { DEFAULT_TTL } from "../net/packet.ts";
import { type LocalTable, localTable } from "./local-addresses.ts";
import type { Link, LinkAddress, Netns, Route } from "./netns.ts";
import type { Reason } from "./reason.ts";
import type { RouteErrno } from "./step.ts";

export const linkOf = (netns: Netns, name: string): Link | undefined => netns.links.find((link) => link.name === name);

/** The value of a sysctl, or the kernel's default for it. */
export const sysctl = (netns: Netns, name: string): string => netns.sysctls[name] ?? KERNEL_DEFAULTS[name] ?? "0";

/** Defaults of a new network namespace (Documentation/networking/ip-sysctl.rst) for what is asked here; all others are 0. */
const KERNEL_DEFAULTS: Readonly<Record<string, string>> = {
  "net.bridge.bridge-nf-call-iptables": "1",
  "net.bridge.bridge-nf-call-ip6tables": "1",
};

/** The TTL of what this stack sends (ip4_dst_hoplimit, ip6_dst_hoplimit); a socket's own comes before it. */
export function defaultTtl(netns: Netns | undefined, family: Family): number {
  const { sysctls } = netns ?? {};
  const stated =
    family === 4
      ? sysctls?.["net.ipv4.ip_default_ttl"]
      : (sysctls?.["net.ipv6.conf.all.hop_limit"] ?? sysctls?.["net.ipv6.conf.default.hop_limit"]);
  const ttl = Number(stated ?? DEFAULT_TTL);
  return Number.isInteger(ttl) && ttl >= 1 && ttl <= 255 ? ttl : DEFAULT_TTL;
}

/** Per-device settings where the kernel takes the larger of `all` and the device's own (IN_DEV_MAXCONF). */
export const deviceSetting = (netns: Netns, dev: string, key: string): number =>
  Math.max(
    Number(sysctl(netns, `net.ipv4.conf.all.${key}`)),
    Number(netns.sysctls[`net.ipv4.conf.${dev}.${key}`] ?? sysctl(netns, `net.ipv4.conf.default.${key}`)),
  );

/** Whether the stack owns the address: a local route says so. 127.0.0.0/8 is local as a whole, through lo's /8. */
export function isLocalAddress(netns: Netns, ip: Ip): boolean {
  return localRoute(netns, ip) !== undefined;
}

export const isBroadcastAddress = (netns: Netns, ip: Ip): boolean => localTableOf(netns).isBroadcast(ip);

/** fib_lookup: the local table, then main. Undefined: no route (ENETUNREACH). */
export function lookupRoute(netns: Netns, dst: Ip, dev?: string): Route | undefined {
  const local = localRoute(netns, dst);
  if (local) return local;
  let best: Route | undefined;
  for (const route of netns.routes) {
    if (!isUsable(netns, route) || !cidrContains(route.to, dst) || (dev !== undefined && route.dev !== dev)) continue;
    if (!best || route.to.length > best.to.length || (route.to.length === best.to.length && route.metric < best.metric)) best = route;
  }
  return best;
}

/** Routes through a device that is down have been withdrawn by the kernel; without carrier they stay, as `linkdown`. */
function isUsable(netns: Netns, route: Route): boolean {
  return route.dev === undefined || linkOf(netns, route.dev)?.up === true;
}

/** A local table is a pure function of a stack's links, worked out once for each list of them. */
const localTables = new WeakMap<readonly Link[], LocalTable>();

function localTableOf(netns: Netns): LocalTable {
  const table = localTables.get(netns.links) ?? localTable(netns.links);
  localTables.set(netns.links, table);
  return table;
}

/** The local table follows from the addresses; routes of type local stand beside them. */
const localRoute = (netns: Netns, dst: Ip): Route | undefined =>
  localTableOf(netns).lookup(dst) ??
  netns.routes.find((route) => route.type === "local" && cidrContains(route.to, dst)) ??
  anycastRoute(netns, dst);

/** Of a router alone. */
const anycastRoute = (netns: Netns, ip: Ip, dev?: string): Route | undefined =>
  familyOf(ip) === 6 && sysctl(netns, "net.ipv6.conf.all.forwarding") === "1" ? localTableOf(netns).anycast(ip, dev) : undefined;

export const isAnycastOn = (netns: Netns, dev: string, ip: Ip): boolean => anycastRoute(netns, ip, dev) !== undefined;

/**
 * Whether the address is that of all routers on the link `dev`: it takes datagrams and echo requests there, no connections.
 * Of two local routes the one of the device that the packet came in by is taken (rt6_score_route).
 */
export const isAnycastAddress = (netns: Netns, ip: Ip, dev: string | undefined): boolean =>
  (dev !== undefined && isAnycastOn(netns, dev, ip)) || localRoute(netns, ip)?.anycast === true;

/** The source address that a local sender gets for this route when it binds none. */
export function sourceFor(netns: Netns, route: Route, dst: Ip): Ip | undefined {
  if (route.src !== undefined) return route.src;
  if (route.type === "local") return dst; // __ip_route_output_key: what is local and has no hint talks to itself
  if (route.dev === undefined) return undefined;
  if (familyOf(dst) === 6) return selectSource6(netns, route.dev, dst);
  return selectAddress(netns, route.dev, route.via, route.via === undefined ? "link" : "global");
}

/** The address that MASQUERADE takes: of the outgoing device, towards the next hop. */
export function masqueradeSource(netns: Netns, dev: string, nexthop: Ip, dst: Ip): Ip | undefined {
  return familyOf(dst) === 6 ? selectSource6(netns, dev, dst) : selectAddress(netns, dev, nexthop, "global");
}

/**
 * inet_select_addr: on the device the address whose subnet holds `towards`, else its first; without any, the first
 * suitable address of all devices in creation order, whether they are up or not (in_dev_select_addr). Addresses of scope
 * host (127.0.0.1) never leave lo.
 */
function selectAddress(netns: Netns, dev: string, towards: Ip | undefined, scope: "link" | "global"): Ip | undefined {
  const suits = ({ cidr, scope: own }: LinkAddress): boolean =>
    familyOf(cidr.ip) === 4 && (own === "global" || (own === "link" && scope === "link"));
  const own = linkOf(netns, dev)?.addresses.filter(suits) ?? [];
  const near = own.find(({ cidr }) => towards !== undefined && cidrContains(cidr, towards)) ?? own[0];
  if (near) return near.cidr.ip;
  for (const link of netns.links) {
    const first = link.addresses.find((address) => suits(address) && address.scope !== "link");
    if (first) return first.cidr.ip;
  }
  return undefined;
}

/**
 * ipv6_dev_get_saddr, RFC 6724 as far as it decides here: the destination's own address, same scope, outgoing interface,
 * longest matching prefix, which counts no further than the address's own. Of equals the first.
 */
export function selectSource6(netns: Netns, dev: string, dst: Ip): Ip | undefined {
  const candidates = netns.links.flatMap((link) =>
    link.up
      ? link.addresses
          .filter(({ cidr }) => familyOf(cidr.ip) === 6)
          .map(({ cidr }) => ({ ip: cidr.ip, dev: link.name, bits: Math.min(cidr.length, commonBits(cidr.ip, dst)) }))
      : [],
  );
  if (candidates.some(({ ip }) => ip === dst)) return dst;
  const scoped = candidates.filter(({ ip }) => ip !== "::1" && isLinkLocal(ip) === isLinkLocal(dst));
  return [...scoped].sort((a, b) => Number(b.dev === dev) - Number(a.dev === dev) || b.bits - a.bits)[0]?.ip;
}

function commonBits(a: Ip, b: Ip): number {
  const differing = (ipToBigInt(a) ^ ipToBigInt(b)).toString(2);
  return differing === "0" ? addressBits(6) : addressBits(6) - differing.length;
}

/** Whether the packet must go to a multicast or broadcast group, which is not modelled. */
export const isGroupAddress = (netns: Netns, ip: Ip): boolean => isMulticast(ip) || isBroadcastAddress(netns, ip);

/** What a local sender is told whose packet has no way by this route (fib_props; __mkroute_output for a unicast one). */
export function refusalOfRoute(route: Route | undefined): { readonly errno: RouteErrno; readonly reason: Reason } {
  if (route?.type === "blackhole") return { errno: "EINVAL", reason: "blackhole-route" };
  if (route?.type === "prohibit") return { errno: "EACCES", reason: "no-route" };
  if (route?.type === "unreachable") return { errno: "EHOSTUNREACH", reason: "host-unreachable" };
  if (route?.type === "unicast") return { errno: "EINVAL", reason: "spoofed-source" };
  return { errno: "ENETUNREACH", reason: "no-route" };
}

/** The device a route leaves by; what is local leaves by lo. */
export const nexthopDevice = (route: Route): string | undefined => (route.type === "local" ? "lo" : route.dev);
