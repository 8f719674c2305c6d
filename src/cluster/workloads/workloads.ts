/**
 * The pods that controllers create (pkg/controller/{replicaset,statefulset,daemon,job}), in order of creation, and the
 * Pod objects of the input themselves. A set whose pods are in the input (a live dump) makes none. Names as in
 * apiserver/pkg/storage/names; a random suffix is a pinned one or an invented one.
 */
import type { Labels, Pod } from "../../objects/api.ts";
import { textAt } from "../../objects/record.ts";
import type { TopologyPod } from "../../objects/topology.ts";
import type { ClusterNode } from "../cluster.ts";
import type { Given } from "../given.ts";
import { type Notes, nameOf } from "../notes.ts";
import { byCodeUnits, byNamespaceAndName, groupBy } from "../order.ts";
import { daemonSpec, refusalOf } from "../scheduler/node-fit.ts";
import { drawNumber, generateName } from "../synthetic.ts";
import type { Pins } from "./pins.ts";
import type { Owner, PodPlan, PodSet } from "./plan.ts";
import { controllerOf } from "./pod-sets.ts";

/** Kubernetes' documented limit is 150,000 pods a cluster; beyond this a replica count is taken for a slip. */
export const MAX_PODS = 200_000;

export function planPods(given: Given, sets: readonly PodSet[], nodes: readonly ClusterNode[], pins: Pins, notes: Notes): PodPlan[] {
  const naming = createNaming(given, pins);
  const setByKey = new Map(sets.map((set) => [ownedKey(set.namespace, set), set]));
  const existing = groupBy(given.all("Pod"), (pod) => ownedKey(pod.metadata.namespace, controllerOf(pod)));
  const batches: { readonly namespace: string; readonly name: string; readonly plans: readonly PodPlan[] }[] = given
    .all("Pod")
    .map((pod) => planOfPod(pod, setByKey, naming))
    .map((plan) => ({ namespace: plan.namespace, name: plan.name, plans: [plan] }));
  let room = MAX_PODS - batches.length;
  for (const set of [...sets].sort((a, b) => byNamespaceAndName(a, b) || byCodeUnits(a.kind, b.kind))) {
    if (existing.has(ownedKey(set.namespace, set))) continue;
    const desired = set.kind === "DaemonSet" ? nodes.length : set.desired;
    if (desired > room) reportTooMany(set, desired, notes);
    const plans = desired > room ? [] : createPods(set, desired, nodes, naming);
    room -= plans.length;
    batches.push({ namespace: set.namespace, name: set.name, plans });
  }
  if (naming.invented()) notes.assume("pod names", "the random ends of pod names are invented", "spec.pods[].name");
  return batches.sort(byNamespaceAndName).flatMap((batch) => batch.plans);
}

const ownedKey = (namespace: string | undefined, owner: Owner | undefined): string =>
  owner ? `${namespace ?? "default"}/${owner.kind}/${owner.name}` : "none";

function reportTooMany(set: PodSet, desired: number, notes: Notes): void {
  notes.report({
    code: "too-many-pods",
    message: `${nameOf(set.source)}: ${desired} replicas make more than the ${MAX_PODS} pods that ktrace holds: none is made`,
    help: "a cluster has 150,000 pods at most",
    source: set.source.source,
    field: ["spec", "replicas"],
  });
}

type Naming = {
  /** Pinned pods of a set whose names end in random characters. */
  readonly pinned: (set: PodSet) => readonly TopologyPod[];
  readonly invent: (namespace: string, prefix: string, seed: string) => string;
  readonly invented: () => boolean;
};

function createNaming(given: Given, pins: Pins): Naming {
  const taken = new Map<string, Set<string>>();
  let invented = false;
  const namesIn = (namespace: string): Set<string> => {
    const names = taken.get(namespace) ?? new Set<string>();
    taken.set(namespace, names);
    return names;
  };
  for (const pod of given.all("Pod")) namesIn(pod.metadata.namespace ?? "default").add(pod.metadata.name);
  return {
    pinned: (set) => {
      const names = namesIn(set.namespace);
      const free = pins.namesOf(set.namespace, set.name).filter((pin) => !names.has(pin.name));
      for (const pin of free) names.add(pin.name);
      return free;
    },
    invent: (namespace, prefix, seed) => {
      invented = true;
      return generateName(`${prefix}-`, `${namespace}/${seed}`, namesIn(namespace));
    },
    invented: () => invented,
  };
}

/** A Pod object: its own, or one that a set of a live dump owns. */
function planOfPod(pod: Pod, sets: ReadonlyMap<string, PodSet>, naming: Naming): PodPlan {
  const namespace = pod.metadata.namespace ?? "default";
  const prefix = (pod.metadata.generateName ?? "pod-").replace(/-$/, "");
  const owner = controllerOf(pod);
  const workload = owner && topmost(owner, namespace, pod.metadata.labels ?? {}, sets);
  return {
    namespace,
    name:
      pod.metadata.name || naming.invent(namespace, prefix, `${prefix}/${pod.source.file}/${pod.source.offset}/${pod.source.path.join()}`),
    labels: pod.metadata.labels ?? {},
    annotations: pod.metadata.annotations ?? {},
    spec: pod.spec ?? {},
    origin: { source: pod.source, field: [] },
    ...(owner ? { owner } : {}),
    ...(workload ? { workload } : {}),
    object: pod,
  };
}

