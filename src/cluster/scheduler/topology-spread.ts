/**
 * topologySpreadConstraints (pkg/scheduler/framework/plugins/podtopologyspread): DoNotSchedule refuses nodes, ScheduleAnyway
 * scores them; pods of a set that have none are spread by the scheduler's own two, over nodes and zones.
 */
import type { PodSpec } from "../../objects/api.ts";
import { fieldAt, listAt, textAt, textsAt } from "../../objects/record.ts";
import type { ClusterNode } from "../cluster.ts";
import type { PodPlan } from "../workloads/plan.ts";
import { matchesNode, tolerates } from "./node-fit.ts";
import { domainOf, type Refusal, selects } from "./pod-affinity.ts";

export const HOSTNAME = "kubernetes.io/hostname";
export const ZONE = "topology.kubernetes.io/zone";

/** What the bench keeps, so that 5,000 nodes are not gone through for each pod. */
export type Spread = {
  readonly nodes: readonly ClusterNode[];
  /** How many pods that a constraint counts are on each node, by node name. */
  readonly count: (constraint: SpreadConstraint, plan: PodPlan) => ReadonlyMap<string, number>;
  /** Made once for all pods with the same demands. */
  readonly remember: (spec: PodSpec, key: string, make: () => Domains) => Domains;
};
/** The domain of each node that takes part, by node name, and all the domains there are. */
export type Domains = { readonly ofNode: ReadonlyMap<string, string>; readonly all: readonly string[] };
export type SpreadConstraint = {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly hard: boolean;
  readonly minDomains: number;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
  readonly matches: (pod: PodPlan) => boolean;
  readonly key: string; // which pods are counted: equal for constraints that count the same ones
};

/** The pod's own constraints. `nodeAffinityPolicy` is Honor and `nodeTaintsPolicy` Ignore unless said. */
export const spreadConstraints = (plan: PodPlan): SpreadConstraint[] =>
  listAt(plan.spec, "topologySpreadConstraints").map((each) => {
    const selector = fieldAt(each, "labelSelector");
    const same = textsAt(each, "matchLabelKeys").filter((key) => Object.hasOwn(plan.labels, key));
    return {
      topologyKey: textAt(each, "topologyKey"),
      maxSkew: numberAt(each, "maxSkew", 1),
      hard: textAt(each, "whenUnsatisfiable") !== "ScheduleAnyway",
      minDomains: numberAt(each, "minDomains", 1),
      honorsAffinity: textAt(each, "nodeAffinityPolicy") !== "Ignore",
      honorsTaints: textAt(each, "nodeTaintsPolicy") === "Honor",
      matches: (pod) =>
        pod.namespace === plan.namespace && selects(selector, pod.labels) && same.every((key) => pod.labels[key] === plan.labels[key]),
      key: JSON.stringify([plan.namespace, selector, same.map((key) => [key, plan.labels[key]])]),
    };
  });

const numberAt = (value: unknown, key: string, absent: number): number => {
  const found = fieldAt(value, key);
  return typeof found === "number" ? found : absent;
};

const UNEVEN = "node(s) didn't match pod topology spread constraints";

/** Why a node is refused: with the pod its domain would hold `maxSkew` more than the emptiest one. */
export function spreadFilter(plan: PodPlan, spread: Spread): (node: ClusterNode) => Refusal | undefined {
  const constraints = spreadConstraints(plan).filter((each) => each.hard);
  if (constraints.length === 0) return () => undefined;
  const checks = constraints.map((constraint) => {
    const domains = domainCounts(constraint, plan, constraints, spread);
    const least =
      domains.size < constraint.minDomains ? 0 : [...domains.values()].reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER);
    const self = constraint.matches(plan) ? 1 : 0;
    return { constraint, exceeds: (domain: string) => (domains.get(domain) ?? 0) + self - least > constraint.maxSkew };
  });
  return (node) => {
    for (const { constraint, exceeds } of checks) {
      const domain = domainOf(node, constraint.topologyKey);
      if (domain === undefined) return { reasons: [`${UNEVEN} (missing required label)`], helpless: true };
      if (exceeds(domain)) return { reasons: [UNEVEN] };
    }
    return undefined;
  };
}

const hasKeys = (node: ClusterNode, constraints: readonly SpreadConstraint[]): boolean =>
  constraints.every((constraint) => domainOf(node, constraint.topologyKey) !== undefined);

/** Which nodes take part: those that the pod selects, and with nodeTaintsPolicy Honor those whose taints it tolerates. */
const isIncluded = ({ honorsAffinity, honorsTaints }: SpreadConstraint, spec: PodSpec, node: ClusterNode): boolean =>
  (!honorsAffinity || matchesNode(spec, node)) &&
  (!honorsTaints || node.taints.every((taint) => taint.effect === "PreferNoSchedule" || tolerates(spec.tolerations, taint)));

