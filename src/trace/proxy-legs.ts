/** What follows when a process that took a connection opens a new one, or answers by itself. */
import type { Who } from "../apps/apps.ts";
import type {
  HttpRequest,
  ProcessAnswer,
  ProcessDecision,
  ProcessForward,
  ProcessRequest,
  ProcessSilence,
  Upstream,
} from "../apps/process.ts";
import type { Branch, RunState } from "../linux/run.ts";
import { fraction, timesFraction } from "../net/fraction.ts";
import type { Connection } from "./connection.ts";
import { type Asked, type Course, clientPort, endCourse, walkAll } from "./course.ts";
import { remembering, startsOf } from "./kept-clients.ts";
import { destinationOf, legOf } from "./leg.ts";
import type { HttpQuestion } from "./question.ts";
import type { Leg, LegArm, ProxyStep } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

/** curl follows at most 50 redirects; a circle shows long before. */
const MAX_REDIRECTS = 10;

/** Processes that pass a request on in a circle are left alone after so many connections. */
const MAX_LEGS = 8;

/** The source port of a health check's connection; no other connection of a request has it. */
const HEALTH_CHECK_PORT = 61000;

/** Asks the same question again, of another host: a redirect that is followed. */
export type AskAgain = (asked: Asked) => readonly Course[];

export type Group = { readonly branches: readonly Branch<Connection>[]; readonly decision?: ProcessDecision };

/** Branches that one process took in the same way stand together; all others end the request, each for itself. */
export function byProcess(net: TraceNet, asked: Asked, branches: readonly Branch<Connection>[], port: number): Group[] {
  const groups = new Map<string, { branches: Branch<Connection>[]; decision: ProcessDecision }>();
  const order: (string | Branch<Connection>)[] = [];
  for (const branch of branches) {
    const request = requestOf(asked, branch.value, port);
    const decision = request && net.apps.askProcess(request);
    if (!decision || !request) {
      order.push(branch);
      continue;
    }
    const key = asked.apart === true ? `${order.length}` : `${request.owner} ${request.ip} ${request.port} ${request.client}`;
    const group = groups.get(key);
    if (group) group.branches.push(branch);
    else {
      groups.set(key, { branches: [branch], decision });
      order.push(key);
    }
  }
  return order.flatMap((entry): Group[] => {
    if (typeof entry !== "string") return [{ branches: [entry] }];
    const group = groups.get(entry);
    return group ? [group] : [];
  });
}

/** What the process is told that took the connection; undefined when none did. */
function requestOf(asked: Asked, { verdict, socket, arrived }: Connection, port: number): ProcessRequest | undefined {
  if (verdict !== "delivered" || !socket || !arrived) return undefined;
  const http = asked.http && httpRequest(asked.http, asked.host, port);
  return {
    owner: socket.owner,
    process: socket.process,
    protocol: socket.protocol,
    ip: arrived.dst,
    port: socket.port,
    client: arrived.src,
    ...(socket.isDeaf ? { deaf: socket.cause } : {}),
    ...(http ? { http } : {}),
  };
}

const httpRequest = (http: HttpQuestion, host: string, port: number): HttpRequest => ({
  scheme: http.scheme,
  host: http.hostHeader ?? host,
  path: http.path,
  port,
  insecure: http.insecure,
});

export function withArms(net: TraceNet, leg: Leg, branches: readonly Branch<Connection>[]): Leg {
  if (branches.length < 2) return leg;
  const arms = branches.map(({ share, value }): LegArm => {
    const destination = destinationOf(net, value);
    return { share, hops: value.hops, reply: value.reply, ...(destination ? { destination } : {}) };
  });
  return { ...leg, arms };
}

export function proxyStep(asked: Asked, connection: Connection, decision: ProcessDecision): ProxyStep {
  const netns = connection.end.netns;
  const text = decision.kind === "forward" ? decision.rule : decision.text;
  const isHttp = decision.kind === "answer" || (decision.kind === "forward" && decision.layer === "http");
  return {
    process: decision.process,
    netns,
    ...(isHttp ? { host: asked.http?.hostHeader ?? asked.host, path: asked.http?.path ?? "/" } : {}),
    text,
    cause: decision.cause,
    ...(decision.kind === "forward" ? { rule: decision.rule } : {}),
    ...(decision.kind === "answer" && decision.status !== undefined ? { status: decision.status } : {}),
    ...(decision.kind === "answer" && decision.location !== undefined ? { location: decision.location } : {}),
  };
}

