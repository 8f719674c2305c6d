/**
 * Which packets and connection entries belong to one flow. Each flow of a lab has a source port of its own, and where a
 * connection is masqueraded the entry says the new one; so a flow is a growing set of client ends.
 */
import type { Packet, Protocol } from "../net/packet.ts";
import type { Sighting } from "./capture.ts";
import type { CtEntry, CtTuple } from "./tables.ts";

export type FlowPackets = { readonly sightings: readonly Sighting[]; readonly conntrack: readonly CtEntry[] };

/** A batch's packets and entries by the ports in them, so that picking out a flow does not read all of them. */
export type PortIndex = {
  readonly sightings: ReadonlyMap<number | string, readonly Sighting[]>;
  readonly entries: ReadonlyMap<number, readonly CtEntry[]>;
};

export function indexByPort(sightings: readonly Sighting[], entries: readonly CtEntry[]): PortIndex {
  const byPort = new Map<number | string, Sighting[]>();
  for (const sighting of sightings) {
    const packet = quotedOf(sighting.packet);
    for (const port of new Set([packet.sport, packet.dport])) append(byPort, port, sighting);
  }
  const byClientPort = new Map<number, CtEntry[]>();
  for (const entry of entries) for (const port of new Set([entry.original.sport, entry.original.dport])) append(byClientPort, port, entry);
  return { sightings: byPort, entries: byClientPort };
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** The flow's own packet: what an ICMP error is about, what a tunnel packet that it quotes carries. */
function quotedOf(packet: Packet): Packet {
  if (packet.segment.kind === "icmp-error") return quotedOf(packet.segment.quoted);
  return packet.inner ? quotedOf(packet.inner.packet) : packet;
}

/** The part of an observation that is this flow's. `sport`: the client's port, or echo id. */
export function packetsOf(flow: { readonly protocol: Protocol; readonly sport: number }, index: PortIndex): FlowPackets {
  const ends = new Map<number, Set<string>>([[flow.sport, new Set()]]); // ports of the client's side, with their addresses
  const isClient = (ip: string, port: number | string): boolean =>
    port === flow.sport || (typeof port === "number" && ends.get(port)?.has(ip) === true);
  const own = new Set<CtEntry>();
  for (let grew = true; grew; ) {
    grew = false;
    for (const entry of [...ends.keys()].flatMap((port) => index.entries.get(port) ?? [])) {
      if (own.has(entry) || entry.protocol !== flow.protocol || !isClient(entry.original.src, entry.original.sport)) continue;
      own.add(entry);
      ends.set(entry.reply.dport, (ends.get(entry.reply.dport) ?? new Set()).add(entry.reply.dst));
      grew = true;
    }
  }
  // An answer that strays to a stack which did not see the request begins an entry of its own there.
  for (const entry of [...ends.keys()].flatMap((port) => index.entries.get(port) ?? []))
    if (entry.protocol === flow.protocol && isClient(entry.original.dst, entry.original.dport)) own.add(entry);
  const concerns = (whole: Packet): boolean => {
    const packet = quotedOf(whole);
    return packet.protocol === flow.protocol && (isClient(packet.src, packet.sport) || isClient(packet.dst, packet.dport));
  };
  const near = new Set([...ends.keys()].flatMap((port) => index.sightings.get(port) ?? []));
  const sightings = [...near].filter(({ packet }) => concerns(packet)).sort((a, b) => a.order - b.order);
  return { sightings, conntrack: [...own] };
}

/** Whether the packet goes from the client's side to the server's: an ICMP error travels against what it quotes. */
export function isForward(packet: Packet, flow: { readonly sport: number }, entries: readonly CtEntry[]): boolean {
  if (packet.segment.kind === "icmp-error") return !isForward(packet.segment.quoted, flow, entries);
  if (packet.inner) return isForward(packet.inner.packet, flow, entries);
  if (packet.segment.kind === "syn" || packet.segment.kind === "echo-request") return true;
  if (packet.segment.kind === "syn-ack" || packet.segment.kind === "echo-reply") return false;
  if (packet.sport === flow.sport) return true;
  const own = entries.filter(({ original }) => !isAnswer(original, flow, entries));
  return packet.dport !== flow.sport && own.some(({ reply }) => reply.dst === packet.src && reply.dport === packet.sport);
}

/** Whether an entry was begun by an answer: it goes to the flow's client, or to where that was masqueraded to. */
export const isAnswer = ({ dst, dport }: CtTuple, flow: { readonly sport: number }, entries: readonly CtEntry[]): boolean =>
  dport === flow.sport ||
  entries.some(({ original, reply }) => reply.dst === dst && reply.dport === dport && original.sport === flow.sport);
