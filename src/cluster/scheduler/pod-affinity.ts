/**
 * Required affinity and anti-affinity between pods (pkg/scheduler/framework/plugins/interpodaffinity), anti-affinity in
 * both directions. Preferred terms are preferred-pods.ts. Not modelled: matchLabelKeys and mismatchLabelKeys of a term.
 */
import type { Labels, PodSpec } from "../../objects/api.ts";
import { fieldAt, isFields, labelsAt, listAt, textAt, textsAt } from "../../objects/record.ts";
import { matchesLabels, matchesSelector } from "../../objects/selector.ts";
import type { ClusterNode } from "../cluster.ts";
import type { PodPlan } from "../workloads/plan.ts";

export type PlacedPod = { readonly plan: PodPlan; readonly node: ClusterNode };
export type NamespaceLabels = (namespace: string) => Labels;
export type Term = { readonly topologyKey: string; readonly matches: (pod: PodPlan) => boolean };
/** Why a node is refused; `helpless` when no pod that could be evicted would change it. */
export type Refusal = { readonly reasons: readonly string[]; readonly helpless?: true };

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";

export const hasPodAffinity = (spec: PodSpec): boolean =>
  listAt(spec.affinity, "podAffinity", REQUIRED).length + listAt(spec.affinity, "podAntiAffinity", REQUIRED).length > 0;

/** For one pod, why a node is refused because of the pods placed so far; undefined when it is not. */
export function podAffinityFilter(
  plan: PodPlan,
  placed: readonly PlacedPod[],
  repelling: readonly PlacedPod[],
  namespaceLabels: NamespaceLabels,
): (node: ClusterNode) => Refusal | undefined {
  const near = termsOf(plan, "podAffinity", namespaceLabels).map((term) => ({ ...term, domains: domainsWith(placed, term) }));
  const far = termsOf(plan, "podAntiAffinity", namespaceLabels).map((term) => ({ ...term, domains: domainsWith(placed, term) }));
  const repelled = repellingDomains(plan, repelling, namespaceLabels);
  // The first pod of a group that wants to be near itself may go anywhere.
  const first = near.every((term) => term.domains.size === 0 && term.matches(plan));
  return (node) => {
    const isIn = (term: { readonly topologyKey: string; readonly domains: ReadonlySet<string> }) =>
      term.domains.has(domainOf(node, term.topologyKey) ?? "");
    if (!first && !near.every(isIn)) return { reasons: ["node(s) didn't match pod affinity rules"], helpless: true };
    if (far.some(isIn)) return { reasons: ["node(s) didn't match pod anti-affinity rules"] };
    return repelled.some(isIn) ? { reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"] } : undefined;
  };
}

/** Domains that hold a placed pod whose own anti-affinity names this one. */
function repellingDomains(plan: PodPlan, repelling: readonly PlacedPod[], namespaceLabels: NamespaceLabels) {
  return repelling.flatMap((each) =>
    termsOf(each.plan, "podAntiAffinity", namespaceLabels)
      .filter((term) => term.matches(plan))
      .flatMap(({ topologyKey }) => {
        const domain = domainOf(each.node, topologyKey);
        return domain === undefined ? [] : [{ topologyKey, domains: new Set([domain]) }];
      }),
  );
}

export function termsOf(plan: PodPlan, kind: "podAffinity" | "podAntiAffinity", namespaceLabels: NamespaceLabels): Term[] {
  return listAt(plan.spec.affinity, kind, REQUIRED).map((term) => termOf(term, plan, namespaceLabels));
}

/** One PodAffinityTerm of a pod's. */
export const termOf = (term: unknown, plan: PodPlan, namespaceLabels: NamespaceLabels): Term => ({
  topologyKey: textAt(term, "topologyKey"),
  matches: (pod) =>
    inNamespaces(term, plan.namespace, pod.namespace, namespaceLabels) && selects(fieldAt(term, "labelSelector"), pod.labels),
});

/** The own namespace, unless the term lists some or selects some; an empty namespaceSelector is all. */
function inNamespaces(term: unknown, own: string, namespace: string, namespaceLabels: NamespaceLabels): boolean {
  const [listed, selector] = [textsAt(term, "namespaces"), fieldAt(term, "namespaceSelector")];
  if (listed.includes(namespace)) return true;
  if (isFields(selector)) return selects(selector, namespaceLabels(namespace));
  return listed.length === 0 && namespace === own;
}

/** An absent selector selects nothing, an empty one everything. */
export function selects(selector: unknown, labels: Labels): boolean {
  if (!isFields(selector)) return false;
  const expressions = listAt(selector, "matchExpressions").map((each) => ({
    key: textAt(each, "key"),
    operator: textAt(each, "operator"),
    values: textsAt(each, "values"),
  }));
  return matchesLabels(labelsAt(selector, "matchLabels"), labels) && matchesSelector({ matchExpressions: expressions }, labels);
}

export const domainOf = (node: ClusterNode, key: string): string | undefined =>
  Object.hasOwn(node.labels, key) ? node.labels[key] : undefined;

const domainsWith = (placed: readonly PlacedPod[], term: Term): Set<string> =>
  new Set(placed.filter((each) => term.matches(each.plan)).flatMap((each) => domainOf(each.node, term.topologyKey) ?? []));
