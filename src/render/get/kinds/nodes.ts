/** `kubectl get nodes` (printNode). What no Node object states is `<unknown>`, never a guess. */
import { type Fields, fieldAt, labelsAt, listAt, textAt } from "../../../objects/record.ts";
import { age, NONE, name, type Resource, textColumn, UNKNOWN, wide } from "../resource.ts";

export const nodes: Resource = {
  kind: "Node",
  plural: "nodes",
  singular: "node",
  short: ["no"],
  group: "",
  namespaced: false,
  columns: [
    name,
    { header: "STATUS", cell: statusOf },
    { header: "ROLES", cell: rolesOf },
    age,
    textColumn("VERSION", ["status", "nodeInfo", "kubeletVersion"], UNKNOWN),
    { header: "INTERNAL-IP", wide: true, cell: (node) => addressOf(node, "InternalIP") },
    { header: "EXTERNAL-IP", wide: true, cell: (node) => addressOf(node, "ExternalIP") },
    wide(textColumn("OS-IMAGE", ["status", "nodeInfo", "osImage"], UNKNOWN)),
    wide(textColumn("KERNEL-VERSION", ["status", "nodeInfo", "kernelVersion"], UNKNOWN)),
    wide(textColumn("CONTAINER-RUNTIME", ["status", "nodeInfo", "containerRuntimeVersion"], UNKNOWN)),
  ],
};

function statusOf(node: Fields): string {
  const ready = listAt(node, "status", "conditions").find((each) => textAt(each, "type") === "Ready");
  const health = ready === undefined ? "Unknown" : textAt(ready, "status") === "True" ? "Ready" : "NotReady";
  return fieldAt(node, "spec", "unschedulable") === true ? `${health},SchedulingDisabled` : health;
}

const ROLE_PREFIX = "node-role.kubernetes.io/";
function rolesOf(node: Fields): string {
  const labels = labelsAt(node, "metadata", "labels");
  const roles = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)];
    return key === "kubernetes.io/role" ? [value] : [];
  });
  return [...new Set(roles.filter((role) => role !== ""))].sort().join(",") || NONE;
}

const addressOf = (node: Fields, type: string): string => {
  const found = listAt(node, "status", "addresses").find((each) => textAt(each, "type") === type);
  return textAt(found, "address") || NONE;
};
