/**
 * One connection walked to its end, in one run: the first packet, the answer, and the client's next packet, since some
 * faults show only at the third (a stateful hop that saw one direction calls it INVALID).
 */

import { answerOf } from "../linux/answers.ts";
import { connectSource, sendPacket } from "../linux/kernel.ts";
import type { ListeningSocket, NetnsId } from "../linux/netns.ts";
import type { Reason } from "../linux/reason.ts";
import { defaultTtl, linkOf } from "../linux/route.ts";
import { type Run, type RunState, stateOf } from "../linux/run.ts";
import type { End, Hop, Journey } from "../linux/step.ts";
import { familyOf, type Ip } from "../net/address.ts";
import { icmpOf, type Packet, type Port, type Protocol } from "../net/packet.ts";
import type { Reply, Verdict } from "./trace.ts";

export type ConnectionSpec = {
  readonly from: NetnsId;
  readonly protocol: Protocol;
  readonly dst: Ip;
  readonly dport: Port; // the echo id for a ping
  readonly sport: Port;
  /** An address or a device to bind to (curl --interface). */
  readonly bind?: string;
  readonly ttl?: number;
};

export type Errno = "ECONNREFUSED" | "EHOSTUNREACH" | "ENETUNREACH" | "ETIMEDOUT" | "EACCES" | "EINVAL" | "EPERM";

type Walked = {
  readonly hops: readonly Hop[];
  readonly reply: Reply;
  /** Where the first packet ended. */
  readonly end: End;
  readonly verdict: Verdict;
  readonly reason?: Reason;
  readonly text: string;
  readonly errno?: Errno;
  readonly delaySeconds?: number;
  /** The listener that took the first packet, and the packet it saw. */
  readonly socket?: ListeningSocket;
  readonly arrived?: Packet;
};

const NO_REPLY: Reply = { verdict: "none", hops: [] };

/** A connection, and what it and those before it left in the kernels. */
export type Connection = Walked & { readonly left: RunState };

/** Walks one connection. */
export const walkConnection = (run: Run, spec: ConnectionSpec): Connection => ({ ...walk(run, spec), left: stateOf(run) });

function walk(run: Run, spec: ConnectionSpec): Walked {
  const first = firstPacket(run, spec);
  const request = sendPacket(run, spec.from, first, "process");
  const { end } = request;
  const base = { hops: request.hops, end };
  switch (end.kind) {
    case "socket":
      run.sockets.push({
        netns: end.netns,
        protocol: first.protocol,
        local: { ip: end.packet.dst, port: end.packet.dport },
        remote: { ip: end.packet.src, port: end.packet.sport },
      });
      return { ...base, ...afterAccept(run, spec, first, end), socket: end.socket, arrived: end.packet };
    case "answered":
      if (isForbidden(spec, request)) return { ...base, ...afterAnswer(run, spec, end), ...forbidden(end.reason) };
      return { ...base, ...afterAnswer(run, spec, end) };
    case "errno":
      return {
        ...base,
        reply: NO_REPLY,
        verdict: "rejected",
        reason: end.reason,
        text: noWayText(spec, end),
        errno: end.errno,
        ...delay(end.delaySeconds),
      };
    case "dropped":
      if (isForbidden(spec, request)) return { ...base, reply: NO_REPLY, ...forbidden(end.reason) };
      if (end.errno !== undefined && end.netns === spec.from && request.hops.length === 1 && isTold(spec))
        return { ...base, reply: NO_REPLY, verdict: "rejected", reason: end.reason, text: end.text, errno: end.errno };
      return { ...base, reply: NO_REPLY, verdict: "dropped", reason: end.reason, text: end.text, errno: "ETIMEDOUT" };
    case "exits":
      return { ...base, reply: NO_REPLY, verdict: "exits", reason: "left-topology", text: `it leaves the model at the gateway ${end.via}` };
    case "unknown":
      return { ...base, reply: NO_REPLY, verdict: "unknown", reason: "not-modelled", text: end.text };
    case "peer":
      return { ...base, reply: NO_REPLY, verdict: "unknown", reason: "not-modelled", text: "the packet came back to its own sender" };
    default:
      return end satisfies never;
  }
}

/**
 * A rule of the sender's own OUTPUT or POSTROUTING refused it: sendto() fails at once with EPERM (ip_send_skb), though an
 * ICMP error may come over lo as well. TCP does not look at that errno (tcp_connect) and waits.
 */
function isForbidden(spec: ConnectionSpec, { hops, end }: Journey): boolean {
  if (!isTold(spec) || (end.kind !== "answered" && end.kind !== "dropped")) return false;
  if (end.kind === "dropped" && end.errno !== undefined) return false;
  return (
    end.netns === spec.from && hops.length === 1 && hops[0]?.seen.length === 0 && (end.hook === "output" || end.hook === "postrouting")
  );
}

/** Whether the sender hears of the first packet's fate from the call that sends it. */
const isTold = ({ protocol }: ConnectionSpec): boolean => protocol !== "tcp" && protocol !== "sctp";

