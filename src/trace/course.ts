/** A course: one way from some point of a request to its end, before it is made a Path. */
import type { Who } from "../apps/apps.ts";
import type { Reason } from "../linux/reason.ts";
import { type Branch, explore, type RunState } from "../linux/run.ts";
import type { Ip } from "../net/address.ts";
import type { Fraction } from "../net/fraction.ts";
import type { Protocol } from "../net/packet.ts";
import type { Ending } from "./client-sees.ts";
import { type Connection, walkConnection } from "./connection.ts";
import { destinationOf } from "./leg.ts";
import type { HttpQuestion, Question } from "./question.ts";
import type { Destination, Leg, Verdict } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

/** The client's own port of the first connection; each later one of a request takes the next. First of the IANA dynamic range. */
export const FIRST_CLIENT_PORT = 49152;
/** Ports that one request may use before the next round begins. */
const PORTS_A_ROUND = 200;

/** The first port of this round's connections. */
export const clientPort = ({ round = 0 }: Pick<Asked, "round">): number => FIRST_CLIENT_PORT + round * PORTS_A_ROUND;

export type Course = {
  readonly share: Fraction;
  readonly legs: readonly Leg[];
  readonly verdict: Verdict;
  readonly reason?: Reason;
  readonly text: string;
  readonly destination?: Destination;
  readonly ending: Omit<Ending, "host" | "port" | "protocol" | "verdict" | "reason">;
  readonly status?: number;
  /** What the connections of this course left in the kernels. */
  readonly left: RunState;
};

/** What is asked at this point: after a redirect, of another host. */
export type Asked = {
  readonly question: Question;
  readonly from: Who;
  readonly http: HttpQuestion | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly redirects: number;
  /** Every course keeps its own state (`--again`): processes that behave alike do not stand together. */
  readonly apart?: boolean;
  /** How often the same was asked before, and what that left behind. */
  readonly round?: number;
  readonly before?: RunState;
};

/** What a connection may have besides its two ends. */
export type WalkOptions = { readonly sourceAddress?: string; readonly ttl?: number; readonly before?: RunState };

/** Every course of one connection. */
export function walkAll(
  net: TraceNet,
  from: Who,
  to: { readonly protocol: Protocol; readonly dst: Ip; readonly dport: number },
  sport: number,
  options: WalkOptions = {},
): Branch<Connection>[] {
  const { netns } = from;
  if (netns === undefined) return [];
  const isPing = to.protocol === "icmp" || to.protocol === "icmpv6";
  return explore((choose) =>
    walkConnection(net.startRun(choose, options.before), {
      from: netns,
      protocol: to.protocol,
      dst: to.dst,
      dport: isPing ? sport : to.dport, // an echo id stands in for the port
      sport,
      ...(options.sourceAddress === undefined ? {} : { bind: options.sourceAddress }),
      ...(options.ttl === undefined ? {} : { ttl: options.ttl }),
    }),
  );
}

/** The request ends with this connection. */
export function endCourse(net: TraceNet, branch: Branch<Connection>, legs: readonly Leg[]): Course {
  const { value } = branch;
  const destination = destinationOf(net, value);
  const answer = value.reply.arrived ?? value.reply.hops.at(-1)?.packetIn;
  const { end } = value;
  const refused = end.kind === "answered" && end.reason !== undefined ? { refusedFrom: answer?.src ?? end.answer.src } : {};
  return {
    share: branch.share,
    legs,
    verdict: value.verdict,
    text: value.text,
    ...(value.reason === undefined ? {} : { reason: value.reason }),
    ...(destination ? { destination } : {}),
    ending: {
      ...(value.errno === undefined ? {} : { errno: value.errno }),
      ...(legs.at(-1)?.to.ip === undefined ? {} : { ip: legs.at(-1)?.to.ip ?? "" }),
      ...(destination ? { who: destination.kind === "pod" ? destination.name : (destination.process ?? destination.name) } : {}),
      ...(answer === undefined ? {} : { ttl: answer.ttl }),
      ...refused,
    },
    left: value.left,
  };
}
