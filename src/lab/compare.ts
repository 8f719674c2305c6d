/**
 * The judge: what the tracer predicted of a flow against what the kernel did, packet for packet. A port that the kernel drew
 * at random is a symbol in the prediction; it must be the same number wherever the symbol stands.
 */
import type { ConntrackEntry } from "../linux/conntrack.ts";
import type { Step } from "../linux/step.ts";
import { formatSocket, type Packet, type Port } from "../net/packet.ts";
import type { Sighting } from "./capture.ts";
import { isAnswer, isForward } from "./flow.ts";
import type { Observation } from "./observe.ts";
import type { Predicted, PredictedRule, SeenThere } from "./predict.ts";
import { ROUTER_ID } from "./router.ts";
import { showSighting } from "./show.ts";
import type { CtEntry, RuleHit } from "./tables.ts";

/** One point on which both disagree. */
export type Difference = {
  readonly about: "request" | "reply" | "third" | "aftermath" | "conntrack" | "client" | "server" | "rules";
  readonly text: string;
};

/** The course that the kernel took, and how it differs from it. `courses`: the predicted ones that agree on everything. */
export type Judgement = {
  readonly differences: readonly Difference[];
  readonly courses: readonly number[];
  readonly nearest: Predicted | undefined;
};

/** Holds one observed flow against all its predicted courses. It agrees when it is one of them. */
export function judgeFlow(predicted: readonly Predicted[], observed: Observation): Judgement {
  const all = predicted.map((course) => differencesOf(course, observed));
  const courses = all.flatMap((differences, i) => (differences.length === 0 ? [i] : []));
  const best =
    courses[0] ??
    all
      .map((differences, i) => ({ i, agreed: agreedLength(predicted[i], observed), count: differences.length }))
      .sort((a, b) => b.agreed - a.agreed || a.count - b.count)[0]?.i ??
    -1;
  return { differences: all[best] ?? [{ about: "request", text: "nothing was predicted" }], courses, nearest: predicted[best] };
}

/** Symbols of the prediction and the numbers they turned out to be. */
type Bindings = Map<string, Port>;

const samePort = (bindings: Bindings, predicted: Port, observed: Port): boolean => {
  if (typeof predicted === "number") return predicted === observed;
  const bound = bindings.get(predicted);
  if (bound === undefined) bindings.set(predicted, observed);
  return bound === undefined || bound === observed;
};

function samePacket(bindings: Bindings, a: Packet, b: Packet): boolean {
  if (a.protocol !== b.protocol || a.src !== b.src || a.dst !== b.dst || a.segment.kind !== b.segment.kind) return false;
  if (a.ttl !== b.ttl || !samePort(bindings, a.sport, b.sport) || !samePort(bindings, a.dport, b.dport)) return false;
  if (a.segment.kind !== "icmp-error" || b.segment.kind !== "icmp-error") return true;
  return a.segment.type === b.segment.type && a.segment.code === b.segment.code && sameEnds(bindings, a.segment.quoted, b.segment.quoted);
}

/** What an ICMP error quotes: its TTL is that of the moment, its TCP flags are cut off. */
const sameEnds = (bindings: Bindings, a: Packet, b: Packet): boolean =>
  a.protocol === b.protocol &&
  a.src === b.src &&
  a.dst === b.dst &&
  samePort(bindings, a.sport, b.sport) &&
  samePort(bindings, a.dport, b.dport);

function sameSighting(bindings: Bindings, predicted: SeenThere, observed: Sighting): boolean {
  if (predicted.netns !== observed.netns || predicted.dev !== observed.dev || predicted.direction !== observed.direction) return false;
  if (!samePacket(bindings, predicted.packet, observed.packet)) return false;
  const [a, b] = [predicted.outer, observed.outer];
  if (!a || !b) return a === b;
  return a.src === b.src && a.dst === b.dst && a.ttl === b.ttl && a.dport === b.dport && a.inner?.vni === b.inner?.vni;
}

