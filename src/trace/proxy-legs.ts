/** What follows when a process that took a connection opens a new one, or answers by itself. */
import type { Who } from "../apps/apps.ts";
import type { HttpRequest, ProxyDecision, Upstream } from "../apps/ingress.ts";
import type { Branch } from "../linux/run.ts";
import { fraction, timesFraction } from "../net/fraction.ts";
import type { Connection } from "./connection.ts";
import { type Asked, type Course, endCourse, FIRST_CLIENT_PORT, walkAll } from "./course.ts";
import { destinationOf, legOf } from "./leg.ts";
import type { HttpQuestion } from "./question.ts";
import type { Leg, LegArm, ProxyStep } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

/** nginx tries at most this many upstreams (proxy_next_upstream_tries of ingress-nginx). */
const UPSTREAM_TRIES = 3;
/** curl follows at most 50 redirects; a circle shows long before. */
const MAX_REDIRECTS = 10;

/** Asks the same question again, of another host: a redirect that is followed. */
export type AskAgain = (asked: Asked) => readonly Course[];

export type Group = { readonly branches: readonly Branch<Connection>[]; readonly decision?: ProxyDecision };

/** Branches that one proxy process took stand together; all others end the request, each for itself. */
export function byProxy(net: TraceNet, asked: Asked, branches: readonly Branch<Connection>[], port: number): Group[] {
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

export function withArms(net: TraceNet, leg: Leg, branches: readonly Branch<Connection>[]): Leg {
  if (branches.length < 2) return leg;
  const arms = branches.map(({ share, value }): LegArm => {
    const destination = destinationOf(net, value);
    return { share, hops: value.hops, reply: value.reply, ...(destination ? { destination } : {}) };
  });
  return { ...leg, arms };
}

export function proxyStep(asked: Asked, connection: Connection, decision: ProxyDecision): ProxyStep {
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

export function afterProxy(
  net: TraceNet,
  asked: Asked,
  connection: Connection,
  decision: ProxyDecision,
  legs: readonly Leg[],
  again: AskAgain,
): Course[] {
  const here = destinationOf(net, connection);
  if (decision.kind === "forward") return forwardTo(net, asked, connection, decision, legs);
  if (
    decision.reason === "redirected" &&
    asked.http?.follow === true &&
    asked.redirects < MAX_REDIRECTS &&
    decision.location !== undefined
  ) {
    return followRedirect(asked, decision.location, legs, again);
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

function followRedirect(asked: Asked, location: string, legs: readonly Leg[], again: AskAgain): Course[] {
  const url = new URL(location);
  const scheme = url.protocol === "https:" ? "https" : "http";
  const http = asked.http && ({ ...asked.http, scheme, path: `${url.pathname}${url.search}` } as const);
  const port = url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port);
  const next = again({ ...asked, http, host: url.hostname, port, redirects: asked.redirects + 1 });
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
