/** Pods as stored, with the status that kubelet reports. Times are left out: nobody knows them. */
import type { Cluster, ClusterPod } from "../cluster.ts";
import { lastingContainers } from "../scheduler/host-ports.ts";
import { type ApiShape, metadataOf, ownerReference, ownFields } from "./shape.ts";

export function podObjects(cluster: Cluster): ApiShape[] {
  const hostIPs = new Map(cluster.nodes.map((node) => [node.name, node.internalIPs[0]]));
  return cluster.pods.map((pod) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadataOf(pod, pod.object?.metadata, ownerReference(pod.owner)),
    spec: { ...pod.spec, ...(pod.node === undefined ? {} : { nodeName: pod.node }) },
    status: statusOf(pod, pod.node === undefined ? undefined : hostIPs.get(pod.node)),
  }));
}

function statusOf(pod: ClusterPod, hostIP: string | undefined) {
  const [podIP] = pod.ips;
  return {
    ...ownFields(pod.object?.status),
    phase: pod.phase,
    conditions: pod.object?.status?.conditions ?? conditionsOf(pod),
    ...(hostIP === undefined ? {} : { hostIP }),
    ...(podIP === undefined ? {} : { podIP, podIPs: pod.ips.map((ip) => ({ ip })) }),
    ...(pod.node === undefined ? {} : { containerStatuses: pod.object?.status?.containerStatuses ?? containerStatuses(pod) }),
  };
}

function conditionsOf(pod: ClusterPod) {
  const unscheduled = {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    ...(pod.message === undefined ? {} : { message: pod.message }),
  };
  if (pod.node === undefined) return [unscheduled];
  const ready = pod.ready ? "True" : "False";
  return [
    { type: "Ready", status: ready },
    { type: "ContainersReady", status: ready },
    { type: "PodScheduled", status: "True" },
  ];
}

/** A container waits while its pod has no address; a finished pod's have ended; the others run. */
function containerStatuses(pod: ClusterPod) {
  return lastingContainers(pod.spec).map((container) => ({
    name: container.name,
    ...(container.image === undefined ? {} : { image: container.image }),
    ready: pod.ready,
    restartCount: 0,
    state: stateOf(pod),
  }));
}

function stateOf(pod: ClusterPod) {
  if (pod.phase === "Succeeded") return { terminated: { exitCode: 0, reason: "Completed" } };
  if (pod.phase === "Failed") return { terminated: { exitCode: 1, reason: "Error" } };
  return pod.ips.length === 0 ? { waiting: { reason: "ContainerCreating" } } : { running: {} };
}