/** A ReplicaSet that is not in the input belongs to a Deployment when its name ends in the pod's template hash. */
function topmost(owner: Owner, namespace: string, labels: Labels, sets: ReadonlyMap<string, PodSet>): Owner {
  const set = sets.get(ownedKey(namespace, owner));
  if (set) return set.workload;
  const end = `-${labels["pod-template-hash"]}`;
  return owner.kind === "ReplicaSet" && owner.name.endsWith(end) ? { kind: "Deployment", name: owner.name.slice(0, -end.length) } : owner;
}

function createPods(set: PodSet, count: number, nodes: readonly ClusterNode[], naming: Naming): PodPlan[] {
  switch (set.kind) {
    case "DaemonSet":
      return daemonPods(set, nodes, naming);
    case "StatefulSet":
      return Array.from({ length: count }, (_, i) => statefulPod(set, (set.source.spec?.ordinals?.start ?? 0) + i, i === 0));
    case "Job":
      return jobPods(set, count, naming);
    default:
      return replicas(set, count, naming);
  }
}

const planOf = (set: PodSet, name: string, extra: Labels = {}): PodPlan => ({
  namespace: set.namespace,
  name,
  labels: { ...set.podLabels, ...extra },
  annotations: set.podAnnotations,
  spec: set.spec,
  owner: { kind: set.kind, name: set.name },
  workload: set.workload,
  origin: set.templateOrigin,
});

function replicas(set: PodSet, count: number, naming: Naming): PodPlan[] {
  const pinned = naming.pinned(set);
  return Array.from({ length: count }, (_, i) =>
    planOf(set, pinned[i]?.name ?? naming.invent(set.namespace, set.name, `${set.name}/${i}`)),
  );
}

/** One after the other, each once the one before is ready, unless podManagementPolicy is Parallel (pkg/controller/statefulset). */
function statefulPod(set: PodSet, ordinal: number, isFirst: boolean): PodPlan {
  const name = `${set.name}-${ordinal}`;
  const labels = {
    "apps.kubernetes.io/pod-index": String(ordinal),
    "controller-revision-hash": revisionOf(set),
    "statefulset.kubernetes.io/pod-name": name,
  };
  const subdomain = set.source.spec?.serviceName;
  const waits = !isFirst && textAt(set.source.spec, "podManagementPolicy") !== "Parallel";
  return {
    ...planOf(set, name, labels),
    spec: { ...set.spec, hostname: name, ...(subdomain ? { subdomain } : {}) },
    ...(waits ? { after: `${set.name}-${ordinal - 1}` } : {}),
  };
}

const revisionOf = (set: PodSet): string => `${set.name}-${drawNumber(`${set.namespace}/${set.name}`)}`;

/** One for every node that will have it; a pinned name goes to its own node. */
function daemonPods(set: PodSet, nodes: readonly ClusterNode[], naming: Naming): PodPlan[] {
  const spec = daemonSpec(set.spec);
  const pinned = naming.pinned(set);
  const anywhere = pinned.filter((pin) => pin.node === undefined);
  return nodes
    .filter((node) => wants(spec, node))
    .map((node) => {
      const pin = pinned.find((each) => each.node === node.name) ?? anywhere.shift();
      const name = pin?.name ?? naming.invent(set.namespace, set.name, `${set.name}/${node.name}`);
      const labels = { "controller-revision-hash": revisionOf(set).slice(set.name.length + 1), "pod-template-generation": "1" };
      return { ...planOf(set, name, labels), spec, onlyNode: node.name };
    });
}

/** The DaemonSet controller makes no pod for a node that the scheduler would refuse it (NodeShouldRunDaemonPod). */
const wants = (spec: PodSet["spec"], node: ClusterNode): boolean =>
  (spec.nodeName === undefined || spec.nodeName === node.name) && refusalOf(spec, node) === undefined;

function jobPods(set: PodSet, count: number, naming: Naming): PodPlan[] {
  const labels = { "batch.kubernetes.io/job-name": set.name, "job-name": set.name };
  if (set.source.spec?.completionMode !== "Indexed")
    return replicas(set, count, naming).map((plan) => ({ ...plan, labels: { ...plan.labels, ...labels } }));
  return Array.from({ length: count }, (_, i) => {
    const hostname = `${set.name}-${i}`;
    const name = naming.invent(set.namespace, hostname, `${set.name}/${i}`);
    const index = { "batch.kubernetes.io/job-completion-index": String(i) };
    const plan = planOf(set, name, { ...labels, ...index });
    return { ...plan, annotations: { ...plan.annotations, ...index }, spec: { ...set.spec, hostname } };
  });
}
