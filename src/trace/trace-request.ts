/**
 * A question walked to its answer: names, then one connection after another for as long as proxies open new ones. What the
 * next leg can depend on is a key (which proxy process took the request); arms with one key share one walk, so that
 * replicas which behave alike do not multiply the paths.
 */
import type { Who } from "../apps/apps.ts";
import type { HttpRequest, ProxyDecision, Upstream } from "../apps/ingress.ts";
import type { Reason } from "../linux/reason.ts";
import { type Branch, explore } from "../linux/run.ts";
import { type Family, familyOf, type Ip } from "../net/address.ts";
import { type Fraction, fraction, sumFractions, timesFraction } from "../net/fraction.ts";
import { icmpOf, type Protocol } from "../net/packet.ts";
import { clientSees, type Ending } from "./client-sees.ts";
import { type Connection, walkConnection } from "./connection.ts";
import { destinationOf, legOf, partyOf } from "./leg.ts";
import type { HttpQuestion, Question } from "./question.ts";
import { resolveName } from "./resolve-name.ts";
import type { Destination, Leg, LegArm, NameStep, Path, ProxyStep, Trace, Verdict } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

/** Beyond this many paths the list is cut; `pathsTotal` says how many there are. */
const MAX_PATHS = 1000;
/** The client's own port of the first connection; each later one of a request takes the next. First of the IANA dynamic range. */
const FIRST_CLIENT_PORT = 49152;
/** nginx tries at most this many upstreams (proxy_next_upstream_tries of ingress-nginx). */
const UPSTREAM_TRIES = 3;
/** curl follows at most 50 redirects; a circle shows long before. */
const MAX_REDIRECTS = 10;

/** One course from here to the end, before it is made a Path. */
type Course = {
  readonly share: Fraction;
  readonly legs: readonly Leg[];
  readonly verdict: Verdict;
  readonly reason?: Reason;
  readonly text: string;
  readonly destination?: Destination;
  readonly ending: Omit<Ending, "host" | "port" | "protocol" | "verdict" | "reason">;
  readonly status?: number;
};

type Asked = {
  readonly question: Question;
  readonly from: Who;
  readonly http: HttpQuestion | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly redirects: number;
};

