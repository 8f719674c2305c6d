/** A batch of observed flows held against the tracer: each flow on its own, the rules over all of them. */
import type { World } from "../linux/netns.ts";
import { formatSocket, type Port } from "../net/packet.ts";
import { usesNotrack } from "./compare/conntrack.ts";
import type { Difference } from "./compare/difference.ts";
import { compareRules } from "./compare/rules.ts";
import { type Judgement, judgeFlow } from "./compare.ts";
import type { Observation, ObservedBatch } from "./observe.ts";
import { describePredicted, type Predicted, predictFlow } from "./predict.ts";
import { showEntry, showSighting } from "./show.ts";

export type JudgedFlow = { readonly observation: Observation; readonly predicted: readonly Predicted[]; readonly judgement: Judgement };
export type JudgedBatch = { readonly flows: readonly JudgedFlow[]; readonly rules: readonly Difference[] };

/** Predicts every flow of the batch and compares. The rules are compared only when every flow took a predicted course. */
export function judgeBatch(world: World, batch: ObservedBatch): JudgedBatch {
  const flows = batch.observations.map((observation): JudgedFlow => {
    const predicted = predictFlow(world, observation.flow, observation.sport);
    return { observation, predicted, judgement: judgeFlow(predicted, observation) };
  });
  const agree = flows.every(({ judgement }) => judgement.differences.length === 0);
  // What is not known of one flow's way may be hit by it.
  // Without tracking, a server's later packets, which are not followed, look like new connections.
  const isOpen = flows.some(({ judgement: { nearest } }) => nearest && (nearest.connection.verdict === "unknown" || usesNotrack(nearest)));
  const taken = flows.map(({ predicted, judgement }) => judgement.courses.flatMap((i) => predicted[i] ?? []));
  const isRepeated = flows.some(({ observation }) => changesTunnel(observation) || isLate(observation));
  const rules = agree ? compareRules(taken, batch.rulesHit) : [];
  return {
    flows,
    rules: rules.filter(({ text }) => text.startsWith("not hit") || (!isOpen && !(isRepeated && text.startsWith("predicted")))),
  };
}

/** TCP_TIMEOUT_INIT: a client that was stopped later than it should, on a busy machine, has sent its SYN again. */
const SYN_AGAIN_MS = 1000;
export const isLate = ({ flow, client }: Observation): boolean => flow.protocol === "tcp" && client.ms >= SYN_AGAIN_MS - 20;

/**
 * A connection whose segment is sent again, on a busy machine, gets a new hash (sk_rethink_txhash), and a kernel's RST for no
 * socket has one of its own; with it another source port of its tunnel packets: one connection more of the machines.
 */
function changesTunnel({ sightings }: Observation): boolean {
  const ports = new Map<string, Set<Port>>();
  for (const { packet, outer } of sightings) {
    if (!outer || packet.protocol !== "tcp") continue;
    const key = `${outer.src} ${outer.dst} ${formatSocket(packet.src, packet.sport)} ${formatSocket(packet.dst, packet.dport)}`;
    ports.set(key, (ports.get(key) ?? new Set()).add(outer.sport));
  }
  return [...ports.values()].some((each) => each.size > 1);
}

/** A disagreement for people: the question, both answers, and all that was seen. */
export function describeDisagreement({ observation, predicted, judgement }: JudgedFlow): string {
  const { flow, sport, client, serverSaw } = observation;
  const port = flow.protocol.startsWith("icmp") ? "" : `:${flow.dport}`;
  return [
    `${flow.from} port ${sport} -> ${flow.protocol} ${flow.dst}${port}${flow.ttl === undefined ? "" : ` ttl ${flow.ttl}`}`,
    ...judgement.differences.map(({ about, text }) => `  ${about}: ${text}`),
    "  predicted:",
    ...predicted.slice(0, 8).map((course) => `    ${describePredicted(course)}`),
    `  seen: client ${client.verdict}${client.errno ? ` ${client.errno}` : ""}${serverSaw ? `, server ${serverSaw.server} at ${serverSaw.local} saw ${serverSaw.peer}` : ""}`,
    ...observation.sightings.slice(0, 60).map((sighting) => `    ${showSighting(sighting)}`),
    ...observation.conntrack.map((entry) => `    ct ${showEntry(entry)}`),
  ].join("\n");
}