const forbidden = (reason: Reason | undefined): Omit<Outcome, "reply"> => ({
  verdict: "rejected",
  reason: reason ?? "rule-denied",
  text: "a rule of its own machine forbids sending it",
  errno: "EPERM",
});

/** What connect() meets before any packet is sent. */
function noWayText(spec: ConnectionSpec, end: End & { kind: "errno" }): string {
  if (end.reason === "blackhole-route") return `a blackhole route covers ${spec.dst}`;
  if (end.reason === "spoofed-source") return `a packet from 127.0.0.1 may not leave for ${spec.dst}`;
  if (end.reason === "host-unreachable") return `an unreachable route covers ${spec.dst}`;
  return end.errno === "EACCES"
    ? `a prohibit route covers ${spec.dst}`
    : `no route to ${spec.dst}: nothing in its routing table covers it, and it has no default route`;
}

const delay = (seconds: number | undefined) => (seconds === undefined ? {} : { delaySeconds: seconds });

function firstPacket(run: Run, spec: ConnectionSpec): Packet {
  const netns = run.world.netns(spec.from);
  const family = familyOf(spec.dst);
  const bound =
    netns && spec.bind !== undefined
      ? (linkOf(netns, spec.bind)?.addresses.find(({ cidr }) => familyOf(cidr.ip) === family)?.cidr.ip ?? spec.bind)
      : undefined;
  const src = bound ?? (netns && connectSource(netns, spec.dst)?.src) ?? anyAddress(run, spec);
  const isPing = spec.protocol === icmpOf(family);
  const packet: Packet = {
    family,
    protocol: spec.protocol,
    src,
    sport: isPing ? spec.dport : spec.sport,
    dst: spec.dst,
    dport: spec.dport,
    ttl: spec.ttl ?? defaultTtl(netns, family),
    segment: { kind: isPing ? "echo-request" : spec.protocol === "udp" ? "datagram" : "syn" },
  };
  run.sockets.push({
    netns: spec.from,
    protocol: packet.protocol,
    local: { ip: packet.src, port: packet.sport },
    remote: { ip: packet.dst, port: packet.dport },
  });
  return packet;
}

/** Without a route no source is chosen; an address of the machine stands in, for the packet is never sent. */
function anyAddress(run: Run, spec: ConnectionSpec): Ip {
  const netns = run.world.netns(spec.from);
  const family = familyOf(spec.dst);
  const all = (netns?.links ?? []).filter((link) => link.type.kind !== "loopback").flatMap((link) => link.addresses);
  return all.find(({ cidr }) => familyOf(cidr.ip) === family)?.cidr.ip ?? (family === 4 ? "0.0.0.0" : "::");
}

type Outcome = Pick<Walked, "reply" | "verdict" | "reason" | "text" | "errno" | "delaySeconds">;

/** A process took the packet: its answer, and the client's next packet. */
function afterAccept(run: Run, spec: ConnectionSpec, first: Packet, end: End & { kind: "socket" }): Outcome {
  const answer = sendPacket(run, end.netns, answerOf(run.world.netns(end.netns), end.packet), "process");
  if (answer.end.kind !== "peer") return unanswered(run, spec, answer);
  if (first.protocol !== "tcp")
    return { reply: { verdict: "delivered", hops: answer.hops, arrived: answer.end.packet }, verdict: "delivered", text: "answered" };
  const third = sendPacket(run, spec.from, { ...first, segment: { kind: "third" } }, "process");
  if (third.end.kind === "peer")
    return { reply: { verdict: "delivered", hops: answer.hops, arrived: answer.end.packet }, verdict: "delivered", text: "answered" };
  const reason: Reason = third.end.kind === "dropped" ? third.end.reason : "reply-lost";
  return {
    reply: { verdict: "delivered", hops: answer.hops, third },
    ...(third.end.kind === "unknown" ? UNKNOWN : ({ verdict: "dropped", reason } as const)),
    text: `the handshake is answered, but the client's next packet does not arrive: ${textOf(third.end)}`,
    errno: "ETIMEDOUT",
  };
}

/** What comes back, or follows, is not known. */
const UNKNOWN = { verdict: "unknown", reason: "not-modelled" } as const;

/** The answer of the server did not reach the client's socket. */
function unanswered(run: Run, spec: ConnectionSpec, answer: Journey): Outcome {
  const { end } = answer;
  // The client's kernel knows no such connection: the answer's source is not the address it asked.
  if (end.kind === "answered" && end.netns === spec.from && end.reason === "not-listening") {
    sendPacket(run, end.netns, end.answer, "kernel");
    return {
      reply: {
        verdict: "rejected",
        reason: "reply-not-translated",
        hops: answer.hops,
        text: `the client asked ${spec.dst}, the answer comes from ${end.packet.src}: its kernel resets it`,
      },
      verdict: "unanswered",
      reason: "reply-not-translated",
      text: `the answer comes from ${end.packet.src}, an address the client did not ask`,
      errno: "ETIMEDOUT",
    };
  }
  return {
    reply: { ...replyOf(answer), hops: answer.hops },
    ...(end.kind === "unknown" ? UNKNOWN : ({ verdict: "unanswered", reason: "reply-lost" } as const)),
    text: `the request arrived; its answer did not come back: ${textOf(end)}`,
    errno: "ETIMEDOUT",
  };
}