type Course = {
  readonly request: readonly Sighting[];
  readonly reply: readonly Sighting[];
  readonly third: readonly Sighting[];
  readonly aftermath: readonly Sighting[];
};

/** The first packet, the first answer, the client's first packet with content, and refusals of the answer; without what was sent twice. */
function courseOf(observed: Observation): Course {
  const forward = ({ packet }: Sighting): boolean => isForward(packet, observed, observed.conntrack);
  const kind = ({ packet }: Sighting): string => packet.segment.kind;
  const once = (sightings: readonly Sighting[]): Sighting[] =>
    [...new Map(sightings.map((each) => [showSighting(each), each] as const).reverse()).values()].reverse();
  const inModel = observed.sightings.filter(({ netns }) => netns !== ROUTER_ID);
  const isRefusal = (each: Sighting): boolean => kind(each) === "rst" || kind(each) === "icmp-error";
  return {
    request: once(inModel.filter((each) => forward(each) && kind(each) !== "third" && !isRefusal(each))),
    reply: once(inModel.filter((each) => !forward(each) && kind(each) !== "third")),
    third: once(inModel.filter((each) => forward(each) && kind(each) === "third" && each.length > 0)),
    aftermath: once(inModel.filter((each) => forward(each) && isRefusal(each))),
  };
}

function agreedLength(predicted: Predicted | undefined, observed: Observation): number {
  if (!predicted) return -1;
  const bindings: Bindings = new Map();
  const { request } = courseOf(observed);
  const differs = predicted.request.findIndex((seen, i) => {
    const there = request[i];
    return !there || !sameSighting(bindings, seen, there);
  });
  return differs < 0 ? predicted.request.length : differs;
}

function differencesOf(predicted: Predicted, observed: Observation): Difference[] {
  const bindings: Bindings = new Map();
  const course = courseOf(observed);
  const { verdict } = predicted.connection;
  const isOpen = verdict === "exits" || verdict === "unknown";
  const ends: Ends = isOpen ? "open" : isStoppedInBridge(predicted) ? "in-bridge" : "here";
  const request = compareWay("request", predicted.request, course.request, bindings, ends);
  if (request.length > 0) return request;
  if (isOpen) return []; // what is beyond the model is not judged
  return [
    ...compareWay("reply", predicted.reply, course.reply, bindings, isStoppedInBridge(predicted) ? "in-bridge" : "here"),
    ...compareWay("third", predicted.third, course.third, bindings),
    ...(predicted.aftermath.length > 0 || verdict === "unanswered"
      ? compareWay("aftermath", predicted.aftermath, course.aftermath, bindings)
      : []), // elsewhere a client's RST only ends the connection
    ...compareConntrack(withoutTunnels(predicted), observed, bindings, usesNotrack(predicted)),
    ...compareServer(predicted, observed, bindings),
    ...compareClient(predicted, observed),
  ];
}

/** `open`: where it goes on is not known. `in-bridge`: a bridge hands it on to none of its ports. */
type Ends = "here" | "open" | "in-bridge";

const isStoppedInBridge = ({ connection: { hops, reply } }: Predicted): boolean =>
  [hops.at(-1), reply.hops.at(-1)].some(
    (hop) =>
      hop && hop.out === undefined && hop.steps.some((step) => (step.kind === "bridge" && step.why.endsWith("bridged")) || isHairpin(step)),
  );
const isHairpin = (step: Step): boolean => step.kind === "drop" && step.reason === "hairpin-off";

