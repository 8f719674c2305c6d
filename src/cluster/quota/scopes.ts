/** Which pods a quota with scopes is about (pkg/quota/v1/evaluator/core/pods.go, podMatchesScopeFunc). All of them must hold. */
import type { PodSpec, ResourceQuota, ScopeExpression } from "../../objects/api.ts";
import { fieldAt, listAt, textAt } from "../../objects/record.ts";
import { containerResources } from "./resources.ts";

/** Scopes are about pods alone: any other object is outside a quota that has some. */
export function isInScope(quota: ResourceQuota, spec: PodSpec | undefined): boolean {
  const scopes = (quota.spec?.scopes ?? []).map((scopeName): ScopeExpression => ({ scopeName, operator: "Exists" }));
  const all = [...scopes, ...(quota.spec?.scopeSelector?.matchExpressions ?? [])];
  return all.length === 0 || (spec !== undefined && all.every((scope) => holds(scope, spec)));
}

function holds({ scopeName, operator, values = [] }: ScopeExpression, spec: PodSpec): boolean {
  switch (scopeName) {
    case "Terminating":
      return hasDeadline(spec);
    case "NotTerminating":
      return !hasDeadline(spec);
    case "BestEffort":
      return isBestEffort(spec);
    case "NotBestEffort":
      return !isBestEffort(spec);
    case "PriorityClass":
      return matchesClass(textAt(spec, "priorityClassName"), operator, values);
    case "CrossNamespacePodAffinity":
      return crossesNamespaces(spec);
    default:
      return false;
  }
}

const hasDeadline = (spec: PodSpec): boolean => {
  const seconds = fieldAt(spec, "activeDeadlineSeconds");
  return typeof seconds === "number" && seconds >= 0;
};

/** No container asks for CPU or memory, nor is limited in them (pkg/apis/core/v1/helper/qos). */
const isBestEffort = (spec: PodSpec): boolean =>
  [...(spec.containers ?? []), ...(spec.initContainers ?? [])].every((container) => {
    const { requests, limits } = containerResources(container);
    return ["cpu", "memory"].every((name) => (requests.get(name)?.nano ?? 0n) === 0n && (limits.get(name)?.nano ?? 0n) === 0n);
  });

function matchesClass(name: string, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case "Exists":
      return name !== "";
    case "DoesNotExist":
      return name === "";
    case "In":
      return name !== "" && values.includes(name);
    case "NotIn":
      return name === "" || !values.includes(name);
    default:
      return false;
  }
}

/** A pod (anti-)affinity term that looks into other namespaces. */
const crossesNamespaces = (spec: PodSpec): boolean =>
  ["podAffinity", "podAntiAffinity"].some((kind) => {
    const required = listAt(spec.affinity, kind, "requiredDuringSchedulingIgnoredDuringExecution");
    const preferred = listAt(spec.affinity, kind, "preferredDuringSchedulingIgnoredDuringExecution").map((each) =>
      fieldAt(each, "podAffinityTerm"),
    );
    return [...required, ...preferred].some(
      (term) => listAt(term, "namespaces").length > 0 || fieldAt(term, "namespaceSelector") !== undefined,
    );
  });
