/**
 * The local table as the kernel derives it from addresses (net/ipv4/fib_frontend.c fib_add_ifaddr, net/ipv6/addrconf.c),
 * looked up by address: a node in ipvs mode owns every Service address there is. An IPv4 address is local even on a device
 * that is down, an IPv6 one only where no duplicate detection waits for it to come up (NOARP: a dummy device).
 */
import { broadcastOf, type Cidr, cidrContains, familyOf, hostCidr, type Ip, networkOf } from "../net/address.ts";
import type { Link, LinkAddress, Route } from "./netns.ts";

export type LocalTable = {
  /** The local route of an address, as `ip route show table local` has it. */
  readonly lookup: (ip: Ip) => Route | undefined;
  readonly isBroadcast: (ip: Ip) => boolean;
  /** The subnet-router anycast address of a prefix, which a router has on a link (addrconf_join_anycast, RFC 4291 2.6.1). */
  readonly anycast: (ip: Ip, dev?: string) => Route | undefined;
};

type Owned = { readonly link: Link; readonly address: LinkAddress };

/** The local table of a stack's links. */
export function localTable(links: readonly Link[]): LocalTable {
  const owned = new Map<Ip, Owned>();
  const wide: Owned[] = [];
  const broadcasts = new Set<Ip>(["255.255.255.255"]);
  const anycasts: Owned[] = [];
  for (const link of links) {
    for (const address of link.addresses) {
      const { ip } = address.cidr;
      if (isLocalOn(link, ip) && !owned.has(ip)) owned.set(ip, { link, address });
      if (link.up && isWhole(link, address)) wide.push({ link, address });
      if (link.up && hasAnycast(link, address)) anycasts.push({ link, address });
      const broadcast = link.up ? broadcastOf(address.cidr) : undefined;
      if (broadcast !== undefined) broadcasts.add(broadcast);
    }
  }
  return {
    lookup: (ip) => {
      const own = owned.get(ip);
      if (own) return routeTo(own, hostCidr(ip));
      const whole = wide.find(({ address }) => cidrContains(address.cidr, ip));
      return whole && routeTo(whole, whole.address.cidr);
    },
    isBroadcast: (ip) => broadcasts.has(ip),
    anycast: (ip, dev) => {
      const own = anycasts.find(({ link, address }) => networkOf(address.cidr).ip === ip && (dev === undefined || link.name === dev));
      return own && { ...routeTo(own, hostCidr(ip)), anycast: true };
    },
  };
}

const hasAnycast = (link: Link, { cidr }: LinkAddress): boolean =>
  familyOf(cidr.ip) === 6 && cidr.length < 127 && link.type.kind !== "loopback";

const isLocalOn = (link: Link, ip: Ip): boolean => link.up || familyOf(ip) === 4 || link.type.kind === "dummy";

/** 127.0.0.0/8 is local as a whole. */
const isWhole = (link: Link, { cidr, scope }: LinkAddress): boolean =>
  scope === "host" && link.type.kind === "loopback" && familyOf(cidr.ip) === 4;

const routeTo = ({ link, address }: Owned, to: Cidr): Route => ({
  type: "local",
  to,
  dev: link.name,
  src: primaryOf(link, address),
  metric: 0,
  scope: "host",
  cause: link.cause,
});

/** A second address of one subnet is secondary: its local route prefers the subnet's first address as source. */
function primaryOf(link: Link, { cidr }: LinkAddress): Ip {
  if (familyOf(cidr.ip) === 6 || cidr.length === 32) return cidr.ip;
  const first = link.addresses.find((other) => other.cidr.length === cidr.length && cidrContains(other.cidr, cidr.ip));
  return first?.cidr.ip ?? cidr.ip;
}
