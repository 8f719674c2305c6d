/**
 * The same packet through the predicted world and through the one in which the node is as it was captured, side by side: the
 * first point at which both ways part, and which difference of the state is to blame. Rules that both have, and foreign ones
 * without effect, are no events; so a harmless rule more or less parts nothing.
 */
import { printRoute } from "../dialects/ip-route.ts";
import { printRule } from "../dialects/iptables/print-rule.ts";
import { printNftRef } from "../dialects/nft/print-rule.ts";
import type { Netns, NetnsId, World } from "../linux/netns.ts";
import { createRun } from "../linux/run.ts";
import type { Hop, RuleRef, Step } from "../linux/step.ts";
import { formatFraction } from "../net/fraction.ts";
import { formatSocket } from "../net/packet.ts";
import type { Question } from "../trace/question.ts";
import type { Path, Trace } from "../trace/trace.ts";
import type { TraceNet } from "../trace/trace-net.ts";
import { traceRequest } from "../trace/trace-request.ts";
import { bareText } from "./compare-iptables.ts";
import { bareNft, memberKey } from "./compare-nft.ts";
import { fdbKey, neighbourKey, routeKey } from "./compare-routes.ts";
import { type Difference, type Foreign, ruleKey } from "./difference.ts";

/** The world with one network stack as it was captured. */
export const worldWith = (world: World, captured: Netns): World => ({
  ...world,
  netns: (id) => (id === captured.id ? captured : world.netns(id)),
});

export const netOf = (world: World, apps: TraceNet["apps"]): TraceNet => ({
  world,
  apps,
  startRun: (choose, before) => createRun(world, choose, before ? { before } : {}),
});

/** Something that both ways have in common or not. `keys`: the parts of the state it comes from. */
type Event = { readonly text: string; readonly keys: readonly string[]; readonly blame?: RuleRef; readonly policyOf?: string };

export type Parting = {
  readonly predicted: Trace;
  readonly captured: Trace;
  /** undefined: both ways are the same. */
  readonly first?: Difference;
  /** Differences that the packet meets on either way. */
  readonly met: readonly Difference[];
};

/** Asks both worlds. */
export function compareWalks(
  question: Question,
  before: TraceNet,
  after: TraceNet,
  node: NetnsId,
  state: { readonly differences: readonly Difference[]; readonly foreign: readonly Foreign[] },
): Parting {
  const [predicted, captured] = [traceRequest(before, question), traceRequest(after, question)];
  const told = new Set(state.differences.flatMap(({ keys }) => keys));
  const [a, b] = [predicted, captured].map((trace) => trace.paths.map((path) => eventsOf(path, node, told)));
  const keys = new Set([...(a ?? []), ...(b ?? [])].flat().flatMap((event) => event.keys));
  const met = state.differences.filter((difference) => difference.keys.some((key) => keys.has(key)));
  const parting = firstParting(a ?? [], b ?? []);
  const first = parting ? blame(parting, state, node) : sharesDiffer(predicted, captured, met);
  return { predicted, captured, ...(first ? { first } : {}), met };
}

function eventsOf(path: Path, node: NetnsId, told: ReadonlySet<string>): Event[] {
  const ways = path.legs.flatMap(({ hops, reply }) => [...hops, ...reply.hops, ...(reply.third?.hops ?? [])]);
  const end: Event = { text: `the end: ${path.verdict}${path.reason === undefined ? "" : ` (${path.reason})`}`, keys: [] };
  return [...ways.flatMap((hop) => hopEvents(hop, node, told)), end];
}

function hopEvents(hop: Hop, node: NetnsId, told: ReadonlySet<string>): Event[] {
  const here = hop.netns === node;
  const steps = hop.steps.flatMap((step) =>
    stepEvents(step, here).filter((event) => event.text !== "" || event.keys.some((key) => told.has(key))),
  );
  return [{ text: `it comes to ${hop.netns}${hop.in === undefined ? "" : ` ${hop.in}`}`, keys: [] }, ...steps];
}

/** A rule is an event only where the two states differ in it: its text is empty, so that others vanish. */
function stepEvents(step: Step, here: boolean): Event[] {
  switch (step.kind) {
    case "rule":
      return here ? [{ text: "", keys: [refKey(step.ref), ...memberKeys(step.ref)], blame: step.ref }] : [];
    case "nat": {
      const because = here ? step.because.at(-1) : undefined;
      return [
        {
          text: `${step.hook}: ${step.manip} ${formatSocket(step.before.ip, step.before.port)} -> ${formatSocket(step.after.ip, step.after.port)}`,
          keys: here ? step.because.map(refKey) : [],
          ...(because ? { blame: because } : {}),
        },
      ];
    }
    case "route":
      return [
        {
          text: `route for ${step.dst}: ${step.local ? "itself" : printRoute(undefined, { ...step.route, proto: "boot" })}`,
          keys: here ? [routeKey(step.route)] : [],
        },
      ];
    case "neighbour":
      return [{ text: `neighbour ${step.ip} ${step.mac}`, keys: here ? [neighbourKey(step.ip, step.dev)] : [] }];
    case "encap":
      return [{ text: `into the tunnel ${step.dev} to ${step.outer.dst}`, keys: here ? [fdbKey(step.fdb)] : [] }];
    case "accept":
      return [{ text: `taken by ${step.socket.process} of ${step.socket.owner}`, keys: [] }];
    case "drop": {
      const policyOf = /the policy of (\S+) is DROP/.exec(step.text)?.[1];
      return [
        {
          text: `dropped (${step.reason}): ${step.text}`,
          keys: [],
          ...(step.because && here ? { blame: step.because } : {}),
          ...(policyOf === undefined || !here ? {} : { policyOf }),
        },
      ];
    }
    case "answer":
      return [{ text: `refused: ${step.packet.segment.kind}`, keys: [], ...(step.because && here ? { blame: step.because } : {}) }];
    case "bridge":
      return [{ text: `bridge ${step.bridge}: ${step.why}`, keys: [] }];
    case "decap":
      return [{ text: `out of the tunnel ${step.dev}`, keys: [] }];
    case "note":
      return step.text.startsWith("cannot be decided") ? [{ text: step.text, keys: [] }] : [];
    default:
      return [];
  }
}

