/**
 * Which node each pod goes to (pkg/scheduler, default profile): the filters, then the scores; among equal ones fewest pods
 * of the same set, then fewest pods, then the name (the real scheduler would choose at random). Pods that have a node keep it.
 * Not modelled: volumes, devices, preemption, priorities, the Services among what pods are spread by.
 */
import type { ClusterNode } from "../cluster.ts";
import { byCodeUnits } from "../order.ts";
import type { PodPlan } from "../workloads/plan.ts";
import { type Bench, createBench, lastingRefusal, momentaryRefusal, ownPods, poolFor, setKey, take, welcomesFor } from "./bench.ts";
import type { NamespaceLabels, Refusal } from "./pod-affinity.ts";
import { isScored, scoresOf } from "./scores.ts";
import { type Candidate, type Line, openLine, type Seat, type Welcome } from "./waiting-line.ts";

/** `node` is where something outside the scheduler has put the pod. */
export type Schedulable = { readonly plan: PodPlan; readonly node?: string };
export type Placement = { readonly node?: string; readonly message?: string };

/** A placement for each pod, in the order given: first those that have a node, then the others one by one. */
export function schedulePods(pods: readonly Schedulable[], nodes: readonly ClusterNode[], namespaceLabels: NamespaceLabels): Placement[] {
  const bench = createBench(nodes, namespaceLabels);
  const fixed = pods.map((pod) => (pod.node === undefined ? undefined : bind(pod, pod.node, bench)));
  const open: { set?: OpenSet } = {};
  return pods.map(
    ({ plan }, i) =>
      fixed[i] ?? (plan.onlyNode === undefined ? place(plan, setOf(plan, open), bench) : placeOn(plan, plan.onlyNode, bench)),
  );
}

/** The set whose pods are being placed. Once one of them finds no node, the rest will not either. */
type OpenSet = { readonly key: string; line?: Line; failure?: string };

function setOf(plan: PodPlan, open: { set?: OpenSet }): OpenSet {
  const key = setKey(plan);
  if (open.set && open.set.key === key && key !== "") return open.set;
  open.set?.line?.close();
  open.set = { key };
  return open.set;
}

function bind(pod: Schedulable, name: string, bench: Bench): Placement {
  const seat = bench.seats.get(name);
  if (!seat) return { message: `node "${name}" not found` };
  take(seat, pod.plan, bench);
  return { node: name };
}

function place(plan: PodPlan, set: OpenSet, bench: Bench): Placement {
  if (set.failure !== undefined) return { message: set.failure };
  const seat = isScored(plan, bench) ? bestScored(plan, bench) : firstInLine(plan, set, bench);
  if (seat) return { node: seat.node.name };
  set.failure = unschedulable(plan, bench);
  return { message: set.failure };
}

/** Where nothing but their number of pods tells nodes apart: the first of a queue, without a look at all the others. */
function firstInLine(plan: PodPlan, set: OpenSet, bench: Bench): Seat | undefined {
  const line = set.line ?? openLine(poolFor(plan, bench), (seat) => ownPods(plan, seat, bench));
  set.line = line;
  const refusal = momentaryRefusal(plan, bench);
  const passed: Candidate[] = [];
  let chosen = line.next();
  while (chosen && refusal(chosen.seat)) {
    passed.push(chosen);
    chosen = line.next();
  }
  for (const each of passed) line.putBack(each);
  if (!chosen) return undefined;
  take(chosen.seat, plan, bench);
  line.putBack({ ...chosen, own: chosen.own + 1 });
  return chosen.seat;
}

function bestScored(plan: PodPlan, bench: Bench): Seat | undefined {
  const fit = findFit(plan, bench);
  const scores = fit.length > 1 ? scoresOf(plan, fit, bench) : [];
  const rated = fit.map(({ seat }, i) => ({ seat, score: scores[i] ?? 0, own: ownPods(plan, seat, bench) }));
  const [best] = rated.sort((a, b) => b.score - a.score || a.own - b.own || a.seat.pods - b.seat.pods || a.seat.rank - b.seat.rank);
  if (best) take(best.seat, plan, bench);
  return best?.seat;
}

const FEW_NODES = 100;

/** In a large cluster a part of the nodes is enough, and the next search begins where this one ended (numFeasibleNodesToFind). */
function findFit(plan: PodPlan, bench: Bench): Welcome[] {
  const { list } = welcomesFor(plan, bench);
  const total = bench.seats.size;
  const share = Math.max(5, 50 - Math.floor(total / 125));
  const enough = total < FEW_NODES ? total : Math.max(FEW_NODES, Math.floor((total * share) / 100));
  const refusal = momentaryRefusal(plan, bench);
  const fit: Welcome[] = [];
  let looked = 0;
  for (; looked < list.length && fit.length < enough; looked++) {
    const welcome = list[(bench.start + looked) % list.length];
    if (welcome && refusal(welcome.seat) === undefined) fit.push(welcome);
  }
  if (list.length > 0 && total >= FEW_NODES) bench.start = (bench.start + looked) % list.length;
  return fit;
}

/** A DaemonSet's pod has its node in its affinity. */
function placeOn(plan: PodPlan, name: string, bench: Bench): Placement {
  const seat = bench.seats.get(name);
  if (!seat || lastingRefusal(plan.spec, seat.node) || momentaryRefusal(plan, bench)(seat)) return { message: unschedulable(plan, bench) };
  take(seat, plan, bench);
  return { node: name };
}

const ELSEWHERE: Refusal = { reasons: ["node(s) didn't match Pod's node affinity/selector"], helpless: true };

/** The text of the scheduler's FitError (pkg/scheduler/framework/types.go), with the preemption part's fixed words. */
function unschedulable(plan: PodPlan, bench: Bench): string {
  const total = bench.seats.size;
  if (total === 0) return "no nodes available to schedule pods";
  const momentary = momentaryRefusal(plan, bench);
  const counts = new Map<string, number>();
  let helpless = 0;
  for (const seat of bench.seats.values()) {
    const elsewhere = plan.onlyNode !== undefined && plan.onlyNode !== seat.node.name ? ELSEWHERE : undefined;
    const refusal = elsewhere ?? lastingRefusal(plan.spec, seat.node) ?? momentary(seat);
    if (refusal?.helpless) helpless++;
    for (const reason of refusal?.reasons ?? ["node(s) were refused"]) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort(byCodeUnits);
  const preemption = [
    ...(helpless > 0 ? [`${helpless} Preemption is not helpful for scheduling`] : []),
    ...(total > helpless ? [`${total - helpless} No preemption victims found for incoming pod`] : []),
  ].sort(byCodeUnits);
  return `0/${total} nodes are available: ${reasons.join(", ")}. preemption: 0/${total} nodes are available: ${preemption.join(", ")}.`;
}
