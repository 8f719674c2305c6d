/** What every part of the text output is given: the options, the context, the drawn characters, and how ports are named. */
import type { Ip } from "../../net/address.ts";
import { formatSocket, type Packet, type Port, type Protocol } from "../../net/packet.ts";
import type { Leg } from "../../trace/trace.ts";
import type { RenderContext } from "../context.ts";
import type { Paint } from "../paint.ts";
import type { Glyphs } from "./glyphs.ts";

export type Depth = "summary" | "default" | "verbose";
export type TextOptions = {
  readonly width: number;
  readonly depth: Depth;
  readonly paint: Paint;
  readonly ascii: boolean;
  readonly allPaths: boolean;
};

export type Scene = { readonly context: RenderContext; readonly options: TextOptions; readonly glyphs: Glyphs };

/** The names of one leg's random ports. `client`: the number the sender's kernel drew, shown as `symbol`. */
export type Ports = { readonly client: Port | undefined; readonly symbol: string; readonly protocol: Protocol };

/** First port of Linux's ip_local_port_range rounded up: a source port from here on was drawn, not asked for. */
const EPHEMERAL = 32768;

/** The ports of the `index`-th transport leg (from 0): its client port is `c`, then `c2`, `c3`… */
export function portsOf(leg: Leg, index: number): Ports {
  const first = leg.hops[0]?.packetIn;
  const drawn = typeof first?.sport === "number" && first.sport >= EPHEMERAL && first.sport !== first.dport;
  return { client: drawn ? first.sport : undefined, symbol: index === 0 ? "c" : `c${index + 1}`, protocol: leg.to.protocol };
}

/** `10.0.2.5:80`, `192.168.56.1:c`, `10.244.1.0:m1`; for ICMP the address alone. */
export function socketText(ip: Ip, port: Port, ports: Ports): string {
  if (isIcmp(ports.protocol)) return ip;
  return formatSocket(ip, portText(port, ports));
}

/** `m1` for the kernel's symbol `mport1`. */
export function portText(port: Port, ports: Ports): Port {
  if (port === ports.client) return ports.symbol;
  return typeof port === "string" ? port.replace(/^mport/, "m") : port;
}

export const isIcmp = (protocol: Protocol): boolean => protocol === "icmp" || protocol === "icmpv6";

/** `src > dst` of a packet, as tcpdump writes it. */
export const flowText = (packet: Packet, ports: Ports): string => {
  const bare = packet.segment.kind === "icmp-error";
  const end = (ip: Ip, port: Port) =>
    bare || isIcmp(packet.protocol) ? ip : socketText(ip, port, { ...ports, protocol: packet.protocol });
  return `${end(packet.src, packet.sport)} > ${end(packet.dst, packet.dport)}`;
};

/** What kind of packet, in words a reader of tcpdump knows. */
export function segmentText(packet: Packet): string {
  const { segment } = packet;
  switch (segment.kind) {
    case "syn":
      return "SYN";
    case "syn-ack":
      return "SYN-ACK";
    case "third":
      return "ACK with data";
    case "rst":
      return "RST";
    case "datagram":
      return `${packet.protocol.toUpperCase()} datagram`;
    case "echo-request":
      return "echo request";
    case "echo-reply":
      return "echo reply";
    case "icmp-error":
      return icmpText(packet.family, segment.type, segment.code);
    default:
      return segment satisfies never;
  }
}

/** ICMP errors by name (RFC 792, RFC 1812, RFC 4443). */
export function icmpText(family: 4 | 6, type: number, code: number): string {
  const name = (family === 4 ? ICMP4 : ICMP6).get(`${type}/${code}`);
  return `${family === 4 ? "ICMP" : "ICMPv6"} ${type}/${code}${name === undefined ? "" : ` ${name}`}`;
}

const ICMP4: ReadonlyMap<string, string> = new Map([
  ["3/0", "net unreachable"],
  ["3/1", "host unreachable"],
  ["3/2", "protocol unreachable"],
  ["3/3", "port unreachable"],
  ["3/4", "fragmentation needed"],
  ["3/9", "net prohibited"],
  ["3/10", "host prohibited"],
  ["3/13", "administratively prohibited"],
  ["11/0", "time exceeded"],
]);
const ICMP6: ReadonlyMap<string, string> = new Map([
  ["1/0", "no route"],
  ["1/1", "administratively prohibited"],
  ["1/3", "address unreachable"],
  ["1/4", "port unreachable"],
  ["2/0", "packet too big"],
  ["3/0", "hop limit exceeded"],
]);