function compareWay(
  about: "request" | "reply" | "third" | "aftermath",
  predicted: readonly SeenThere[],
  observed: readonly Sighting[],
  bindings: Bindings,
  ends: Ends = "here",
): Difference[] {
  let at = 0;
  for (const seen of predicted) {
    if (isBridgeEcho(observed[at], observed[at + 1], seen)) at += 1;
    const there = observed[at];
    if (!there) return [{ about, text: `the packet does not come to\n    ${showSighting(seen)}` }];
    if (!sameSighting(bindings, seen, there))
      return [{ about, text: `predicted\n    ${showSighting(seen)}\n  seen\n    ${showSighting(there)}` }];
    at += 1;
  }
  if (ends === "in-bridge" && observed.length === at + 1 && isBridgeEchoAtEnd(observed[at - 1], observed[at])) return [];
  const further = ends === "open" ? undefined : observed[at];
  return further ? [{ about, text: `the packet goes on, to\n    ${showSighting(further)}` }] : [];
}

/**
 * A packet that br_netfilter hands from port to port shows on the bridge itself, too, before its source is translated, as
 * long as the kernel has no cached link-layer header for its neighbour (br_nf_pre_routing_finish_bridge): chance, and not
 * predicted.
 */
const isBridgeEcho = (here: Sighting | undefined, next: Sighting | undefined, predicted: SeenThere): boolean =>
  here !== undefined &&
  next !== undefined &&
  here.direction === "out" &&
  here.dev !== predicted.dev &&
  next.dev === predicted.dev &&
  next.direction === "out" &&
  here.netns === next.netns &&
  here.packet.dst === next.packet.dst &&
  here.packet.dport === next.packet.dport &&
  here.packet.ttl === next.packet.ttl &&
  here.packet.segment.kind === next.packet.segment.kind &&
  !here.outer &&
  !next.outer;

/** The same of a packet that no port takes: in by a port, and once more on the bridge. */
const isBridgeEchoAtEnd = (before: Sighting | undefined, here: Sighting | undefined): boolean =>
  before?.direction === "in" && here?.direction === "out" && before.netns === here.netns && before.dev !== here.dev;

/** Tunnel packets are connections of their own, shared by flows. */
function withoutTunnels({ conntrack, request, reply, third, aftermath }: Predicted): ConntrackEntry[] {
  const outers = [...request, ...reply, ...third, ...aftermath].flatMap(({ outer }) => outer ?? []);
  return conntrack.filter(
    ({ original: { protocol, dst, dport } }) => !outers.some((o) => o.protocol === protocol && o.dst === dst && o.dport === dport),
  );
}

/** Then a server's later packets, which are not followed, can begin an entry (docs/deviations.md, untracked-answers). */
export const usesNotrack = ({ rules }: Predicted): boolean => rules.some(({ rule }) => rule.target.kind === "notrack");

/** The entries that are left: every predicted one is there, and no other of this flow. */
function compareConntrack(
  predicted: readonly ConntrackEntry[],
  observed: Observation,
  bindings: Bindings,
  isUntracked: boolean,
): Difference[] {
  const own = predicted.filter(
    (entry) =>
      (entry.original.protocol === observed.flow.protocol && typeof entry.original.sport !== "string") ||
      String(entry.original.sport).startsWith("mport"),
  );
  const left = [...observed.conntrack];
  const missing = own.filter((entry) => {
    const i = left.findIndex((there) => sameEntry(bindings, entry, there));
    if (i >= 0) left.splice(i, 1);
    return i < 0;
  });
  return [
    ...missing.map(
      (entry): Difference => ({
        about: "conntrack",
        text: `no entry ${entry.netns} ${showTuple(entry.original)} | ${showTuple(entry.reply)}`,
      }),
    ),
    ...left
      .filter(({ original }) => !isUntracked || !isAnswer(original, observed, observed.conntrack))
      .map(
        (entry): Difference => ({
          about: "conntrack",
          text: `an entry that was not predicted: ${entry.netns} ${showTuple(entry.original)} | ${showTuple(entry.reply)}`,
        }),
      ),
  ];
}

const showTuple = ({
  src,
  sport,
  dst,
  dport,
}: {
  readonly src: string;
  readonly sport: Port;
  readonly dst: string;
  readonly dport: Port;
}): string => `${formatSocket(src, sport)}>${formatSocket(dst, dport)}`;

