/**
 * Bytes of an IP packet as the tracer's Packet: IPv4 (RFC 791), IPv6 (RFC 8200) without extension headers, TCP, UDP, ICMP,
 * ICMPv6, and VXLAN (RFC 7348) by its port. What is neither is undefined. Checksums are not looked at.
 */
import { bigIntToIp, type Family, type Ip } from "../net/address.ts";
import { icmpOf, type Packet, type Protocol, type Segment } from "../net/packet.ts";

/** What was on the wire, with what the tracer's Packet leaves out: the payload's length, and whether TCP closes with it. */
export type WirePacket = { readonly packet: Packet; readonly length: number; readonly fin: boolean };

type Header = {
  readonly family: Family;
  readonly protocol: number;
  readonly src: Ip;
  readonly dst: Ip;
  readonly ttl: number;
  readonly payload: Buffer;
};

const ICMP = 1;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;
const VXLAN_HEADER = 8;
const ETHERNET_HEADER = 14;

/** One packet. `vxlanPorts`: UDP destination ports whose payload is a frame. */
export function readPacket(bytes: Buffer, vxlanPorts: readonly number[] = []): WirePacket | undefined {
  const header = readHeader(bytes);
  if (!header) return undefined;
  switch (header.protocol) {
    case TCP:
      return readTcp(header);
    case UDP:
      return readUdp(header, vxlanPorts);
    case ICMP:
    case ICMPV6:
      return readIcmp(header, vxlanPorts);
    default:
      return undefined;
  }
}

function readHeader(bytes: Buffer): Header | undefined {
  if (bytes.length < 20) return undefined;
  const version = bytes.readUInt8(0) >> 4;
  if (version === 6)
    return bytes.length < 40
      ? undefined
      : {
          family: 6,
          protocol: bytes.readUInt8(6),
          ttl: bytes.readUInt8(7),
          src: ip6(bytes, 8),
          dst: ip6(bytes, 24),
          payload: bytes.subarray(40),
        };
  if (version !== 4) return undefined;
  const length = (bytes.readUInt8(0) & 0xf) * 4;
  return {
    family: 4,
    protocol: bytes.readUInt8(9),
    ttl: bytes.readUInt8(8),
    src: [...bytes.subarray(12, 16)].join("."),
    dst: [...bytes.subarray(16, 20)].join("."),
    payload: bytes.subarray(length, Math.max(length, bytes.readUInt16BE(2))),
  };
}

const ip6 = (bytes: Buffer, at: number): Ip => bigIntToIp(BigInt(`0x${bytes.subarray(at, at + 16).toString("hex")}`), 6);

function packetOf(header: Header, protocol: Protocol, sport: number, dport: number, segment: Segment): Packet {
  const { family, src, dst, ttl } = header;
  return { family, protocol, src, sport, dst, dport, ttl, segment };
}

function readTcp(header: Header): WirePacket | undefined {
  const { payload } = header;
  if (payload.length < 8) return undefined;
  const flags = payload.length < 14 ? SYN : payload.readUInt8(13); // an ICMP error quotes 8 bytes at least
  const offset = payload.length < 14 ? payload.length : (payload.readUInt8(12) >> 4) * 4;
  return {
    packet: packetOf(header, "tcp", payload.readUInt16BE(0), payload.readUInt16BE(2), { kind: tcpKind(flags) }),
    length: Math.max(0, payload.length - offset),
    fin: (flags & FIN) !== 0,
  };
}

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
function tcpKind(flags: number): "syn" | "syn-ack" | "rst" | "third" {
  if (flags & RST) return "rst";
  if (flags & SYN) return flags & ACK ? "syn-ack" : "syn";
  return "third";
}

function readUdp(header: Header, vxlanPorts: readonly number[]): WirePacket | undefined {
  const { payload } = header;
  if (payload.length < 8) return undefined;
  const packet = packetOf(header, "udp", payload.readUInt16BE(0), payload.readUInt16BE(2), { kind: "datagram" });
  const frame = vxlanPorts.includes(payload.readUInt16BE(2)) ? payload.subarray(8) : undefined;
  const inner =
    frame && frame.length > VXLAN_HEADER + ETHERNET_HEADER ? readPacket(frame.subarray(VXLAN_HEADER + ETHERNET_HEADER)) : undefined;
  if (!frame || !inner) return { packet, length: payload.length - 8, fin: false };
  const dstMac = [...frame.subarray(VXLAN_HEADER, VXLAN_HEADER + 6)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  return {
    packet: { ...packet, inner: { vni: frame.readUIntBE(4, 3), dstMac, packet: inner.packet } },
    length: inner.length,
    fin: inner.fin,
  };
}

function readIcmp(header: Header, vxlanPorts: readonly number[]): WirePacket | undefined {
  const { payload, family } = header;
  if (payload.length < 8) return undefined;
  const type = payload.readUInt8(0);
  const [request, reply] = family === 4 ? [8, 0] : [128, 129];
  if (type === request || type === reply) {
    const id = payload.readUInt16BE(4);
    return {
      packet: packetOf(header, icmpOf(family), id, id, { kind: type === request ? "echo-request" : "echo-reply" }),
      length: payload.length - 8,
      fin: false,
    };
  }
  const isError = family === 4 ? [3, 4, 5, 11, 12].includes(type) : type >= 1 && type <= 4;
  const quoted = isError ? readPacket(payload.subarray(8), vxlanPorts)?.packet : undefined;
  if (!quoted) return undefined; // router and neighbour discovery
  return {
    packet: packetOf(header, icmpOf(family), 0, 0, { kind: "icmp-error", type, code: payload.readUInt8(1), quoted }),
    length: 0,
    fin: false,
  };
}
