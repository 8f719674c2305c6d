/** What pods are made from, as it stands in the input: the templates of workloads, and Pods of their own. */
import type { ApiObject, Labels, Pod, PodSpec, Workload } from "./api.ts";

/** A thing that pods are made from: a workload's template, or a Pod of its own. */
export type PodMaker = {
  readonly title: string; // "Deployment tomcat6"
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly spec: PodSpec;
  readonly object: Workload | Pod;
  readonly path: readonly string[]; // of the pod in the object: ["spec", "template"], or [] for a Pod
  readonly replicas?: number; // as written; undefined for what counts otherwise
};

/** Everything in the input that makes pods. Pods that a workload of the input made are not listed for themselves. */
export function podMakers(objects: readonly ApiObject[]): PodMaker[] {
  return objects.flatMap((object): PodMaker[] => {
    const namespace = object.metadata.namespace ?? "default";
    const base = { title: `${object.kind} ${object.metadata.name}`, namespace, name: object.metadata.name };
    if (object.kind === "Pod")
      return (object.metadata.ownerReferences ?? []).some((owner) => owner.controller)
        ? []
        : [{ ...base, labels: object.metadata.labels ?? {}, spec: object.spec ?? {}, object, path: [] }];
    if (!isScalable(object) || !object.spec?.template) return [];
    const { template, replicas } = object.spec;
    return [
      {
        ...base,
        labels: template.metadata?.labels ?? {},
        spec: template.spec ?? {},
        object,
        path: ["spec", "template"],
        ...(replicas === undefined ? {} : { replicas }),
      },
    ];
  });
}

const SCALABLE = ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"] as const;
/** Those that a person sets a number of pods for, DaemonSets with them. */
export const isScalable = (object: ApiObject): object is Workload => SCALABLE.some((kind) => kind === object.kind);
