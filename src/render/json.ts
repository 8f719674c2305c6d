/**
 * A trace for programs: one document, or one path a line. The contract is DESIGN's "Trace JSON", published as
 * schema/trace.schema.json; within one version fields are only added. Absent is omitted, but for `reason`: null.
 */
import type { Journey } from "../linux/step.ts";
import { formatFraction, fractionToNumber } from "../net/fraction.ts";
import type { ClientSees, Destination, Leg, LegArm, NameStep, Party, Path, ProxyStep, Reply, Round, Trace } from "../trace/trace.ts";
import type { RenderContext } from "./context.ts";
import { escapeJson } from "./escape.ts";
import { hopJson, type JsonObject, objectJson, present } from "./json/steps.ts";

export const API_VERSION = "ktrace.dev/v1alpha1";

/** The document as a plain value, for JSON.stringify or a YAML printer. */
export function renderJson(trace: Trace, context: RenderContext): JsonObject {
  const { paths, pathsTotal } = trace;
  return present({
    ...headJson(trace, context, "Trace"),
    paths: paths.map((path) => pathJson(context, path)),
    pathsTotal,
    ...tailJson(trace),
  });
}

/** The document as text, without characters that a terminal would obey. */
export const renderJsonText = (trace: Trace, context: RenderContext): string =>
  `${escapeJson(JSON.stringify(renderJson(trace, context), undefined, 2))}\n`;

/** One `Path` a line, and a `Summary` last. No line ends are in them. */
export function* renderJsonLines(trace: Trace, context: RenderContext): Generator<string> {
  for (const path of trace.paths) yield escapeJson(JSON.stringify({ apiVersion: API_VERSION, kind: "Path", ...pathJson(context, path) }));
  yield escapeJson(JSON.stringify(present({ ...headJson(trace, context, "Summary"), pathsTotal: trace.pathsTotal, ...tailJson(trace) })));
}

function headJson(trace: Trace, context: RenderContext, kind: string) {
  const { request } = trace;
  const { to } = request;
  return {
    apiVersion: API_VERSION,
    kind,
    generator: context.generator && { name: context.generator.name, version: context.generator.version },
    request: present({
      command: request.command,
      program: request.program,
      url: request.url,
      from: partyJson(request.from),
      to: present({ host: to.host, ip: to.ip, port: to.port, protocol: to.protocol.toUpperCase() }),
    }),
    verdict: trace.verdict,
    clientSees: trace.clientSees && clientSeesJson(trace.clientSees),
  };
}

const tailJson = (trace: Trace) => ({
  warnings: trace.warnings,
  assumed: trace.assumed.map(({ what, key }) => present({ what, key })),
});

const partyJson = (party: Party): JsonObject => present({ kind: party.kind, namespace: party.namespace, name: party.name, ip: party.ip });
const clientSeesJson = ({ exitCode, message }: ClientSees): JsonObject => ({ exitCode, message });

function pathJson(context: RenderContext, path: Path): JsonObject {
  return present({
    share: formatFraction(path.share),
    probability: fractionToNumber(path.share),
    verdict: path.verdict,
    reason: path.reason ?? null,
    text: path.text,
    status: path.status,
    clientSees: clientSeesJson(path.clientSees),
    destination: path.destination && destinationJson(path.destination),
    legs: path.legs.map((leg) => legJson(context, leg)),
    again: path.again?.map(roundJson),
  });
}

const roundJson = ({ connection, same, outcomes }: Round): JsonObject => ({
  connection,
  same: formatFraction(same),
  outcomes: outcomes.map(({ share, verdict, reason, destination }) =>
    present({
      share: formatFraction(share),
      probability: fractionToNumber(share),
      verdict,
      reason: reason ?? null,
      destination: destination && destinationJson(destination),
    }),
  ),
});

const destinationJson = (destination: Destination): JsonObject =>
  present({
    kind: destination.kind,
    namespace: destination.namespace,
    name: destination.name,
    node: destination.node,
    ip: destination.ip,
    port: destination.port,
    process: destination.process,
    clientIPSeen: destination.clientIPSeen,
    ttl: destination.ttl,
    assumed: destination.assumed,
  });

function legJson(context: RenderContext, leg: Leg): JsonObject {
  const { to } = leg;
  return present({
    kind: leg.kind,
    from: partyJson(leg.from),
    to: present({ host: to.host, ip: to.ip, port: to.port, protocol: to.protocol.toUpperCase() }),
    name: leg.name && nameJson(context, leg.name),
    query: leg.query && { name: leg.query.name, type: leg.query.type, answer: leg.query.answer },
    destination: leg.destination && destinationJson(leg.destination),
    hops: leg.hops.map((hop) => hopJson(context, hop)),
    proxy: leg.proxy && proxyJson(context, leg.proxy),
    reply: replyJson(context, leg.reply),
    arms: leg.arms?.map((arm) => armJson(context, arm)),
  });
}

function nameJson(context: RenderContext, name: NameStep): JsonObject {
  const tried = name.tried?.map((query) => ({ name: query.name, answer: query.answer }));
  return present({ host: name.host, ip: name.ip, how: name.how, detail: name.detail, tried, object: objectJson(context, name.cause) });
}

function proxyJson(context: RenderContext, proxy: ProxyStep): JsonObject {
  return present({
    process: proxy.process,
    netns: proxy.netns,
    host: proxy.host,
    path: proxy.path,
    rule: proxy.rule,
    status: proxy.status,
    location: proxy.location,
    text: proxy.text,
    object: objectJson(context, proxy.cause),
  });
}

function replyJson(context: RenderContext, reply: Reply): JsonObject {
  return present({
    verdict: reply.verdict,
    reason: reply.reason,
    text: reply.text === "" ? undefined : reply.text,
    hops: reply.hops.map((hop) => hopJson(context, hop)),
    third: reply.third && thirdJson(context, reply.third),
  });
}

const thirdJson = (context: RenderContext, { end, hops }: Journey): JsonObject =>
  present({
    end: end.kind,
    reason: "reason" in end ? end.reason : undefined,
    text: "text" in end ? end.text : undefined,
    hops: hops.map((hop) => hopJson(context, hop)),
  });

const armJson = (context: RenderContext, arm: LegArm): JsonObject =>
  present({
    share: formatFraction(arm.share),
    probability: fractionToNumber(arm.share),
    destination: arm.destination && destinationJson(arm.destination),
    hops: arm.hops.map((hop) => hopJson(context, hop)),
    reply: replyJson(context, arm.reply),
  });
