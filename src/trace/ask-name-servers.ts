/**
 * Questions to name servers, as legs of a trace: each server in turn over UDP, every name of the search list at the one that
 * is reached. Facts: resolv.conf(5), glibc resolv/res_send.c and res_query.c. A is asked with AAAA on one socket, so that
 * conntrack takes both to the same replica. Not modelled: truncation and TCP retries, `rotate`, a server's own timeouts.
 */
import type { Who } from "../apps/apps.ts";
import { aliasIn, type DnsReply, replyWith } from "../apps/dns/message.ts";
import { type Branch, explore } from "../linux/run.ts";
import type { Ip } from "../net/address.ts";
import { type Fraction, sumFractions, timesFraction } from "../net/fraction.ts";
import { type Connection, type Errno, walkConnection } from "./connection.ts";
import { destinationOf, legOf } from "./leg.ts";
import { type Query, relayed, relayLeg } from "./relayed-query.ts";
import type { Leg, LegArm } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

/** What is asked, of whom, and when an answer is enough. */
export type Plan = {
  readonly host: string;
  readonly candidates: readonly string[]; // without last dot, in the order they are asked
  readonly types: readonly string[];
  readonly servers: readonly Ip[];
  readonly attempts: number;
  readonly port: number;
  readonly protocol: "udp" | "tcp";
  readonly sport: number;
  readonly bind?: string;
  /** getaddrinfo goes on until there is a record, dig and nslookup until there is such a name. */
  readonly until: "records" | "noerror";
};

/** What a dns leg says of a query that nobody answered. */
export const NO_ANSWER = "no answer";

/** One question and its answer. */
export type NameReply = { readonly name: string; readonly type: string; readonly reply: DnsReply };

/** One way in which the name servers can answer, or not. */
export type Consulted = {
  readonly share: Fraction;
  readonly legs: readonly Leg[];
  readonly outcome: Answered | Unreachable;
};
export type Answered = {
  readonly kind: "answered";
  readonly server: Ip;
  readonly who: string;
  readonly replies: readonly NameReply[];
  /** The answers to the last name asked. */
  readonly last: readonly NameReply[];
};
export type Unreachable = {
  readonly kind: "unreachable";
  readonly server: Ip;
  readonly errno?: Errno; // an error came back, else silence
  readonly undecided?: boolean; // what is not modelled decides whether the query was answered
  readonly text: string;
};

/** Asks the servers in turn; an answer of any kind ends it. */
export const consult = (net: TraceNet, from: Who, plan: Plan): Consulted[] =>
  askFrom(net, from, plan, { index: 0, attempt: 0, silent: [] });

/** Where in the rounds: servers that kept silent stay so, since the same socket is asked again. */
type Round = { readonly index: number; readonly attempt: number; readonly silent: readonly Ip[] };

function askFrom(net: TraceNet, from: Who, plan: Plan, round: Round): Consulted[] {
  const server = plan.servers[round.index];
  const { netns } = from;
  if (server === undefined || netns === undefined) return [];
  const sport = plan.sport + round.index + round.attempt * plan.servers.length;
  const walked = explore((choose) =>
    walkConnection(net.startRun(choose), {
      from: netns,
      protocol: plan.protocol,
      dst: server,
      dport: plan.port,
      sport,
      ...(plan.bind === undefined ? {} : { bind: plan.bind }),
    }),
  );
  const queries = walked.flatMap((branch) => relayed(net, branch, sport));
  const groups = groupBy(
    queries.map((query) => ({ query, outcome: askAt(net, query.relay?.connection ?? query.branch.value, server, plan) })),
    ({ query, outcome }) => `${keyOf(outcome)}${query.relay?.to.ip ?? ""}`,
  );
  return groups.flatMap((group): Consulted[] => {
    const [first] = group;
    if (!first) return [];
    const { outcome } = first;
    const share = sumFractions(group.map(({ query }) => query.branch.share));
    const legs = legsOf(
      net,
      from,
      plan,
      server,
      group.map(({ query }) => query),
      outcome,
    );
    const next = outcome.kind === "unreachable" && !outcome.undecided ? nextRound(plan, round, outcome, queries.length > 1) : undefined;
    const later = next === undefined ? [] : askFrom(net, from, plan, next);
    if (later.length === 0) return [{ share, legs, outcome }];
    return later.map((one) => ({ ...one, share: timesFraction(share, one.share), legs: [...legs, ...one.legs] }));
  });
}

