/** dig and nslookup: they end where curl begins, with the answer of a name server; and the end of a request whose name has none. */
import type { Who } from "../apps/apps.ts";
import { addressesIn } from "../apps/dns/message.ts";
import { NOTHING_LEFT } from "../linux/run.ts";
import { familyOf, type Ip, parseIp } from "../net/address.ts";
import { NO_CAUSE } from "../net/cause.ts";
import { type Fraction, ONE, timesFraction } from "../net/fraction.ts";
import { type Answered, type Consulted, consult, hasData, type NameReply, type Plan, triedOf } from "./ask-name-servers.ts";
import { type Asked, type Course, clientPort } from "./course.ts";
import { partyOf } from "./leg.ts";
import type { LookupEnding } from "./lookup-output.ts";
import type { Question } from "./question.ts";
import { candidatesOf, failureOf, type Resolution, resolveName } from "./resolve-name.ts";
import type { Leg, NameStep } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

/** Ports kept for finding the server's own address, before the question itself. */
const SERVER_PORTS = 100;

/** Every way in which dig or nslookup ends: only name servers are asked, no hosts file. */
export function lookupCourses(net: TraceNet, asked: Asked): Course[] {
  const { question, from } = asked;
  if (question.server === undefined) {
    const { nameservers } = net.apps.names(from);
    return askServers(net, asked, nameservers, { share: ONE, legs: [] });
  }
  const server = parseIp(question.server);
  if (server !== undefined) return askServers(net, asked, [server], { share: ONE, legs: [] });
  return resolveName(net, from, question.server, question.family, clientPort(asked) + SERVER_PORTS).flatMap((resolution) =>
    resolution.result.kind === "found"
      ? askServers(net, asked, [resolution.result.ip], resolution)
      : [unresolvedCourse({ ...asked, host: question.server ?? asked.host }, resolution)],
  );
}

type Before = { readonly share: Fraction; readonly legs: readonly Leg[] };

function askServers(net: TraceNet, asked: Asked, all: readonly Ip[], before: Before): Course[] {
  const { question, from, host } = asked;
  const servers = all.filter((ip) => question.family === undefined || familyOf(ip) === question.family);
  if (servers.length === 0) {
    const name: NameStep = { host, how: "dns", detail: "no name server", cause: NO_CAUSE };
    const text = `${from.name} has no name server to ask`;
    return [unresolvedCourse(asked, { ...before, result: { kind: "failed", reason: "dns-unreachable", text, name } })];
  }
  const plan = planOf(net, asked, servers);
  return consult(net, from, plan).map((one) => ({
    ...courseOf(net, asked, plan, { ...one, legs: [...before.legs, ...one.legs] }),
    share: timesFraction(before.share, one.share),
  }));
}

/** nslookup asks for both families unless told a type, along the search list; dig for the name as it stands, unless `+search`. */
function planOf(net: TraceNet, asked: Asked, servers: readonly Ip[]): Plan {
  const { question, host } = asked;
  const { lookup } = question;
  const book = net.apps.names(asked.from);
  const isSearched = lookup?.search ?? question.program === "nslookup";
  const candidates = isSearched
    ? candidatesOf(host, { search: book.search, ndots: lookup?.ndots ?? book.ndots })
    : [host.replace(/\.$/, "")];
  return {
    host,
    candidates,
    types: question.type === undefined ? (question.program === "nslookup" ? ["A", "AAAA"] : ["A"]) : [question.type],
    servers,
    attempts: lookup?.attempts ?? book.attempts,
    port: question.to.port ?? 53,
    protocol: lookup?.tcp === true ? "tcp" : "udp",
    sport: clientPort(asked),
    until: "noerror",
    ...(question.sourceAddress === undefined ? {} : { bind: question.sourceAddress }),
  };
}