function sameEntry(bindings: Bindings, a: ConntrackEntry, b: CtEntry): boolean {
  if (a.netns !== b.netns || a.original.protocol !== b.protocol) return false;
  const ips =
    a.original.src === b.original.src && a.original.dst === b.original.dst && a.reply.src === b.reply.src && a.reply.dst === b.reply.dst;
  const tried: Bindings = new Map(bindings);
  const ports =
    ips &&
    samePort(tried, a.original.sport, b.original.sport) &&
    samePort(tried, a.original.dport, b.original.dport) &&
    samePort(tried, a.reply.sport, b.reply.sport) &&
    samePort(tried, a.reply.dport, b.reply.dport);
  if (ports) for (const [symbol, port] of tried) bindings.set(symbol, port);
  return ports;
}

/** Who answered, and whom it saw. */
function compareServer({ connection }: Predicted, { serverSaw, flow }: Observation, bindings: Bindings): Difference[] {
  const { socket, arrived, verdict } = connection;
  if (verdict !== "delivered" || !socket || !arrived || flow.protocol === "icmp" || flow.protocol === "icmpv6") return [];
  if (!serverSaw) return [{ about: "server", text: `${socket.owner} did not answer` }];
  const bound = (port: Port): Port => (typeof port === "string" ? (bindings.get(port) ?? port) : port);
  const expected = {
    server: socket.owner,
    local: formatSocket(arrived.dst, bound(arrived.dport)),
    peer: formatSocket(arrived.src, bound(arrived.sport)),
  };
  const same = expected.server === serverSaw.server && expected.local === serverSaw.local && expected.peer === serverSaw.peer;
  return same ? [] : [{ about: "server", text: `predicted ${JSON.stringify(expected)}, answered ${JSON.stringify(serverSaw)}` }];
}

/** What the client program learns. */
function compareClient(predicted: Predicted, { client, flow }: Observation): Difference[] {
  const expected = expectedClient(predicted, flow.protocol);
  const got = client.errno === undefined ? client.verdict : `${client.verdict} ${client.errno}`;
  return expected.includes(got)
    ? []
    : [{ about: "client", text: `predicted ${expected.join(" or ")}, was ${got} after ${Math.round(client.ms)} ms` }];
}

function expectedClient({ connection, reply }: Predicted, protocol: string): readonly string[] {
  const { verdict, errno = "", end } = connection;
  if (verdict === "delivered") return ["answered"];
  if (errno === "EPERM") return ["unreachable EPERM"];
  if (verdict === "rejected" || verdict === "looped") {
    if (protocol === "udp" && end.kind === "answered" && !isFatalForUdp(reply.at(-1)?.packet)) return ["timeout"];
    if (protocol.startsWith("icmp") && verdict === "looped") return ["unreachable ETTL"];
    return [errno === "ECONNREFUSED" ? "refused ECONNREFUSED" : `unreachable ${errno}`];
  }
  if (connection.reply.third) return ["no-answer"];
  return ["timeout"];
}

/** icmp_err_convert: which errors a UDP socket without IP_RECVERR is told (net/ipv4/icmp.c). */
function isFatalForUdp(packet: Packet | undefined): boolean {
  if (packet?.segment.kind !== "icmp-error") return false;
  const { type, code } = packet.segment;
  if (packet.protocol === "icmpv6") return type === 1 && (code === 4 || code === 1);
  return type === 3 && ![0, 1, 5, 11, 12].includes(code);
}

/**
 * Rules that the courses taken hit, against those whose counters grew. The nat tables see one packet a connection, so there
 * the counts must agree, too; elsewhere the packets that end a connection count as well, and only the set is compared.
 * `taken`: for each flow the courses that its packets cannot tell apart; the counters may.
 */
