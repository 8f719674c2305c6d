/** The cluster as the API server would return it, kind by kind: what `ktrace get` lists and `-o json` prints. */
import type { Cluster } from "../cluster.ts";
import { nodeObjects } from "./node.ts";
import { podObjects } from "./pod.ts";
import { endpointsObjects, serviceObjects, sliceObjects } from "./service.ts";
import { API_VERSIONS, type ApiShape, metadataOf, ownFields } from "./shape.ts";
import { workloadObjects } from "./workload.ts";

export type { ApiShape } from "./shape.ts";

/** Every object of a kind, in the order of the API: by namespace and name. Empty for a kind that is not modelled. */
export const apiObjects = (cluster: Cluster, kind: string): readonly ApiShape[] => LISTS.get(kind)?.(cluster) ?? [];

const LISTS: ReadonlyMap<string, (cluster: Cluster) => readonly ApiShape[]> = new Map([
  ["Node", nodeObjects],
  ["Namespace", namespaceObjects],
  ["Pod", podObjects],
  ["Service", serviceObjects],
  ["Endpoints", endpointsObjects],
  ["EndpointSlice", sliceObjects],
  ["Ingress", (cluster) => cluster.ingresses.map((each) => asWritten(each))],
  ["IngressClass", (cluster) => cluster.ingressClasses.map((each) => asWritten(each))],
  ["ConfigMap", (cluster) => cluster.configMaps.map((each) => asWritten(each))],
  ["ResourceQuota", quotaObjects],
  ["LimitRange", (cluster) => (cluster.limitRanges ?? []).map((each) => asWritten(each))],
  ["Event", eventObjects],
  ["Deployment", workloadObjects("Deployment")],
  ["ReplicaSet", workloadObjects("ReplicaSet")],
  ["ReplicationController", workloadObjects("ReplicationController")],
  ["StatefulSet", workloadObjects("StatefulSet")],
  ["DaemonSet", workloadObjects("DaemonSet")],
  ["Job", workloadObjects("Job")],
  ["CronJob", workloadObjects("CronJob")],
]);

type Written =
  | Cluster["ingresses"][number]
  | Cluster["ingressClasses"][number]
  | Cluster["configMaps"][number]
  | NonNullable<Cluster["limitRanges"]>[number];

function asWritten(object: Written): ApiShape {
  const { kind, metadata } = object;
  return { apiVersion: API_VERSIONS[kind] ?? "v1", kind, ...withoutHead(ownFields(object)), metadata: metadataOf(metadata, metadata) };
}

const withoutHead = ({ apiVersion: _, kind: __, ...rest }: Readonly<Record<string, unknown>>) => rest;

function namespaceObjects(cluster: Cluster): ApiShape[] {
  return cluster.namespaces.map((namespace) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: metadataOf(namespace, namespace.object?.metadata),
    spec: { finalizers: ["kubernetes"] },
    status: { phase: namespace.object?.status?.phase ?? "Active" },
  }));
}

/** With the numbers that the quota controller keeps in the status (pkg/controller/resourcequota). */
function quotaObjects(cluster: Cluster): ApiShape[] {
  return (cluster.resourceQuotas ?? []).map(({ namespace, name, hard, used, object }) => ({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: metadataOf({ namespace, name }, object.metadata),
    spec: { ...ownFields(object.spec), hard },
    status: { hard, used },
  }));
}

/** Events have no names of their own offline; kubectl names them `<object>.<hash of the time>`. */
function eventObjects(cluster: Cluster): ApiShape[] {
  return cluster.events.map((event, i) => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${event.object.name}.${i + 1}`, namespace: event.object.namespace },
    involvedObject: event.object,
    type: event.type,
    reason: event.reason,
    message: event.message,
    source: { component: componentOf(event) },
  }));
}

/** Who reports an event: the controllers' and schedulers' own names for themselves (record.NewRecorder's EventSource). */
const componentOf = ({ reason, object }: Cluster["events"][number]): string =>
  reason === "FailedScheduling" ? "default-scheduler" : (COMPONENTS.get(object.kind) ?? "kubelet");
const COMPONENTS: ReadonlyMap<string, string> = new Map([
  ["ReplicationController", "replication-controller"],
  ["ReplicaSet", "replicaset-controller"],
  ["StatefulSet", "statefulset-controller"],
  ["DaemonSet", "daemonset-controller"],
  ["Job", "job-controller"],
  ["Service", "endpoint-slice-controller"],
]);
