/** Tables of what makes pods (printDeployment, printReplicaSet, printDaemonSet, printStatefulSet, printJob, printCronJob…). */
import { type Fields, fieldAt, labelsAt, textAt } from "../../../objects/record.ts";
import {
  age,
  type Column,
  countAt,
  countColumn,
  formatLabels,
  NONE,
  name,
  type Resource,
  selectorColumn,
  templateColumns,
  textColumn,
  UNKNOWN,
} from "../resource.ts";

const replicated: readonly Column[] = [
  name,
  countColumn("DESIRED", "spec", "replicas"),
  countColumn("CURRENT", "status", "replicas"),
  countColumn("READY", "status", "readyReplicas"),
  age,
  ...templateColumns,
];
const readyOfDesired: Column = {
  header: "READY",
  cell: (object) => `${countAt(object, "status", "readyReplicas")}/${countAt(object, "spec", "replicas")}`,
};

export const deployments: Resource = {
  kind: "Deployment",
  plural: "deployments",
  singular: "deployment",
  short: ["deploy"],
  group: "apps",
  namespaced: true,
  columns: [
    name,
    readyOfDesired,
    countColumn("UP-TO-DATE", "status", "updatedReplicas"),
    countColumn("AVAILABLE", "status", "availableReplicas"),
    age,
    ...templateColumns,
    selectorColumn,
  ],
};

export const replicaSets: Resource = {
  kind: "ReplicaSet",
  plural: "replicasets",
  singular: "replicaset",
  short: ["rs"],
  group: "apps",
  namespaced: true,
  columns: [...replicated, selectorColumn],
};

export const replicationControllers: Resource = {
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  singular: "replicationcontroller",
  short: ["rc"],
  group: "",
  namespaced: true,
  columns: [...replicated, { header: "SELECTOR", wide: true, cell: (object) => formatLabels(labelsAt(object, "spec", "selector")) }],
};

export const statefulSets: Resource = {
  kind: "StatefulSet",
  plural: "statefulsets",
  singular: "statefulset",
  short: ["sts"],
  group: "apps",
  namespaced: true,
  columns: [name, readyOfDesired, age, ...templateColumns],
};

export const daemonSets: Resource = {
  kind: "DaemonSet",
  plural: "daemonsets",
  singular: "daemonset",
  short: ["ds"],
  group: "apps",
  namespaced: true,
  columns: [
    name,
    countColumn("DESIRED", "status", "desiredNumberScheduled"),
    countColumn("CURRENT", "status", "currentNumberScheduled"),
    countColumn("READY", "status", "numberReady"),
    countColumn("UP-TO-DATE", "status", "updatedNumberScheduled"),
    countColumn("AVAILABLE", "status", "numberAvailable"),
    { header: "NODE SELECTOR", cell: (object) => formatLabels(labelsAt(object, "spec", "template", "spec", "nodeSelector")) },
    age,
    ...templateColumns,
    selectorColumn,
  ],
};

export const jobs: Resource = {
  kind: "Job",
  plural: "jobs",
  singular: "job",
  short: [],
  group: "batch",
  namespaced: true,
  columns: [
    name,
    {
      header: "STATUS",
      since: { major: 1, minor: 30 },
      cell: (job) => (fieldAt(job, "spec", "suspend") === true ? "Suspended" : "Running"),
    },
    { header: "COMPLETIONS", cell: completionsOf },
    { header: "DURATION", cell: () => UNKNOWN },
    age,
    ...templateColumns,
    selectorColumn,
  ],
};

function completionsOf(job: Fields): string {
  const succeeded = countAt(job, "status", "succeeded");
  const [completions, parallelism] = [fieldAt(job, "spec", "completions"), countAt(job, "spec", "parallelism")];
  if (typeof completions === "number") return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

export const cronJobs: Resource = {
  kind: "CronJob",
  plural: "cronjobs",
  singular: "cronjob",
  short: ["cj"],
  group: "batch",
  namespaced: true,
  columns: [
    name,
    textColumn("SCHEDULE", ["spec", "schedule"], UNKNOWN),
    { ...textColumn("TIMEZONE", ["spec", "timeZone"]), since: { major: 1, minor: 24 } },
    { header: "SUSPEND", cell: (job) => (fieldAt(job, "spec", "suspend") === true ? "True" : "False") },
    { header: "ACTIVE", cell: () => "0" },
    { header: "LAST SCHEDULE", cell: (job) => (textAt(job, "status", "lastScheduleTime") === "" ? NONE : UNKNOWN) },
    age,
    ...templateColumns,
    { header: "SELECTOR", wide: true, cell: () => NONE },
  ],
};
