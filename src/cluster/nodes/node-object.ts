/** What a Node object shows beside its addresses: the labels, taints and roles that kubelet and the node controllers see to. */
import type { Labels, Node, Taint } from "../../objects/api.ts";
import { byCodeUnits } from "../order.ts";

export const ROLE_PREFIX = "node-role.kubernetes.io/";

/** What every kubelet puts on its Node (pkg/kubelet/kubelet_node_status.go); the architecture is taken to be amd64. */
export function kubeletLabels(name: string, written: Labels): Labels {
  const os = written["kubernetes.io/os"] ?? "linux";
  const arch = written["kubernetes.io/arch"] ?? "amd64";
  return {
    "beta.kubernetes.io/arch": arch,
    "beta.kubernetes.io/os": os,
    "kubernetes.io/arch": arch,
    "kubernetes.io/hostname": name,
    "kubernetes.io/os": os,
    ...written,
  };
}

/** False only when the Ready condition says so. */
export const isReady = (object: Node | undefined): boolean => {
  const condition = object?.status?.conditions?.find((each) => each.type === "Ready");
  return condition === undefined || condition.status === "True";
};

/** The node lifecycle controller taints a node that is not ready and one that is cordoned. */
export function taintsOf(written: readonly Taint[], object: Node | undefined): Taint[] {
  const has = (key: string) => written.some((taint) => taint.key === key);
  const lost = !isReady(object) && !has("node.kubernetes.io/not-ready") && !has("node.kubernetes.io/unreachable");
  return [...written, ...(lost ? [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }] : [])];
}

export function nodeInfo(object: Node | undefined): Readonly<Record<string, string>> {
  const stated = Object.entries(object?.status?.nodeInfo ?? {});
  return Object.fromEntries(
    stated.flatMap(([key, value]) => (typeof value === "string" && key !== "__proto__" ? [[key, value] as const] : [])),
  );
}

/** kubectl's ROLES: the ends of node-role.kubernetes.io/X labels, and kubernetes.io/role. */
export function rolesOf(labels: Labels): string[] {
  const roles = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)];
    return key === "kubernetes.io/role" && value !== "" ? [value] : [];
  });
  return [...new Set(roles.filter((role) => role !== ""))].sort(byCodeUnits);
}
