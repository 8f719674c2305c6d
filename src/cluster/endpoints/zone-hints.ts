/**
 * Hints of Services with `service.kubernetes.io/topology-mode: Auto` (staging/src/k8s.io/endpointslice/topologycache): each
 * zone gets endpoints in proportion to its CPU, and no hints at all where that cannot be done without overloading a zone by a fifth.
 */
import type { ClusterEndpoint, ClusterNode, ClusterService, ClusterSlice } from "../cluster.ts";
import { byCodeUnits } from "../order.ts";
import { allocatableCpu } from "../scheduler/resource-fit.ts";

const OVERLOAD_THRESHOLD = 0.2;
const ZONE = "topology.kubernetes.io/zone";
const CONTROL_PLANE = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/** Share of the cluster's CPU by zone, zones sorted; undefined when a node does not say enough, or all are in one zone. */
export type CpuShares = ReadonlyMap<string, number> | undefined;

/** The older annotation, of 1.21 to 1.26, still comes first. */
export function asksForZoneHints({ annotations }: Pick<ClusterService, "annotations">): boolean {
  const asked = annotations["service.kubernetes.io/topology-aware-hints"] ?? annotations["service.kubernetes.io/topology-mode"];
  return asked === "Auto" || asked === "auto";
}

/** Nodes of the control plane do not count; one other node without a zone or a stated CPU spoils it for all. */
export function cpuShares(nodes: readonly ClusterNode[]): CpuShares {
  const counted = nodes.filter((node) => node.ready && !CONTROL_PLANE.some((label) => Object.hasOwn(node.labels, label)));
  const byZone = new Map<string, number>();
  for (const node of counted) {
    const [zone, cpu] = [node.labels[ZONE] ?? "", allocatableCpu(node)];
    if (zone === "" || cpu === 0) return undefined;
    byZone.set(zone, (byZone.get(zone) ?? 0) + cpu);
  }
  const total = [...byZone.values()].reduce((sum, cpu) => sum + cpu, 0);
  if (byZone.size < 2) return undefined;
  return new Map([...byZone].sort((a, b) => byCodeUnits(a[0], b[0])).map(([zone, cpu]) => [zone, cpu / total]));
}

export type Hinted = { readonly slices: readonly ClusterSlice[]; readonly event: { readonly enabled: boolean; readonly message: string } };

/** The slices of one Service and one family with their hints, and what the controller says of it. */
export function addZoneHints(slices: readonly ClusterSlice[], shares: CpuShares): Hinted {
  const ready = slices.flatMap((slice) => slice.endpoints.filter((endpoint) => endpoint.ready));
  const desired = desiredByZone(shares, ready.length);
  if (typeof desired === "string") return disabled(slices, desired);
  if (ready.some(({ zone = "" }) => zone === "")) return disabled(slices, "One or more endpoints do not have a zone specified");
  const zones = redistribute(ready, desired);
  const hint = (endpoint: ClusterEndpoint): ClusterEndpoint => {
    const zone = zones.get(endpoint);
    return zone === undefined ? endpoint : { ...endpoint, forZones: [zone] };
  };
  return {
    slices: slices.map((slice) => ({ ...slice, endpoints: slice.endpoints.map(hint) })),
    event: { enabled: true, message: withFamily("Topology Aware Hints has been enabled", slices) },
  };
}

const disabled = (slices: readonly ClusterSlice[], why: string): Hinted => ({
  slices,
  event: { enabled: false, message: withFamily(why, slices) },
});
const withFamily = (text: string, slices: readonly ClusterSlice[]): string => `${text}, addressType: ${slices[0]?.addressType ?? "IPv4"}`;

/** How many endpoints each zone should have (getAllocations); or why that is not to be had. */
function desiredByZone(shares: CpuShares, endpoints: number): ReadonlyMap<string, number> | string {
  if (!shares) return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  const counts = `(${endpoints} endpoints, ${shares.size} zones)`;
  if (shares.size > endpoints) return `Insufficient number of endpoints ${counts}`;
  const needs = [...shares].map(([zone, share]) => {
    const least = Math.ceil(share * endpoints * (1 / (1 + OVERLOAD_THRESHOLD)));
    return { zone, least, desired: Math.max(share * endpoints, least) };
  });
  if (needs.reduce((sum, { least }) => sum + least, 0) > endpoints)
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`;
  return new Map(needs.map(({ zone, desired }) => [zone, desired]));
}

/** Every endpoint is for its own zone first; then zones that have too many lend some to those that have too few. */
function redistribute(ready: readonly ClusterEndpoint[], desired: ReadonlyMap<string, number>): ReadonlyMap<ClusterEndpoint, string> {
  const zones = new Map(ready.map((endpoint) => [endpoint, endpoint.zone ?? ""]));
  const { giving, receiving } = exchange(ready, desired);
  for (const endpoint of ready) {
    const from = endpoint.zone ?? "";
    const to = [...receiving].find(([, count]) => count > 0)?.[0];
    if (to === undefined || (giving.get(from) ?? 0) === 0) continue;
    zones.set(endpoint, to);
    giving.set(from, (giving.get(from) ?? 0) - 1);
    receiving.set(to, (receiving.get(to) ?? 0) - 1);
  }
  return zones;
}

/** Whole endpoints that zones give and receive (getGivingAndReceivingZones): always from the fullest to the emptiest. */
function exchange(ready: readonly ClusterEndpoint[], desired: ReadonlyMap<string, number>) {
  const balance = [...desired].map(([zone, wanted]) => ({ zone, surplus: ready.filter((each) => each.zone === zone).length - wanted }));
  const [giving, receiving] = [new Map<string, number>(), new Map<string, number>()];
  for (;;) {
    const [most, least] = [extreme(balance, 1), extreme(balance, -1)];
    const [give, take] = [most?.surplus ?? 0, -(least?.surplus ?? 0)];
    if (!most || !least || (give < 1 && take < 1) || give < 0.5 || take < 0.5) return { giving, receiving };
    giving.set(most.zone, (giving.get(most.zone) ?? 0) + 1);
    receiving.set(least.zone, (receiving.get(least.zone) ?? 0) + 1);
    most.surplus--;
    least.surplus++;
  }
}

/** The zone with the largest surplus (sign 1) or the largest want (-1); none where it has neither. */
const extreme = (balance: readonly { readonly zone: string; surplus: number }[], sign: 1 | -1) =>
  balance.reduce<(typeof balance)[number] | undefined>(
    (best, each) => (each.surplus * sign > (best?.surplus ?? 0) * sign ? each : best),
    undefined,
  );
