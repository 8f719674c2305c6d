/** Workloads with the counts that their controllers report. */
import type { PodTemplate, WorkloadKind } from "../../objects/api.ts";
import type { Fields } from "../../objects/record.ts";
import type { Cluster, ClusterWorkload } from "../cluster.ts";
import { API_VERSIONS, type ApiShape, metadataOf, ownerReference, ownFields } from "./shape.ts";

export const workloadObjects =
  (kind: WorkloadKind) =>
  (cluster: Cluster): ApiShape[] => {
    const deployments = new Map(
      cluster.workloads.filter((each) => each.kind === "Deployment").map((each) => [`${each.namespace}/${each.name}`, each]),
    );
    const failures = failuresOf(cluster);
    return cluster.workloads
      .filter((workload) => workload.kind === kind)
      .map((workload) => ({
        apiVersion: API_VERSIONS[kind] ?? "v1",
        kind,
        metadata: metadataOf(workload, workload.object?.metadata, ownerReference(workload.owner)),
        spec: workload.object
          ? specOf(workload)
          : replicaSetSpec(workload, deployments.get(`${workload.namespace}/${workload.owner?.name}`)),
        status: { ...statusOf(workload), ...conditionsOf(workload, failures) },
      }));
  };

/** Messages of pods that a set could not create; the ReplicaSet's condition is copied to its Deployment (controller/deployment/sync.go). */
function failuresOf(cluster: Cluster): ReadonlyMap<string, string> {
  const failures = cluster.events
    .filter(({ reason }) => reason === "FailedCreate")
    .map(({ object, message }) => [`${object.kind}/${object.namespace}/${object.name}`, message.replace("Error creating: ", "")] as const);
  const bySet = new Map(failures);
  const byDeployment = cluster.workloads.flatMap(({ kind, namespace, name, owner }) => {
    const message = bySet.get(`${kind}/${namespace}/${name}`);
    return owner && message !== undefined ? [[`${owner.kind}/${namespace}/${owner.name}`, message] as const] : [];
  });
  return new Map([...failures, ...byDeployment]);
}

/** pkg/controller/replicaset/replica_set_utils.go: ReplicaFailure. A dump's own conditions stand. */
function conditionsOf({ kind, namespace, name, object }: ClusterWorkload, failures: ReadonlyMap<string, string>): Fields {
  const stated = ownFields(object?.status).conditions;
  if (stated !== undefined) return { conditions: stated };
  const message = HAS_REPLICA_FAILURE.has(kind) ? failures.get(`${kind}/${namespace}/${name}`) : undefined;
  return message === undefined ? {} : { conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message }] };
}
const HAS_REPLICA_FAILURE: ReadonlySet<string> = new Set(["ReplicationController", "ReplicaSet", "Deployment"]);

function specOf(workload: ClusterWorkload): Fields {
  const { selector: _, ...written } = workload.object?.spec ?? {};
  const replicas = REPLICATED.has(workload.kind) ? { replicas: workload.desired } : {};
  const selector =
    workload.kind === "ReplicationController"
      ? workload.selector
      : { ...ownFields(workload.object?.spec?.selector), matchLabels: workload.selector };
  return workload.kind === "CronJob" ? { ...written } : { ...written, ...replicas, selector };
}

const REPLICATED: ReadonlySet<string> = new Set(["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"]);

/** The spec of a ReplicaSet that a Deployment made: its template with the hash among the labels. */
function replicaSetSpec(workload: ClusterWorkload, deployment: ClusterWorkload | undefined): Fields {
  const template: PodTemplate = deployment?.object?.spec?.template ?? {};
  return {
    replicas: workload.desired,
    selector: { matchLabels: workload.selector },
    template: { metadata: { ...ownFields(template.metadata), labels: workload.labels }, spec: { ...ownFields(template.spec) } },
  };
}

function statusOf(workload: ClusterWorkload): Fields {
  const { kind, desired, current, ready } = workload;
  switch (kind) {
    case "Deployment":
    case "StatefulSet":
      return { replicas: current, readyReplicas: ready, updatedReplicas: current, availableReplicas: ready };
    case "DaemonSet":
      return {
        currentNumberScheduled: current,
        desiredNumberScheduled: desired,
        numberAvailable: ready,
        numberMisscheduled: 0,
        numberReady: ready,
        updatedNumberScheduled: current,
      };
    case "Job":
      return { ...ownFields(workload.object?.status), active: current, ready };
    case "CronJob":
      return { ...ownFields(workload.object?.status) };
    default:
      return { replicas: current, readyReplicas: ready, availableReplicas: ready };
  }
}
