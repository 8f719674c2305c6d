/** Lines of what was seen, in the form of a hop table: `node2 eth1< 192.168.56.1:cport>… t64 syn {outer}`. */
import type { Packet } from "../net/packet.ts";
import { formatSocket } from "../net/packet.ts";
import type { Sighting } from "./capture.ts";
import type { CtEntry } from "./tables.ts";

export const showSighting = (sighting: Pick<Sighting, "netns" | "dev" | "direction" | "packet" | "outer">): string =>
  `${sighting.netns} ${sighting.dev}${sighting.direction === "in" ? "<" : ">"} ${showPacket(sighting.packet)}${sighting.outer ? ` {${sighting.outer.src}>${sighting.outer.dst} t${sighting.outer.ttl}}` : ""}`;

export function showPacket(packet: Packet): string {
  const ends = `${formatSocket(packet.src, packet.sport)}>${formatSocket(packet.dst, packet.dport)} t${packet.ttl}`;
  if (packet.segment.kind !== "icmp-error") return `${packet.protocol} ${ends} ${packet.segment.kind}`;
  const { type, code, quoted } = packet.segment;
  return `${packet.protocol} ${packet.src}>${packet.dst} t${packet.ttl} ${type}/${code} about ${formatSocket(quoted.src, quoted.sport)}>${formatSocket(quoted.dst, quoted.dport)}`;
}

export const showEntry = ({ netns, protocol, original, reply }: CtEntry): string =>
  `${netns} ${protocol} ${formatSocket(original.src, original.sport)}>${formatSocket(original.dst, original.dport)} | ${formatSocket(reply.src, reply.sport)}>${formatSocket(reply.dst, reply.dport)}`;
