/** Tables of what bounds a namespace: resource quotas and limit ranges (printResourceQuota; a LimitRange has the server's own two columns). */
import { type Fields, labelsAt, textAt } from "../../../objects/record.ts";
import { age, name, type Resource, UNKNOWN } from "../resource.ts";

export const resourceQuotas: Resource = {
  kind: "ResourceQuota",
  plural: "resourcequotas",
  singular: "resourcequota",
  short: ["quota"],
  group: "",
  namespaced: true,
  columns: [
    name,
    { header: "REQUEST", cell: (quota) => usedOfHard(quota, (resource) => !isLimit(resource)) },
    { header: "LIMIT", cell: (quota) => usedOfHard(quota, isLimit) },
    age,
  ],
};

export const limitRanges: Resource = {
  kind: "LimitRange",
  plural: "limitranges",
  singular: "limitrange",
  short: ["limits"],
  group: "",
  namespaced: true,
  columns: [name, { header: "CREATED AT", cell: (range) => textAt(range, "metadata", "creationTimestamp") || UNKNOWN }],
};

const isLimit = (resource: string): boolean => resource.startsWith("limits");

/** `pods: 3/3, services: 0/1` */
function usedOfHard(quota: Fields, isShown: (resource: string) => boolean): string {
  const [used, hard] = [labelsAt(quota, "status", "used"), labelsAt(quota, "status", "hard")];
  const resources = Object.keys(hard).filter(isShown).sort();
  return resources.map((resource) => `${resource}: ${used[resource] ?? UNKNOWN}/${hard[resource]}`).join(", ");
}
