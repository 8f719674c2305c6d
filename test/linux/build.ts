/** Small network stacks for tests: only what a test is about is named, the rest is a plain Linux machine. */

import type { Match, Rule, Target } from "../../src/linux/netfilter/rule.ts";
import {
  BUILT_IN,
  type Chain,
  chainOf,
  type IptablesTable,
  type Netfilter,
  NO_NETFILTER,
  type TableName,
} from "../../src/linux/netfilter/table.ts";
import type { Link, LinkAddress, LinkEnd, LinkKind, ListeningSocket, Netns, Route, World } from "../../src/linux/netns.ts";
import { anyCidr, type Cidr, familyOf, type Ip, networkOf, parseCidr } from "../../src/net/address.ts";
import { DEFAULT_TTL, type Packet } from "../../src/net/packet.ts";
import { invariant } from "../../src/objects/diagnostic.ts";

export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  invariant(parsed, `${text} is a prefix`);
  return parsed;
}

const MACS: readonly string[] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"];
/** A MAC that is the name's own. */
const macOf = (name: string): string => {
  const sum = [...name].reduce((total, letter) => (total * 31 + letter.charCodeAt(0)) % 65536, 7);
  const nibble = (shift: number) => MACS[(sum >> shift) & 15] ?? "0";
  return `02:00:00:00:${nibble(12)}${nibble(8)}:${nibble(4)}${nibble(0)}`;
};

export const address = (text: string, scope: LinkAddress["scope"] = "global"): LinkAddress => ({ cidr: cidr(text), scope });
export const lo: Link = {
  name: "lo",
  mac: "00:00:00:00:00:00",
  mtu: 65536,
  up: true,
  carrier: true,
  addresses: [address("127.0.0.1/8", "host"), address("::1/128", "host")],
  type: { kind: "loopback" },
  cause: 0,
};
export const link = (name: string, addresses: readonly (string | LinkAddress)[] = [], over: Partial<Link> = {}): Link => ({
  name,
  mac: macOf(name),
  mtu: 1500,
  up: true,
  carrier: true,
  addresses: addresses.map((one) => (typeof one === "string" ? address(one) : one)),
  type: { kind: "device", segment: "lan" },
  cause: 0,
  ...over,
});
export const veth = (netns: string, peer: string): LinkKind => ({ kind: "veth", peer: { netns, link: peer } });
export const route = (to: string, over: Partial<Route> = {}): Route => ({
  type: "unicast",
  to: to === "default" ? anyCidr(4) : cidr(to),
  metric: 0,
  cause: 0,
  ...over,
});

/** A stack with lo, its links, and the connected routes of their addresses beside those given. */
export function netns(id: string, links: readonly Link[], over: Partial<Netns> = {}): Netns {
  const connected = links.flatMap(({ name, addresses }) =>
    addresses
      .filter(({ cidr: { ip, length } }) => length < (familyOf(ip) === 4 ? 32 : 128))
      .map(({ cidr: one }) => ({ ...route("default"), to: networkOf(one), dev: name, src: one.ip })),
  );
  return {
    id,
    hostname: id,
    neighbours: [],
    fdb: [],
    sysctls: {},
    netfilter: NO_NETFILTER,
    sockets: [],
    cause: 0,
    ...over,
    links: [lo, ...links],
    routes: [...(over.routes ?? []), ...connected],
  };
}

/** Stacks on one wire: every NIC is on the segment its link names. */
export function world(...all: readonly Netns[]): World {
  const byId = new Map(all.map((one) => [one.id, one]));
  const ends = (name: string): LinkEnd[] =>
    all.flatMap((one) =>
      one.links.filter(({ type }) => type.kind === "device" && type.segment === name).map((each) => ({ netns: one.id, link: each.name })),
    );
  const has = (one: Netns, ip: Ip): boolean => one.links.some(({ addresses }) => addresses.some((each) => each.cidr.ip === ip));
  return {
    netns: (id) => byId.get(id),
    segment: ends,
    owners: (ip) => all.filter((one) => has(one, ip)).map(({ id }) => id),
    isOutsideGateway: (_netns, via) => !all.some((one) => has(one, via)),
  };
}

export const listener = (port: number, over: Partial<ListeningSocket> = {}): ListeningSocket => ({
  protocol: "tcp",
  ip: "*",
  port,
  process: "server",
  owner: "server",
  cause: 0,
  ...over,
});

export const packet = (over: Partial<Packet> = {}): Packet => ({
  family: 4,
  protocol: "tcp",
  src: "10.0.0.1",
  sport: 40000,
  dst: "10.0.0.2",
  dport: 80,
  ttl: DEFAULT_TTL,
  segment: { kind: "syn" },
  ...over,
});

export const rule = (matches: readonly Match[], target: Target): Rule => ({ matches, target, cause: 0 });
export const jump = (chain: string): Target => ({ kind: "jump", chain });

/** One table of chains; a built-in chain that is not given is empty and accepts. */
export function table(
  name: TableName,
  chains: Readonly<Record<string, readonly Rule[]>>,
  policy: Readonly<Record<string, "accept" | "drop">> = {},
): IptablesTable {
  const builtIn = BUILT_IN[name].map(chainOf);
  const all = new Map<string, Chain>();
  for (const one of builtIn) all.set(one, { name: one, policy: policy[one] ?? "accept", rules: () => chains[one] ?? [] });
  for (const [one, rules] of Object.entries(chains)) if (!builtIn.includes(one)) all.set(one, { name: one, rules: () => rules });
  return { name, chain: (one) => all.get(one), names: () => [...all.keys()] };
}

export const netfilter = (...tables: readonly IptablesTable[]): Netfilter => ({ tables: (family) => (family === 4 ? tables : []) });