/** Pods by domain, of the nodes that have the labels of all of `needed`. */
function domainCounts(
  constraint: SpreadConstraint,
  plan: PodPlan,
  needed: readonly SpreadConstraint[],
  { nodes, count, remember }: Spread,
) {
  const { topologyKey, honorsAffinity, honorsTaints } = constraint;
  const keys = needed.map((each) => each.topologyKey);
  const { ofNode, all } = remember(plan.spec, JSON.stringify([topologyKey, honorsAffinity, honorsTaints, keys]), () => {
    const included = nodes.filter((node) => hasKeys(node, needed) && isIncluded(constraint, plan.spec, node));
    const domains = new Map(included.map((node) => [node.name, domainOf(node, topologyKey) ?? ""]));
    return { ofNode: domains, all: [...new Set(domains.values())] };
  });
  const domains = new Map(all.map((domain) => [domain, 0]));
  for (const [name, pods] of count(constraint, plan)) {
    const domain = ofNode.get(name);
    if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + pods);
  }
  return domains;
}

/** The scheduler's own constraints (System defaulting, v1beta plugins/podtopologyspread/plugin.go), for pods of a set. */
const systemConstraints = (key: string, matches: SpreadConstraint["matches"]): SpreadConstraint[] =>
  [
    { topologyKey: HOSTNAME, maxSkew: 3 },
    { topologyKey: ZONE, maxSkew: 5 },
  ].map((each) => ({ ...each, hard: false, minDomains: 1, honorsAffinity: true, honorsTaints: false, matches, key }));

const SPREAD_OWNERS: ReadonlySet<string> = new Set(["ReplicaSet", "ReplicationController", "StatefulSet"]);
export const isSpreadBySystem = (plan: PodPlan): boolean =>
  plan.owner !== undefined && SPREAD_OWNERS.has(plan.owner.kind) && listAt(plan.spec, "topologySpreadConstraints").length === 0;

function softConstraints(plan: PodPlan): { readonly constraints: readonly SpreadConstraint[]; readonly needsKeys: boolean } {
  const { owner } = plan;
  if (!isSpreadBySystem(plan)) return { constraints: spreadConstraints(plan).filter((each) => !each.hard), needsKeys: true };
  const matches = (pod: PodPlan): boolean =>
    pod.namespace === plan.namespace && pod.owner?.kind === owner?.kind && pod.owner?.name === owner?.name;
  return { constraints: systemConstraints(JSON.stringify([plan.namespace, owner]), matches), needsKeys: false };
}

/** A score of 0 to 100 for each of the nodes that fit, in their order; undefined when the pod has nothing to be spread by. */
export function spreadScores(plan: PodPlan, fit: readonly ClusterNode[], spread: Spread): number[] | undefined {
  const { constraints, needsKeys } = softConstraints(plan);
  if (constraints.length === 0) return undefined;
  const takesPart = fit.map((node) => !needsKeys || hasKeys(node, constraints));
  const scored = fit.filter((_, i) => takesPart[i]);
  const parts = constraints.map((constraint) => {
    const counts = spread.count(constraint, plan);
    if (constraint.topologyKey === HOSTNAME)
      return { constraint, weight: weightOfSize(scored.length), of: (node: ClusterNode) => counts.get(node.name) ?? 0 };
    const candidates = new Set(scored.map((node) => domainOf(node, constraint.topologyKey) ?? ""));
    const domains = domainCounts(constraint, plan, needsKeys ? constraints : [], spread);
    return {
      constraint,
      weight: weightOfSize(candidates.size),
      of: (node: ClusterNode) => domains.get(domainOf(node, constraint.topologyKey) ?? "") ?? 0,
    };
  });
  const raw = fit.map((node) => {
    const present = parts.filter(({ constraint }) => domainOf(node, constraint.topologyKey) !== undefined);
    return Math.round(present.reduce((sum, { constraint, weight, of }) => sum + of(node) * weight + constraint.maxSkew - 1, 0));
  });
  return normalise(raw, takesPart);
}

/** Many small domains shall not be watered down by few big ones. */
const weightOfSize = (size: number): number => Math.log(size + 2);

/** The fewest pods get 100; nodes without the labels get nothing. */
function normalise(raw: readonly number[], takesPart: readonly boolean[]): number[] {
  const scored = raw.filter((_, i) => takesPart[i]);
  const [least, most] = [scored.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER), scored.reduce((a, b) => Math.max(a, b), 0)];
  return raw.map((score, i) => (!takesPart[i] ? 0 : most === 0 ? 100 : Math.floor((100 * (most + least - score)) / most)));
}
