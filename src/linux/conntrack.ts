/**
 * Connection tracking: what state a packet is in, and the two tuples that NAT is made of.
 * Facts: net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_tcp.c (tcp_conntracks), nf_nat_core.c.
 * Not modelled: timeouts, helpers, zones, table overflow, window tracking.
 */
import type { Ip } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import type { Packet, Port, Protocol } from "../net/packet.ts";
import type { NetnsId } from "./netns.ts";
import type { Run } from "./run.ts";
import type { RuleRef } from "./step.ts";

export type Tuple = { readonly protocol: Protocol; readonly src: Ip; readonly sport: Port; readonly dst: Ip; readonly dport: Port };
export type Direction = "original" | "reply";

/** One tracked connection of one netns. Grows as its packets pass: the one kind of state that the kernel itself keeps. */
export type ConntrackEntry = {
  readonly netns: NetnsId;
  readonly original: Tuple;
  reply: Tuple; // changed by NAT until confirmed
  confirmed: boolean;
  /** TCP: how far the handshake is. Others: whether an answer was seen. */
  progress: "new" | "answered" | "established";
  /** Deleted by an RST: its packets under way still have it, no other finds it. */
  killed?: boolean;
  /** IPVS rewrites the destination, not nf_nat: IPS_DST_NAT is not set although the reply comes from elsewhere. */
  byIpvs?: boolean;
  dstDone: boolean; // nf_nat_initialized(ct, NF_NAT_MANIP_DST): the nat table was asked
  srcDone: boolean;
  dstRules: readonly RuleRef[]; // why the destination was changed
  srcRules: readonly RuleRef[];
  cause: CauseId;
};

/** What conntrack says of one packet. `related`: an ICMP error that quotes the entry's packet. */
export type Tracked =
  | { readonly state: "NEW" | "ESTABLISHED"; readonly entry: ConntrackEntry; readonly direction: Direction }
  | { readonly state: "RELATED"; readonly entry: ConntrackEntry; readonly direction: Direction }
  | { readonly state: "INVALID" }
  | { readonly state: "UNTRACKED" };

export const tupleOf = (packet: Packet): Tuple => ({
  protocol: packet.protocol,
  src: packet.src,
  sport: packet.sport,
  dst: packet.dst,
  dport: packet.dport,
});
export const invertTuple = (tuple: Tuple): Tuple => ({
  protocol: tuple.protocol,
  src: tuple.dst,
  sport: tuple.dport,
  dst: tuple.src,
  dport: tuple.sport,
});
const sameTuple = (a: Tuple, b: Tuple): boolean =>
  a.src === b.src && a.dst === b.dst && a.sport === b.sport && a.dport === b.dport && a.protocol === b.protocol;

/** nf_conntrack_in: finds or makes the entry and says the packet's state. */
export function trackPacket(run: Run, netns: NetnsId, packet: Packet): Tracked {
  if (packet.segment.kind === "icmp-error") return trackIcmpError(run, netns, packet.segment.quoted);
  const found = findEntry(run, netns, tupleOf(packet), echoDirection(packet));
  if (found) return advance(found.entry, found.direction, packet);
  if (!mayBeginEntry(packet)) return { state: "INVALID" };
  const original = tupleOf(packet);
  const entry: ConntrackEntry = {
    netns,
    original,
    reply: invertTuple(original),
    confirmed: false,
    progress: "new",
    dstDone: false,
    srcDone: false,
    dstRules: [],
    srcRules: [],
    cause: 0,
  };
  return { state: "NEW", entry, direction: "original" };
}

/**
 * nf_ct_attach: what the kernel says about a packet belongs to that packet's connection, even one that is not confirmed
 * yet, so the error is translated like one about an established connection (icmp_glue_bits, nf_reject_ipv4.c).
 */
export function attachError(run: Run, answer: Packet, about: Tracked | undefined): void {
  if (!about || about.state === "INVALID" || about.state === "UNTRACKED") return;
  run.attached.set(answer, { state: "RELATED", entry: about.entry, direction: about.direction === "original" ? "reply" : "original" });
}

/** __nf_conntrack_confirm: the packet left the stack or reached a socket, so its entry enters the table. An error confirms nothing. */
export function confirmEntry(run: Run, tracked: Tracked): void {
  if (tracked.state === "INVALID" || tracked.state === "UNTRACKED" || tracked.state === "RELATED" || tracked.entry.confirmed) return;
  tracked.entry.confirmed = true;
  run.conntrack.push(tracked.entry);
}

/**
 * A lone SYN-ACK or RST begins nothing; a lone ACK does (nf_conntrack_tcp_loose=1: a connection is picked up mid-stream);
 * an echo reply does not.
 */
const mayBeginEntry = (packet: Packet): boolean => !["syn-ack", "rst", "echo-reply"].includes(packet.segment.kind);

/** An ICMP tuple holds the type, too: a request is never taken for its answer, not even of oneself. */
const echoDirection = ({ segment }: Packet): Direction | undefined =>
  segment.kind === "echo-request" ? "original" : segment.kind === "echo-reply" ? "reply" : undefined;

function findEntry(
  run: Run,
  netns: NetnsId,
  tuple: Tuple,
  only?: Direction,
): { readonly entry: ConntrackEntry; readonly direction: Direction } | undefined {
  for (let i = run.conntrack.length - 1; i >= 0; i--) {
    const entry = run.conntrack[i];
    if (entry?.netns !== netns || entry.killed) continue;
    if (only !== "reply" && sameTuple(entry.original, tuple)) return { entry, direction: "original" };
    if (only !== "original" && sameTuple(entry.reply, tuple)) return { entry, direction: "reply" };
  }
  return undefined;
}

function advance(entry: ConntrackEntry, direction: Direction, packet: Packet): Tracked {
  if (packet.protocol === "tcp" && !tcpAllows(entry, direction, packet)) return { state: "INVALID" };
  // nf_conntrack_tcp_packet: a connection of which nothing but an RST was heard is deleted at once (nf_ct_kill_acct).
  if (packet.segment.kind === "rst" && entry.progress === "new") entry.killed = true;
  if (direction === "reply") {
    if (entry.progress === "new") entry.progress = "answered";
    return { state: "ESTABLISHED", entry, direction };
  }
  if (entry.progress === "answered") entry.progress = "established";
  return { state: entry.progress === "new" ? "NEW" : "ESTABLISHED", entry, direction };
}

/** The cells of tcp_conntracks that a handshake can meet: an ACK in SYN_SENT is invalid (sIV); a SYN-ACK as original too. */
function tcpAllows(entry: ConntrackEntry, direction: Direction, packet: Packet): boolean {
  if (direction === "original" && packet.segment.kind === "third") return entry.progress !== "new";
  if (direction === "original" && packet.segment.kind === "syn-ack") return false;
  return true;
}

/** icmp_error_message: the inverse of the quoted packet's tuple is what an answer to it would have, after NAT too. */
function trackIcmpError(run: Run, netns: NetnsId, quoted: Packet): Tracked {
  const asked = echoDirection(quoted);
  const found = findEntry(run, netns, invertTuple(tupleOf(quoted)), asked && (asked === "original" ? "reply" : "original"));
  return found ? { state: "RELATED", entry: found.entry, direction: found.direction } : { state: "INVALID" };
}

/** The `conntrack -L` form of an entry: both tuples. */
export const entryTuples = (entry: ConntrackEntry): string => `${formatTuple(entry.original)} | ${formatTuple(entry.reply)}`;
const formatTuple = (t: Tuple): string => `${t.src}:${t.sport}>${t.dst}:${t.dport}`;
