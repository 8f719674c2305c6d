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
type MemberIndex = { readonly exact: ReadonlySet<string>; readonly nets: ReadonlyMap<string, readonly Cidr[]> };

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
  if (at < 0) return { exact: new Set(members), nets: new Map() };
  const nets = new Map<string, Cidr[]>();
  for (const member of members) {
    const parts = member.split(",");
    const cidr = parseCidr(parts[at] ?? "");
    if (!cidr) continue;
    const key = parts.filter((_, i) => i !== at).join(",");
    const siblings = nets.get(key);
    if (siblings) siblings.push(cidr);
    else nets.set(key, [cidr]);
  }
  return { exact: new Set(), nets };
}

function isMember(
  index: MemberIndex,
  components: readonly Component[],
  packet: Packet,
  sides: readonly SetSide[],
  isBitmap: boolean,
): SetAnswer {
  const parts: string[] = [];
  let net: string | undefined;
  for (const [i, component] of components.entries()) {
    const side = sides[i] ?? "dst";
    if (component === "ip") parts.push(packet[side]);
    if (component === "net") net = packet[side];
    if (component !== "port") continue;
    const port = portOf(packet, side, isBitmap);
    if (typeof port !== "string") return port;
    parts.push(port);
  }
  const key = parts.join(",");
  if (net === undefined) return index.exact.has(key);
  const asked = net;
  return (index.nets.get(key) ?? []).some((cidr) => cidrContains(cidr, asked));
}

/** ip_set_get_ip_port: ICMP has a type and code instead of a port, which a bitmap does not take; nor does it take SCTP. */
function portOf(packet: Packet, side: SetSide, isBitmap: boolean): string | false | { readonly undecidable: string } {
  const { protocol } = packet;
  if (protocol === "icmp" || protocol === "icmpv6") return false; // sets of ICMP types are not modelled: nobody writes them
  if (isBitmap && protocol === "sctp") return false;
  const port = side === "src" ? packet.sport : packet.dport;
  if (typeof port !== "number") return { undecidable: `the port ${port} is drawn at random` };
  return isBitmap ? String(port) : `${protocol}:${port}`;
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
