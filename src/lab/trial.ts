/** One question put to both: every connection of a trace sent through a lab until each predicted course was taken, and judged. */
import type { World } from "../linux/netns.ts";
import { fractionToNumber } from "../net/fraction.ts";
import type { Trace } from "../trace/trace.ts";
import type { Difference } from "./compare/difference.ts";
import { describeDisagreement, type JudgedFlow, judgeBatch } from "./judge.ts";
import type { Flow, Observer } from "./observe.ts";

/** Copies of a flow sent in one batch, and how often a batch is sent until every predicted course was taken. */
const COPIES = 10;
const ROUNDS = 12;
/** What ended just before still says goodbye; with the connection tables emptied, its last packets would count as new ones. */
const SETTLE_MS = 150;

export type FlowTrial = {
  readonly flow: Flow;
  readonly sent: number;
  readonly courses: number;
  /** Predicted courses that no copy took. Those that cannot be told apart count as one. */
  readonly unseen: number;
  readonly problems: readonly string[];
};
export type Trial = { readonly flows: readonly FlowTrial[]; readonly rules: readonly Difference[] };

/** The connections of a trace: the client's own, its name queries, those of the proxies on the way. */
export function flowsOf(trace: Trace, client: Pick<Flow, "src" | "ttl"> = {}): Flow[] {
  const flows = new Map<string, Flow>();
  for (const path of trace.paths)
    path.legs.forEach((leg, i) => {
      const { ip, port, protocol } = leg.to;
      if (leg.from.netns === undefined || ip === undefined) return;
      const flow: Flow = {
        from: leg.from.netns,
        protocol,
        dst: ip,
        dport: port ?? 0,
        ...(i === path.legs.length - 1 && i === 0 ? client : {}),
      };
      const key = JSON.stringify(flow);
      if (!flows.has(key)) flows.set(key, flow);
    });
  return [...flows.values()];
}

/** Sends them, those with several courses again, and holds everything seen against the prediction. */
export async function tryFlows(world: World, observer: Observer, flows: readonly Flow[]): Promise<Trial> {
  const judged = flows.map((): JudgedFlow[] => []);
  const rules: Difference[] = [];
  const isOpen = (sent: readonly JudgedFlow[]): boolean => sent.length === 0 || (isAgreed(sent) && unseenOf(sent) > 0);
  for (let round = 0; round < ROUNDS; round++) {
    const open = judged.flatMap((sent, i) => (isOpen(sent) ? Array.from({ length: round === 0 ? 1 : COPIES }, () => i) : []));
    if (open.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const batch = judgeBatch(world, await observer.observe(open.flatMap((i) => flows[i] ?? [])));
    batch.flows.forEach((one, k) => {
      judged[open[k] ?? -1]?.push(one);
    });
    rules.push(...batch.rules);
  }
  const confirmed = rules.length === 0 ? [] : await rulesAlone(world, observer, flows);
  return { flows: flows.flatMap((flow, i) => trialOf(flow, judged[i] ?? [])), rules: confirmed };
}

/** Counters count every packet of the lab: a difference in them stands when it comes back with each flow sent on its own. */
async function rulesAlone(world: World, observer: Observer, flows: readonly Flow[]): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const flow of flows) {
    const attempts: Difference[][] = [];
    for (let i = 0; i < 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      attempts.push([...judgeBatch(world, await observer.observe([flow])).rules]);
    }
    if (attempts.every((rules) => rules.length > 0)) found.push(...(attempts[0] ?? []));
  }
  return found;
}

const trialOf = (flow: Flow, sent: readonly JudgedFlow[]): FlowTrial => ({
  flow,
  sent: sent.length,
  courses: possible(sent).length,
  unseen: unseenOf(sent),
  problems: sent.filter(({ judgement }) => judgement.differences.length > 0).map(describeDisagreement),
});

const isAgreed = (sent: readonly JudgedFlow[]): boolean => sent.every(({ judgement }) => judgement.differences.length === 0);

/** Indices of the predicted courses that can happen at all. */
const possible = (sent: readonly JudgedFlow[]): number[] =>
  (sent[0]?.predicted ?? []).flatMap(({ share }, i) => (fractionToNumber(share) === 0 ? [] : [i]));

function unseenOf(sent: readonly JudgedFlow[]): number {
  const seen = new Set(sent.flatMap(({ judgement }) => judgement.courses));
  return possible(sent).filter((i) => !seen.has(i)).length;
}
