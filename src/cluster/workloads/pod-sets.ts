/**
 * Workloads turned into the sets that own pods: a Deployment into its ReplicaSet, the others into themselves.
 * A Deployment's ReplicaSet is the one in the input (a live dump), else the one that its pods or pins name, else one with
 * an invented hash. Not modelled: a rollout in progress (two ReplicaSets), schedules of a CronJob.
 */
import type { LabelSelector, Labels, PodTemplate, Workload } from "../../objects/api.ts";
import { fieldAt, labelsAt } from "../../objects/record.ts";
import type { Given } from "../given.ts";
import type { Notes } from "../notes.ts";
import { groupBy } from "../order.ts";
import { templateHash } from "../synthetic.ts";
import type { Pins } from "./pins.ts";
import type { Owner, PodSet } from "./plan.ts";

const HASH_LABEL = "pod-template-hash";

export function decidePodSets(given: Given, pins: Pins, notes: Notes): PodSet[] {
  const replicaSets = given.workloads("ReplicaSet");
  const owned = groupBy(replicaSets, (set) => ownerKey(set.metadata.namespace, controllerOf(set)));
  const deployments = given.workloads("Deployment");
  const hashes = hashesOfPods(given);
  const newSets = deployments.flatMap((each) =>
    owned.has(ownerKey(each.metadata.namespace, refOf(each))) ? [] : [replicaSetOf(each, hashes, pins, notes)],
  );
  return [
    ...newSets,
    ...replicaSets.map((set) => podSetOf(set, set.spec?.replicas ?? 1)),
    ...given.workloads("ReplicationController").map((set) => podSetOf(set, set.spec?.replicas ?? 1)),
    ...given.workloads("StatefulSet").map((set) => podSetOf(set, set.spec?.replicas ?? 1)),
    ...given.workloads("DaemonSet").map((set) => podSetOf(set, 0)),
    ...given.workloads("Job").map((job) => podSetOf(job, parallelPods(job))),
  ];
}

const refOf = (object: Workload): Owner => ({ kind: object.kind, name: object.metadata.name });
const ownerKey = (namespace: string | undefined, owner: Owner | undefined): string =>
  owner ? `${namespace}/${owner.kind}/${owner.name}` : "";

/** The controller among an object's owners. */
export function controllerOf(object: { readonly metadata: Workload["metadata"] }): Owner | undefined {
  const owners = object.metadata.ownerReferences ?? [];
  const owner = owners.find((each) => each.controller) ?? owners[0];
  return owner && { kind: owner.kind, name: owner.name };
}

function podSetOf(object: Workload, desired: number): PodSet {
  const owner = controllerOf(object);
  return {
    kind: object.kind,
    ...templateOf(object),
    namespace: object.metadata.namespace ?? "default",
    name: object.metadata.name,
    desired: wholeNumber(desired),
    labels: object.metadata.labels ?? {},
    selector: selectorOf(object),
    ...(owner ? { owner } : {}),
    workload: owner ?? refOf(object),
    origin: { source: object.source, field: [] },
    object,
  };
}

/** The ReplicaSet that the Deployment controller makes: hash in its name, its selector and its pods' labels (controller/deployment/sync.go). */
function replicaSetOf(deployment: Workload, hashes: ReadonlyMap<string, string>, pins: Pins, notes: Notes): PodSet {
  const set = podSetOf(deployment, deployment.spec?.replicas ?? 1);
  const known = hashes.get(`${set.namespace}/${set.name}`) ?? pins.hashOf(set.namespace, set.name);
  if (known === undefined) notes.assume(`Deployment ${set.namespace}/${set.name}`, "pod-template-hash is invented", "spec.pods[].name");
  const hash = known ?? templateHash(`${set.namespace}/${set.name}\n${JSON.stringify(deployment.spec?.template ?? null)}`);
  const { object: _, ...rest } = set;
  return {
    ...rest,
    kind: "ReplicaSet",
    name: `${set.name}-${hash}`,
    labels: { ...set.podLabels, [HASH_LABEL]: hash },
    selector: { ...set.selector, [HASH_LABEL]: hash },
    podLabels: { ...set.podLabels, [HASH_LABEL]: hash },
    owner: refOf(deployment),
    workload: refOf(deployment),
    origin: set.templateOrigin,
  };
}

/** Deployment → the hash of its pods in the input, for one whose ReplicaSet itself is not there. */
function hashesOfPods(given: Given): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const pod of given.all("Pod")) {
    const hash = labelsAt(pod.metadata, "labels")[HASH_LABEL];
    const owner = controllerOf(pod);
    if (!hash || owner?.kind !== "ReplicaSet" || !owner.name.endsWith(`-${hash}`)) continue;
    const deployment = `${pod.metadata.namespace}/${owner.name.slice(0, -hash.length - 1)}`;
    if (!hashes.has(deployment)) hashes.set(deployment, hash);
  }
  return hashes;
}

function templateOf(object: Workload): Pick<PodSet, "spec" | "podLabels" | "podAnnotations" | "templateOrigin" | "source"> {
  const template: PodTemplate = object.spec?.template ?? {};
  return {
    spec: template.spec ?? {},
    podLabels: template.metadata?.labels ?? {},
    podAnnotations: template.metadata?.annotations ?? {},
    templateOrigin: { source: object.source, field: ["spec", "template"] },
    source: object,
  };
}

/** matchLabels; a selector left out (ReplicationController, old API groups) is the template's labels. */
export function selectorOf(object: Workload): Labels {
  const selector: LabelSelector | Labels | undefined = object.spec?.selector;
  const written = object.kind === "ReplicationController" ? labelsAt(selector) : labelsAt(fieldAt(selector, "matchLabels"));
  return Object.keys(written).length > 0 ? written : selector === undefined ? (object.spec?.template?.metadata?.labels ?? {}) : written;
}

/** A Job is shown while its pods run: as many as run at once. */
function parallelPods(job: Workload): number {
  if (job.spec?.suspend) return 0;
  const parallelism = job.spec?.parallelism ?? 1;
  return Math.min(parallelism, job.spec?.completions ?? parallelism);
}

const wholeNumber = (value: number): number => (Number.isFinite(value) && value > 0 ? Math.floor(value) : 0);
