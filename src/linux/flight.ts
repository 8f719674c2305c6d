/**
 * One packet under way: the socket buffer with what the kernel keeps beside it, and the log of hops. Mutable, as an sk_buff
 * is, and seen by nobody outside `linux`; what leaves is the Journey.
 */
import type { Packet, Protocol } from "../net/packet.ts";
import type { Tracked } from "./conntrack.ts";
import { applyNat } from "./nat.ts";
import type { Hook } from "./netfilter/table.ts";
import type { LinkEnd, NetnsId } from "./netns.ts";
import type { Reason } from "./reason.ts";
import type { Run } from "./run.ts";
import type { Address, End, Hop, RuleRef, Seen, Step } from "./step.ts";

type OpenHop = {
  netns: NetnsId;
  in: string | undefined;
  out: string | undefined;
  packetIn: Packet;
  packetOut: Packet | undefined;
  outer: Packet | undefined;
  steps: Step[];
  seen: Seen[];
};

export type Flight = {
  readonly run: Run;
  packet: Packet;
  mark: number;
  /** The bits of the mark that a rule with a reason had set, and that rule: who drops by them drops for that reason. */
  markedFor: { readonly bits: number; readonly ref: RuleRef } | undefined;
  tracked: Tracked | undefined;
  /** Where the frame is addressed to on this wire. */
  target: LinkEnd | undefined;
  /** br_netfilter ran PREROUTING already: IP input must not run it again. */
  prerouted: boolean;
  /** The device of the bridge port it came in by, while br_netfilter remembers it. */
  physIn: string | undefined;
  /** IPVS has sent this packet on, for a connection of this virtual server (skb->ipvs_property): it does so once. */
  virtual: VirtualAddress | undefined;
  /** By which device it came to IP of this stack; undefined for what was made here (IP6CB iif). */
  iif: string | undefined;
  /** Came over lo: the output route goes on as input route (skb_dst is kept). */
  looped: boolean;
  readonly hops: OpenHop[];
};

export type VirtualAddress = Address & { readonly protocol: Protocol };

export const createFlight = (run: Run, packet: Packet): Flight => ({
  run,
  packet,
  mark: 0,
  markedFor: undefined,
  tracked: undefined,
  target: undefined,
  prerouted: false,
  physIn: undefined,
  virtual: undefined,
  looped: false,
  iif: undefined,
  hops: [],
});

/** What a receiver of this packet is told: for a tunnel packet, what it carries. */
const payloadOf = (packet: Packet): Packet => packet.inner?.packet ?? packet;

export function openHop(flight: Flight, netns: NetnsId, dev: string | undefined): void {
  flight.hops.push({
    netns,
    in: dev,
    out: undefined,
    packetIn: payloadOf(flight.packet),
    packetOut: undefined,
    outer: undefined,
    steps: [],
    seen: [],
  });
}

export function addStep(flight: Flight, step: Step): void {
  flight.hops.at(-1)?.steps.push(step);
}

export function addSeen(flight: Flight, dev: string, direction: "in" | "out"): void {
  const { packet } = flight;
  flight.hops.at(-1)?.seen.push(packet.inner ? { dev, direction, packet: packet.inner.packet, outer: packet } : { dev, direction, packet });
}

/** The packet leaves the netns by a device. */
export function leaveHop(flight: Flight, dev: string): void {
  const hop = flight.hops.at(-1);
  if (!hop) return;
  hop.out = dev;
  hop.packetOut = payloadOf(flight.packet);
  if (flight.packet.inner) hop.outer = flight.packet;
}

/** The nat of this hook, as the connection's entry has it. */
export function translate(flight: Flight, hook: Hook): void {
  if (!flight.tracked) return;
  const { packet, step } = applyNat(flight.packet, flight.tracked, hook);
  flight.packet = packet;
  if (step) addStep(flight, step);
}

/** Sets the mark; a `named` rule stands behind the bits that are new, and nobody behind those that another rule sets. */
export function setMark(flight: Flight, mark: number, named: RuleRef | undefined): void {
  const bits = mark & ~flight.mark;
  const { markedFor } = flight;
  if (named && bits !== 0) flight.markedFor = { bits, ref: named };
  else if (markedFor) flight.markedFor = { ...markedFor, bits: markedFor.bits & ~bits };
  flight.mark = mark;
}

/** The rule behind a drop: for one that takes what is marked, and gives no reason, the rule that had it marked. */
export function blamed({ markedFor }: Flight, ref: RuleRef | undefined): RuleRef | undefined {
  if (!markedFor || !ref || ref.nft || ref.rule.reason !== undefined) return ref;
  const byMark = ref.rule.matches.some((match) => match.kind === "mark" && match.not !== true && (match.value & markedFor.bits) !== 0);
  return byMark ? markedFor.ref : ref;
}

/** Ends in silence. */
export function dropped(flight: Flight, netns: NetnsId, reason: Reason, text: string, because?: RuleRef): End {
  const ref = because ? { because } : {};
  addStep(flight, { kind: "drop", reason, text, ...ref });
  return { kind: "dropped", netns, packet: flight.packet, reason, text, ...ref };
}

/** The log, frozen. */
export function hopsOf(flight: Flight): Hop[] {
  return flight.hops.map((hop) => ({
    netns: hop.netns,
    ...(hop.in === undefined ? {} : { in: hop.in }),
    ...(hop.out === undefined ? {} : { out: hop.out }),
    packetIn: hop.packetIn,
    ...(hop.packetOut === undefined ? {} : { packetOut: hop.packetOut }),
    ...(hop.outer === undefined ? {} : { outer: hop.outer }),
    steps: hop.steps,
    seen: hop.seen,
  }));
}
