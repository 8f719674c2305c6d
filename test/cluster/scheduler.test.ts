/** Where pods go, and in which words they stay Pending. */
import assert from "node:assert/strict";
import test from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import type { ApiObject, PodSpec } from "../../src/objects/api.ts";
import { all, node, pod, port, THREE_NODES, workload } from "./objects.ts";

const tolerateAll: PodSpec = { tolerations: [{ operator: "Exists" }] };
const affinityTo = (operator: string, values: readonly string[]): PodSpec => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: "disk", operator, values }] }] },
    },
  },
});
const apart: PodSpec = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "web" } } },
      ],
    },
  },
};
const nextTo = (app: string): PodSpec => ({
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app } } }],
    },
  },
});
const labelled = [
  node("n1", "10.0.2.4", "10.244.0.0/24", { labels: { disk: "ssd" } }),
  node("n2", "10.0.2.5", "10.244.1.0/24", { labels: { disk: "hdd" } }),
];

const placements: readonly { readonly name: string; readonly objects: readonly ApiObject[]; readonly nodes: Record<string, number> }[] = [
  {
    name: "a taint keeps pods away",
    objects: all(THREE_NODES, workload("Deployment", "web", {}, { replicas: 4 })),
    nodes: { n2: 2, n3: 2 },
  },
  {
    name: "a toleration lets them in",
    objects: all(THREE_NODES, workload("Deployment", "web", tolerateAll, { replicas: 3 })),
    nodes: { n1: 1, n2: 1, n3: 1 },
  },
  {
    name: "nodeName passes the scheduler by",
    objects: all(THREE_NODES, workload("Deployment", "web", { nodeName: "n1" }, { replicas: 2 })),
    nodes: { n1: 2 },
  },
  {
    name: "nodeSelector",
    objects: all(labelled, workload("Deployment", "web", { nodeSelector: { disk: "hdd" } }, { replicas: 2 })),
    nodes: { n2: 2 },
  },
  {
    name: "nodeSelector on a label that every kubelet gives itself",
    objects: all(labelled, pod("p", { nodeSelector: { "kubernetes.io/os": "linux", "kubernetes.io/hostname": "n2" } })),
    nodes: { n2: 1 },
  },
  { name: "required node affinity, In", objects: all(labelled, pod("p", affinityTo("In", ["ssd", "nvme"]))), nodes: { n1: 1 } },
  { name: "required node affinity, NotIn", objects: all(labelled, pod("p", affinityTo("NotIn", ["ssd"]))), nodes: { n2: 1 } },
  {
    name: "a DaemonSet has one pod on every node it tolerates",
    objects: all(THREE_NODES, workload("DaemonSet", "agent")),
    nodes: { n2: 1, n3: 1 },
  },
  {
    name: "a DaemonSet that tolerates all is everywhere",
    objects: all(THREE_NODES, workload("DaemonSet", "agent", tolerateAll)),
    nodes: { n1: 1, n2: 1, n3: 1 },
  },
  {
    name: "a DaemonSet runs on a cordoned node",
    objects: all({ ...node("n1", "10.0.2.4", "10.244.0.0/24"), spec: { unschedulable: true } }, workload("DaemonSet", "agent")),
    nodes: { n1: 1 },
  },
  {
    name: "anti-affinity puts one on each",
    objects: all(THREE_NODES, workload("Deployment", "web", apart, { replicas: 3 })),
    nodes: { n2: 1, n3: 1, Pending: 1 },
  },
  {
    name: "affinity puts it beside the other",
    objects: all(THREE_NODES, pod("a", { nodeName: "n3" }), pod("b", nextTo("a"))),
    nodes: { n3: 2 },
  },
  {
    name: "the first of a group that wants to be together goes anywhere",
    objects: all(THREE_NODES, workload("Deployment", "web", nextTo("web"), { replicas: 3 })),
    nodes: { n2: 3 },
  },
  {
    name: "host ports exclude each other",
    objects: all(THREE_NODES, workload("Deployment", "web", port(80, undefined, { hostPort: 80 }), { replicas: 3 })),
    nodes: { n2: 1, n3: 1, Pending: 1 },
  },
  {
    name: "hostNetwork makes a containerPort a host port",
    objects: all(THREE_NODES, workload("Deployment", "web", { ...port(80), hostNetwork: true }, { replicas: 3 })),
    nodes: { n2: 1, n3: 1, Pending: 1 },
  },
  { name: "scaled to 0", objects: all(THREE_NODES, workload("Deployment", "web", {}, { replicas: 0 })), nodes: {} },
  { name: "a suspended Job", objects: all(THREE_NODES, workload("Job", "once", {}, { suspend: true })), nodes: {} },
  {
    name: "a Job runs as many as its parallelism",
    objects: all(THREE_NODES, workload("Job", "once", {}, { parallelism: 3, completions: 2 })),
    nodes: { n2: 1, n3: 1 },
  },
];

for (const { name, objects, nodes } of placements)
  test(name, () => {
    const counts: Record<string, number> = {};
    for (const each of decideCluster(objects, {}).pods) counts[each.node ?? "Pending"] = (counts[each.node ?? "Pending"] ?? 0) + 1;
    assert.deepEqual(counts, nodes);
  });

const messages: readonly { readonly name: string; readonly objects: readonly ApiObject[]; readonly message: string }[] = [
  {
    name: "no node matches",
    objects: all(THREE_NODES, pod("p", { nodeSelector: { disk: "ssd" } })),
    message:
      "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
  },
  {
    name: "ports are taken",
    objects: all(labelled.slice(0, 1), pod("a", port(80, undefined, { hostPort: 80 })), pod("p", port(80, undefined, { hostPort: 80 }))),
    message:
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  },
];

for (const { name, objects, message } of messages)
  test(`Pending, in the scheduler's words: ${name}`, () => {
    const cluster = decideCluster(objects, {});
    const found = cluster.pods.find((each) => each.name === "p");
    assert.deepEqual([found?.phase, found?.ips, found?.message], ["Pending", [], message]);
    assert.deepEqual(cluster.events, [
      { type: "Warning", reason: "FailedScheduling", object: { kind: "Pod", namespace: "default", name: "p" }, message },
    ]);
  });
