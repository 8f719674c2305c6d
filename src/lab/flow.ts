/**
 * Which packets and connection entries belong to one flow. Each flow of a lab has a source port of its own, and where a
 * connection is masqueraded the entry says the new one; so a flow is a growing set of client ends.
 */
import type { Packet, Protocol } from "../net/packet.ts";
import type { Sighting } from "./capture.ts";
import type { CtEntry } from "./tables.ts";

export type FlowPackets = { readonly sightings: readonly Sighting[]; readonly conntrack: readonly CtEntry[] };

/** The part of an observation that is this flow's. `sport`: the client's port, or echo id. */
export function packetsOf(
  flow: { readonly protocol: Protocol; readonly sport: number },
  sightings: readonly Sighting[],
  entries: readonly CtEntry[],
): FlowPackets {
  const ends = new Set<string>();
  const isClient = (ip: string, port: number | string): boolean => port === flow.sport || ends.has(`${ip} ${port}`);
  const own = new Set<CtEntry>();
  for (let grew = true; grew; ) {
    grew = false;
    for (const entry of entries) {
      if (own.has(entry) || entry.protocol !== flow.protocol || !isClient(entry.original.src, entry.original.sport)) continue;
      own.add(entry);
      ends.add(`${entry.reply.dst} ${entry.reply.dport}`);
      grew = true;
    }
  }
  const concerns = (packet: Packet): boolean => {
    if (packet.segment.kind === "icmp-error") return concerns(packet.segment.quoted);
    return packet.protocol === flow.protocol && (isClient(packet.src, packet.sport) || isClient(packet.dst, packet.dport));
  };
  return { sightings: sightings.filter(({ packet }) => concerns(packet)), conntrack: entries.filter((entry) => own.has(entry)) };
}

/** Whether the packet goes from the client's side to the server's: an ICMP error travels against what it quotes. */
export function isForward(sighting: Sighting, flow: { readonly sport: number }, entries: readonly CtEntry[]): boolean {
  const { packet } = sighting;
  if (packet.segment.kind === "icmp-error") return false;
  if (packet.segment.kind === "syn" || packet.segment.kind === "echo-request") return true;
  if (packet.segment.kind === "syn-ack" || packet.segment.kind === "echo-reply") return false;
  if (packet.sport === flow.sport) return true;
  return packet.dport !== flow.sport && entries.some(({ reply }) => reply.dst === packet.src && reply.dport === packet.sport);
}
