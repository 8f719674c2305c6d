/**
 * Which node each pod goes to (pkg/scheduler, default profile): the filters for taints, node selection, host ports and
 * required affinity between pods; among what is left, fewest pods of the same set, then fewest pods, then the name (the real
 * scheduler's scores would tie and it would choose at random). Pods that have a node keep it.
 * Not modelled: resources, volumes, preferred affinity, topologySpreadConstraints, preemption, priorities.
 */
import type { ClusterNode } from "../cluster.ts";
import { byCodeUnits } from "../order.ts";
import type { PodPlan } from "../workloads/plan.ts";
import { hostPortsClash, hostPortsOf } from "./host-ports.ts";
import { refusalOf, unwelcome } from "./node-fit.ts";
import { hasPodAffinity, type NamespaceLabels, type PlacedPod, podAffinityFilter } from "./pod-affinity.ts";
import { type Candidate, createPool, type Line, openLine, type Pool, type Seat } from "./waiting-line.ts";

/** `node` is where something outside the scheduler has put the pod. */
export type Schedulable = { readonly plan: PodPlan; readonly node?: string };
export type Placement = { readonly node?: string; readonly message?: string };

/** A placement for each pod, in the order given: first those that have a node, then the others one by one. */
export function schedulePods(pods: readonly Schedulable[], nodes: readonly ClusterNode[], namespaceLabels: NamespaceLabels): Placement[] {
  const ranked = [...nodes].sort((a, b) => byCodeUnits(a.name, b.name));
  const seats = new Map(ranked.map((node, rank): [string, Seat] => [node.name, { node, rank, pods: 0, ports: [] }]));
  const bench: Bench = { seats, pools: new Map(), placed: [], repelling: [], own: new Map(), namespaceLabels };
  const fixed = pods.map((pod) => (pod.node === undefined ? undefined : bind(pod, pod.node, bench)));
  const open: { set?: OpenSet } = {};
  return pods.map(
    ({ plan }, i) =>
      fixed[i] ?? (plan.onlyNode === undefined ? place(plan, setOf(plan, open, bench), bench) : placeOn(plan, plan.onlyNode, bench)),
  );
}

type Bench = {
  readonly seats: ReadonlyMap<string, Seat>;
  readonly pools: Map<string, Pool>;
  readonly placed: PlacedPod[];
  readonly repelling: PlacedPod[]; // those with affinity terms of their own
  readonly own: Map<string, number>; // pods of a set on a node
  readonly namespaceLabels: NamespaceLabels;
};
/** The set whose pods are being placed. Once one of them finds no node, the rest will not either. */
type OpenSet = { readonly key: string; readonly line: Line; failure?: string };

function setOf(plan: PodPlan, open: { set?: OpenSet }, bench: Bench): OpenSet {
  const key = setKey(plan);
  if (open.set && open.set.key === key && key !== "") return open.set;
  open.set?.line.close();
  open.set = { key, line: openLine(poolFor(plan, bench), (seat) => bench.own.get(ownKey(plan, seat.node.name)) ?? 0) };
  return open.set;
}

/** The nodes that would have the pod whatever else runs there; pods with the same demands share them. */
function poolFor({ spec }: PodPlan, bench: Bench): Pool {
  const demands = JSON.stringify([spec.tolerations, spec.nodeSelector, spec.affinity]);
  const known = bench.pools.get(demands);
  if (known) return known;
  const welcome = [...bench.seats.values()].filter((seat) => refusalOf(spec, seat.node) === undefined);
  const pool = createPool(welcome.map((seat) => ({ seat, penalty: unwelcome(spec, seat.node) })));
  bench.pools.set(demands, pool);
  return pool;
}

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

function place(plan: PodPlan, set: OpenSet, bench: Bench): Placement {
  if (set.failure !== undefined) return { message: set.failure };
  const refusal = momentaryRefusal(plan, bench);
  const passed: Candidate[] = [];
  let chosen = set.line.next();
  while (chosen && refusal(chosen.seat)) {
    passed.push(chosen);
    chosen = set.line.next();
  }
  for (const each of passed) set.line.putBack(each);
  if (!chosen) {
    set.failure = unschedulable(plan, bench);
    return { message: set.failure };
  }
  take(chosen.seat, plan, bench);
  set.line.putBack({ ...chosen, own: chosen.own + 1 });
  return { node: chosen.seat.node.name };
}

/** A DaemonSet's pod has its node in its affinity. */
function placeOn(plan: PodPlan, name: string, bench: Bench): Placement {
  const seat = bench.seats.get(name);
  if (!seat || refusalOf(plan.spec, seat.node) !== undefined || momentaryRefusal(plan, bench)(seat) !== undefined)
    return { message: unschedulable(plan, bench) };
  take(seat, plan, bench);
  return { node: name };
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
