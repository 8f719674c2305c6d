/**
 * Which node each pod goes to (pkg/scheduler, default profile): the filters for taints, node selection, host ports and
 * required affinity between pods; among what is left, fewest pods of the same set, then fewest pods, then the name (the real
 * scheduler's scores would tie and it would choose at random). Pods that have a node keep it.
 * Not modelled: resources, volumes, preferred affinity, topologySpreadConstraints, preemption, priorities.
 */
import type { ClusterNode } from "../cluster.ts";
import { byCodeUnits } from "../order.ts";
import type { PodPlan } from "../workloads/plan.ts";
import { type HostPort, hostPortsClash, hostPortsOf } from "./host-ports.ts";
import { refusalOf, unwelcome } from "./node-fit.ts";
import { createQueue, type Queue } from "./node-queue.ts";
import { hasPodAffinity, type NamespaceLabels, type PlacedPod, podAffinityFilter } from "./pod-affinity.ts";

/** `node` is where something outside the scheduler has put the pod. */
export type Schedulable = { readonly plan: PodPlan; readonly node?: string };
export type Placement = { readonly node?: string; readonly message?: string };

/** One node while pods are being put on it. */
type Seat = { readonly node: ClusterNode; readonly rank: number; pods: number; readonly ports: HostPort[] };
type Candidate = { readonly seat: Seat; readonly penalty: number; own: number };

/** A placement for each pod, in the order given: first those that have a node, then the others one by one. */
export function schedulePods(pods: readonly Schedulable[], nodes: readonly ClusterNode[], namespaceLabels: NamespaceLabels): Placement[] {
  const ranked = [...nodes].sort((a, b) => byCodeUnits(a.name, b.name));
  const seats = new Map(ranked.map((node, rank): [string, Seat] => [node.name, { node, rank, pods: 0, ports: [] }]));
  const bench: Bench = { seats, placed: [], repelling: [], own: new Map(), namespaceLabels };
  const fixed = pods.map((pod) => (pod.node === undefined ? undefined : bind(pod, pod.node, bench)));
  let current: { readonly key: string; readonly queue: Queue<Candidate> } | undefined;
  return pods.map((pod, i) => {
    const already = fixed[i];
    if (already) return already;
    const key = setKey(pod.plan);
    if (pod.plan.onlyNode !== undefined) return place(pod, queueOf(pod, bench), bench);
    if (current?.key !== key || key === "") current = { key, queue: queueOf(pod, bench) };
    return place(pod, current.queue, bench);
  });
}

type Bench = {
  readonly seats: ReadonlyMap<string, Seat>;
  readonly placed: PlacedPod[];
  readonly repelling: PlacedPod[]; // those with affinity terms of their own
  readonly own: Map<string, number>; // pods of a set on a node
  readonly namespaceLabels: NamespaceLabels;
};

/** Pods of one set share their spec; a lone pod is a set of its own. */
const setKey = (plan: PodPlan): string => (plan.owner && !plan.object ? `${plan.namespace}/${plan.owner.kind}/${plan.owner.name}` : "");
const ownKey = (plan: PodPlan, node: string): string => `${node} ${setKey(plan)}`;

function bind(pod: Schedulable, name: string, bench: Bench): Placement {
  const seat = bench.seats.get(name);
  if (!seat) return { message: `node "${name}" not found` };
  take(seat, pod.plan, bench);
  return { node: name };
}

function take(seat: Seat, plan: PodPlan, bench: Bench): void {
  seat.pods++;
  seat.ports.push(...hostPortsOf(plan.spec));
  bench.placed.push({ plan, node: seat.node });
  if (hasPodAffinity(plan.spec)) bench.repelling.push({ plan, node: seat.node });
  const key = ownKey(plan, seat.node.name);
  bench.own.set(key, (bench.own.get(key) ?? 0) + 1);
}

/** The nodes that would have the pod whatever else runs there, best first. */
function queueOf({ plan }: Schedulable, bench: Bench): Queue<Candidate> {
  const only = plan.onlyNode === undefined ? undefined : bench.seats.get(plan.onlyNode);
  const seats = plan.onlyNode === undefined ? [...bench.seats.values()] : only ? [only] : [];
  const candidates = seats
    .filter((seat) => refusalOf(plan.spec, seat.node) === undefined)
    .map((seat) => ({ seat, penalty: unwelcome(plan.spec, seat.node), own: bench.own.get(ownKey(plan, seat.node.name)) ?? 0 }));
  return createQueue(candidates, byPreference);
}

const byPreference = (a: Candidate, b: Candidate): number =>
  a.penalty - b.penalty || a.own - b.own || a.seat.pods - b.seat.pods || a.seat.rank - b.seat.rank;

function place({ plan }: Schedulable, queue: Queue<Candidate>, bench: Bench): Placement {
  const refusal = momentaryRefusal(plan, bench);
  const passed: Candidate[] = [];
  let chosen = queue.pop();
  while (chosen && refusal(chosen.seat)) {
    passed.push(chosen);
    chosen = queue.pop();
  }
  for (const each of passed) queue.push(each);
  if (!chosen) return { message: unschedulable(plan, bench) };
  take(chosen.seat, plan, bench);
  chosen.own++;
  queue.push(chosen);
  return { node: chosen.seat.node.name };
}

/** Why a node refuses the pod because of the pods it has now. */
function momentaryRefusal(plan: PodPlan, bench: Bench): (seat: Seat) => string | undefined {
  const ports = hostPortsOf(plan.spec);
  const looksAround = hasPodAffinity(plan.spec) || bench.repelling.length > 0;
  const affinity = looksAround ? podAffinityFilter(plan, bench.placed, bench.repelling, bench.namespaceLabels) : () => undefined;
  return (seat) => {
    const clash = ports.some((port) => seat.ports.some((other) => hostPortsClash(port, other)));
    return clash ? "node(s) didn't have free ports for the requested pod ports" : affinity(seat.node);
  };
}

/** The text of the scheduler's FitError (pkg/scheduler/framework/types.go), with the preemption part's fixed words. */
function unschedulable(plan: PodPlan, bench: Bench): string {
  const total = bench.seats.size;
  if (total === 0) return "no nodes available to schedule pods";
  const momentary = momentaryRefusal(plan, bench);
  const counts = new Map<string, number>();
  let helpless = 0;
  for (const seat of bench.seats.values()) {
    const elsewhere =
      plan.onlyNode !== undefined && plan.onlyNode !== seat.node.name ? "node(s) didn't match Pod's node affinity/selector" : undefined;
    const lasting = elsewhere ?? refusalOf(plan.spec, seat.node);
    if (lasting !== undefined) helpless++;
    const reason = lasting ?? momentary(seat) ?? "node(s) were refused";
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort(byCodeUnits);
  const preemption = [
    ...(helpless > 0 ? [`${helpless} Preemption is not helpful for scheduling`] : []),
    ...(total > helpless ? [`${total - helpless} No preemption victims found for incoming pod`] : []),
  ].sort(byCodeUnits);
  return `0/${total} nodes are available: ${reasons.join(", ")}. preemption: 0/${total} nodes are available: ${preemption.join(", ")}.`;
}
