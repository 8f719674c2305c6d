/** The namespaces: the four that every cluster has, those in the input, and those that only other objects name. */
import type { ApiObject, Namespace } from "../objects/api.ts";
import type { Cluster } from "./cluster.ts";
import type { Given } from "./given.ts";
import type { Notes } from "./notes.ts";
import { byCodeUnits } from "./order.ts";

/** kube-apiserver's system namespaces controller, and `default`. */
const ALWAYS = ["default", "kube-node-lease", "kube-public", "kube-system"];

export function decideNamespaces(objects: readonly ApiObject[], given: Given, notes: Notes): Cluster["namespaces"] {
  const declared = new Map<string, Namespace>(given.all("Namespace").map((object) => [object.metadata.name, object]));
  const named = new Set([...ALWAYS, ...declared.keys(), ...objects.flatMap((object) => object.metadata.namespace ?? [])]);
  return [...named].sort(byCodeUnits).map((name) => {
    const object = declared.get(name);
    if (!object && !ALWAYS.includes(name)) notes.assume(`namespace ${name}`, "exists, though the input does not declare it");
    // The label is set on every namespace since 1.21 (NamespaceDefaultLabelName).
    const labels = { ...object?.metadata.labels, "kubernetes.io/metadata.name": name };
    return { name, labels, ...(object ? { object } : {}) };
  });
}
