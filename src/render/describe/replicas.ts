/** `kubectl describe rs` and `rc` (describeReplicaSet, describeReplicationController). */
import { type Fields, fieldAt, labelsAt, listAt, textAt } from "../../objects/record.ts";
import { countAt, formatLabels, formatSelector } from "../get/resource.ts";
import type { ObjectSource } from "../get/select.ts";
import { templateLines } from "./containers.ts";
import { annotationLines, controllerOf, type Describe, eventLines, labelLines, named, namespaceOf, shown } from "./parts.ts";

export const describeReplicas: Describe = (set, source) => {
  const controller = controllerOf(set);
  return [
    `Name:\t${named(set)}`,
    `Namespace:\t${shown(namespaceOf(set))}`,
    `Selector:\t${shown(selectorText(set))}`,
    ...labelLines("Labels", labelsAt(set, "metadata", "labels")),
    ...annotationLines(set),
    ...(controller === undefined ? [] : [`Controlled By:\t${controller}`]),
    `Replicas:\t${countAt(set, "status", "replicas")} current / ${countAt(set, "spec", "replicas")} desired`,
    `Pods Status:\t${podsText(set, source)}`,
    ...templateLines(fieldAt(set, "spec", "template")),
    ...conditionLines(set),
    ...eventLines(set, source),
  ];
};

const selectorText = (set: Fields): string =>
  textAt(set, "kind") === "ReplicationController"
    ? formatLabels(labelsAt(set, "spec", "selector"))
    : formatSelector(fieldAt(set, "spec", "selector"));

/** Counted by phase, as kubectl counts them; a pod whose phase is Unknown is in none of the four. */
export function podsText(set: Fields, source: ObjectSource): string {
  const own = source("Pod").filter(
    (pod) => namespaceOf(pod) === namespaceOf(set) && controllerOf(pod) === `${textAt(set, "kind")}/${named(set)}`,
  );
  const counts = ["Running", "Pending", "Succeeded", "Failed"].map(
    (phase) => own.filter((pod) => textAt(pod, "status", "phase") === phase).length,
  );
  const [running, waiting, succeeded, failed] = counts;
  return `${running} Running / ${waiting} Waiting / ${succeeded} Succeeded / ${failed} Failed`;
}

/** Also of a Deployment: type, status and reason in three columns. */
export function conditionLines(object: Fields): string[] {
  const conditions = listAt(object, "status", "conditions");
  if (conditions.length === 0) return [];
  const rows = conditions.map(
    (each) => `  ${shown(textAt(each, "type"))} \t${shown(textAt(each, "status"))}\t${shown(textAt(each, "reason"))}`,
  );
  return ["Conditions:", "  Type\tStatus\tReason", "  ----\t------\t------", ...rows];
}
