/**
 * Whether a node will have a pod, as far as that does not depend on other pods: the scheduler's filters NodeName,
 * NodeUnschedulable, TaintToleration and NodeAffinity (pkg/scheduler/framework/plugins), in that order.
 */
import type { PodSpec, Taint, Toleration } from "../../objects/api.ts";
import { fieldAt, listAt, textAt, textsAt } from "../../objects/record.ts";
import { matchesLabels } from "../../objects/selector.ts";
import type { ClusterNode } from "../cluster.ts";

/** Taints that the DaemonSet controller makes its pods tolerate (pkg/controller/daemon/util AddOrUpdateDaemonPodTolerations). */
const DAEMON_TOLERATIONS: readonly Toleration[] = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
];
const NETWORK_UNAVAILABLE: Toleration = { key: "node.kubernetes.io/network-unavailable", operator: "Exists", effect: "NoSchedule" };
const UNSCHEDULABLE: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** A DaemonSet pod's spec with the tolerations it is given. */
export const daemonSpec = (spec: PodSpec): PodSpec => ({
  ...spec,
  tolerations: [...(spec.tolerations ?? []), ...DAEMON_TOLERATIONS, ...(spec.hostNetwork ? [NETWORK_UNAVAILABLE] : [])],
});

/** Why the node refuses the pod, in the scheduler's words; undefined when it does not. */
export function refusalOf(spec: PodSpec, node: ClusterNode): string | undefined {
  if (node.unschedulable && !tolerates(spec.tolerations, UNSCHEDULABLE)) return "node(s) were unschedulable";
  const taint = node.taints.find((each) => each.effect !== "PreferNoSchedule" && !tolerates(spec.tolerations, each));
  if (taint) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
  return matchesNode(spec, node) ? undefined : "node(s) didn't match Pod's node affinity/selector";
}

/** PreferNoSchedule taints that the pod does not tolerate: the fewer, the better the node's score. */
export const unwelcome = (spec: PodSpec, node: ClusterNode): number =>
  node.taints.filter((taint) => taint.effect === "PreferNoSchedule" && !tolerates(spec.tolerations, taint)).length;

/** An empty key with Exists tolerates everything, an empty effect every effect. */
export const tolerates = (tolerations: readonly Toleration[] = [], taint: Taint): boolean =>
  tolerations.some(({ key = "", operator = "Equal", value = "", effect = "" }) => {
    if (effect !== "" && effect !== taint.effect) return false;
    if (key === "") return operator === "Exists";
    return key === taint.key && (operator === "Exists" || value === (taint.value ?? ""));
  });

/** nodeSelector and required node affinity. */
export function matchesNode(spec: PodSpec, node: ClusterNode): boolean {
  if (!matchesLabels(spec.nodeSelector ?? {}, node.labels)) return false;
  const required = fieldAt(spec.affinity, "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
  if (required === undefined) return true;
  return listAt(required, "nodeSelectorTerms").some((term) => matchesTerm(term, node));
}

/** Terms are alternatives, a term's expressions must all hold, an empty term matches nothing. */
export function matchesTerm(term: unknown, node: ClusterNode): boolean {
  const [expressions, fields] = [listAt(term, "matchExpressions"), listAt(term, "matchFields")];
  if (expressions.length + fields.length === 0) return false;
  return (
    expressions.every((each) => matchesExpression(each, labelOf(node, textAt(each, "key")))) &&
    fields.every((each) => textAt(each, "key") === "metadata.name" && matchesExpression(each, node.name))
  );
}

const labelOf = (node: ClusterNode, key: string): string | undefined => (Object.hasOwn(node.labels, key) ? node.labels[key] : undefined);

function matchesExpression(expression: unknown, value: string | undefined): boolean {
  const values = textsAt(expression, "values");
  switch (textAt(expression, "operator")) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return isInteger(value) && isInteger(values[0]) && Number(value) > Number(values[0]);
    case "Lt":
      return isInteger(value) && isInteger(values[0]) && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

const isInteger = (text: string | undefined): boolean => text !== undefined && /^[+-]?\d{1,18}$/.test(text);
