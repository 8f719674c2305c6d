/** `kubectl describe pod` (describePod). Not shown: security contexts, topology spread, readiness gates, times. */
import { type Fields, fieldAt, isFields, labelsAt, listAt, textAt } from "../../objects/record.ts";
import { NONE } from "../get/resource.ts";
import { containerLines, placementLines } from "./containers.ts";
import { annotationLines, controllerOf, type Describe, eventLines, labelLines, lineIf, named, namespaceOf, shown } from "./parts.ts";

export const describePod: Describe = (pod, source) => {
  const spec = fieldAt(pod, "spec");
  const priority = fieldAt(spec, "priority");
  const controller = controllerOf(pod);
  return [
    `Name:\t${named(pod)}`,
    `Namespace:\t${shown(namespaceOf(pod))}`,
    ...(typeof priority === "number" ? [`Priority:\t${priority}`] : []),
    ...lineIf("Priority Class Name", textAt(spec, "priorityClassName")),
    ...lineIf("Runtime Class Name", textAt(spec, "runtimeClassName")),
    ...lineIf("Service Account", textAt(spec, "serviceAccountName")),
    `Node:\t${nodeText(pod)}`,
    ...labelLines("Labels", labelsAt(pod, "metadata", "labels")),
    ...annotationLines(pod),
    `Status:\t${shown(textAt(pod, "status", "phase"))}`,
    ...lineIf("Reason", textAt(pod, "status", "reason")),
    ...lineIf("Message", textAt(pod, "status", "message")),
    `IP:\t${shown(textAt(pod, "status", "podIP"))}`,
    ...addressLines(pod),
    ...(controller === undefined ? [] : [`Controlled By:\t${controller}`]),
    ...containerLines("Init Containers", listAt(spec, "initContainers"), listAt(pod, "status", "initContainerStatuses")),
    ...containerLines("Containers", listAt(spec, "containers"), listAt(pod, "status", "containerStatuses")),
    ...conditionLines(pod),
    ...placementLines(spec, "", [`QoS Class:\t${qosClass(pod)}`]),
    ...eventLines(pod, source),
  ];
};

function nodeText(pod: Fields): string {
  const [node, ip] = [textAt(pod, "spec", "nodeName"), textAt(pod, "status", "hostIP")];
  return node === "" ? NONE : shown(`${node}/${ip}`);
}

function addressLines(pod: Fields): string[] {
  const ips = listAt(pod, "status", "podIPs");
  return ips.length === 0 ? [`IPs:\t${NONE}`] : ["IPs:", ...ips.map((each) => `  IP:\t${shown(textAt(each, "ip"))}`)];
}

function conditionLines(pod: Fields): string[] {
  const conditions = listAt(pod, "status", "conditions");
  if (conditions.length === 0) return [];
  return [
    "Conditions:",
    "  Type\tStatus",
    ...conditions.map((each) => `  ${shown(textAt(each, "type"))} \t${shown(textAt(each, "status"))} `),
  ];
}

/** What the API server works out from requests and limits (pkg/apis/core/helper/qos). */
function qosClass(pod: Fields): string {
  const stated = textAt(pod, "status", "qosClass");
  if (stated !== "") return shown(stated);
  const containers = [...listAt(pod, "spec", "containers"), ...listAt(pod, "spec", "initContainers")];
  const amounts = containers.map((each) => ({
    requests: fieldAt(each, "resources", "requests"),
    limits: fieldAt(each, "resources", "limits"),
  }));
  const says = (value: unknown, key: string): boolean =>
    isFields(value) && (typeof value[key] === "string" || typeof value[key] === "number");
  const isNone = amounts.every(({ requests, limits }) => ["cpu", "memory"].every((key) => !says(requests, key) && !says(limits, key)));
  if (isNone) return "BestEffort";
  const isEqual = amounts.every(({ requests, limits }) =>
    ["cpu", "memory"].every((key) => {
      const limit = fieldAt(limits, key);
      return says(limits, key) && (!says(requests, key) || String(fieldAt(requests, key)) === String(limit));
    }),
  );
  return isEqual ? "Guaranteed" : "Burstable";
}
