/** The input with something else in it: a lost node, a pod that is not ready, another mode. Facts: controllers, once converged. */

import type { Cluster, ClusterPod } from "../cluster/cluster.ts";
import { parseVersion } from "../cluster/version.ts";
import { matchesGlob } from "../cluster/workloads/pins.ts";
import type { Manifests } from "../compare/changes.ts";
import { podName } from "../compare/who.ts";
import { formatCidr } from "../net/address.ts";
import type { ApiObject, Workload } from "../objects/api.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { WhatIf } from "../objects/expectation.ts";
import type { TopologyNode, TopologyPod } from "../objects/topology.ts";

export type Varied = { readonly input: Manifests /** Whose pods go elsewhere. */; readonly moves: (node: string) => boolean };

/** The varied input. Throws UsageError for what is not there: a test of nothing would pass. */
export function vary(input: Manifests, cluster: Cluster, what: WhatIf, namespace: string): Varied {
  const { nodeDown, podNotReady, replicas, policyRemoved, removed, mode, kubernetesVersion } = what;
  const { topology } = input;
  let varied = input;
  if (replicas) varied = { ...varied, objects: withReplicas(varied.objects, { namespace, ...replicas }) };
  if (policyRemoved) varied = { ...varied, objects: without(varied.objects, { kind: "NetworkPolicy", namespace, ...policyRemoved }) };
  if (removed) varied = { ...varied, objects: without(varied.objects, { namespace, ...removed }) };
  if (mode !== undefined) varied = { ...varied, topology: { ...varied.topology, kubeProxy: { ...topology.kubeProxy, mode } } };
  if (kubernetesVersion !== undefined) {
    if (!parseVersion(kubernetesVersion))
      throw new UsageError(`whatIf.kubernetesVersion: ${JSON.stringify(kubernetesVersion)} is no release`, "for example 1.30");
    varied = { ...varied, topology: { ...varied.topology, kubernetes: { ...topology.kubernetes, version: kubernetesVersion } } };
  }
  if (podNotReady) varied = withPins(varied, notReady(cluster, podNotReady.namespace ?? namespace, podNotReady.name));
  if (!nodeDown) return { input: varied, moves: () => false };
  const isConverged = what.phase !== "immediate";
  const cut = cutOff(varied, cluster, nodeDown.name, isConverged);
  return { input: cut, moves: (node) => isConverged && node === nodeDown.name };
}

function withReplicas(
  objects: readonly ApiObject[],
  { name, namespace, count }: { readonly name: string; readonly namespace: string; readonly count: number },
): readonly ApiObject[] {
  let found = false;
  const changed = objects.map((object): ApiObject => {
    if (!isScaled(object) || object.metadata.name !== name || object.metadata.namespace !== namespace) return object;
    found = true;
    return { ...object, spec: { ...object.spec, replicas: count } };
  });
  if (!found)
    throw new UsageError(
      `whatIf.replicas: no workload ${namespace}/${name}`,
      "a Deployment, ReplicaSet, ReplicationController or StatefulSet of the input",
    );
  return changed;
}

const SCALED = new Set<string>(["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"]);
const isScaled = (object: ApiObject): object is Workload => SCALED.has(object.kind);

function without(
  objects: readonly ApiObject[],
  { kind, namespace, name }: { readonly kind: string; readonly namespace: string; readonly name: string },
): readonly ApiObject[] {
  const left = objects.filter(
    (object) => !(object.kind === kind && object.metadata.name === name && (object.metadata.namespace ?? namespace) === namespace),
  );
  if (left.length === objects.length)
    throw new UsageError(`whatIf: there is no ${kind} ${namespace}/${name} to remove`, "check the kind, name and namespace");
  return left;
}

function notReady(cluster: Cluster, namespace: string, pattern: string): readonly TopologyPod[] {
  const pods = cluster.pods.filter((pod) => pod.namespace === namespace && matchesGlob(pattern, pod.name));
  if (pods.length === 0) throw new UsageError(`whatIf.podNotReady: no pod ${namespace}/${pattern}`, "a name, or a pattern with *");
  return pods.map((pod) => ({ ...pinOf(pod), ready: false }));
}

function pinOf(pod: ClusterPod): TopologyPod {
  const [ip] = pod.hostNetwork ? [] : pod.ips;
  return { name: podName(pod), ...(pod.node === undefined ? {} : { node: pod.node }), ...(ip === undefined ? {} : { ip }) };
}

/** Pins that stand before those of the topology: the first one counts. */
const withPins = (input: Manifests, pins: readonly TopologyPod[]): Manifests => {
  const names = new Set(pins.map(({ name }) => name));
  const others = (input.topology.pods ?? []).filter(({ name }) => !names.has(name.includes("/") ? name : `default/${name}`));
  return { ...input, topology: { ...input.topology, pods: [...pins, ...others] } };
};

/**
 * The node's cables are out. Converged: the node controller has tainted it, the pods of Deployments run elsewhere, the others
 * are not ready (a StatefulSet's pod is not replaced before its node is known to be gone; a DaemonSet's tolerates the taint).
 */
function cutOff(input: Manifests, cluster: Cluster, name: string, isConverged: boolean): Manifests {
  const node = cluster.nodes.find((each) => each.name === name || each.aliases.includes(name));
  if (!node)
    throw new UsageError(
      `whatIf.nodeDown: no node ${JSON.stringify(name)}`,
      `there are ${cluster.nodes.map((each) => each.name).join(", ")}`,
    );
  const stated: TopologyNode = (input.topology.nodes ?? []).find((each) => each.name === node.name) ?? { name: node.name };
  const interfaces = node.interfaces.map(({ name: dev, mac, mtu, addresses }) => ({
    name: dev,
    mac,
    mtu,
    addresses: addresses.map(formatCidr),
    state: "down" as const,
  }));
  const taints = (["NoSchedule", "NoExecute"] as const).map((effect) => ({ key: "node.kubernetes.io/unreachable", effect }));
  const down: TopologyNode = { ...stated, interfaces, ...(isConverged ? { taints: [...(stated.taints ?? []), ...taints] } : {}) };
  const known = (input.topology.nodes ?? []).some((each) => each.name === node.name);
  const nodes = known
    ? (input.topology.nodes ?? []).map((each) => (each.name === node.name ? down : each))
    : [...(input.topology.nodes ?? []), down];
  const cut: Manifests = { ...input, topology: { ...input.topology, nodes } };
  if (!isConverged) return cut;
  const there = cluster.pods.filter((pod) => pod.node === node.name);
  const moving = new Set(there.filter(isReplaced).map(podName));
  const pods = (cut.topology.pods ?? []).filter((pin) => !moving.has(pin.name.includes("/") ? pin.name : `default/${pin.name}`));
  return withPins(
    { ...cut, topology: { ...cut.topology, pods } },
    there.filter((pod) => !isReplaced(pod)).map((pod) => ({ ...pinOf(pod), ready: false })),
  );
}

const isReplaced = ({ owner }: ClusterPod): boolean =>
  owner?.kind === "ReplicaSet" || owner?.kind === "ReplicationController" || owner?.kind === "Job";
