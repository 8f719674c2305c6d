/** `kubectl describe deployment` (describeDeployment). */
import { type Fields, fieldAt, labelsAt, listAt, textAt } from "../../objects/record.ts";
import { countAt, formatSelector, NONE, UNKNOWN } from "../get/resource.ts";
import type { ObjectSource } from "../get/select.ts";
import { templateLines } from "./containers.ts";
import { annotationLines, type Describe, eventLines, labelLines, named, namespaceOf, shown } from "./parts.ts";
import { conditionLines } from "./replicas.ts";

export const describeDeployment: Describe = (deployment, source) => {
  const spec = fieldAt(deployment, "spec");
  const strategy = textAt(spec, "strategy", "type") || "RollingUpdate";
  return [
    `Name:\t${named(deployment)}`,
    `Namespace:\t${shown(namespaceOf(deployment))}`,
    `CreationTimestamp:\t${UNKNOWN}`,
    ...labelLines("Labels", labelsAt(deployment, "metadata", "labels")),
    ...annotationLines(deployment),
    `Selector:\t${shown(formatSelector(fieldAt(spec, "selector")))}`,
    `Replicas:\t${replicasText(deployment)}`,
    `StrategyType:\t${shown(strategy)}`,
    `MinReadySeconds:\t${countAt(deployment, "spec", "minReadySeconds")}`,
    ...(strategy === "RollingUpdate" ? [`RollingUpdateStrategy:\t${shown(rollingText(spec))}`] : []),
    ...templateLines(fieldAt(spec, "template")),
    ...conditionLines(deployment),
    ...replicaSetLines(deployment, source),
    ...eventLines(deployment, source),
  ];
};

function replicasText(deployment: Fields): string {
  const desired = fieldAt(deployment, "spec", "replicas");
  const [updated, total, available] = ["updatedReplicas", "replicas", "availableReplicas"].map((key) => countAt(deployment, "status", key));
  const unavailable = Math.max(0, (total ?? 0) - (available ?? 0));
  return `${typeof desired === "number" ? desired : 1} desired | ${updated} updated | ${total} total | ${available} available | ${unavailable} unavailable`;
}

/** The API server's defaults are a quarter each. */
const rollingText = (spec: unknown): string => {
  const part = (key: string): string => String(fieldAt(spec, "strategy", "rollingUpdate", key) ?? "25%");
  return `${part("maxUnavailable")} max unavailable, ${part("maxSurge")} max surge`;
};

/** The one that runs the present template is new; of a decided cluster there are no others, a dump may have them. */
function replicaSetLines(deployment: Fields, source: ObjectSource): string[] {
  const own = source("ReplicaSet").filter(
    (set) =>
      namespaceOf(set) === namespaceOf(deployment) &&
      listAt(set, "metadata", "ownerReferences").some(
        (owner) => textAt(owner, "kind") === "Deployment" && textAt(owner, "name") === textAt(deployment, "metadata", "name"),
      ),
  );
  const current = own.findLast((set) => countAt(set, "spec", "replicas") > 0) ?? own.at(-1);
  const old = own.filter((set) => set !== current && countAt(set, "status", "replicas") > 0);
  const text = (sets: readonly Fields[]): string =>
    sets
      .map((set) => `${named(set)} (${countAt(set, "status", "replicas")}/${countAt(set, "spec", "replicas")} replicas created)`)
      .join(", ") || NONE;
  return [`OldReplicaSets:\t${text(old)}`, `NewReplicaSet:\t${text(current ? [current] : [])}`];
}
