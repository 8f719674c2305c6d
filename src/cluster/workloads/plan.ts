/** Pods as their controllers create them, before a scheduler has looked at them. */
import type { Labels, Pod, PodSpec, Workload, WorkloadKind } from "../../objects/api.ts";
import type { Origin } from "../cluster.ts";

export type Owner = { readonly kind: string; readonly name: string };

/** One pod to be: what the API server stores before it has a node. */
export type PodPlan = {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly spec: PodSpec;
  readonly origin: Origin;
  readonly owner?: Owner;
  readonly workload?: Owner;
  readonly onlyNode?: string; // a DaemonSet's pod is made for one node
  readonly after?: string; // the pod of the same StatefulSet that has to run before this one is made
  readonly object?: Pod;
};

/** A controller that owns pods directly: a ReplicaSet (also one that a Deployment makes), DaemonSet, Job… */
export type PodSet = {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly desired: number;
  readonly labels: Labels;
  readonly selector: Labels;
  readonly podLabels: Labels;
  readonly podAnnotations: Labels;
  readonly spec: PodSpec;
  readonly owner?: Owner;
  readonly workload: Owner;
  readonly origin: Origin; // the workload object
  readonly templateOrigin: Origin;
  readonly object?: Workload;
  readonly source: Workload; // the object that holds the template
};
