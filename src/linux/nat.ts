/**
 * Network address translation: rules are asked once for a connection's first packet, everything after follows the entry.
 * Facts: net/netfilter/nf_nat_core.c (nf_nat_inet_fn, nf_nat_packet, nf_nat_setup_info), nf_nat_proto.c
 * (nf_nat_icmp_reply_translation), nf_nat_masquerade.c. Not modelled: port collisions (a kept port is free).
 */
import type { Ip } from "../net/address.ts";
import type { Packet, Port } from "../net/packet.ts";
import { type ConntrackEntry, type Direction, invertTuple, type Tracked } from "./conntrack.ts";
import type { Hook } from "./netfilter/table.ts";
import type { Address, RuleRef, Step } from "./step.ts";

export type Manip = "src" | "dst";

/** PREROUTING and OUTPUT change destinations, INPUT and POSTROUTING sources (HOOK2MANIP). */
export const manipOf = (hook: Hook): Manip => (hook === "prerouting" || hook === "output" ? "dst" : "src");

/**
 * Whether the nat table must be asked for this packet at this hook (nf_nat_inet_fn). Also of the RST that REJECT sends, which
 * belongs to the connection it refuses; an ICMP error is only translated back.
 */
export function needsNatRules(tracked: Tracked, manip: Manip, packet: Packet): boolean {
  if (tracked.state !== "NEW" && (tracked.state !== "RELATED" || packet.segment.kind === "icmp-error")) return false;
  return manip === "dst" ? !tracked.entry.dstDone : !tracked.entry.srcDone;
}

/** nf_nat_setup_info: writes the rules' decision, or none, into the entry. */
export function setupNat(
  entry: ConntrackEntry,
  manip: Manip,
  change: { readonly ip: Ip; readonly port: Port } | undefined,
  because: readonly RuleRef[],
): void {
  if (manip === "dst") {
    entry.dstDone = true;
    if (change) {
      entry.reply = { ...entry.reply, src: change.ip, sport: change.port };
      if (isIcmp(entry)) entry.reply = { ...entry.reply, dport: change.port };
      entry.dstRules = because;
    }
    return;
  }
  entry.srcDone = true;
  if (change) {
    entry.reply = { ...entry.reply, dst: change.ip, dport: change.port };
    if (isIcmp(entry)) entry.reply = { ...entry.reply, sport: change.port };
    entry.srcRules = because;
  }
}

/** nf_nat_packet: rewrites the packet as its entry says for this hook. Answers the packet and the step, if anything changed. */
export function applyNat(packet: Packet, tracked: Tracked, hook: Hook): { readonly packet: Packet; readonly step?: Step } {
  if (tracked.state === "INVALID" || tracked.state === "UNTRACKED") return { packet };
  const manip = manipOf(hook);
  if (packet.segment.kind === "icmp-error") return applyToError(packet, tracked.entry, tracked.direction, hook);
  if (!isTranslated(tracked.entry, manip, tracked.direction)) return { packet };
  const other = tracked.direction === "original" ? tracked.entry.reply : tracked.entry.original;
  const target = invertTuple(other);
  const before = addressOf(packet, manip);
  const after: Address = manip === "dst" ? { ip: target.dst, port: target.dport } : { ip: target.src, port: target.sport };
  if (before.ip === after.ip && before.port === after.port) return { packet };
  const changed: Packet = withAddress(packet, manip, after);
  const reverse = tracked.direction === "reply";
  const because = reverse ? [] : manip === "dst" ? tracked.entry.dstRules : tracked.entry.srcRules;
  const cause = because.find((ref) => ref.rule.cause !== 0)?.rule.cause ?? 0;
  return { packet: changed, step: { kind: "nat", hook, manip, before, after, because, cause, reverse } };
}

/** The entry's IPS_SRC_NAT or IPS_DST_NAT bit that this hook acts on; for replies the two change places. */
function isTranslated(entry: ConntrackEntry, manip: Manip, direction: Direction): boolean {
  const sourceNat = entry.reply.dst !== entry.original.src || entry.reply.dport !== entry.original.sport;
  const destNat = entry.byIpvs !== true && isDestinationChanged(entry);
  return (manip === "src") !== (direction === "reply") ? sourceNat : destNat;
}

const isDestinationChanged = (entry: ConntrackEntry): boolean =>
  entry.reply.src !== entry.original.dst || (entry.reply.sport !== entry.original.dport && !isIcmp(entry));

/** An echo id is one number for both directions. */
const isIcmp = (entry: ConntrackEntry): boolean => entry.original.protocol === "icmp" || entry.original.protocol === "icmpv6";

/**
 * An ICMP error's own address and the packet it quotes are both translated, so that the receiver recognises what it sent,
 * and the error seems to come from the address that was asked.
 */
function applyToError(
  packet: Packet,
  entry: ConntrackEntry,
  direction: Direction,
  hook: Hook,
): { readonly packet: Packet; readonly step?: Step } {
  if (packet.segment.kind !== "icmp-error") return { packet };
  const manip = manipOf(hook);
  if (!isTranslated(entry, manip, direction)) return { packet };
  const other = direction === "original" ? entry.reply : entry.original;
  const target = invertTuple(other);
  const quoted = packet.segment.quoted;
  const inner =
    manip === "dst"
      ? withAddress(quoted, "src", { ip: other.src, port: other.sport })
      : withAddress(quoted, "dst", { ip: other.dst, port: other.dport });
  const before: Address = { ip: manip === "dst" ? packet.dst : packet.src, port: 0 };
  const after: Address = { ip: manip === "dst" ? target.dst : target.src, port: 0 };
  const changed: Packet = { ...packet, [manip]: after.ip, segment: { ...packet.segment, quoted: inner } };
  if (before.ip === after.ip) return { packet: changed };
  return { packet: changed, step: { kind: "nat", hook, manip, before, after, because: [], cause: 0, reverse: direction === "reply" } };
}

export const addressOf = (packet: Packet, manip: Manip): Address =>
  manip === "dst" ? { ip: packet.dst, port: packet.dport } : { ip: packet.src, port: packet.sport };

/** ICMP echo carries one id, which source NAT rewrites like a port; it stands in both port fields. */
export function withAddress(packet: Packet, manip: Manip, to: Address): Packet {
  if (packet.protocol === "icmp" || packet.protocol === "icmpv6") return { ...packet, [manip]: to.ip, sport: to.port, dport: to.port };
  return manip === "dst" ? { ...packet, dst: to.ip, dport: to.port } : { ...packet, src: to.ip, sport: to.port };
}
