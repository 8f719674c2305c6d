/**
 * A question walked to its answer: names, then one connection after another for as long as proxies open new ones. What the
 * next leg can depend on is a key (which proxy process took the request); arms with one key share one walk, so that
 * replicas which behave alike do not multiply the paths.
 */

import { familyOf, type Ip } from "../net/address.ts";
import { sumFractions, timesFraction } from "../net/fraction.ts";
import { icmpOf, type Protocol } from "../net/packet.ts";
import { type Ask, roundsAfter } from "./again.ts";
import { clientSees } from "./client-sees.ts";
import { type Asked, type Course, clientPort, endCourse, walkAll } from "./course.ts";
import { legOf, partyOf } from "./leg.ts";
import { lookupCourses, unresolvedCourse } from "./lookup.ts";
import { type Connect, withNextAddresses } from "./next-address.ts";
import { afterProcess, byProcess, proxyStep, withArms } from "./proxy-legs.ts";
import type { HttpQuestion, Question } from "./question.ts";
import { resolveName } from "./resolve-name.ts";
import type { Leg, NameStep, Path, Trace } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

/** Beyond this many paths the list is cut; `pathsTotal` says how many there are. */
const MAX_PATHS = 1000;

/** Answers a question. Throws UsageError when the source does not exist. */
export function traceRequest(net: TraceNet, question: Question): Trace {
  const from = net.apps.source(question.from, question.namespace);
  const asked: Asked = { question, from, http: question.http, host: question.to.host, port: question.to.port, redirects: 0 };
  const paths = pathsOf(net, asked);
  const verdicts = new Set(paths.map((path) => path.verdict));
  const [only] = paths;
  const agreed =
    only &&
    paths.every((path) => path.clientSees.exitCode === only.clientSees.exitCode && path.clientSees.message === only.clientSees.message)
      ? only.clientSees
      : undefined;
  const first = paths[0]?.legs.find((leg) => leg.kind === "transport");
  const source = first?.from.ip ?? from.ip;
  return {
    request: {
      command: question.command,
      program: question.program,
      from: { ...partyOf(from), ...(source === undefined ? {} : { ip: source }) },
      to: {
        host: question.to.host,
        protocol: question.to.protocol,
        ...(first?.to.ip === undefined ? {} : { ip: first.to.ip }),
        ...(question.to.port === undefined ? {} : { port: question.to.port }),
      },
      ...(question.http ? { url: urlOf(question.http, question.to.host, question.to.port) } : {}),
    },
    verdict: verdicts.size === 1 && only ? only.verdict : "mixed",
    ...(agreed ? { clientSees: agreed } : {}),
    paths: paths.slice(0, MAX_PATHS),
    pathsTotal: paths.length,
    warnings: [],
    assumed: assumptionsOf(paths),
  };
}

/** Every path; with `--again` each keeps its own state, and what follows from it stands beside it. */
function pathsOf(net: TraceNet, asked: Asked): Path[] {
  const { question } = asked;
  const { again = 0 } = question;
  if (again === 0) return coursesOf(net, asked).map((course) => pathOf(question, course));
  const ask: Ask = (round, before) => coursesOf(net, { ...asked, apart: true, round, before });
  return coursesOf(net, { ...asked, apart: true }).map((course) => ({
    ...pathOf(question, course),
    again: roundsAfter(course, again, ask),
  }));
}

const urlOf = (http: HttpQuestion, host: string, port: number | undefined): string => {
  const usual = http.scheme === "https" ? 443 : 80;
  const shown = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return `${http.scheme}://${shown}${port === undefined || port === usual ? "" : `:${port}`}${http.path}`;
};

function pathOf(question: Question, course: Course): Path {
  const { share, legs, verdict, reason, text, destination, status } = course;
  const sees = clientSees(question.program, {
    verdict,
    host: question.to.host,
    protocol: question.to.protocol,
    ...(question.to.port === undefined ? {} : { port: question.to.port }),
    ...(reason === undefined ? {} : { reason }),
    ...course.ending,
  });
  return {
    share,
    verdict,
    text,
    legs,
    clientSees: sees,
    ...(reason === undefined ? {} : { reason }),
    ...(destination ? { destination } : {}),
    ...(status === undefined ? {} : { status }),
  };
}

/** Listeners that nothing in the input states are assumed, and what a scheduler knows that the input does not: said once. */
function assumptionsOf(paths: readonly Path[]): Trace["assumed"] {
  const assumed = paths.some((path) => path.destination?.assumed === true);
  const listens = { what: "the pods listen on the Service's targetPort: their containers declare no port", key: "pods[].listens" };
  return [...(assumed ? [listens] : []), ...[...new Set(paths.flatMap(assumedChoices))].map((what) => ({ what }))];
}

