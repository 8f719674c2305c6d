/**
 * How much a pod likes a node for the pods that run near it (pkg/scheduler/framework/plugins/interpodaffinity/scoring.go):
 * its own preferred terms, and, the other way round, those of the pods there; a required term of theirs weighs 1.
 */
import type { PodSpec } from "../../objects/api.ts";
import { fieldAt, listAt } from "../../objects/record.ts";
import type { ClusterNode } from "../cluster.ts";
import type { PodPlan } from "../workloads/plan.ts";
import { domainOf, type NamespaceLabels, type PlacedPod, type Term, termOf, termsOf } from "./pod-affinity.ts";
import { weightOf } from "./preferred-nodes.ts";

type Weighted = Term & { readonly weight: number };
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
const HARD_POD_AFFINITY_WEIGHT = 1; // InterPodAffinityArgs' default

/** Whether a pod has terms that other pods' scores depend on. */
export const attracts = (spec: PodSpec): boolean =>
  spec.affinity !== undefined && (hasTerms(spec, "podAffinity") || hasTerms(spec, "podAntiAffinity"));
const hasTerms = (spec: PodSpec, kind: string): boolean => {
  const terms = fieldAt(spec.affinity, kind);
  return (
    listAt(terms, PREFERRED).length > 0 ||
    (kind === "podAffinity" && listAt(terms, "requiredDuringSchedulingIgnoredDuringExecution").length > 0)
  );
};

export const prefersPods = (spec: PodSpec): boolean =>
  ["podAffinity", "podAntiAffinity"].some((kind) => listAt(spec.affinity, kind, PREFERRED).length > 0);

/** The sum of weights a node gets from the pods placed so far. */
export function podPreference(
  plan: PodPlan,
  placed: readonly PlacedPod[],
  attracting: readonly PlacedPod[],
  namespaceLabels: NamespaceLabels,
): (node: ClusterNode) => number {
  const scores = new Map<string, Map<string, number>>();
  const add = (topologyKey: string, node: ClusterNode, weight: number): void => {
    const domain = domainOf(node, topologyKey);
    if (domain === undefined) return;
    const ofKey = scores.get(topologyKey) ?? new Map<string, number>();
    scores.set(topologyKey, ofKey.set(domain, (ofKey.get(domain) ?? 0) + weight));
  };
  const own = weightedTerms(plan, namespaceLabels);
  if (own.length > 0)
    for (const each of placed) for (const term of own) if (term.matches(each.plan)) add(term.topologyKey, each.node, term.weight);
  for (const each of attracting)
    for (const term of [...weightedTerms(each.plan, namespaceLabels), ...requiredTerms(each.plan, namespaceLabels)])
      if (term.matches(plan)) add(term.topologyKey, each.node, term.weight);
  return (node) => [...scores].reduce((sum, [key, ofKey]) => sum + (ofKey.get(domainOf(node, key) ?? "") ?? 0), 0);
}

const weightedTerms = (plan: PodPlan, namespaceLabels: NamespaceLabels): Weighted[] => [
  ...preferred(plan, "podAffinity", 1, namespaceLabels),
  ...preferred(plan, "podAntiAffinity", -1, namespaceLabels),
];

const preferred = (plan: PodPlan, kind: string, sign: number, namespaceLabels: NamespaceLabels): Weighted[] =>
  listAt(plan.spec.affinity, kind, PREFERRED).map((each) => ({
    ...termOf(fieldAt(each, "podAffinityTerm"), plan, namespaceLabels),
    weight: sign * weightOf(each),
  }));

const requiredTerms = (plan: PodPlan, namespaceLabels: NamespaceLabels): Weighted[] =>
  termsOf(plan, "podAffinity", namespaceLabels).map((term) => ({ ...term, weight: HARD_POD_AFFINITY_WEIGHT }));
