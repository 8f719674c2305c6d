/** Names, addresses and ports of pods: pins, live dumps, what is assumed. */
import assert from "node:assert/strict";
import test from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import type { ApiObject, PodSpec, Workload } from "../../src/objects/api.ts";
import type { Topology } from "../../src/objects/topology.ts";
import { all, node, pod, port, service, THREE_NODES, workload } from "./objects.ts";

const pods = (objects: readonly ApiObject[], topology: Topology = {}) =>
  decideCluster(objects, topology).pods.map((each) => `${each.name} ${each.ips.join()} ${each.node ?? "-"}`);

type Row = {
  readonly name: string;
  readonly objects: readonly ApiObject[];
  readonly topology: Topology;
  readonly pods: readonly (string | RegExp)[];
};
const owned = (name: string, kind: string, owner: string, ip: string) =>
  pod(
    name,
    {},
    {
      labels: { app: "web", "pod-template-hash": "5f7c" },
      ownerReferences: [{ kind, name: owner, controller: true }],
      status: { podIP: ip, phase: "Running" },
    },
  );
const replicaSet: Workload = {
  ...workload("ReplicaSet", "web-5f7c", {}, { replicas: 3, labels: { app: "web" } }),
  metadata: { name: "web-5f7c", namespace: "default", ownerReferences: [{ kind: "Deployment", name: "web", controller: true }] },
};

const rows: readonly Row[] = [
  {
    name: "addresses count up from .2",
    objects: all(THREE_NODES, pod("a", { nodeName: "n2" }), pod("b", { nodeName: "n2" })),
    topology: {},
    pods: ["a 10.244.1.2 n2", "b 10.244.1.3 n2"],
  },
  {
    name: "a pinned address is skipped by the others",
    objects: all(THREE_NODES, pod("a", { nodeName: "n2" }), pod("b", { nodeName: "n2" })),
    topology: { pods: [{ name: "b", ip: "10.244.1.2" }] },
    pods: ["a 10.244.1.3 n2", "b 10.244.1.2 n2"],
  },
  {
    name: "a pinned address tells the node",
    objects: all(THREE_NODES, pod("a")),
    topology: { pods: [{ name: "default/a", ip: "10.244.2.7" }] },
    pods: ["a 10.244.2.7 n3"],
  },
  {
    name: "a pattern pins every pod it matches to a node",
    objects: all(THREE_NODES, pod("a-1"), pod("a-2"), pod("b")),
    topology: { pods: [{ name: "default/a-*", node: "n1" }] },
    pods: ["a-1 10.244.0.2 n1", "a-2 10.244.0.3 n1", "b 10.244.1.2 n2"],
  },
  {
    name: "patterns with addresses serve one pod each, in order",
    objects: all(THREE_NODES, pod("a-1"), pod("a-2")),
    topology: {
      pods: [
        { name: "a-*", ip: "10.244.1.9" },
        { name: "a-*", ip: "10.244.2.9" },
      ],
    },
    pods: ["a-1 10.244.1.9 n2", "a-2 10.244.2.9 n3"],
  },
  {
    name: "pins give a Deployment its hash and its pods their names",
    objects: all(THREE_NODES, workload("Deployment", "web", {}, { replicas: 2 })),
    topology: { pods: [{ name: "web-5f7ccf4cb9-8jxz7", node: "n3" }] },
    pods: [/^web-5f7ccf4cb9-8jxz7 10\.244\.2\.2 n3$/, /^web-5f7ccf4cb9-[b-z2-9]{5} 10\.244\.1\.2 n2$/],
  },
  {
    name: "a DaemonSet's pinned names go to their nodes",
    objects: all(THREE_NODES, workload("DaemonSet", "agent", { hostNetwork: true })),
    topology: {
      pods: [
        { name: "agent-zzzzz", node: "n2" },
        { name: "agent-bbbbb", node: "n3" },
      ],
    },
    pods: ["agent-bbbbb 10.0.2.15 n3", "agent-zzzzz 10.0.2.5 n2"],
  },
  {
    name: "a StatefulSet counts, from its start",
    objects: all(THREE_NODES, workload("StatefulSet", "db", {}, { replicas: 2, ordinals: { start: 5 } })),
    topology: {},
    pods: ["db-5 10.244.1.2 n2", "db-6 10.244.2.2 n3"],
  },
  {
    name: "a live dump's pods are not made twice",
    objects: all(
      THREE_NODES,
      workload("Deployment", "web", {}, { replicas: 3 }),
      replicaSet,
      owned("web-5f7c-aaaaa", "ReplicaSet", "web-5f7c", "10.244.1.40"),
    ),
    topology: {},
    pods: ["web-5f7c-aaaaa 10.244.1.40 n2"],
  },
  {
    name: "nor when the dump left out the ReplicaSet",
    objects: all(
      THREE_NODES,
      workload("Deployment", "web", {}, { replicas: 3 }),
      owned("web-5f7c-aaaaa", "ReplicaSet", "web-5f7c", "10.244.1.40"),
    ),
    topology: {},
    pods: ["web-5f7c-aaaaa 10.244.1.40 n2"],
  },
  {
    name: "a dumped ReplicaSet without its pods makes them, once",
    objects: all(THREE_NODES, workload("Deployment", "web", {}, { replicas: 3 }), {
      ...replicaSet,
      spec: { ...replicaSet.spec, replicas: 1 },
    }),
    topology: {},
    pods: [/^web-5f7c-[b-z2-9]{5} 10\.244\.1\.2 n2$/],
  },
  { name: "an unknown node leaves the pod Pending", objects: all(THREE_NODES, pod("a", { nodeName: "n9" })), topology: {}, pods: ["a  -"] },
  {
    name: "a dumped pod names its node, which then exists",
    objects: [pod("a", { nodeName: "x" }, { status: { podIP: "10.1.0.5", hostIP: "192.168.7.3", phase: "Running" } })],
    topology: {},
    pods: ["a 10.1.0.5 x"],
  },
  {
    name: "the node's range runs out",
    objects: all(node("n1", "10.0.0.1", "10.244.0.0/30"), pod("a"), pod("b")),
    topology: {},
    pods: ["a 10.244.0.2 n1", "b  n1"],
  },
];

