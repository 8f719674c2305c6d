/** How much a pod likes a node for its labels and taints (pkg/scheduler/framework/plugins/{nodeaffinity,tainttoleration}). */
import type { PodSpec } from "../../objects/api.ts";
import { fieldAt, listAt } from "../../objects/record.ts";
import type { ClusterNode } from "../cluster.ts";
import { matchesTerm } from "./node-fit.ts";

const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

export const prefersNodes = (spec: PodSpec): boolean => listAt(spec.affinity, "nodeAffinity", PREFERRED).length > 0;

/** The weights of the preferred terms that the node meets; an empty term matches nothing, as it does where it is required. */
export const nodePreference = (spec: PodSpec, node: ClusterNode): number =>
  listAt(spec.affinity, "nodeAffinity", PREFERRED)
    .filter((term) => matchesTerm(fieldAt(term, "preference"), node))
    .reduce((sum: number, term) => sum + weightOf(term), 0);

export const weightOf = (term: unknown): number => {
  const weight = fieldAt(term, "weight");
  return typeof weight === "number" ? weight : 0;
};
