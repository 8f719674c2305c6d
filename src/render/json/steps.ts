/** Steps, packets and rules in the machine form (DESIGN, Trace JSON). Names are the contract's; fields only get added. */
import type { Route } from "../../linux/netns.ts";
import type { Address, Hop, RuleRef, RuleVisit, Step } from "../../linux/step.ts";
import { formatCidr } from "../../net/address.ts";
import type { CauseId } from "../../net/cause.ts";
import { formatFraction, fractionToNumber } from "../../net/fraction.ts";
import { formatSocket, type Packet } from "../../net/packet.ts";
import type { RenderContext } from "../context.ts";
import { failedPart } from "../rule-words.ts";
import { whyNot } from "../why-not.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** The object without its absent fields, in the order written. */
export function present(fields: { readonly [key: string]: Json | undefined }): JsonObject {
  const kept: [string, Json][] = [];
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) kept.push([key, value]);
  return Object.fromEntries(kept);
}

export function hopJson(context: RenderContext, hop: Hop): JsonObject {
  return present({
    netns: hop.netns,
    in: hop.in,
    out: hop.out,
    packetIn: packetJson(hop.packetIn),
    packetOut: hop.packetOut && packetJson(hop.packetOut),
    outer: hop.outer && packetJson(hop.outer),
    steps: hop.steps.map((step) => stepJson(context, step)),
    seen: hop.seen.map((seen) =>
      present({
        device: seen.dev,
        direction: seen.direction,
        packet: packetJson(seen.packet),
        outer: seen.outer && packetJson(seen.outer),
      }),
    ),
  });
}

/** An echo has an id where TCP and UDP have ports; an error has what it quotes. */
export function packetJson(packet: Packet): JsonObject {
  const { segment } = packet;
  const isEcho = segment.kind === "echo-request" || segment.kind === "echo-reply";
  const isError = segment.kind === "icmp-error";
  const ports = isEcho || isError ? {} : { sport: packet.sport };
  return present({
    src: packet.src,
    ...ports,
    dst: packet.dst,
    ...(isEcho || isError ? {} : { dport: packet.dport }),
    protocol: packet.protocol.toUpperCase(),
    ttl: packet.ttl,
    segment: segment.kind,
    id: isEcho ? packet.sport : undefined,
    icmp: isError ? { type: segment.type, code: segment.code, quoted: packetJson(segment.quoted) } : undefined,
    vni: packet.inner?.vni,
  });
}

/** `{kind, namespace, name, at}`, or nothing where no object of the input is behind it. */
export function objectJson(context: RenderContext, id: CauseId): JsonObject | undefined {
  const view = context.cause(id);
  if (view?.object === undefined) return undefined;
  return present({ kind: view.object.kind, namespace: view.object.namespace, name: view.object.name, at: view.place });
}

export function ruleJson(context: RenderContext, ref: RuleRef): JsonObject {
  return present({
    kind: "rule",
    table: ref.table,
    chain: ref.chain,
    position: ref.position + 1,
    text: context.ruleText(ref),
    object: objectJson(context, ref.rule.cause),
  });
}

function visitJson(context: RenderContext, visit: RuleVisit): JsonObject {
  const failed = failedPart(visit, visit.failedMatch);
  return present({ position: visit.position + 1, text: context.ruleText(visit), matched: visit.matched, why: failed && whyNot(failed) });
}

const routeJson = (context: RenderContext, route: Route): JsonObject =>
  present({
    text: context.routeText(route),
    type: route.type,
    to: formatCidr(route.to),
    via: route.via,
    dev: route.dev,
    assumed: route.assumed,
  });

const addressJson = ({ ip, port }: Address): string => (port === 0 ? ip : formatSocket(ip, port));

function stepJson(context: RenderContext, step: Step): JsonObject {
  switch (step.kind) {
    case "send":
      return { kind: step.kind, origin: step.origin };
    case "conntrack":
      return { kind: step.kind, state: step.state };
    case "chain":
      return {
        kind: step.kind,
        hook: step.hook,
        table: step.table,
        chain: step.chain,
        verdict: step.verdict,
        visits: step.visits.map((visit) => visitJson(context, visit)),
        skipped: step.skipped,
      };
    case "rule":
      return { kind: step.kind, hook: step.hook, because: [ruleJson(context, step.ref)] };
    case "choice":
      return present({
        kind: step.kind,
        hook: step.hook,
        share: formatFraction(step.share),
        probability: fractionToNumber(step.share),
        because: step.ref && [ruleJson(context, step.ref)],
      });
    case "nat":
      return present({
        kind: step.kind,
        hook: step.hook,
        manip: step.manip,
        before: addressJson(step.before),
        after: addressJson(step.after),
        because: step.because.map((ref) => ruleJson(context, ref)),
        object: objectJson(context, step.cause) ?? firstObject(context, step.because),
        reverse: step.reverse,
      });
    case "mark":
      return { kind: step.kind, hook: step.hook, mark: `0x${step.mark.toString(16)}`, because: [ruleJson(context, step.ref)] };
    case "route":
      return present({
        kind: step.kind,
        why: step.why,
        dst: step.dst,
        local: step.local,
        route: routeJson(context, step.route),
        source: step.source,
        object: objectJson(context, step.route.cause),
      });
    case "ttl":
      return { kind: step.kind, before: step.before, after: step.after };
    case "neighbour":
      return present({ kind: step.kind, ip: step.ip, mac: step.mac, dev: step.dev, permanent: step.entry !== undefined });
    case "bridge":
      return { kind: step.kind, bridge: step.bridge, in: step.in, out: step.out, why: step.why };
    case "encap":
      return {
        kind: step.kind,
        dev: step.dev,
        vni: step.vni,
        outer: packetJson(step.outer),
        fdb: { mac: step.fdb.mac, dev: step.fdb.dev, dst: step.fdb.dst },
      };
    case "decap":
      return { kind: step.kind, dev: step.dev };
    case "accept": {
      const { socket } = step;
      const listens = { protocol: socket.protocol.toUpperCase(), ip: socket.ip, port: socket.port, process: socket.process };
      return present({ kind: step.kind, socket: listens, assumed: socket.assumed, object: objectJson(context, socket.cause) });
    }
    case "answer":
      return present({ kind: step.kind, packet: packetJson(step.packet), because: step.because && [ruleJson(context, step.because)] });
    case "drop":
      return present({
        kind: step.kind,
        reason: step.reason,
        text: step.text,
        because: step.because && [ruleJson(context, step.because)],
        object: step.because && objectJson(context, step.because.rule.cause),
      });
    case "note":
      return { kind: step.kind, text: step.text };
    default:
      return step satisfies never;
  }
}

const firstObject = (context: RenderContext, refs: readonly RuleRef[]): JsonObject | undefined => {
  for (const ref of refs) {
    const object = objectJson(context, ref.rule.cause);
    if (object) return object;
  }
  return undefined;
};
