/** `kubectl describe sts`, `ds` and `job` (describeStatefulSet, describeDaemonSet, describeJob). Not shown: claims, times, the partition. */
import { type Fields, fieldAt, labelsAt, textAt } from "../../objects/record.ts";
import { countAt, formatLabels, formatSelector, UNKNOWN } from "../get/resource.ts";
import type { ObjectSource } from "../get/select.ts";
import { templateLines } from "./containers.ts";
import { annotationLines, controllerOf, type Describe, eventLines, labelLines, named, namespaceOf, shown } from "./parts.ts";
import { podsText } from "./replicas.ts";

export const describeStatefulSet: Describe = (set, source) => [
  `Name:\t${named(set)}`,
  `Namespace:\t${shown(namespaceOf(set))}`,
  `CreationTimestamp:\t${UNKNOWN}`,
  `Selector:\t${selectorText(set)}`,
  ...labelsOf(set),
  `Replicas:\t${countAt(set, "spec", "replicas")} desired | ${countAt(set, "status", "replicas")} total`,
  `Update Strategy:\t${shown(textAt(set, "spec", "updateStrategy", "type") || "RollingUpdate")}`,
  `Pods Status:\t${podsText(set, source)}`,
  ...ending(set, source),
];

export const describeDaemonSet: Describe = (set, source) => {
  const count = (key: string): number => countAt(set, "status", key);
  return [
    `Name:\t${named(set)}`,
    `Namespace:\t${shown(namespaceOf(set))}`,
    `Selector:\t${selectorText(set)}`,
    `Node-Selector:\t${shown(formatLabels(labelsAt(set, "spec", "template", "spec", "nodeSelector")))}`,
    ...labelsOf(set),
    `Desired Number of Nodes Scheduled:\t${count("desiredNumberScheduled")}`,
    `Current Number of Nodes Scheduled:\t${count("currentNumberScheduled")}`,
    `Number of Nodes Scheduled with Up-to-date Pods:\t${count("updatedNumberScheduled")}`,
    `Number of Nodes Scheduled with Available Pods:\t${count("numberAvailable")}`,
    `Number of Nodes Misscheduled:\t${count("numberMisscheduled")}`,
    `Pods Status:\t${podsText(set, source)}`,
    ...ending(set, source),
  ];
};

export const describeJob: Describe = (job, source) => {
  const controller = controllerOf(job);
  const number = (key: string): string => String(fieldAt(job, "spec", key) ?? 1);
  const completions = fieldAt(job, "spec", "completions");
  // Without completions any pod that succeeds ends the Job, unless there is only one.
  const wanted = completions === undefined && number("parallelism") !== "1" ? "<unset>" : number("completions");
  const [active, ready, succeeded, failed] = ["active", "ready", "succeeded", "failed"].map((key) => countAt(job, "status", key));
  return [
    `Name:\t${named(job)}`,
    `Namespace:\t${shown(namespaceOf(job))}`,
    `Selector:\t${selectorText(job)}`,
    ...labelsOf(job),
    ...(controller === undefined ? [] : [`Controlled By:\t${controller}`]),
    `Parallelism:\t${number("parallelism")}`,
    `Completions:\t${wanted}`,
    `Completion Mode:\t${shown(textAt(job, "spec", "completionMode") || "NonIndexed")}`,
    `Suspend:\t${fieldAt(job, "spec", "suspend") === true}`,
    `Pods Statuses:\t${active} Active (${ready} Ready) / ${succeeded} Succeeded / ${failed} Failed`,
    ...ending(job, source),
  ];
};

const selectorText = (object: Fields): string => shown(formatSelector(fieldAt(object, "spec", "selector")));
const labelsOf = (object: Fields): string[] => [
  ...labelLines("Labels", labelsAt(object, "metadata", "labels")),
  ...annotationLines(object),
];
const ending = (object: Fields, source: ObjectSource): string[] => [
  ...templateLines(fieldAt(object, "spec", "template")),
  ...eventLines(object, source),
];
