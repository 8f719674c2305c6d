/** What the scheduler knows while it places pods: the nodes as seats, and who sits where. */
import type { PodSpec } from "../../objects/api.ts";
import type { ClusterNode } from "../cluster.ts";
import { byCodeUnits } from "../order.ts";
import type { PodPlan } from "../workloads/plan.ts";
import { hostPortsClash, hostPortsOf } from "./host-ports.ts";
import { refusalOf, unwelcome } from "./node-fit.ts";
import { hasPodAffinity, type NamespaceLabels, type PlacedPod, podAffinityFilter, type Refusal } from "./pod-affinity.ts";
import { attracts } from "./preferred-pods.ts";
import { allocatableOf, demandOf, nothingTaken, roomRefusal, takeRoom } from "./resource-fit.ts";
import { type Domains, type Spread, type SpreadConstraint, spreadFilter, ZONE } from "./topology-spread.ts";
import { createPool, type Pool, type Seat, type Welcome } from "./waiting-line.ts";

export type Bench = {
  readonly nodes: readonly ClusterNode[];
  readonly seats: ReadonlyMap<string, Seat>; // by node name, in the order of names
  readonly welcomes: Map<string, Welcomes>;
  readonly placed: PlacedPod[];
  readonly repelling: PlacedPod[]; // those with required terms of their own
  readonly attracting: PlacedPod[]; // those with terms that other pods' scores depend on
  readonly own: Map<string, number>; // pods of a set on a node
  readonly tallies: Map<string, Map<string, Tally>>; // by namespace, then by which pods are counted
  readonly domains: Map<string, Domains>;
  readonly namespaceLabels: NamespaceLabels;
  readonly hasZones: boolean;
  readonly isMeasured: boolean; // some node states what it can hold
  start: number; // where the next search for nodes begins
};
export type Welcomes = { readonly list: readonly Welcome[]; pool?: Pool };
type Tally = { readonly matches: SpreadConstraint["matches"]; readonly counts: Map<string, number> };

export function createBench(nodes: readonly ClusterNode[], namespaceLabels: NamespaceLabels): Bench {
  const ranked = [...nodes].sort((a, b) => byCodeUnits(a.name, b.name));
  const seats = ranked.map((node, rank): Seat => {
    const allocatable = allocatableOf(node);
    return { node, rank, pods: 0, ports: [], taken: nothingTaken(), ...(allocatable ? { allocatable } : {}) };
  });
  return {
    nodes: ranked,
    seats: new Map(seats.map((seat) => [seat.node.name, seat])),
    welcomes: new Map(),
    placed: [],
    repelling: [],
    attracting: [],
    own: new Map(),
    tallies: new Map(),
    domains: new Map(),
    namespaceLabels,
    hasZones: new Set(ranked.flatMap((node) => node.labels[ZONE] ?? [])).size > 1,
    isMeasured: seats.some((seat) => seat.allocatable !== undefined),
    start: 0,
  };
}

/** Pods of one set share their spec; a lone pod is a set of its own. */
export const setKey = (plan: PodPlan): string =>
  plan.owner && !plan.object ? `${plan.namespace}/${plan.owner.kind}/${plan.owner.name}` : "";
const ownKey = (plan: PodPlan, node: string): string => `${node} ${setKey(plan)}`;
export const ownPods = (plan: PodPlan, seat: Seat, bench: Bench): number => bench.own.get(ownKey(plan, seat.node.name)) ?? 0;

/** The nodes that would have the pod whatever else runs there; pods with the same demands share the list. */
export function welcomesFor({ spec }: PodPlan, bench: Bench): Welcomes {
  const demands = demandsOf(spec);
  const known = bench.welcomes.get(demands);
  if (known) return known;
  const welcome = [...bench.seats.values()].filter((seat) => refusalOf(spec, seat.node) === undefined);
  const found: Welcomes = { list: welcome.map((seat) => ({ seat, penalty: unwelcome(spec, seat.node) })) };
  bench.welcomes.set(demands, found);
  return found;
}

export function poolFor(plan: PodPlan, bench: Bench): Pool {
  const welcomes = welcomesFor(plan, bench);
  welcomes.pool ??= createPool(welcomes.list);
  return welcomes.pool;
}

/** Puts a pod on a node. One that has ended takes no room there. */
export function take(seat: Seat, plan: PodPlan, bench: Bench): void {
  if (["Succeeded", "Failed"].includes(plan.object?.status?.phase ?? "")) return;
  const placed = { plan, node: seat.node };
  seat.pods++;
  seat.ports.push(...hostPortsOf(plan.spec));
  if (seat.allocatable) takeRoom(seat.taken, demandOf(plan.spec));
  bench.placed.push(placed);
  if (hasPodAffinity(plan.spec)) bench.repelling.push(placed);
  if (attracts(plan.spec)) bench.attracting.push(placed);
  const key = ownKey(plan, seat.node.name);
  bench.own.set(key, (bench.own.get(key) ?? 0) + 1);
  for (const tally of bench.tallies.get(plan.namespace)?.values() ?? []) count(tally, placed);
}

function count({ matches, counts }: Tally, { plan, node }: PlacedPod): void {
  if (matches(plan)) counts.set(node.name, (counts.get(node.name) ?? 0) + 1);
}

/** Counts are kept up to date from the first time that they are asked for. */
export const spreadOf = (bench: Bench): Spread => ({
  nodes: bench.nodes,
  count: (constraint, { namespace }) => {
    const ofNamespace = bench.tallies.get(namespace) ?? new Map<string, Tally>();
    bench.tallies.set(namespace, ofNamespace);
    const known = ofNamespace.get(constraint.key);
    if (known) return known.counts;
    const tally: Tally = { matches: constraint.matches, counts: new Map() };
    for (const placed of bench.placed) count(tally, placed);
    ofNamespace.set(constraint.key, tally);
    return tally.counts;
  },
  remember: (spec, key, make) => {
    const whole = `${key} ${demandsOf(spec)}`;
    const domains = bench.domains.get(whole) ?? make();
    bench.domains.set(whole, domains);
    return domains;
  },
});

const demandsOf = ({ tolerations, nodeSelector, affinity }: PodSpec): string => JSON.stringify([tolerations, nodeSelector, affinity]);

/** Why a node refuses the pod because of the pods it has now, in the order of the scheduler's filters. */
export function momentaryRefusal(plan: PodPlan, bench: Bench): (seat: Seat) => Refusal | undefined {
  const ports = hostPortsOf(plan.spec);
  const demand = bench.isMeasured ? demandOf(plan.spec) : undefined;
  const spread = plan.spec.topologySpreadConstraints === undefined ? undefined : spreadFilter(plan, spreadOf(bench));
  const looksAround = hasPodAffinity(plan.spec) || bench.repelling.length > 0;
  const affinity = looksAround ? podAffinityFilter(plan, bench.placed, bench.repelling, bench.namespaceLabels) : undefined;
  return (seat) => {
    const clash = ports.some((port) => seat.ports.some((other) => hostPortsClash(port, other)));
    if (clash) return { reasons: ["node(s) didn't have free ports for the requested pod ports"] };
    const room = demand && roomRefusal(demand, seat.allocatable, seat.taken, seat.pods);
    return room ?? spread?.(seat.node) ?? affinity?.(seat.node);
  };
}

/** Why a node refuses the pod whatever runs there. */
export const lastingRefusal = (spec: PodSpec, node: ClusterNode): Refusal | undefined => {
  const reason = refusalOf(spec, node);
  return reason === undefined ? undefined : { reasons: [reason], helpless: true };
};
