/** Workloads with the counts that their controllers write into their status, counted from the pods there are. */
import type { Container, Labels, Workload } from "../../objects/api.ts";
import type { ClusterPod, ClusterWorkload } from "../cluster.ts";
import type { Given } from "../given.ts";
import { byCodeUnits, byNamespaceAndName, groupBy } from "../order.ts";
import type { Owner, PodSet } from "./plan.ts";
import { selectorOf } from "./pod-sets.ts";

export function countWorkloads(given: Given, sets: readonly PodSet[], pods: readonly ClusterPod[]): ClusterWorkload[] {
  const active = pods.filter((pod) => pod.phase !== "Succeeded" && pod.phase !== "Failed" && !pod.terminating);
  const byOwner = groupBy(active, (pod) => keyOf(pod.namespace, pod.owner));
  const byWorkload = groupBy(active, (pod) => keyOf(pod.namespace, pod.workload));
  const rows = [
    ...given.workloads("Deployment").map((object) => rowOf(object, byWorkload)),
    ...given.workloads("CronJob").map((object) => rowOf(object, byWorkload)),
    ...sets.map((set) => setRow(set, byOwner)),
  ];
  return rows.sort((a, b) => byCodeUnits(a.kind, b.kind) || byNamespaceAndName(a, b));
}

type PodsByOwner = ReadonlyMap<string, readonly ClusterPod[]>;
const keyOf = (namespace: string, owner: Owner | undefined): string => (owner ? `${namespace}/${owner.kind}/${owner.name}` : "");

const counts = (pods: readonly ClusterPod[]): { readonly current: number; readonly ready: number } => ({
  current: pods.length,
  ready: pods.filter((pod) => pod.ready).length,
});

/** A Deployment (its pods are its ReplicaSets') or a CronJob (whose Jobs come and go). */
function rowOf(object: Workload, pods: PodsByOwner): ClusterWorkload {
  const namespace = object.metadata.namespace ?? "default";
  const template = object.spec?.jobTemplate?.spec?.template ?? object.spec?.template;
  return {
    kind: object.kind,
    namespace,
    name: object.metadata.name,
    labels: object.metadata.labels ?? {},
    desired: object.kind === "CronJob" ? 0 : (object.spec?.replicas ?? 1),
    ...counts(pods.get(keyOf(namespace, { kind: object.kind, name: object.metadata.name })) ?? []),
    selector: selectorOf(object),
    containers: containersOf(template?.spec?.containers),
    origin: { source: object.source, field: [] },
    object,
  };
}

function setRow(set: PodSet, pods: PodsByOwner): ClusterWorkload {
  const own = pods.get(keyOf(set.namespace, set)) ?? [];
  const selector: Labels =
    set.kind === "Job" && Object.keys(set.selector).length === 0 ? { "batch.kubernetes.io/job-name": set.name } : set.selector;
  return {
    kind: set.kind,
    namespace: set.namespace,
    name: set.name,
    labels: set.labels,
    desired: set.kind === "DaemonSet" ? own.length : set.desired,
    ...counts(own),
    selector,
    containers: containersOf(set.spec.containers),
    ...(set.owner ? { owner: set.owner } : {}),
    origin: set.origin,
    ...(set.object ? { object: set.object } : {}),
  };
}

const containersOf = (containers: readonly Container[] | undefined): readonly Container[] => containers ?? [];
