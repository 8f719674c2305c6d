/** `kubectl get pods` (printPod). */
import { type Fields, fieldAt, listAt, textAt } from "../../../objects/record.ts";
import { age, type Column, countAt, NONE, name, type Resource } from "../resource.ts";

export const pods: Resource = {
  kind: "Pod",
  plural: "pods",
  singular: "pod",
  short: ["po"],
  group: "",
  namespaced: true,
  columns: [
    name,
    { header: "READY", cell: (pod) => `${statusesOf(pod).filter(isReady).length}/${lastingContainers(pod)}` },
    { header: "STATUS", cell: statusOf },
    { header: "RESTARTS", cell: (pod) => String(statusesOf(pod).reduce((sum, each) => sum + each.restarts, 0)) },
    age,
    { header: "IP", wide: true, cell: (pod) => textAt(pod, "status", "podIP") || NONE },
    { header: "NODE", wide: true, cell: (pod) => textAt(pod, "spec", "nodeName") || NONE },
    { header: "NOMINATED NODE", wide: true, cell: (pod) => textAt(pod, "status", "nominatedNodeName") || NONE },
    { header: "READINESS GATES", wide: true, cell: readinessGates },
  ] satisfies Column[],
};

type ContainerStatus = {
  readonly ready: boolean;
  readonly restarts: number;
  readonly waiting: string;
  readonly terminated: string;
  readonly running: boolean;
};

/** Sidecars count as containers do. */
const lastingContainers = (pod: Fields): number =>
  listAt(pod, "spec", "containers").length +
  listAt(pod, "spec", "initContainers").filter((each) => textAt(each, "restartPolicy") === "Always").length;

const statusesOf = (pod: Fields): ContainerStatus[] =>
  listAt(pod, "status", "containerStatuses").map((each) => ({
    ready: fieldAt(each, "ready") === true,
    restarts: typeof each === "object" && each !== null ? countAt({ ...each }, "restartCount") : 0,
    waiting: textAt(each, "state", "waiting", "reason"),
    terminated: fieldAt(each, "state", "terminated") === undefined ? "" : textAt(each, "state", "terminated", "reason") || "Error",
    running: fieldAt(each, "state", "terminated") === undefined && fieldAt(each, "state", "waiting") === undefined,
  }));
const isReady = (status: ContainerStatus): boolean => status.ready;

/** The phase, unless a container has something to say, or the pod is going. */
function statusOf(pod: Fields): string {
  if (textAt(pod, "metadata", "deletionTimestamp") !== "")
    return textAt(pod, "status", "reason") === "NodeLost" ? "Unknown" : "Terminating";
  const statuses = statusesOf(pod);
  const spoken = statuses.map((each) => each.waiting || each.terminated).find((each) => each !== "");
  const runs = statuses.some((each) => each.running && each.ready);
  if (spoken === "Completed" && runs) return "Running";
  return spoken ?? (textAt(pod, "status", "reason") || textAt(pod, "status", "phase"));
}

function readinessGates(pod: Fields): string {
  const gates = listAt(pod, "spec", "readinessGates").map((each) => textAt(each, "conditionType"));
  if (gates.length === 0) return NONE;
  const isTrue = (gate: string) =>
    listAt(pod, "status", "conditions").some((each) => textAt(each, "type") === gate && textAt(each, "status") === "True");
  return `${gates.filter(isTrue).length}/${gates.length}`;
}