export function afterProcess(
  net: TraceNet,
  asked: Asked,
  connection: Connection,
  decision: ProcessDecision,
  legs: readonly Leg[],
  again: AskAgain,
): Course[] {
  if (decision.kind === "forward") return forwardTo(net, asked, connection, decision, legs, again);
  if (decision.kind === "silence") return [silentCourse(net, connection, decision, legs)];
  if (
    decision.reason === "redirected" &&
    asked.http?.follow === true &&
    asked.redirects < MAX_REDIRECTS &&
    decision.location !== undefined
  ) {
    return followRedirect(asked, decision.location, legs, again);
  }
  return [answeredCourse(net, asked, connection, decision, legs)];
}

/** The handshake comes through, and nothing after it. */
function silentCourse(net: TraceNet, connection: Connection, { text }: ProcessSilence, legs: readonly Leg[]): Course {
  const here = destinationOf(net, connection);
  return {
    share: fraction(1, 1),
    legs,
    verdict: "unanswered",
    reason: "not-listening",
    text,
    ending: { errno: "ETIMEDOUT" },
    ...(here ? { destination: here } : {}),
    left: connection.left,
  };
}

function answeredCourse(net: TraceNet, asked: Asked, connection: Connection, decision: ProcessAnswer, legs: readonly Leg[]): Course {
  const here = destinationOf(net, connection);
  const status = decision.status === undefined ? {} : { status: decision.status };
  const good = decision.reason === undefined && (decision.status ?? 200) < 400;
  return {
    share: fraction(1, 1),
    legs,
    verdict: good ? "delivered" : "http-error",
    ...(decision.reason === undefined ? {} : { reason: decision.reason }),
    text: decision.text,
    ending: {
      ...status,
      ...(good ? { who: decision.process } : {}),
      fail: asked.http?.fail ?? false,
      ...(decision.reason === "tls-failed" ? { certificate: "self-signed" as const } : {}),
    },
    ...status,
    ...(here ? { destination: here } : {}),
    left: connection.left,
  };
}

function followRedirect(asked: Asked, location: string, legs: readonly Leg[], again: AskAgain): Course[] {
  const url = new URL(location);
  const scheme = url.protocol === "https:" ? "https" : "http";
  const http = asked.http && ({ ...asked.http, scheme, path: `${url.pathname}${url.search}` } as const);
  const port = url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port);
  const next = again({ ...asked, http, host: url.hostname, port, redirects: asked.redirects + 1 });
  return next.map((course) => ({ ...course, legs: [...legs, ...course.legs] }));
}

/** The process picks one of its upstreams evenly, and tries the next ones when a connection fails. */
function forwardTo(
  net: TraceNet,
  asked: Asked,
  taken: Connection,
  decision: ProcessForward,
  legs: readonly Leg[],
  again: AskAgain,
): Course[] {
  const netns = taken.end.netns;
  const proxy: Who = { ...net.apps.who(taken.socket?.owner ?? netns), netns };
  const opening: Opening = { net, asked, proxy, decision, left: taken.left, again };
  const upstreams = decision.healthCheck === true ? decision.upstreams.filter((one) => isHealthy(opening, one)) : decision.upstreams;
  const n = upstreams.length;
  if (n === 0) return [withoutTarget(opening, taken, legs)];
  const starts = startsOf(upstreams, taken.left, decision);
  return starts.flatMap((start) => {
    const order = Array.from({ length: Math.min(n, decision.tries) }, (_unused, i) => upstreams[(start + i) % n]).filter(
      (u) => u !== undefined,
    );
    return tryUpstreams(opening, order, 0, legs).map((course) => ({
      ...course,
      share: timesFraction(fraction(1, starts.length), course.share),
      left: remembering(course, decision),
    }));
  });
}

/** A process that is about to open connections of its own. */
type Opening = {
  readonly net: TraceNet;
  readonly asked: Asked;
  readonly proxy: Who;
  readonly decision: ProcessForward;
  readonly left: RunState;
  readonly again: AskAgain;
};

