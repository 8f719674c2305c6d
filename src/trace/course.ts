/** A course: one way from some point of a request to its end, before it is made a Path. */
import type { Who } from "../apps/apps.ts";
import type { Reason } from "../linux/reason.ts";
import { type Branch, explore } from "../linux/run.ts";
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

export type Course = {
  readonly share: Fraction;
  readonly legs: readonly Leg[];
  readonly verdict: Verdict;
  readonly reason?: Reason;
  readonly text: string;
  readonly destination?: Destination;
  readonly ending: Omit<Ending, "host" | "port" | "protocol" | "verdict" | "reason">;
  readonly status?: number;
};

/** What is asked at this point: after a redirect, of another host. */
export type Asked = {
  readonly question: Question;
  readonly from: Who;
  readonly http: HttpQuestion | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly redirects: number;
};

/** Every course of one connection. */
export function walkAll(
  net: TraceNet,
  from: Who,
  to: { readonly protocol: Protocol; readonly dst: Ip; readonly dport: number },
  sport: number,
  question?: Question,
): Branch<Connection>[] {
  const { netns } = from;
  if (netns === undefined) return [];
  const isPing = to.protocol === "icmp" || to.protocol === "icmpv6";
  return explore((choose) =>
    walkConnection(net.startRun(choose), {
      from: netns,
      protocol: to.protocol,
      dst: to.dst,
      dport: isPing ? sport : to.dport, // an echo id stands in for the port
      sport,
      ...(question?.sourceAddress === undefined ? {} : { bind: question.sourceAddress }),
      ...(question?.ttl === undefined ? {} : { ttl: question.ttl }),
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
  };
}
