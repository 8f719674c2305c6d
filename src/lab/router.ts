/**
 * Gateways that the topology names but does not describe. In the lab one namespace owns their addresses, so that a packet
 * which leaves the model is seen leaving. It forwards nothing; the outside servers asked for live on it.
 */

import { NO_NETFILTER } from "../linux/netfilter/table.ts";
import type { Link, Netns, Route, World } from "../linux/netns.ts";
import { type Cidr, cidrContains, formatCidr, hostCidr, type Ip } from "../net/address.ts";
import { NO_CAUSE } from "../net/cause.ts";

export const ROUTER_ID = "lab/router";

/** A machine beyond the gateways, and the ports on which it answers. */
export type OutsideServer = { readonly ip: Ip; readonly listens: readonly { readonly protocol: "tcp" | "udp"; readonly port: number }[] };

/** The router's network stack, undefined when no route of the lab leads out. */
export function routerOf(world: World, stacks: readonly Netns[], outside: readonly OutsideServer[]): Netns | undefined {
  const bySegment = new Map<string, Map<string, Cidr>>();
  for (const netns of stacks) for (const route of netns.routes) addGateway(world, netns, route, bySegment);
  if (bySegment.size === 0) return undefined;
  const nics = [...bySegment].map(([segment, gateways], i) => nicOf(segment, [...gateways.values()], i));
  return {
    id: ROUTER_ID,
    hostname: "router",
    links: [loopback(outside), ...nics],
    routes: [],
    neighbours: [],
    fdb: [],
    sysctls: {},
    netfilter: NO_NETFILTER,
    sockets: outside.flatMap(({ ip, listens }) =>
      listens.map(({ protocol, port }) => ({ protocol, ip, port, process: "outside", owner: `outside/${ip}`, cause: NO_CAUSE })),
    ),
    cause: NO_CAUSE,
  };
}

function addGateway(world: World, netns: Netns, { via, dev }: Route, bySegment: Map<string, Map<string, Cidr>>): void {
  if (via === undefined || !world.isOutsideGateway(netns.id, via)) return;
  const link = netns.links.find((each) => each.name === dev);
  if (link?.type.kind !== "device") return;
  const subnet = link.addresses.find(({ cidr }) => cidrContains(cidr, via))?.cidr;
  const cidr = subnet ? { ip: via, length: subnet.length } : hostCidr(via);
  const gateways = bySegment.get(link.type.segment) ?? new Map<string, Cidr>();
  bySegment.set(link.type.segment, gateways.set(formatCidr(cidr), cidr));
}

const nicOf = (segment: string, addresses: readonly Cidr[], i: number): Link => ({
  name: `eth${i}`,
  mac: `02:6b:74:00:00:${(i + 1).toString(16).padStart(2, "0")}`,
  mtu: 1500,
  up: true,
  carrier: true,
  addresses: addresses.map((cidr) => ({ cidr, scope: "global" as const })),
  type: { kind: "device", segment },
  cause: NO_CAUSE,
});

const loopback = (outside: readonly OutsideServer[]): Link => ({
  name: "lo",
  mac: "00:00:00:00:00:00",
  mtu: 65536,
  up: true,
  carrier: true,
  addresses: outside.map(({ ip }) => ({ cidr: hostCidr(ip), scope: "global" as const })),
  type: { kind: "loopback" },
  cause: NO_CAUSE,
});