/**
 * The next server, and after the last the first again. An ICMP error closes the socket (IP_RECVERR is set): the next attempt has a new source port
 * and may be balanced elsewhere. After a timeout the same socket is used, which conntrack takes to the same replica: that
 * attempt, and one that has nothing to choose from, ends as before and is not walked.
 */
function nextRound(plan: Plan, round: Round, outcome: Unreachable, chosen: boolean): Round | undefined {
  const silent = outcome.errno !== undefined && chosen ? round.silent : [...round.silent, outcome.server];
  const order = [
    ...plan.servers.map((_, index) => ({ index, attempt: round.attempt })).slice(round.index + 1),
    ...plan.servers.map((_, index) => ({ index, attempt: round.attempt + 1 })),
  ];
  const next = order.find(({ index, attempt }) => attempt < plan.attempts && !silent.includes(plan.servers[index] ?? ""));
  return next && { ...next, silent };
}

function groupBy<T>(all: readonly T[], key: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return [...groups.values()];
}

const keyOf = (outcome: Consulted["outcome"]): string =>
  outcome.kind === "unreachable"
    ? `unreachable ${outcome.errno} ${outcome.text}`
    : outcome.replies.map(({ name, type, reply }) => `${name} ${type} ${reply.rcode} ${saidBy([{ name, type, reply }])}`).join("\n");

/** Asks the process that the query reached for every candidate in turn. */
function askAt(net: TraceNet, connection: Connection, server: Ip, plan: Plan): Consulted["outcome"] {
  const process = processAt(net, connection, server);
  if (!process) {
    const text = connection.verdict === "delivered" ? "what answers there is no name server that ktrace knows" : connection.text;
    const { verdict, errno } = connection;
    return {
      kind: "unreachable",
      server,
      text,
      ...(verdict === "unknown" ? { undecided: true } : {}),
      ...(verdict === "rejected" && errno !== undefined && errno !== "ETIMEDOUT" ? { errno } : {}),
    };
  }
  return { kind: "answered", server, who: process.who, ...askEach(process, plan) };
}

/**
 * Name after name until one is known. What a server outside the model would say to a name of the search list is not known:
 * when another name is there, it is assumed that this one is not.
 */
function askEach({ ask }: Process, { candidates, types, until }: Plan): Pick<Answered, "replies" | "last"> {
  const asked: NameReply[][] = [];
  for (const name of candidates) {
    const replies = types.map((type) => ({ name, type, reply: ask(name, type) }));
    asked.push(replies);
    if (!isEnough(replies, until)) continue;
    const earlier = asked.slice(0, -1).flat();
    return { replies: [...earlier.map(assumeMissing), ...replies], last: replies };
  }
  if (asked.flat().some(({ reply }) => reply.loop || (reply.rcode === "NOERROR" && reply.unknown === undefined)))
    return { replies: asked.flat().map(assumeMissing), last: (asked.at(-1) ?? []).map(assumeMissing) };
  const undecided = asked.find((replies) => replies.some(({ reply }) => reply.unknown !== undefined));
  return { replies: asked.flat(), last: undecided ?? asked.at(-1) ?? [] };
}

const assumeMissing = (one: NameReply): NameReply =>
  one.reply.unknown === undefined ? one : { ...one, reply: replyWith({ rcode: "NXDOMAIN", assumed: true }) };

const isEnough = (replies: readonly NameReply[], until: Plan["until"]): boolean =>
  replies.some((one) => {
    const { rcode, loop, unknown, answers } = one.reply;
    return hasData(one) || (unknown === undefined ? until === "noerror" && rcode === "NOERROR" && !loop : answers.length > 0);
  });

/** An alias alone is no data (res_querydomain: NO_DATA). */
export const hasData = ({ type, reply }: NameReply): boolean => reply.answers.some((record) => record.type === type);

type Process = { readonly who: string; readonly ask: (name: string, type: string) => DnsReply };
const OUTSIDE = "a name server outside the model";

function processAt(net: TraceNet, connection: Connection, server: Ip): Process | undefined {
  const owner = connection.socket?.owner;
  const { apps } = net;
  if (connection.verdict === "delivered" && owner !== undefined && apps.askNameServer(owner, ".", "A")) {
    const who = apps.who(owner);
    const where = who.node === undefined ? "" : ` on ${who.node}`;
    return {
      who: `${who.kind} ${who.name}${where}`,
      ask: (name, type) => apps.askNameServer(owner, name, type) ?? apps.askOutside(name, type),
    };
  }
  return isOutside(net, connection, server) ? { who: OUTSIDE, ask: (name, type) => apps.askOutside(name, type) } : undefined;
}

