/**
 * ipset: named sets of addresses, ports and tuples of them, which rules ask with `-m set --match-set NAME src,dst`.
 * Facts: ipset(8), net/netfilter/ipset/ip_set_hash_gen.h, pfxlen.h, ip_set_getport.c. Not modelled: nomatch, timeouts,
 * skbinfo, list:set, and components other than ip, port and one net; what they would say is undecidable.
 */
import { type Cidr, cidrContains, type Family, parseCidr } from "../net/address.ts";
import type { Packet } from "../net/packet.ts";
import type { IpSet, SetAnswer, SetSide } from "./netfilter/table.ts";

export type IpSetSpec = {
  readonly name: string;
  readonly type: string; // "hash:ip,port"
  readonly family?: Family; // bitmap sets have none
  /** In ipset's own form: `10.96.0.10,udp:53`. Asked for once, when a packet or a reader first needs it. */
  readonly members: () => readonly string[];
};

/** A set that answers for packets. Its members are put in order, for the real one prints them by hash. */
export function createIpSet({ name, type, family, members }: IpSetSpec): IpSet {
  let sorted: readonly string[] | undefined;
  let index: MemberIndex | undefined;
  const all = (): readonly string[] => {
    sorted ??= [...new Set(members())].sort(byCodeUnits);
    return sorted;
  };
  const components = componentsOf(type);
  return {
    name,
    type,
    ...(family === undefined ? {} : { family }),
    members: all,
    holds: (packet, sides) => {
      if (components === undefined || sides.length !== components.length) return { undecidable: `ipset ${name} of type ${type}` };
      if (family !== undefined && family !== packet.family) return false;
      index ??= indexOf(members(), components);
      return isMember(index, components, packet, sides, type.startsWith("bitmap:"));
    },
  };
}

type Component = "ip" | "port" | "net";
/** `portless`: members without their port, asked when a packet's port is a symbol. */
type MemberIndex = {
  readonly exact: ReadonlySet<string>;
  readonly nets: ReadonlyMap<string, readonly Cidr[]>;
  readonly portless: () => ReadonlySet<string>;
};

/** `hash:ip,port,net` has three. Undefined where one of them is not modelled. */
function componentsOf(type: string): readonly Component[] | undefined {
  const words = type.slice(type.indexOf(":") + 1).split(",");
  const known = words.flatMap((word) => (["ip", "port", "net"] as const).find((component) => component === word) ?? []);
  const isModelled = /^(hash|bitmap):/.test(type) && known.length === words.length && known.filter((one) => one === "net").length <= 1;
  return isModelled ? known : undefined;
}

/** Members by their exact text; those with a prefix by the text of their other components. */
function indexOf(members: readonly string[], components: readonly Component[]): MemberIndex {
  const at = components.indexOf("net");
  const portless = once(() => new Set(members.map((member) => keyWithout(member.split(","), components, ["port", "net"]))));
  if (at < 0) return { exact: new Set(members), nets: new Map(), portless };
  const nets = new Map<string, Cidr[]>();
  for (const member of members) {
    const parts = member.split(",");
    const cidr = parseCidr(parts[at] ?? "");
    if (!cidr) continue;
    const key = keyWithout(parts, components, ["net"]);
    const siblings = nets.get(key);
    if (siblings) siblings.push(cidr);
    else nets.set(key, [cidr]);
  }
  return { exact: new Set(), nets, portless };
}

const keyWithout = (parts: readonly string[], components: readonly Component[], left: readonly Component[]): string =>
  parts.filter((_, i) => !left.includes(components[i] ?? "ip")).join(",");

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function isMember(
  index: MemberIndex,
  components: readonly Component[],
  packet: Packet,
  sides: readonly SetSide[],
  isBitmap: boolean,
): SetAnswer {
  const parts: string[] = [];
  for (const [i, component] of components.entries()) {
    const side = sides[i] ?? "dst";
    const part = component === "port" ? portOf(packet, side, isBitmap) : packet[side];
    if (part === undefined) return false;
    parts.push(part);
  }
  const at = components.indexOf("port");
  const port = packet[sides[at] === "src" ? "sport" : "dport"];
  // A port that the kernel draws at random may be any: only a member of the same address makes that a question.
  if (at >= 0 && typeof port !== "number")
    return index.portless().has(keyWithout(parts, components, ["port", "net"]))
      ? { undecidable: `the port ${port} is drawn at random` }
      : false;
  const net = components.indexOf("net");
  if (net < 0) return index.exact.has(parts.join(","));
  const asked = parts[net] ?? "";
  return (index.nets.get(keyWithout(parts, components, ["net"])) ?? []).some((cidr) => cidrContains(cidr, asked));
}

/** ip_set_get_ip_port: ICMP has a type and code instead of a port, which a bitmap does not take; nor does it take SCTP. */
function portOf({ protocol, sport, dport }: Packet, side: SetSide, isBitmap: boolean): string | undefined {
  if (protocol === "icmp" || protocol === "icmpv6") return undefined; // sets of ICMP types are not modelled: nobody writes them
  if (isBitmap && protocol === "sctp") return undefined;
  const port = side === "src" ? sport : dport;
  return isBitmap ? String(port) : `${protocol}:${port}`;
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
