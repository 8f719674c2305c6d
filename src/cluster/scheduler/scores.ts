/**
 * The nodes' scores for one pod, of the default profile (pkg/scheduler/apis/config/v1/default_plugins.go): TaintToleration
 * weighs 3, NodeAffinity, PodTopologySpread and InterPodAffinity 2, NodeResourcesFit 1. Not modelled: ImageLocality and
 * NodeResourcesBalancedAllocation, which weigh 1.
 */
import type { PodPlan } from "../workloads/plan.ts";
import { type Bench, spreadOf } from "./bench.ts";
import { hasPodAffinity } from "./pod-affinity.ts";
import { nodePreference, prefersNodes } from "./preferred-nodes.ts";
import { podPreference, prefersPods } from "./preferred-pods.ts";
import { demandOf, leastAllocated } from "./resource-fit.ts";
import { isSpreadBySystem, spreadScores } from "./topology-spread.ts";
import type { Welcome } from "./waiting-line.ts";

/** Whether anything but the number of pods tells nodes apart for this pod. */
export const isScored = (plan: PodPlan, bench: Bench): boolean =>
  bench.isMeasured ||
  bench.attracting.length > 0 ||
  plan.spec.topologySpreadConstraints !== undefined ||
  hasPodAffinity(plan.spec) ||
  prefersNodes(plan.spec) ||
  prefersPods(plan.spec) ||
  (bench.hasZones && isSpreadBySystem(plan));

/** One score for each of the nodes that fit, in their order. */
export function scoresOf(plan: PodPlan, fit: readonly Welcome[], bench: Bench): number[] {
  const nodes = fit.map(({ seat }) => seat.node);
  const spread = spreadScores(plan, nodes, spreadOf(bench));
  const taints = upTo100(fit.map(({ penalty }) => penalty)).map((score) => 100 - score);
  const affinity = upTo100(nodes.map((node) => nodePreference(plan.spec, node)));
  const near = between(nodes.map(podPreference(plan, bench.placed, bench.attracting, bench.namespaceLabels)));
  const demand = demandOf(plan.spec);
  // A node that does not state its size has none to compare.
  const free = fit.every(({ seat }) => seat.allocatable)
    ? fit.map(({ seat }) => leastAllocated(demand, seat.allocatable, seat.taken))
    : fit.map(() => 0);
  const at = (scores: readonly number[], i: number): number => scores[i] ?? 0;
  return fit.map((_, i) => 3 * at(taints, i) + 2 * at(affinity, i) + 2 * at(spread ?? [], i) + 2 * at(near, i) + at(free, i));
}

/** The largest becomes 100 (plugins/helper/normalize_score.go). */
function upTo100(scores: readonly number[]): number[] {
  const most = scores.reduce((a, b) => Math.max(a, b), 0);
  return scores.map((score) => (most === 0 ? 0 : Math.floor((100 * score) / most)));
}

/** The smallest becomes 0, the largest 100. */
function between(scores: readonly number[]): number[] {
  const [first = 0] = scores;
  const [least, most] = [scores.reduce((a, b) => Math.min(a, b), first), scores.reduce((a, b) => Math.max(a, b), first)];
  return scores.map((score) => (most === least ? 0 : Math.trunc((100 * (score - least)) / (most - least))));
}