/** Choices of the kernel that depend on what nobody here can know. */
const assumedChoices = (path: Path): string[] =>
  path.legs
    .flatMap((leg) => [leg, ...(leg.arms ?? [])].flatMap(({ hops }) => hops))
    .flatMap((hop) => hop.steps.flatMap((step) => (step.kind === "choice" && step.assumed !== undefined ? [step.assumed] : [])));

/** From a host name: every outcome of the lookup, and what follows. */
function coursesOf(net: TraceNet, asked: Asked): Course[] {
  const { question } = asked;
  if (question.program === "dig" || question.program === "nslookup") return lookupCourses(net, asked);
  const override = overriddenAddress(asked);
  const host = override?.host ?? asked.host;
  const family = override && override.ip !== "" ? familyOf(override.ip) : question.family;
  if (override?.ip !== undefined && override.ip !== "") {
    const name: NameStep = { host: asked.host, ip: override.ip, how: "resolve-flag", detail: override.detail, cause: 0 };
    return connectTo(net, asked, override.ip, override.port ?? asked.port, name, []);
  }
  const sport = clientPort(asked) + 100;
  return resolveName(net, asked.from, host, family, sport).flatMap((resolution): Course[] => {
    const { result } = resolution;
    if (result.kind !== "found") return [unresolvedCourse(asked, resolution)];
    const connect: Connect = (ip, name, before) => connectTo(net, asked, ip, override?.port ?? asked.port, name, before);
    return withNextAddresses(question, connect, result, resolution.legs).map((course) => ({
      ...course,
      share: timesFraction(resolution.share, course.share),
    }));
  });
}

/** curl's --resolve and --connect-to. An empty ip: only the host and port are replaced. */
function overriddenAddress(
  asked: Asked,
): { readonly ip: Ip; readonly host: string; readonly port: number | undefined; readonly detail: string } | undefined {
  const { http, host, port } = asked;
  const connect = http?.connectTo.find((c) => (c.host === undefined || c.host === host) && (c.port === undefined || c.port === port));
  const target = connect?.toHost ?? host;
  const targetPort = connect?.toPort ?? port;
  const resolve = http?.resolve.find((r) => r.host === target && (r.port === targetPort || targetPort === undefined));
  const ip = resolve?.addresses[0];
  if (ip !== undefined) return { ip, host: target, port: targetPort, detail: "--resolve" };
  return connect ? { ip: "", host: target, port: targetPort, detail: "--connect-to" } : undefined;
}

/** Opens the client's connection, and asks the process that took it. */
function connectTo(net: TraceNet, asked: Asked, ip: Ip, port: number | undefined, name: NameStep, before: readonly Leg[]): Course[] {
  const { question, from } = asked;
  const protocol = protocolFor(question.to.protocol, ip);
  const branches = walkAll(net, from, { protocol, dst: ip, dport: port ?? 0 }, localPort(asked) ?? clientPort(asked) + asked.redirects, {
    ...question,
    ...(asked.before ? { before: asked.before } : {}),
  });
  const to = { host: asked.host, ip, protocol, ...(port === undefined ? {} : { port }) };
  return byProcess(net, asked, branches, port ?? 80).flatMap((group): Course[] => {
    const [first] = group.branches;
    if (!first) return [];
    const base = legOf(net, "transport", from, to, first.value, { name });
    if (!group.decision)
      return group.branches.map((branch) => endCourse(net, branch, [...before, legOf(net, "transport", from, to, branch.value, { name })]));
    const leg = withArms(net, { ...base, proxy: proxyStep(asked, first.value, group.decision) }, group.branches);
    const share = sumFractions(group.branches.map((b) => b.share));
    return afterProcess(net, asked, first.value, group.decision, [...before, leg], (next) => coursesOf(net, next)).map((course) => ({
      ...course,
      share: timesFraction(share, course.share),
    }));
  });
}

/** The port that is asked for. A TCP connection that has ended is not continued: the next one counts as new. */
const localPort = ({ question, round = 0 }: Asked): number | undefined =>
  question.localPort === undefined ? undefined : question.localPort + (question.to.protocol === "tcp" ? round : 0);

const protocolFor = (protocol: Protocol, ip: Ip): Protocol =>
  protocol === "icmp" || protocol === "icmpv6" ? icmpOf(familyOf(ip)) : protocol;
