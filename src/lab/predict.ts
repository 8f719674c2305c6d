/** What the tracer says of a flow, in the form in which a lab observes one: every course it can take. */

import type { ConntrackEntry } from "../linux/conntrack.ts";
import { sendPacket } from "../linux/kernel.ts";
import type { NetnsId, World } from "../linux/netns.ts";
import { createRun, explore } from "../linux/run.ts";
import type { Hop, IptablesRuleRef, Seen } from "../linux/step.ts";
import { type Fraction, formatFraction } from "../net/fraction.ts";
import type { Packet } from "../net/packet.ts";
import { type Connection, walkConnection } from "../trace/connection.ts";
import type { Flow } from "./observe.ts";

export type SeenThere = Seen & { readonly netns: NetnsId };

/** One course: its packets at every interface, in order, and what it leaves behind. */
export type Predicted = {
  readonly share: Fraction;
  readonly connection: Connection;
  readonly request: readonly SeenThere[];
  readonly reply: readonly SeenThere[];
  readonly third: readonly SeenThere[];
  /** What a kernel says to an answer that has nowhere to go: an RST, an ICMP error. */
  readonly aftermath: readonly SeenThere[];
  readonly conntrack: readonly ConntrackEntry[];
  readonly rules: readonly PredictedRule[];
};

/**
 * A rule that matched. `again`: a later packet of a tunnel connection, which the nat table does not see. `shared`: it met a
 * tunnel packet around ICMP, whose source port comes from the inner addresses alone (udp_flow_src_port): all with one key
 * are one connection.
 */
export type PredictedRule = IptablesRuleRef & { readonly netns: NetnsId; readonly again: boolean; readonly shared?: string };

/** Walks the flow through the World, once for each fall of the dice. `sport`: the port the client really used. */
export function predictFlow(world: World, flow: Flow, sport: number): Predicted[] {
  const isPing = flow.protocol === "icmp" || flow.protocol === "icmpv6";
  const { from, protocol, dst, src, ttl } = flow;
  const spec = {
    from,
    protocol,
    dst,
    dport: isPing ? sport : flow.dport,
    sport,
    ...(src === undefined ? {} : { bind: src }),
    ...(ttl === undefined ? {} : { ttl }),
  };
  const branches = explore((choose) => {
    const run = createRun(world, choose);
    const connection = walkConnection(run, spec);
    const first = connection.hops[0]?.packetIn;
    const gotAnswer = connection.reply.verdict === "delivered" && connection.socket !== undefined;
    // A connection that holds is walked to its client's next packet by walkConnection, which keeps only a failing one.
    const third =
      connection.reply.third ??
      (protocol === "tcp" && gotAnswer && first ? sendPacket(run, from, { ...first, segment: { kind: "third" } }, "process") : undefined);
    // Of a process's answer, and of a kernel's own: a RST that finds no neighbour is told to its sender, over lo.
    const refusal = connection.reply.verdict !== "delivered" ? refusalOf(connection.reply.hops) : undefined;
    const aftermath = refusal ? sendPacket(run, refusal.netns, refusal.packet, "kernel").hops : [];
    return { connection, third: third?.hops ?? [], aftermath, conntrack: [...run.conntrack] };
  });
  return branches.map(({ share, value: { connection, third, aftermath, conntrack } }) => ({
    share,
    connection,
    request: seenIn(connection.hops),
    reply: seenIn(connection.reply.hops),
    third: seenIn(third),
    aftermath: seenIn(aftermath),
    conntrack,
    rules: [...rulesIn([...connection.hops, ...connection.reply.hops, ...aftermath], false), ...rulesIn(third, true)],
  }));
}

/** A capture shows what passes lo once, as it comes in (libpcap leaves the way out aside). */
const seenIn = (hops: readonly Hop[]): SeenThere[] =>
  hops.flatMap((hop) =>
    hop.seen.filter(({ dev, direction }) => dev !== "lo" || direction === "in").map((seen) => ({ ...seen, netns: hop.netns })),
  );

/** The packet with which a kernel refused an answer. walkConnection sends it too, and does not keep its way. */
function refusalOf(hops: readonly Hop[]): { readonly netns: NetnsId; readonly packet: Packet } | undefined {
  const last = hops.at(-1);
  const step = last?.steps.findLast((each) => each.kind === "answer");
  return last && step?.kind === "answer" ? { netns: last.netns, packet: step.packet } : undefined;
}

function rulesIn(hops: readonly Hop[], again: boolean): PredictedRule[] {
  let outer: Packet | undefined; // around the packet at this point of its way
  return hops.flatMap((hop) =>
    hop.steps.flatMap((step): PredictedRule[] => {
      if (step.kind === "encap") outer = step.outer;
      if (step.kind === "decap") outer = undefined;
      if (step.kind !== "rule" || step.ref.nft) return [];
      // A tunnel packet that is dropped leaves no entry behind: the next one begins the connection anew.
      const shared = outer && hop.steps.at(-1)?.kind !== "drop" ? tunnelKey(outer) : undefined;
      return [{ ...step.ref, netns: hop.netns, again, ...(shared === undefined ? {} : { shared }) }];
    }),
  );
}

/** The hash is the same for both directions; ports go into it where the inner packet has some. */
function tunnelKey({ src, dst, inner }: Packet): string | undefined {
  const packet = inner?.packet;
  if (packet?.protocol !== "icmp" && packet?.protocol !== "icmpv6") return undefined;
  return [`${src}>${dst}`, ...[packet.src, packet.dst].sort()].join(" ");
}

export const describePredicted = ({ share, connection }: Predicted): string =>
  `${formatFraction(share)} ${connection.verdict}${connection.reason ? ` (${connection.reason})` : ""}: ${connection.text}`;