for (const { name, objects, topology, pods: expected } of rows)
  test(name, () => {
    const found = pods(objects, topology);
    assert.equal(found.length, expected.length, found.join("\n"));
    for (const pattern of expected)
      assert.ok(
        found.some((line) => (typeof pattern === "string" ? line === pattern : pattern.test(line))),
        `${pattern} in ${found.join("; ")}`,
      );
  });

const probe: PodSpec = {
  containers: [
    {
      name: "c",
      image: "x",
      ports: [{ name: "http", containerPort: 8080 }],
      readinessProbe: { httpGet: { port: "http" } },
      livenessProbe: { tcpSocket: { port: 9000 } },
    },
  ],
};
const sidecar: PodSpec = {
  ...port(8080),
  initContainers: [
    { name: "s", image: "x", restartPolicy: "Always", ports: [{ containerPort: 15001 }] },
    { name: "i", image: "x", ports: [{ containerPort: 1 }] },
  ],
};
const web = service("web", {
  selector: { app: "a" },
  ports: [
    { port: 80, name: "http", targetPort: 8080 },
    { port: 81, name: "x", targetPort: "named" },
  ],
});
const listens: readonly { readonly name: string; readonly spec: PodSpec; readonly topology?: Topology; readonly is: string }[] = [
  { name: "declared ports and probes", spec: probe, is: "8080/TCP 9000/TCP" },
  { name: "sidecars count, init containers do not", spec: sidecar, is: "8080/TCP 15001/TCP" },
  { name: "nothing declared: where Services send, assumed", spec: {}, is: "8080/TCP?" },
  {
    name: "the topology's word is final",
    spec: port(8080),
    topology: { pods: [{ name: "a", listens: [{ port: 53, protocol: "UDP" }] }] },
    is: "53/UDP",
  },
  { name: "even that nothing listens", spec: port(8080), topology: { pods: [{ name: "a", listens: [] }] }, is: "" },
];
for (const { name, spec, topology = {}, is } of listens)
  test(`listens: ${name}`, () => {
    const cluster = decideCluster(all(THREE_NODES, web, pod("a", spec)), topology);
    assert.equal(cluster.pods[0]?.listens.map((each) => `${each.port}/${each.protocol}${each.assumed ? "?" : ""}`).join(" "), is);
    assert.equal(
      cluster.assumptions.some((each) => each.about === "Pod default/a"),
      is.endsWith("?"),
    );
  });

const reported: readonly {
  readonly name: string;
  readonly objects: readonly ApiObject[];
  readonly topology: Topology;
  readonly codes: readonly string[];
}[] = [
  {
    name: "a pin that no pod has",
    objects: [pod("a")],
    topology: { pods: [{ name: "default/b", ip: "10.244.0.9" }] },
    codes: ["topology-pin-unused"],
  },
  {
    name: "two pods with one address",
    objects: all(THREE_NODES, pod("a"), pod("b")),
    topology: {
      pods: [
        { name: "a", ip: "10.244.1.9" },
        { name: "b", ip: "10.244.1.9" },
      ],
    },
    codes: ["pod-address-taken"],
  },
  {
    name: "a node that is not there",
    objects: all(THREE_NODES, pod("a")),
    topology: { pods: [{ name: "a", node: "n9" }] },
    codes: ["pod-node-unknown"],
  },
  {
    name: "more pods than a cluster can have",
    objects: all(THREE_NODES, workload("Deployment", "web", {}, { replicas: 1e9 })),
    topology: { nodes: [] },
    codes: ["too-many-pods"],
  },
];
for (const { name, objects, topology, codes } of reported)
  test(`reported: ${name}`, () =>
    assert.deepEqual(
      decideCluster(objects, topology).diagnostics.map((each) => each.code),
      codes,
    ));