export function compareRules(taken: readonly (readonly Predicted[])[], hits: readonly RuleHit[]): Difference[] {
  const predicted = countRules(likelyCourses(taken, hits));
  const seen = new Map(hits.map((hit) => [ruleKey(hit), hit] as const));
  const certain = new Set(taken.flatMap(inAll));
  const possible = new Set(taken.flatMap((courses) => courses.flatMap(({ rules }) => rules.map(ruleKey))));
  const missing = [...predicted.keys()].filter((rule) => !seen.has(rule) && certain.has(rule)).sort();
  const found = [...seen].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...missing.map((rule): Difference => ({ about: "rules", text: `not hit: ${rule}` })),
    ...found.flatMap(([rule, hit]): Difference[] => {
      const count = predicted.get(rule) ?? 0;
      if (count === 0 && (hit.table === "nat" || !possible.has(rule)))
        return [{ about: "rules", text: `hit, but not predicted: ${rule}: ${hit.text}` }];
      if (hit.table !== "nat" || count === hit.packets) return [];
      return [{ about: "rules", text: `predicted ${count} times, hit ${hit.packets} times: ${rule}: ${hit.text}` }];
    }),
  ];
}

/** Rules that every one of these courses hits. */
function inAll(courses: readonly Predicted[]): string[] {
  const [first, ...others] = courses.map(({ rules }) => new Set(rules.map(ruleKey)));
  return [...(first ?? [])].filter((rule) => others.every((each) => each.has(rule)));
}

/** A nat rule counts once for each connection. */
function countRules(courses: readonly Predicted[]): Map<string, number> {
  const counts = new Map<string, number>();
  const tunnels = new Set<string>();
  for (const { rules } of courses)
    for (const rule of rules) {
      const key = ruleKey(rule);
      if (rule.table === "nat" && (rule.again || tunnels.has(`${key} ${rule.shared}`))) continue;
      if (rule.shared !== undefined) tunnels.add(`${key} ${rule.shared}`);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  return counts;
}

/** Tries of courses before the first ones of all flows are taken. */
const MOST_TRIES = 5000;

/** One course a flow, so that no nat rule is hit more often than its counter says, as far as that can be. */
function likelyCourses(taken: readonly (readonly Predicted[])[], hits: readonly RuleHit[]): Predicted[] {
  const left = new Map(hits.filter(({ table }) => table === "nat").map((hit) => [ruleKey(hit), hit.packets]));
  const isOwn = ({ table, again, shared }: PredictedRule): boolean => table === "nat" && !again && shared === undefined;
  const natOf = (course: Predicted): string[] => course.rules.filter(isOwn).map(ruleKey);
  const take = (course: Predicted, by: number): void => {
    for (const rule of natOf(course)) left.set(rule, (left.get(rule) ?? 0) + by);
  };
  const order = [...taken.keys()].sort((a, b) => (taken[a]?.length ?? 0) - (taken[b]?.length ?? 0));
  const chosen: Predicted[] = [];
  let tries = 0;
  const fit = (at: number): boolean => {
    const flow = order[at];
    if (flow === undefined) return true;
    for (const course of taken[flow] ?? []) {
      tries += 1;
      if (tries > MOST_TRIES) return false;
      take(course, -1);
      const fits = natOf(course).every((rule) => (left.get(rule) ?? 0) >= 0);
      if (fits || taken[flow]?.length === 1) {
        chosen[at] = course;
        if (fit(at + 1)) return true;
      }
      take(course, 1);
    }
    return (taken[flow] ?? []).length === 0 && fit(at + 1);
  };
  return fit(0) ? chosen.filter((course) => course !== undefined) : taken.flatMap((courses) => courses.slice(0, 1));
}

const ruleKey = (rule: {
  readonly netns: string;
  readonly family: number;
  readonly table: string;
  readonly chain: string;
  readonly position: number;
}): string => `${rule.netns} ${rule.family === 4 ? "" : "ip6 "}${rule.table} ${rule.chain} rule ${rule.position + 1}`;
