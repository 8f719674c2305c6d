/**
 * The packets a kernel makes by itself: RST, ICMP errors, echo replies. Facts: net/ipv4/icmp.c (__icmp_send),
 * net/ipv4/tcp_ipv4.c (tcp_v4_send_reset), net/ipv6/icmp.c, netfilter/nf_reject_ipv4.c. Rate limits are not modelled.
 */
import { familyOf, type Ip, isMulticast } from "../net/address.ts";
import { icmpOf, isIcmpError, type Packet } from "../net/packet.ts";
import type { Netns } from "./netns.ts";
import { defaultTtl, isBroadcastAddress, isLocalAddress, lookupRoute, selectSource6, sourceFor } from "./route.ts";

export type IcmpKind =
  | "net-unreachable"
  | "host-unreachable"
  | "port-unreachable"
  | "proto-unreachable"
  | "admin-prohibited"
  | "net-prohibited"
  | "host-prohibited"
  | "time-exceeded";

/** Type and code by family: RFC 792, RFC 1812, RFC 4443. */
const CODES: Readonly<Record<IcmpKind, { readonly v4: readonly [number, number]; readonly v6: readonly [number, number] }>> = {
  "net-unreachable": { v4: [3, 0], v6: [1, 0] },
  "host-unreachable": { v4: [3, 1], v6: [1, 3] },
  "proto-unreachable": { v4: [3, 2], v6: [4, 1] },
  "port-unreachable": { v4: [3, 3], v6: [1, 4] },
  "net-prohibited": { v4: [3, 9], v6: [1, 1] },
  "host-prohibited": { v4: [3, 10], v6: [1, 1] },
  "admin-prohibited": { v4: [3, 13], v6: [1, 1] },
  "time-exceeded": { v4: [11, 0], v6: [3, 0] },
};

/**
 * An ICMP error about `about`, or undefined where none may be sent (about another error, to or from a group address).
 * Its source: the address that was asked when the packet was for this stack, else the one used towards its sender. IPv6
 * prefers one of the device that the packet came in by, `iif`, when the route has no hint (icmpv6_rt_has_prefsrc).
 */
export function icmpError(netns: Netns, kind: IcmpKind, about: Packet, iif?: string): Packet | undefined {
  if (isIcmpError(about) || isMulticast(about.dst) || isBroadcastAddress(netns, about.dst)) return undefined;
  const src = isLocalAddress(netns, about.dst) ? about.dst : sourceTowards(netns, about.src, iif);
  if (src === undefined) return undefined;
  const [type, code] = CODES[kind][about.family === 4 ? "v4" : "v6"];
  return {
    family: about.family,
    protocol: icmpOf(about.family),
    src,
    sport: 0,
    dst: about.src,
    dport: 0,
    ttl: defaultTtl(netns, about.family),
    segment: { kind: "icmp-error", type, code, quoted: about },
  };
}

function sourceTowards(netns: Netns, ip: Ip, iif: string | undefined): Ip | undefined {
  const route = lookupRoute(netns, ip);
  if (route && route.src === undefined && familyOf(ip) === 6 && iif !== undefined) return selectSource6(netns, iif, ip);
  return route && sourceFor(netns, route, ip);
}

/** A TCP reset, an SCTP abort. */
export const resetOf = (netns: Netns, packet: Packet): Packet => ({ ...backwards(netns, packet), segment: { kind: "rst" } });

export const echoReplyOf = (netns: Netns, packet: Packet, src: Ip = packet.dst): Packet => ({
  ...backwards(netns, packet),
  src,
  segment: { kind: "echo-reply" },
});

/** The answer of a listening process. */
export const answerOf = (netns: Netns | undefined, packet: Packet): Packet => ({
  ...backwards(netns, packet),
  segment: { kind: packet.protocol === "tcp" || packet.protocol === "sctp" ? "syn-ack" : "datagram" },
});

const backwards = (netns: Netns | undefined, packet: Packet): Packet => ({
  family: packet.family,
  protocol: packet.protocol,
  src: packet.dst,
  sport: packet.dport,
  dst: packet.src,
  dport: packet.sport,
  ttl: defaultTtl(netns, packet.family),
  segment: packet.segment,
});

/** The ICMP kind of an iptables `--reject-with`. `tcp-reset` is not one. */
export function rejectKind(word: string): IcmpKind | undefined {
  switch (word.replace(/^icmp6?-/, "")) {
    case "port-unreachable":
    case "port-unreach":
      return "port-unreachable";
    case "host-unreachable":
    case "host-unreach":
    case "addr-unreachable":
    case "addr-unreach":
      return "host-unreachable";
    case "net-unreachable":
    case "net-unreach":
    case "no-route":
      return "net-unreachable";
    case "proto-unreachable":
    case "proto-unreach":
      return "proto-unreachable";
    case "net-prohibited":
      return "net-prohibited";
    case "host-prohibited":
      return "host-prohibited";
    case "admin-prohibited":
    case "adm-prohibited":
      return "admin-prohibited";
    default:
      return undefined;
  }
}
