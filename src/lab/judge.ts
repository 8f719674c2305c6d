/** A batch of observed flows held against the tracer: each flow on its own, the rules over all of them. */
import type { World } from "../linux/netns.ts";
import { compareRules, type Difference, type Judgement, judgeFlow } from "./compare.ts";
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
  const isOpen = flows.some(({ judgement: { nearest } }) => nearest && (nearest.connection.verdict === "unknown" || isUntracked(nearest)));
  const taken = flows.map(({ predicted, judgement }) => judgement.courses.flatMap((i) => predicted[i] ?? []));
  return { flows, rules: agree ? compareRules(taken, batch.rulesHit).filter(({ text }) => !isOpen || text.startsWith("not hit")) : [] };
}

const isUntracked = ({ rules }: Predicted): boolean => rules.some(({ rule }) => rule.target.kind === "notrack");

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
