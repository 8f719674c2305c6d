/**
 * `kubectl describe node` (describeNode). Offline nobody knows times, leases and what the machine has: capacity, allocated
 * resources and the lease are left out, and what a Node object does not state of the system is `<unknown>`.
 */
import { type Fields, fieldAt, labelsAt, listAt, textAt, textsAt } from "../../objects/record.ts";
import { nodes } from "../get/kinds/nodes.ts";
import { UNKNOWN } from "../get/resource.ts";
import type { ObjectSource } from "../get/select.ts";
import { annotationLines, type Describe, eventLines, labelLines, lineIf, multiline, named, namespaceOf, shown } from "./parts.ts";

export const describeNode: Describe = (node, source) => [
  `Name:\t${named(node)}`,
  `Roles:\t${shown(rolesOf(node))}`,
  ...labelLines("Labels", labelsAt(node, "metadata", "labels")),
  ...annotationLines(node),
  `CreationTimestamp:\t${UNKNOWN}`,
  ...multiline("Taints", taintTexts(node)),
  `Unschedulable:\t${fieldAt(node, "spec", "unschedulable") === true}`,
  ...conditionLines(node),
  "Addresses:",
  ...listAt(node, "status", "addresses").map((each) => `  ${shown(textAt(each, "type"))}:\t${shown(textAt(each, "address"))}`),
  "System Info:",
  ...SYSTEM.map(([title, key]) => `  ${title}:\t${shown(textAt(node, "status", "nodeInfo", key)) || UNKNOWN}`),
  ...lineIf("PodCIDR", textAt(node, "spec", "podCIDR")),
  ...lineIf("PodCIDRs", textsAt(node, "spec", "podCIDRs").join(",")),
  ...lineIf("ProviderID", textAt(node, "spec", "providerID")),
  ...podLines(node, source),
  ...eventLines(node, source),
];

const SYSTEM = [
  ["Kernel Version", "kernelVersion"],
  ["OS Image", "osImage"],
  ["Operating System", "operatingSystem"],
  ["Architecture", "architecture"],
  ["Container Runtime Version", "containerRuntimeVersion"],
  ["Kubelet Version", "kubeletVersion"],
] as const;

const rolesOf = (node: Fields): string =>
  nodes.columns.find((column) => column.header === "ROLES")?.cell(node, { wide: false, version: { major: 1, minor: 36 } }) ?? "";

/** `key=value:Effect`, by effect and key. */
function taintTexts(node: Fields): string[] {
  const taints = listAt(node, "spec", "taints").map((each) => {
    const [key, value, effect] = [textAt(each, "key"), textAt(each, "value"), textAt(each, "effect")];
    return { order: `${effect},${key}`, text: shown(`${key}${value === "" ? "" : `=${value}`}:${effect}`) };
  });
  return taints.sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ text }) => text);
}

function conditionLines(node: Fields): string[] {
  const conditions = listAt(node, "status", "conditions");
  if (conditions.length === 0) return [];
  const head = ["Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message"];
  const rows = conditions.map((each) => {
    const [type, status, reason, message] = ["type", "status", "reason", "message"].map((key) => shown(textAt(each, key)));
    return `  ${type} \t${status} \t${UNKNOWN} \t${UNKNOWN} \t${reason} \t${message}`;
  });
  return ["Conditions:", `  ${head.join("\t")}`, `  ${head.map((title) => "-".repeat(title.length)).join("\t")}`, ...rows];
}

/** The pods that run there; their share of a machine of unknown size is left out. */
function podLines(node: Fields, source: ObjectSource): string[] {
  const name = textAt(node, "metadata", "name");
  const pods = source("Pod").filter(
    (pod) => textAt(pod, "spec", "nodeName") === name && !["Succeeded", "Failed"].includes(textAt(pod, "status", "phase")),
  );
  return [
    `Non-terminated Pods:\t(${pods.length} in total)`,
    "  Namespace\tName\tIP\tAge",
    "  ---------\t----\t--\t---",
    ...pods.map((pod) => `  ${shown(namespaceOf(pod))}\t${named(pod)}\t${shown(textAt(pod, "status", "podIP"))}\t${UNKNOWN}`),
  ];
}