/** Answers a question. Throws UsageError when the source does not exist. */
export function traceRequest(net: TraceNet, question: Question): Trace {
  const from = net.apps.source(question.from, question.namespace);
  const courses = coursesOf(net, { question, from, http: question.http, host: question.to.host, port: question.to.port, redirects: 0 });
  const paths = courses.map((course) => pathOf(question, course));
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

/** Listeners that nothing in the input states are assumed: said once. */
function assumptionsOf(paths: readonly Path[]): Trace["assumed"] {
  const assumed = paths.some((path) => path.destination?.assumed === true);
  return assumed ? [{ what: "the pods listen on the Service's targetPort: their containers declare no port", key: "pods[].listens" }] : [];
}

/** From a host name: every outcome of the lookup, and what follows. */
function coursesOf(net: TraceNet, asked: Asked): Course[] {
  const { question } = asked;
  const override = overriddenAddress(asked);
  const host = override?.host ?? asked.host;
  const family = override ? familyOf(override.ip) : (question.family ?? familyOfHost(host));
  if (override?.ip !== undefined && override.ip !== "") {
    const name: NameStep = { host: asked.host, ip: override.ip, how: "resolve-flag", detail: override.detail, cause: 0 };
    return connectTo(net, asked, override.ip, override.port ?? asked.port, name, []);
  }
  const sport = FIRST_CLIENT_PORT + 100;
  return resolveName(net, asked.from, host, family, sport).flatMap((resolution): Course[] => {
    const { result } = resolution;
    if (result.kind === "found")
      return connectTo(net, asked, result.ip, override?.port ?? asked.port, result.name, resolution.legs).map((course) => ({
        ...course,
        share: timesFraction(resolution.share, course.share),
      }));
    const leg = nameOnlyLeg(asked, result.name);
    const legs = [...resolution.legs, ...(resolution.legs.length === 0 ? [leg] : [])];
    const at = {
      share: resolution.share,
      legs: legs.map((l, i) => (i === legs.length - 1 ? { ...l, name: result.name } : l)),
      text: result.text,
      ending: {},
    };
    return result.kind === "unknown"
      ? [{ ...at, verdict: "unknown", reason: "not-modelled" }]
      : [{ ...at, verdict: "unresolved", reason: result.reason }];
  });
}

/** A bare IPv6 address asks for IPv6; every name is tried as IPv4 first. */
const familyOfHost = (host: string): Family => (host.replace(/^\[|\]$/g, "").includes(":") ? 6 : 4);

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

function nameOnlyLeg(asked: Asked, name: NameStep): Leg {
  return {
    kind: "transport",
    from: partyOf(asked.from),
    to: { host: asked.host, protocol: asked.question.to.protocol },
    name,
    hops: [],
    reply: { verdict: "none", hops: [] },
  };
}

/** Opens the client's connection, and asks the process that took it. */
function connectTo(net: TraceNet, asked: Asked, ip: Ip, port: number | undefined, name: NameStep, before: readonly Leg[]): Course[] {
  const { question, from } = asked;
  const protocol = protocolFor(question.to.protocol, ip);
  const branches = walkAll(
    net,
    from,
    { protocol, dst: ip, dport: port ?? 0 },
    question.localPort ?? FIRST_CLIENT_PORT + asked.redirects,
    question,
  );
  const to = { host: asked.host, ip, protocol, ...(port === undefined ? {} : { port }) };
  return byProxy(net, asked, branches, port ?? 80).flatMap((group): Course[] => {
    const [first] = group.branches;
    if (!first) return [];
    const base = legOf(net, "transport", from, to, first.value, { name });
    if (!group.decision)
      return group.branches.map((branch) => endCourse(net, branch, [...before, legOf(net, "transport", from, to, branch.value, { name })]));
    const leg = withArms(net, { ...base, proxy: proxyStep(asked, first.value, group.decision) }, group.branches);
    const share = sumFractions(group.branches.map((b) => b.share));
    return afterProxy(net, asked, first.value, group.decision, [...before, leg]).map((course) => ({
      ...course,
      share: timesFraction(share, course.share),
    }));
  });
}

const protocolFor = (protocol: Protocol, ip: Ip): Protocol =>
  protocol === "icmp" || protocol === "icmpv6" ? icmpOf(familyOf(ip)) : protocol;

function walkAll(
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

type Group = { readonly branches: readonly Branch<Connection>[]; readonly decision?: ProxyDecision };

/** Branches that one proxy process took stand together; all others end the request, each for itself. */
function byProxy(net: TraceNet, asked: Asked, branches: readonly Branch<Connection>[], port: number): Group[] {
  const groups = new Map<string, { branches: Branch<Connection>[]; decision: ProxyDecision }>();
  const order: (string | Branch<Connection>)[] = [];
  for (const branch of branches) {
    const owner = branch.value.verdict === "delivered" ? branch.value.socket?.owner : undefined;
    const decision = owner === undefined || !asked.http ? undefined : net.apps.askProxy(owner, httpRequest(asked.http, asked.host, port));
    if (!decision || owner === undefined) {
      order.push(branch);
      continue;
    }
    const group = groups.get(owner);
    if (group) group.branches.push(branch);
    else {
      groups.set(owner, { branches: [branch], decision });
      order.push(owner);
    }
  }
  return order.flatMap((entry): Group[] => {
    if (typeof entry !== "string") return [{ branches: [entry] }];
    const group = groups.get(entry);
    return group ? [group] : [];
  });
}

const httpRequest = (http: HttpQuestion, host: string, port: number): HttpRequest => ({
  scheme: http.scheme,
  host: http.hostHeader ?? host,
  path: http.path,
  port,
  insecure: http.insecure,
});

function withArms(net: TraceNet, leg: Leg, branches: readonly Branch<Connection>[]): Leg {
  if (branches.length < 2) return leg;
  const arms = branches.map(({ share, value }): LegArm => {
    const destination = destinationOf(net, value);
    return { share, hops: value.hops, reply: value.reply, ...(destination ? { destination } : {}) };
  });
  return { ...leg, arms };
}

function proxyStep(asked: Asked, connection: Connection, decision: ProxyDecision): ProxyStep {
  const netns = connection.end.netns;
  const text = decision.kind === "forward" ? decision.rule : decision.text;
  return {
    process: decision.process,
    netns,
    host: asked.http?.hostHeader ?? asked.host,
    path: asked.http?.path ?? "/",
    text,
    cause: decision.cause,
    ...(decision.kind === "forward" ? { rule: decision.rule } : {}),
    ...(decision.kind === "answer" && decision.status !== undefined ? { status: decision.status } : {}),
    ...(decision.kind === "answer" && decision.location !== undefined ? { location: decision.location } : {}),
  };
}

function afterProxy(net: TraceNet, asked: Asked, connection: Connection, decision: ProxyDecision, legs: readonly Leg[]): Course[] {
  const here = destinationOf(net, connection);
  if (decision.kind === "forward") return forwardTo(net, asked, connection, decision, legs);
  if (
    decision.reason === "redirected" &&
    asked.http?.follow === true &&
    asked.redirects < MAX_REDIRECTS &&
    decision.location !== undefined
  ) {
    return followRedirect(net, asked, decision.location, legs);
  }
  const status = decision.status === undefined ? {} : { status: decision.status };
  return [
    {
      share: fraction(1, 1),
      legs,
      verdict: "http-error",
      reason: decision.reason,
      text: decision.text,
      ending: {
        ...status,
        fail: asked.http?.fail ?? false,
        ...(decision.reason === "tls-failed" ? { certificate: "self-signed" as const } : {}),
      },
      ...status,
      ...(here ? { destination: here } : {}),
    },
  ];
}

function followRedirect(net: TraceNet, asked: Asked, location: string, legs: readonly Leg[]): Course[] {
  const url = new URL(location);
  const scheme = url.protocol === "https:" ? "https" : "http";
  const http = asked.http && ({ ...asked.http, scheme, path: `${url.pathname}${url.search}` } as const);
  const port = url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port);
  const next = coursesOf(net, { ...asked, http, host: url.hostname, port, redirects: asked.redirects + 1 });
  return next.map((course) => ({ ...course, legs: [...legs, ...course.legs] }));
}

/** The proxy picks one of its upstreams evenly, and tries the next ones when a connection fails. */
function forwardTo(
  net: TraceNet,
  asked: Asked,
  taken: Connection,
  decision: ProxyDecision & { kind: "forward" },
  legs: readonly Leg[],
): Course[] {
  const netns = taken.end.netns;
  const proxy: Who = { ...net.apps.who(taken.socket?.owner ?? netns), netns };
  const n = decision.upstreams.length;
  return decision.upstreams.flatMap((_, start) => {
    const order = Array.from({ length: Math.min(n, UPSTREAM_TRIES) }, (_unused, i) => decision.upstreams[(start + i) % n]).filter(
      (u) => u !== undefined,
    );
    return tryUpstreams(net, asked, proxy, decision, order, 0, legs).map((course) => ({
      ...course,
      share: timesFraction(fraction(1, n), course.share),
    }));
  });
}

function tryUpstreams(
  net: TraceNet,
  asked: Asked,
  proxy: Who,
  decision: ProxyDecision & { kind: "forward" },
  order: readonly Upstream[],
  index: number,
  legs: readonly Leg[],
): Course[] {
  const upstream = order[index];
  if (!upstream) return [];
  const branches = walkAll(
    net,
    proxy,
    { protocol: "tcp", dst: upstream.ip, dport: upstream.port },
    FIRST_CLIENT_PORT + legs.length + index,
  );
  return branches.flatMap((branch): Course[] => {
    const leg = legOf(
      net,
      "transport",
      proxy,
      { host: decision.service, ip: upstream.ip, port: upstream.port, protocol: "tcp" },
      branch.value,
    );
    const so = [...legs, leg];
    if (branch.value.verdict === "delivered" || branch.value.verdict === "unknown" || branch.value.verdict === "exits")
      return [endCourse(net, branch, so)];
    if (order[index + 1])
      return tryUpstreams(net, asked, proxy, decision, order, index + 1, so).map((course) => ({
        ...course,
        share: timesFraction(branch.share, course.share),
      }));
    return [upstreamFailure(net, asked, branch, so)];
  });
}

/** nginx answers 502 when the upstream refuses and 504 when it keeps silent. */
function upstreamFailure(net: TraceNet, asked: Asked, branch: Branch<Connection>, legs: readonly Leg[]): Course {
  const silent = branch.value.verdict === "dropped" || branch.value.verdict === "unanswered";
  const status = silent ? 504 : 502;
  const destination = destinationOf(net, branch.value);
  return {
    share: branch.share,
    legs,
    verdict: "http-error",
    reason: silent ? "upstream-timeout" : "upstream-failed",
    text: `the proxy's connection to its upstream fails: ${branch.value.text}`,
    ending: { status, fail: asked.http?.fail ?? false },
    status,
    ...(destination ? { destination } : {}),
  };
}

function endCourse(net: TraceNet, branch: Branch<Connection>, legs: readonly Leg[]): Course {
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
