/**
 * Preferences and room: what the scheduler's scores and filters make of affinity, spread constraints, taints and requests.
 * Sources: pkg/scheduler/framework/plugins/{nodeaffinity,interpodaffinity,podtopologyspread,tainttoleration,noderesources}.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import type { ApiObject, Labels, Node, PodSpec, Taint, WorkloadKind } from "../../src/objects/api.ts";
import { all, node, pod, port, THREE_NODES, workload } from "./objects.ts";

type Facts = {
  readonly zone?: string;
  readonly labels?: Labels;
  readonly taints?: readonly Taint[];
  readonly allocatable?: Labels;
  readonly cordoned?: true;
};
const machine = (n: number, { zone, labels = {}, taints, allocatable, cordoned }: Facts = {}): Node => {
  const made = node(`n${n}`, `10.0.2.${n}`, `10.244.${n}.0/24`, {
    labels: { ...labels, ...(zone ? { "topology.kubernetes.io/zone": zone } : {}) },
    ...(taints ? { taints } : {}),
  });
  return {
    ...made,
    spec: { ...made.spec, ...(cordoned ? { unschedulable: true } : {}) },
    status: { ...made.status, ...(allocatable ? { allocatable } : {}) },
  };
};
const two = [machine(1), machine(2)];
const zoned = [machine(1, { zone: "a" }), machine(2, { zone: "a" }), machine(3, { zone: "b" })];

const likesNodes = (...terms: readonly (readonly [number, string, string])[]): PodSpec => ({
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: terms.map(([weight, key, value]) => ({
        weight,
        preference: { matchExpressions: [{ key, operator: "In", values: [value] }] },
      })),
    },
  },
});
const term = (app: string, topologyKey = "kubernetes.io/hostname") => ({ topologyKey, labelSelector: { matchLabels: { app } } });
const likes = (kind: "podAffinity" | "podAntiAffinity", app: string, topologyKey?: string): PodSpec => ({
  affinity: { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term(app, topologyKey) }] } },
});
const needs = (app: string): PodSpec => ({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(app)] } } });
const spread = (whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway", topologyKey: string, more: object = {}): PodSpec => ({
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey, whenUnsatisfiable, labelSelector: { matchLabels: { app: "web" } }, ...more }],
});
const ZONE = "topology.kubernetes.io/zone";
const HOST = "kubernetes.io/hostname";
const requests = (cpu: string, memory = "100Mi"): PodSpec => ({
  containers: [{ name: "c", image: "x", resources: { requests: { cpu, memory } } }],
});
const web = (replicas: number, spec: PodSpec, kind: WorkloadKind = "Deployment") => workload(kind, "web", spec, { replicas });
const room = (cpu: string, pods = "110") => ({ allocatable: { cpu, memory: "4Gi", pods } });

const rows: readonly { readonly name: string; readonly objects: readonly ApiObject[]; readonly nodes: Record<string, number> }[] = [
  {
    name: "preferred node affinity outweighs an even spread (2 × 100 against less)",
    objects: all(machine(1), machine(2, { labels: { disk: "ssd" } }), web(4, likesNodes([1, "disk", "ssd"]))),
    nodes: { n2: 4 },
  },
  {
    name: "of two preferences the heavier one",
    objects: all(
      machine(1, { labels: { disk: "hdd" } }),
      machine(2, { labels: { disk: "ssd" } }),
      pod("p", likesNodes([10, "disk", "hdd"], [20, "disk", "ssd"])),
    ),
    nodes: { n2: 1 },
  },
  { name: "a preference that no node meets refuses none", objects: all(two, pod("p", likesNodes([100, "disk", "ssd"]))), nodes: { n1: 1 } },
  {
    name: "preferred affinity to another pod, past a fuller node",
    objects: all(two, pod("db", { nodeName: "n2" }), pod("p", likes("podAffinity", "db"))),
    nodes: { n2: 2 },
  },
  {
    name: "preferred affinity by zone: any node of it, the emptier one",
    objects: all(zoned, pod("db", { nodeName: "n1" }), pod("p", likes("podAffinity", "db", ZONE))),
    nodes: { n1: 1, n2: 1 },
  },
  {
    name: "preferred anti-affinity keeps away while it can, and gives way when it cannot",
    objects: all(two, workload("Job", "web", likes("podAntiAffinity", "web"), { parallelism: 3, completions: 3 })),
    nodes: { n1: 2, n2: 1 },
  },
  {
    name: "a pod there that prefers ours draws it near",
    objects: all(two, pod("zz-lonely", { ...likes("podAffinity", "p"), nodeName: "n2" }), pod("p")),
    nodes: { n2: 2 },
  },
  {
    name: "one that requires ours does so too, with weight 1",
    objects: all(two, pod("p"), pod("zz", { ...needs("p"), nodeName: "n2" })),
    nodes: { n2: 2 },
  },
  {
    name: "one that would rather not be near it keeps it away",
    objects: all(two, pod("zz-shy", { ...likes("podAntiAffinity", "p"), nodeName: "n1" }), pod("p"), pod("q", { nodeName: "n2" })),
    nodes: { n1: 1, n2: 2 },
  },
  {
    name: "DoNotSchedule by zone: no more than one apart",
    objects: all(zoned, web(5, spread("DoNotSchedule", ZONE))),
    nodes: { n1: 2, n2: 1, n3: 2 },
  },
  {
    name: "DoNotSchedule by node: the fourth waits for the tainted node's share",
    objects: all(THREE_NODES, web(3, spread("DoNotSchedule", HOST))),
    nodes: { n2: 1, n3: 1, Pending: 1 },
  },
  {
    name: "nodeTaintsPolicy Honor leaves the tainted node out of the count",
    objects: all(THREE_NODES, web(3, spread("DoNotSchedule", HOST, { nodeTaintsPolicy: "Honor" }))),
    nodes: { n2: 2, n3: 1 },
  },
  {
    name: "minDomains asks for more zones than there are: one each",
    objects: all(zoned, web(3, spread("DoNotSchedule", ZONE, { minDomains: 3 }))),
    nodes: { n1: 1, n3: 1, Pending: 1 },
  },
  {
    name: "a node without the label takes no part",
    objects: all(machine(1), machine(2, { zone: "a" }), web(2, spread("DoNotSchedule", ZONE))),
    nodes: { n2: 2 },
  },
  {
    name: "ScheduleAnyway goes to the emptier zone first",
    objects: all(zoned, web(2, spread("ScheduleAnyway", ZONE))),
    nodes: { n1: 1, n3: 1 },
  },
  {
    name: "without constraints of its own a ReplicaSet is spread over zones too",
    objects: all(zoned, web(2, {})),
    nodes: { n1: 1, n3: 1 },
  },
  { name: "a Job is not", objects: all(zoned, workload("Job", "web", {}, { parallelism: 2, completions: 2 })), nodes: { n1: 1, n2: 1 } },
  {
    name: "PreferNoSchedule: the last choice, but a choice",
    objects: all(
      machine(1, { taints: [{ key: "old", effect: "PreferNoSchedule" }] }),
      machine(2),
      web(3, port(80, undefined, { hostPort: 80 })),
    ),
    nodes: { n1: 1, n2: 1, Pending: 1 },
  },
  {
    name: "PreferNoSchedule weighs more than company",
    objects: all(machine(1, { taints: [{ key: "old", effect: "PreferNoSchedule" }] }), machine(2), web(3, {})),
    nodes: { n2: 3 },
  },
  { name: "a cordoned node gets none", objects: all(machine(1, { cordoned: true }), machine(2), web(2, {})), nodes: { n2: 2 } },
  {
    name: "requests fill nodes up to what they state",
    objects: all(machine(1, room("1")), machine(2, room("2")), web(7, requests("400m"))),
    nodes: { n1: 2, n2: 5 },
  },
  {
    name: "the emptier of two unequal nodes, by share",
    objects: all(machine(1, room("2")), machine(2, room("8")), pod("p", requests("1"))),
    nodes: { n2: 1 },
  },
  { name: "as many pods as the node takes", objects: all(machine(1, room("8", "2")), web(3, {})), nodes: { n1: 2, Pending: 1 } },
  {
    name: "a pod that has ended takes no room and no host port",
    objects: all(
      machine(1, room("1")),
      pod("old", { ...requests("800m"), nodeName: "n1" }, { uid: "1", status: { phase: "Succeeded" } }),
      pod("new", requests("800m")),
    ),
    nodes: { n1: 2 },
  },
];

for (const { name, objects, nodes } of rows)
  test(name, () => {
    const counts: Record<string, number> = {};
    for (const each of decideCluster(objects, {}).pods) counts[each.node ?? "Pending"] = (counts[each.node ?? "Pending"] ?? 0) + 1;
    assert.deepEqual(counts, nodes);
  });

const LAST = "preemption: 0/2 nodes are available";
const messages: readonly { readonly name: string; readonly objects: readonly ApiObject[]; readonly message: string }[] = [
  {
    name: "a node can lack several things",
    objects: all(machine(1, room("1", "0")), machine(2, room("1")), pod("p", requests("500m", "8Gi"))),
    message: `0/2 nodes are available: 1 Too many pods, 2 Insufficient memory. ${LAST}: 2 Preemption is not helpful for scheduling.`,
  },
  {
    name: "room that others have taken",
    objects: all(
      machine(1, room("1")),
      machine(2, room("100m")),
      pod("a", { ...requests("800m"), nodeName: "n1" }),
      pod("p", requests("500m")),
    ),
    message: `0/2 nodes are available: 2 Insufficient cpu. ${LAST}: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.`,
  },
  {
    name: "a resource that no node has",
    objects: all(
      machine(1, room("1")),
      machine(2, room("1")),
      pod("p", { containers: [{ name: "c", image: "x", resources: { limits: { "nvidia.com/gpu": 1 } } }] }),
    ),
    message: `0/2 nodes are available: 2 Insufficient nvidia.com/gpu. ${LAST}: 2 Preemption is not helpful for scheduling.`,
  },
  {
    name: "spread, and a missing label",
    objects: all(
      machine(1, { zone: "a" }),
      machine(2),
      pod("web", { nodeName: "n1" }, { labels: { app: "web" } }),
      pod("p", spread("DoNotSchedule", ZONE, { minDomains: 2 }), { labels: { app: "web" } }),
    ),
    message: `0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology spread constraints (missing required label). ${LAST}: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.`,
  },
  {
    name: "required affinity to a pod that is nowhere",
    objects: all(two, pod("p", needs("ghost"))),
    message: `0/2 nodes are available: 2 node(s) didn't match pod affinity rules. ${LAST}: 2 Preemption is not helpful for scheduling.`,
  },
  {
    name: "a cordoned node and a taint",
    objects: all(machine(1, { cordoned: true }), machine(2, { taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] }), pod("p")),
    message: `0/2 nodes are available: 1 node(s) had untolerated taint {gpu: yes}, 1 node(s) were unschedulable. ${LAST}: 2 Preemption is not helpful for scheduling.`,
  },
];
for (const { name, objects, message } of messages)
  test(`Pending: ${name}`, () => assert.equal(decideCluster(objects, {}).pods.find((each) => each.name === "p")?.message, message));

test("a choice among equals is said to be ours", () =>
  assert.ok(decideCluster(all(two, pod("p")), {}).assumptions.some(({ about, key }) => about === "pods" && key === "spec.pods[].node")));

test("in a large cluster a part of the nodes is looked at, and zones still come out even", () => {
  const nodes = Array.from({ length: 500 }, (_, i) =>
    node(`n${String(i).padStart(3, "0")}`, `10.1.${i >> 8}.${i & 255}`, `10.${100 + (i >> 8)}.${i & 255}.0/24`, {
      labels: { [ZONE]: `z${i % 3}` },
    }),
  );
  const zones: Record<string, number> = {};
  for (const each of decideCluster([...nodes, web(300, spread("ScheduleAnyway", ZONE))], {}).pods) {
    const zone = `z${Number(each.node?.slice(1)) % 3}`;
    zones[zone] = (zones[zone] ?? 0) + 1;
  }
  assert.deepEqual(zones, { z0: 100, z1: 100, z2: 100 });
});
