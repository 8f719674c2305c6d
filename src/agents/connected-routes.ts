/**
 * The routes that the kernel itself adds with an address (net/ipv4/fib_frontend.c fib_add_ifaddr, net/ipv6/addrconf.c
 * addrconf_prefix_route). Not modelled: the local table, which follows from the addresses, and fe80::/64.
 */
import type { Link, Route } from "../linux/netns.ts";
import { addressBits, familyOf, formatCidr, networkOf } from "../net/address.ts";

/** IPv6 prefix routes of the kernel have this metric (IP6_RT_PRIO_ADDRCONF). */
const ADDRCONF_METRIC = 256;

/** One route a prefix on each link that is up; a second address in the same prefix adds none. */
export function connectedRoutes(links: readonly Link[]): Route[] {
  return links.filter((link) => link.up && link.type.kind !== "loopback").flatMap(routesOfLink);
}

function routesOfLink(link: Link): Route[] {
  const seen = new Set<string>();
  return link.addresses.flatMap(({ cidr, scope }) => {
    const family = familyOf(cidr.ip);
    const to = networkOf(cidr);
    if (scope !== "global" || cidr.length === addressBits(family) || seen.has(formatCidr(to))) return [];
    seen.add(formatCidr(to));
    const common = { type: "unicast" as const, to, dev: link.name, proto: "kernel" as const, cause: link.cause };
    return [family === 4 ? { ...common, src: cidr.ip, metric: 0, scope: "link" as const } : { ...common, metric: ADDRCONF_METRIC }];
  });
}