/** A server that resolv.conf names, on a network of the model or beyond a gateway, but no machine of the topology. */
function isOutside({ apps }: TraceNet, { end }: Connection, server: Ip): boolean {
  if (apps.whoHas(server).kind !== "address" || apps.isClusterAddress(server)) return false;
  if (end.kind === "exits") return end.packet.dst === server;
  return end.kind === "answered" && end.reason === "host-unreachable" && end.packet.dst === server;
}

/** The dns leg, and after it the one of a process that took the query and passed it on. */
function legsOf(net: TraceNet, from: Who, plan: Plan, server: Ip, queries: readonly Query[], outcome: Consulted["outcome"]): Leg[] {
  const [first] = queries;
  const leg = dnsLeg(
    net,
    from,
    plan,
    server,
    queries.map(({ branch }) => branch),
    outcome,
  );
  return first?.relay ? [leg, relayLeg(net, first.relay)] : [leg];
}

/** One leg for all replicas that say the same; each way there is an arm. */
function dnsLeg(
  net: TraceNet,
  from: Who,
  plan: Plan,
  server: Ip,
  branches: readonly Branch<Connection>[],
  outcome: Consulted["outcome"],
): Leg {
  const isBeyond = outcome.kind === "answered" && outcome.who === OUTSIDE;
  const arms: LegArm[] = branches.map(({ share, value: walked }) => {
    const value = isBeyond ? beyond(walked) : walked;
    const destination = destinationOf(net, value);
    return { share, hops: value.hops, reply: value.reply, ...(destination ? { destination } : {}) };
  });
  const [first] = branches;
  const to = { host: server, ip: server, port: plan.port, protocol: plan.protocol };
  const bare = { kind: "dns", from, to, hops: [], reply: { verdict: "none", hops: [] } } as const;
  return {
    ...(first ? legOf(net, "dns", from, to, isBeyond ? beyond(first.value) : first.value) : bare),
    query: queryOf(plan, outcome),
    ...(arms.length > 1 ? { arms } : {}),
  };
}

/** The server is not in the model, so nobody answers for its address there; that it does is what its name in resolv.conf says. */
const beyond = (connection: Connection): Connection => ({
  ...connection,
  hops: connection.hops.map((hop) => ({ ...hop, steps: hop.steps.filter((step) => step.kind !== "answer" && step.kind !== "drop") })),
  reply: { verdict: "exits", hops: [] },
});

/** The question that decided: the one with records, else the first name, with the last answer. */
function queryOf(plan: Plan, outcome: Consulted["outcome"]): NonNullable<Leg["query"]> {
  const [type = "A"] = plan.types;
  const [name = plan.host] = plan.candidates;
  if (outcome.kind === "unreachable") return { name, type, answer: NO_ANSWER };
  const decided =
    outcome.last.find(hasData) ??
    outcome.last.find(({ reply }) => reply.unknown !== undefined) ??
    outcome.replies.find(({ reply }) => reply.loop !== undefined);
  if (!decided) return { name, type, answer: saidBy(outcome.last) };
  return { name: decided.name, type: decided.type, answer: saidBy(outcome.replies.filter((one) => one.name === decided.name)) };
}

/** The answers to one name in a few words: its addresses, other records, or why there are none. */
export function saidBy(replies: readonly NameReply[]): string {
  const loop = replies.find(({ reply }) => reply.loop);
  if (loop) return "CNAME loop";
  const data = replies.flatMap(({ type, reply }) => reply.answers.filter((record) => record.type === type).map((record) => record.data));
  const alias = replies.map(({ reply }) => aliasIn(reply)).find((found) => found !== undefined);
  if (replies.some(({ reply }) => reply.unknown !== undefined))
    return alias === undefined ? "asked upstream" : `alias of ${alias}, asked upstream`;
  if (data.length > 0) return [...new Set(data)].join(", ");
  if (alias !== undefined) return `alias of ${alias}, which has no address`;
  const failed = replies.find(({ reply }) => reply.rcode !== "NOERROR")?.reply;
  return failed ? `${failed.rcode}${failed.assumed ? " (assumed: not in dns.records)" : ""}` : "no data";
}

/** Every name asked, with its answer, for a NameStep. */
export const triedOf = (replies: readonly NameReply[]): { readonly name: string; readonly answer: string }[] =>
  groupBy(replies, ({ name }) => name).map((group) => ({ name: group[0]?.name ?? "", answer: saidBy(group) }));