function courseOf(net: TraceNet, asked: Asked, plan: Plan, { share, legs, outcome }: Consulted): Course {
  const { host, question } = asked;
  const { port, protocol } = plan;
  const words = { command: question.command, ...(question.lookup ? { options: question.lookup } : {}) };
  const base: Pick<LookupEnding, "words" | "server" | "port" | "protocol" | "attempts" | "isTyped"> = {
    words,
    server: outcome.server,
    port,
    protocol,
    attempts: plan.attempts,
    isTyped: question.type !== undefined,
  };
  if (outcome.kind === "unreachable") {
    const name: NameStep = { host, how: "dns", detail: "asked of the name server", cause: NO_CAUSE };
    const text = `the query was not answered: ${outcome.text}`;
    const result = outcome.undecided
      ? ({ kind: "unknown", text: outcome.text, name } as const)
      : ({ kind: "failed", reason: "dns-unreachable", text, name } as const);
    const course = unresolvedCourse(asked, { share, legs, result });
    if (outcome.undecided) return course;
    return { ...course, ending: { lookup: { ...base, replies: [], refused: outcome.errno === "ECONNREFUSED" } } };
  }
  const ending = { lookup: { ...base, replies: outcome.last } };
  const name = nameStep(host, outcome);
  if (outcome.last.some(({ reply }) => reply.unknown !== undefined) || !outcome.last.some(hasData)) {
    const failure = failureOf(host, plan.types, outcome.replies, name);
    const course = unresolvedCourse(asked, { share, legs, result: failure });
    return { ...course, text: `${course.text}${searchHint(net, asked, plan, failure)}`, ending };
  }
  return {
    share,
    legs: legs.map((leg, i) => (i === legs.length - 1 ? { ...leg, name } : leg)),
    verdict: "delivered",
    text: deliveredText(outcome.last),
    ending,
    left: NOTHING_LEFT,
  };
}

function nameStep(host: string, outcome: Answered): NameStep {
  const [ip] = outcome.last.flatMap(({ type, reply }) => (type === "A" || type === "AAAA" ? addressesIn(reply, type) : []));
  const cause = outcome.last.find(hasData)?.reply.cause ?? NO_CAUSE;
  return { host, how: "dns", detail: outcome.who, cause, tried: triedOf(outcome.replies), ...(ip === undefined ? {} : { ip }) };
}

function deliveredText(replies: readonly NameReply[]): string {
  const ips = replies.flatMap(({ type, reply }) => (type === "A" || type === "AAAA" ? addressesIn(reply, type) : []));
  const [first] = replies;
  if (ips.length > 0) return `${first?.name} is ${ips.join(", ")}`;
  const records = replies.flatMap(({ type, reply }) => reply.answers.filter((record) => record.type === type));
  return `${first?.name} has ${records.length} ${first?.type} record${records.length === 1 ? "" : "s"}`;
}

/** dig of a short name finds nothing where every other program does. */
function searchHint(net: TraceNet, { question, from, host }: Asked, plan: Plan, { kind }: ReturnType<typeof failureOf>): string {
  const book = net.apps.names(from);
  const isWhole = host.endsWith(".") || host.split(".").length > book.ndots || book.search.some((domain) => host.endsWith(`.${domain}`));
  const skipped = question.program === "dig" && plan.candidates.length === 1 && !isWhole;
  return kind === "failed" && skipped && book.search.length > 0
    ? "; dig asks for the name as it stands, +search takes the search list of /etc/resolv.conf"
    : "";
}

/** The name did not become an address; the last leg says so. */
export function unresolvedCourse(asked: Pick<Asked, "from" | "host" | "question">, { share, legs, result }: Resolution): Course {
  const shown = legs.length > 0 ? legs : [nameOnlyLeg(asked.from, asked.host, asked.question.to.protocol, result.name)];
  const named = shown.map((leg, i) => (i === shown.length - 1 ? { ...leg, name: result.name } : leg));
  const text = result.kind === "found" ? "" : result.text;
  const base = { share, legs: named, text, ending: {}, left: NOTHING_LEFT };
  return result.kind === "failed"
    ? { ...base, verdict: "unresolved", reason: result.reason }
    : { ...base, verdict: "unknown", reason: "not-modelled" };
}

const nameOnlyLeg = (from: Who, host: string, protocol: Question["to"]["protocol"], name: NameStep): Leg => ({
  kind: "transport",
  from: partyOf(from),
  to: { host, protocol },
  name,
  hops: [],
  reply: { verdict: "none", hops: [] },
});