const connect = ({ net, proxy, decision, left, asked }: Opening, { ip, port }: Upstream, sport: number): Branch<Connection>[] =>
  walkAll(net, proxy, { protocol: decision.protocol ?? "tcp", dst: ip, dport: port }, sport, {
    ...(decision.bind === undefined ? {} : { sourceAddress: decision.bind }),
    ...(asked.apart === true ? { before: left } : {}),
  });

/** A health check that connects: passed when some connection is accepted, as a probe that fails once is tried again. */
const isHealthy = (opening: Opening, upstream: Upstream): boolean =>
  connect(opening, upstream, HEALTH_CHECK_PORT).some(({ value }) => value.verdict === "delivered");

/** Accepted and closed again: there is nobody to pass the connection on to. */
function withoutTarget({ net, decision, asked }: Opening, taken: Connection, legs: readonly Leg[]): Course {
  const here = destinationOf(net, taken);
  const http = decision.layer === "http";
  const isUdp = decision.protocol === "udp"; // nobody tells a UDP client
  return {
    share: fraction(1, 1),
    legs,
    verdict: http ? "http-error" : isUdp ? "dropped" : "rejected",
    reason: http ? "ingress-no-endpoints" : (decision.emptyReason ?? "load-balancer-no-target"),
    text:
      decision.upstreams.length === 0
        ? decision.emptyReason === undefined
          ? `${decision.process} has no target to send to${decision.leftOut === undefined ? "" : `: ${decision.leftOut}`}`
          : `${decision.process} accepts, but ${decision.service} has no endpoint: it closes the connection`
        : `none of the ${decision.upstreams.length} targets of ${decision.process} passes its health check`,
    ending: http
      ? { status: 503, fail: asked.http?.fail ?? false }
      : isUdp
        ? { errno: "ETIMEDOUT" }
        : { errno: "ECONNREFUSED", accepted: true },
    ...(http ? { status: 503 } : {}),
    ...(here ? { destination: here } : {}),
    left: taken.left,
  };
}

function tryUpstreams(opening: Opening, order: readonly Upstream[], index: number, legs: readonly Leg[]): Course[] {
  const { net, asked, proxy, decision } = opening;
  const upstream = order[index];
  if (!upstream) return [];
  const { ip, port } = upstream;
  const protocol = decision.protocol ?? "tcp";
  const branches = connect(opening, upstream, clientPort(asked) + legs.length + index);
  return branches.flatMap((branch): Course[] => {
    const leg = legOf(net, "transport", proxy, { host: upstream.name ?? decision.service, ip, port, protocol }, branch.value);
    const so = [...legs, leg];
    if (branch.value.verdict === "delivered") return passedOn(opening, branch, legs, leg);
    if (branch.value.verdict === "unknown" || branch.value.verdict === "exits") return [endCourse(net, branch, so)];
    if (order[index + 1])
      return tryUpstreams({ ...opening, left: branch.value.left }, order, index + 1, so).map((course) => ({
        ...course,
        share: timesFraction(branch.share, course.share),
      }));
    return [decision.layer === "http" ? upstreamFailure(net, asked, branch, so) : closedWith(net, branch, so)];
  });
}

/** The upstream may be such a process itself: an ingress controller behind a balancer, kube-proxy in userspace mode. */
function passedOn({ net, asked, again }: Opening, branch: Branch<Connection>, legs: readonly Leg[], leg: Leg): Course[] {
  const request = legs.length < MAX_LEGS ? requestOf(asked, branch.value, leg.to.port ?? 80) : undefined;
  const decision = request && net.apps.askProcess(request);
  if (!decision) return [endCourse(net, branch, [...legs, leg])];
  const taken = { ...leg, proxy: proxyStep(asked, branch.value, decision) };
  return afterProcess(net, asked, branch.value, decision, [...legs, taken], again).map((course) => ({
    ...course,
    share: timesFraction(branch.share, course.share),
  }));
}

/** Without a word of its own the proxy closes the client's connection: it ends as the upstream's did. */
function closedWith(net: TraceNet, branch: Branch<Connection>, legs: readonly Leg[]): Course {
  const course = endCourse(net, branch, legs);
  return {
    ...course,
    text: `the proxy accepts, but its own connection fails: ${course.text}`,
    ending: { ...course.ending, accepted: true },
  };
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
    left: branch.value.left,
  };
}
