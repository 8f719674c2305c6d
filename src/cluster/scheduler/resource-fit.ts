/**
 * Whether a node has room for what a pod asks for (pkg/scheduler/framework/plugins/noderesources: Fit, LeastAllocated), as
 * far as its Node object states status.allocatable. A node that states nothing has room for everything.
 */
import type { PodSpec } from "../../objects/api.ts";
import type { ClusterNode } from "../cluster.ts";
import { milliValue, parseQuantity, wholeValue } from "../quota/quantity.ts";
import { amountsOf, podResources } from "../quota/resources.ts";
import type { Refusal } from "./pod-affinity.ts";

/** Amounts as the scheduler counts them: CPU in thousandths, all else in whole units. */
type Counted = ReadonlyMap<string, number>;
export type Demand = { readonly requests: Counted; readonly cpu: number; readonly memory: number };
/** What the pods of a node have taken. `cpu` and `memory` count a pod that asks for none with the scheduler's stand-in. */
export type Taken = { readonly requests: Map<string, number>; cpu: number; memory: number };

const STAND_IN_CPU = 100; // pkg/scheduler/util/pod_resources.go
const STAND_IN_MEMORY = 200 * 1024 * 1024;

export const nothingTaken = (): Taken => ({ requests: new Map(), cpu: 0, memory: 0 });

export function demandOf(spec: PodSpec): Demand {
  const requests = new Map(
    [...podResources(spec).requests].map(([name, quantity]) => [name, name === "cpu" ? milliValue(quantity) : wholeValue(quantity)]),
  );
  return { requests, cpu: requests.get("cpu") || STAND_IN_CPU, memory: requests.get("memory") || STAND_IN_MEMORY };
}

export function takeRoom(taken: Taken, { requests, cpu, memory }: Demand): void {
  for (const [name, amount] of requests) taken.requests.set(name, (taken.requests.get(name) ?? 0) + amount);
  taken.cpu += cpu;
  taken.memory += memory;
}

/** What the node states; undefined when it states nothing. */
export function allocatableOf(node: ClusterNode): Counted | undefined {
  const stated = node.object?.status?.allocatable;
  if (stated === undefined) return undefined;
  return new Map([...amountsOf(stated)].map(([name, quantity]) => [name, name === "cpu" ? milliValue(quantity) : wholeValue(quantity)]));
}

/** All that the node lacks. What is more than the whole node cannot be mended by evicting pods. */
export function roomRefusal(demand: Demand, allocatable: Counted | undefined, taken: Taken, pods: number): Refusal | undefined {
  if (allocatable === undefined) return undefined;
  const most = allocatable.get("pods");
  const tooMany = most !== undefined && pods + 1 > most;
  const lacking = [...demand.requests].filter(
    ([name, amount]) => amount > 0 && amount > (allocatable.get(name) ?? 0) - (taken.requests.get(name) ?? 0),
  );
  if (!tooMany && lacking.length === 0) return undefined;
  const reasons = [...(tooMany ? ["Too many pods"] : []), ...lacking.map(([name]) => `Insufficient ${name}`)];
  const hopeless = lacking.some(([name, amount]) => amount > (allocatable.get(name) ?? 0));
  return { reasons, ...(hopeless ? { helpless: true } : {}) };
}

/** LeastAllocated, 0 to 100: the mean of the free parts of CPU and memory with the pod in. */
export function leastAllocated(demand: Demand, allocatable: Counted | undefined, taken: Taken): number {
  const free = (name: string, asked: number): number[] => {
    const all = allocatable?.get(name) ?? 0;
    return all === 0 ? [] : [asked > all ? 0 : Math.floor(((all - asked) * 100) / all)];
  };
  const parts = [...free("cpu", taken.cpu + demand.cpu), ...free("memory", taken.memory + demand.memory)];
  return parts.length === 0 ? 0 : Math.floor(parts.reduce((sum, part) => sum + part, 0) / parts.length);
}

/** A node's CPU in thousandths, as its Node object states it. */
export const allocatableCpu = (node: ClusterNode): number => {
  const stated = parseQuantity(node.object?.status?.allocatable?.cpu ?? "0");
  return stated === undefined ? 0 : milliValue(stated);
};