function replyOf(answer: Journey): Pick<Reply, "verdict" | "reason" | "text"> {
  const { end } = answer;
  if (end.kind === "dropped") return { verdict: "dropped", reason: end.reason, text: end.text };
  if (end.kind === "exits") return { verdict: "exits", reason: "left-topology", text: textOf(end) };
  if (end.kind === "unknown") return { verdict: "unknown", reason: "not-modelled", text: end.text };
  if (end.kind === "answered")
    return {
      verdict: end.reason === "ttl-exceeded" ? "looped" : "rejected",
      ...(end.reason ? { reason: end.reason } : {}),
      text: textOf(end),
    };
  if (end.kind === "errno") return { verdict: "rejected", reason: end.reason, text: textOf(end) };
  return { verdict: "unknown", reason: "not-modelled", text: textOf(end) };
}

/** The kernel answered the first packet: an echo reply, or a refusal on its way back. */
function afterAnswer(run: Run, spec: ConnectionSpec, end: End & { kind: "answered" }): Outcome {
  const back = sendPacket(run, end.netns, end.answer, "kernel");
  const arrived = back.end.kind === "peer" && back.end.netns === spec.from;
  if (end.reason === undefined) {
    if (back.end.kind === "peer" && arrived)
      return { reply: { verdict: "delivered", hops: back.hops, arrived: back.end.packet }, verdict: "delivered", text: "echo reply" };
    return unanswered(run, spec, back);
  }
  const looped = end.reason === "ttl-exceeded";
  if (!arrived) {
    return {
      reply: { ...replyOf(back), hops: back.hops },
      ...(back.end.kind === "unknown" ? UNKNOWN : ({ verdict: "dropped", reason: end.reason } as const)),
      text: `${refusalOf(end)}, and the answer that says so does not come back: ${textOf(back.end)}`,
      errno: "ETIMEDOUT",
    };
  }
  return {
    reply: { verdict: "delivered", hops: back.hops, text: refusalOf(end) },
    verdict: looped ? "looped" : "rejected",
    reason: end.reason,
    text: refusalOf(end),
    errno: errnoOf(end),
    ...delay(end.delaySeconds),
  };
}

/** What connect() makes of the refusal (net/ipv4/icmp.c icmp_err_convert, net/ipv6/icmp.c tab_unreach). */
function errnoOf(end: End & { kind: "answered" }): Errno {
  const { segment, family } = end.answer;
  if (segment.kind !== "icmp-error") return "ECONNREFUSED";
  if (family === 6) {
    if (segment.type !== 1) return segment.type === 4 ? "ECONNREFUSED" : "EHOSTUNREACH";
    return segment.code === 4 ? "ECONNREFUSED" : segment.code === 0 ? "ENETUNREACH" : segment.code === 1 ? "EACCES" : "EHOSTUNREACH";
  }
  if (segment.type !== 3) return "EHOSTUNREACH";
  if (segment.code === 0 || segment.code === 6 || segment.code === 9) return "ENETUNREACH";
  return segment.code === 2 || segment.code === 3 ? "ECONNREFUSED" : "EHOSTUNREACH";
}

function refusalOf(end: End & { kind: "answered" }): string {
  const { segment, protocol } = end.answer;
  if (segment.kind !== "icmp-error") return protocol === "sctp" ? "nothing listens there: ABORT" : "nothing listens there: RST";
  if (end.reason === "ttl-exceeded") return `the TTL ran out: ICMP ${segment.type}/${segment.code}`;
  if (end.packet.inner && end.reason === "host-unreachable")
    return `nobody answers for the tunnel's far end ${end.packet.dst}: ICMP ${segment.type}/${segment.code}`;
  if (end.reason === "host-unreachable") return `nobody answers for the address: ICMP ${segment.type}/${segment.code}`;
  if (end.reason === "no-tunnel-peer") return `the tunnel has no neighbour entry for the next hop: ICMP ${segment.type}/${segment.code}`;
  return `refused with ICMP ${segment.type}/${segment.code}`;
}

/** One phrase for how a packet ended. */
export function textOf(end: End): string {
  switch (end.kind) {
    case "dropped":
      return `dropped in ${end.netns}: ${end.text}`;
    case "exits":
      return `it leaves the model at the gateway ${end.via}`;
    case "unknown":
      return end.text;
    case "answered":
      return `${end.netns} answers ${refusalOf(end)}`;
    case "errno":
      return `${end.netns} has no way (${end.errno})`;
    case "socket":
      return `it reaches ${end.socket.process} in ${end.netns} instead`;
    case "peer":
      return `it reaches ${end.netns}`;
    default:
      return end satisfies never;
  }
}
