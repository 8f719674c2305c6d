/**
 * One IP packet as far as forwarding can see it: addresses, ports, TTL, and what a TCP or ICMP header decides.
 * Not modelled: payload, options, fragments.
 */
import type { Family, Ip } from "./address.ts";

export type Protocol = "tcp" | "udp" | "sctp" | "icmp" | "icmpv6";

/** A port, or the ICMP id. Text is a symbol for a value that the kernel draws at random: "mport1"; equal only to itself. */
export type Port = number | string;

export type Socket = { readonly ip: Ip; readonly port: Port };

/** What the transport header says. `third` is the first packet after the handshake, an ACK with data. */
export type Segment =
  | { readonly kind: "syn" | "syn-ack" | "third" | "rst" | "datagram" | "echo-request" | "echo-reply" }
  | { readonly kind: "icmp-error"; readonly type: number; readonly code: number; readonly quoted: Packet };

export type Packet = {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly src: Ip;
  readonly sport: Port; // 0 for an ICMP error
  readonly dst: Ip;
  readonly dport: Port; // for ICMP echo the id stands in both ports
  readonly ttl: number;
  readonly segment: Segment;
  /** The VXLAN payload when this is an outer packet. */
  readonly inner?: EncapsulatedFrame;
};

/** What a VXLAN packet carries: the network id, the inner destination MAC, the inner packet. */
export type EncapsulatedFrame = { readonly vni: number; readonly dstMac: string; readonly packet: Packet };

/** Default TTL and hop limit of Linux (net.ipv4.ip_default_ttl, net.ipv6.conf.*.hop_limit). */
export const DEFAULT_TTL = 64;

/** `10.0.2.5:80`, `[fd00::1]:80`. */
export const formatSocket = (ip: Ip, port: Port): string => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);

export const icmpOf = (family: Family): Protocol => (family === 4 ? "icmp" : "icmpv6");

/** Whether the packet is an ICMP error message. */
export const isIcmpError = (packet: Packet): boolean => packet.segment.kind === "icmp-error";