export const refKey = (ref: RuleRef): string =>
  ref.nft
    ? ruleKey(ref.family, ref.table, ref.chain, bareNft(ref.rule))
    : ruleKey(ref.family, ref.table, ref.chain, bareText(ref.rule, ref.chain, ref.family));
const memberKeys = (ref: RuleRef): string[] => (ref.nft && ref.element ? [memberKey(ref.element.set, ref.element.element)] : []);
export const refText = (ref: RuleRef): string => (ref.nft ? printNftRef(ref) : printRule(ref.rule, ref.chain, ref.family));

type Divergence = { readonly at: number; readonly predicted?: Event; readonly captured?: Event };

/** Each way against the nearest of the other world; the earliest point at which one has no like. */
function firstParting(predicted: readonly (readonly Event[])[], captured: readonly (readonly Event[])[]): Divergence | undefined {
  const lone = (
    ways: readonly (readonly Event[])[],
    others: readonly (readonly Event[])[],
  ): { readonly at: number; readonly way: readonly Event[]; readonly other: readonly Event[] }[] =>
    ways.flatMap((way) => {
      const nearest = others.map((other) => ({ at: commonLength(way, other), way, other })).sort((x, y) => y.at - x.at)[0];
      if (!nearest) return [{ at: 0, way, other: [] }];
      return nearest.at === way.length && nearest.at === nearest.other.length ? [] : [nearest];
    });
  const all: Divergence[] = [
    ...lone(predicted, captured).map(({ at, way, other }) => divergence(at, way[at], other[at])),
    ...lone(captured, predicted).map(({ at, way, other }) => divergence(at, other[at], way[at])),
  ];
  return all.sort((x, y) => x.at - y.at)[0];
}

const divergence = (at: number, predicted: Event | undefined, captured: Event | undefined): Divergence => ({
  at,
  ...(predicted ? { predicted } : {}),
  ...(captured ? { captured } : {}),
});

const idOf = ({ text, keys }: Event): string => (text === "" ? keys.join() : text);
function commonLength(a: readonly Event[], b: readonly Event[]): number {
  const at = a.findIndex((event, i) => {
    const other = b[i];
    return !other || idOf(event) !== idOf(other);
  });
  return at < 0 ? a.length : at;
}

/** Which difference of the state made the ways part. */
function blame(
  { predicted, captured }: Divergence,
  { differences, foreign }: { readonly differences: readonly Difference[]; readonly foreign: readonly Foreign[] },
  node: NetnsId,
): Difference {
  const byKey = (event: Event | undefined): Difference | undefined =>
    event && differences.find(({ keys }) => event.keys.some((key) => keys.includes(key)));
  const policy = captured?.policyOf ?? predicted?.policyOf;
  const known =
    byKey(predicted) ??
    byKey(captured) ??
    differences.find(({ area, where }) => policy !== undefined && area === "policy" && where.endsWith(` ${policy}`)) ??
    ruleNear(predicted?.blame ?? captured?.blame, differences);
  if (known) return known;
  const texts = {
    ...(predicted ? { predicted: textOf(predicted) } : {}),
    ...(captured ? { found: textOf(captured) } : {}),
  };
  const rule = captured?.blame;
  const owner = rule && foreign.find(({ keys }) => keys.includes(refKey(rule)));
  if (rule && owner)
    return {
      area: "rule",
      kind: "unexpected",
      where: owner.where,
      ...texts,
      found: refText(rule),
      likely: `${owner.owner ?? "a program that is no part of the prediction"} put this rule there, and it decides what becomes of the packet`,
      keys: owner.keys,
    };
  return { area: "packet", kind: "changed", where: node, ...texts, likely: nearby(differences), keys: [] };
}

const textOf = (event: Event): string => (event.text === "" && event.blame ? refText(event.blame) : event.text);

const nearby = (differences: readonly Difference[]): string =>
  differences.length === 0
    ? "the captures hold no difference that explains it"
    : `one of the ${differences.length} differences of the captures leads to it; without --to all are listed`;

/** The difference in the chain of a rule that decided: a rule before it was missing, or one too many. */
function ruleNear(ref: RuleRef | undefined, differences: readonly Difference[]): Difference | undefined {
  if (!ref) return undefined;
  return differences.find(({ area, where }) => (area === "rule" || area === "chain") && where.endsWith(`${ref.table} ${ref.chain}`));
}

/** The same ways, taken with other shares. */
function sharesDiffer(predicted: Trace, captured: Trace, met: readonly Difference[]): Difference | undefined {
  const sharesOf = ({ paths }: Trace): string =>
    paths
      .map(({ share, destination }) => `${destination?.ip ?? ""}:${destination?.port ?? ""} ${formatFraction(share)}`)
      .sort()
      .join(", ");
  const [a, b] = [sharesOf(predicted), sharesOf(captured)];
  if (a === b) return undefined;
  const likely = "the rules that choose an endpoint give other shares";
  return met[0] ?? { area: "packet", kind: "changed", where: "the choice of an endpoint", predicted: a, found: b, likely, keys: [] };
}
