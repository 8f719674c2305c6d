/** Which pods each kind of workload has, how they are called and labelled (pkg/controller/{job,cronjob,statefulset,daemon,replicaset}). */
import assert from "node:assert/strict";
import test from "node:test";
import type { ClusterPod } from "../../src/cluster/cluster.ts";
import { decideCluster } from "../../src/cluster/decide.ts";
import type { ApiObject, PodSpec, Workload } from "../../src/objects/api.ts";
import { all, pod, port, service, THREE_NODES, workload } from "./objects.ts";

const TEMPLATE = { spec: { containers: [{ name: "c", image: "x" }] } };
const NEVER = { spec: { ...TEMPLATE.spec, ...{ restartPolicy: "Never" } } };
const END = "[b-z2-9]{5}";
const cronJob: Workload = {
  ...workload("CronJob", "nightly"),
  spec: { ...{ schedule: "0 3 * * *" }, jobTemplate: { spec: { template: NEVER, completions: 3, parallelism: 3 } } },
};

type Row = {
  readonly name: string;
  readonly objects: readonly ApiObject[];
  readonly pods: readonly RegExp[];
  /** DESIRED, CURRENT, READY of the workload that the row is about. */
  readonly counts?: readonly [number, number, number];
  readonly is?: (pods: readonly ClusterPod[]) => void;
};
const label =
  (key: string, ...values: readonly (string | undefined)[]) =>
  (pods: readonly ClusterPod[]) =>
    assert.deepEqual(
      pods.map(({ labels }) => labels[key]),
      values,
    );

const rows: readonly Row[] = [
  { name: "a CronJob has none until its hour comes", objects: [cronJob], pods: [], counts: [0, 0, 0] },
  {
    name: "a Job that a CronJob made, in a dump, and its pod",
    objects: [
      cronJob,
      {
        ...workload("Job", "nightly-28571220", {}, { completions: 1 }),
        metadata: {
          name: "nightly-28571220",
          namespace: "default",
          ownerReferences: [{ kind: "CronJob", name: "nightly", controller: true }],
        },
      },
      pod(
        "nightly-28571220-x7k2p",
        {},
        {
          ownerReferences: [{ kind: "Job", name: "nightly-28571220", controller: true }],
          status: { phase: "Running", podIP: "10.244.1.9" },
        },
      ),
    ],
    pods: [/^nightly-28571220-x7k2p$/],
    is: ([first]) =>
      assert.deepEqual(
        [first?.owner, first?.workload],
        [
          { kind: "Job", name: "nightly-28571220" },
          { kind: "CronJob", name: "nightly" },
        ],
      ),
  },
  {
    name: "a Job without numbers runs one",
    objects: [workload("Job", "once")],
    pods: [new RegExp(`^once-${END}$`)],
    counts: [1, 1, 1],
    is: label("job-name", "once"),
  },
  {
    name: "a Job never runs more than are left to complete",
    objects: [workload("Job", "few", {}, { parallelism: 5, completions: 2 })],
    pods: [new RegExp(`^few-${END}$`), new RegExp(`^few-${END}$`)],
    is: label("batch.kubernetes.io/job-name", "few", "few"),
  },
  {
    name: "a work queue, without completions, runs its parallelism",
    objects: [workload("Job", "queue", {}, { parallelism: 2 })],
    pods: [new RegExp(`^queue-${END}$`), new RegExp(`^queue-${END}$`)],
  },
  {
    name: "parallelism 0 and suspend run none",
    objects: [workload("Job", "a", {}, { parallelism: 0 }), workload("Job", "b", {}, { suspend: true })],
    pods: [],
  },
  {
    name: "an Indexed Job's pods carry their index in name, host name, label and annotation",
    objects: [workload("Job", "part", {}, { parallelism: 2, completions: 4, completionMode: "Indexed" })],
    pods: [new RegExp(`^part-0-${END}$`), new RegExp(`^part-1-${END}$`)],
    is: (pods) => {
      assert.deepEqual(
        pods.map(({ spec }) => spec.hostname),
        ["part-0", "part-1"],
      );
      label("batch.kubernetes.io/job-completion-index", "0", "1")(pods);
      assert.deepEqual(
        pods.map(({ annotations }) => annotations["batch.kubernetes.io/job-completion-index"]),
        ["0", "1"],
      );
    },
  },
  {
    name: "a StatefulSet's pods are numbered, and named in DNS below its Service",
    objects: [workload("StatefulSet", "db", {}, { replicas: 2, serviceName: "dbs" })],
    pods: [/^db-0$/, /^db-1$/],
    counts: [2, 2, 2],
    is: (pods) => {
      assert.deepEqual(
        pods.map(({ spec }) => [spec.hostname, spec.subdomain]),
        [
          ["db-0", "dbs"],
          ["db-1", "dbs"],
        ],
      );
      label("apps.kubernetes.io/pod-index", "0", "1")(pods);
      label("statefulset.kubernetes.io/pod-name", "db-0", "db-1")(pods);
    },
  },
  {
    name: "OrderedReady: while the first waits for a node there is no second",
    objects: [workload("StatefulSet", "db", { nodeSelector: { disk: "ssd" } }, { replicas: 3 })],
    pods: [/^db-0$/],
    counts: [3, 1, 0],
  },
  {
    name: "Parallel: all are there, and wait",
    objects: [
      {
        ...workload("StatefulSet", "db"),
        spec: {
          ...workload("StatefulSet", "db", { nodeSelector: { disk: "ssd" } }, { replicas: 2 }).spec,
          ...{ podManagementPolicy: "Parallel" },
        },
      },
    ],
    pods: [/^db-0$/, /^db-1$/],
    counts: [2, 2, 0],
  },
  {
    name: "OrderedReady on one node's host port: one runs, one waits, the third is not made",
    objects: [
      workload(
        "StatefulSet",
        "db",
        { ...port(80, undefined, { hostPort: 80 }), nodeSelector: { "kubernetes.io/hostname": "n2" } },
        { replicas: 3 },
      ),
    ],
    pods: [/^db-0$/, /^db-1$/],
    counts: [3, 2, 1],
  },
  {
    name: "a static pod of a dump belongs to its node",
    objects: [
      pod(
        "etcd-n1",
        { nodeName: "n1", hostNetwork: true },
        {
          uid: "1",
          annotations: { "kubernetes.io/config.source": "file", "kubernetes.io/config.mirror": "b4" },
          ownerReferences: [{ kind: "Node", name: "n1", controller: true }],
          status: { phase: "Running", podIP: "10.0.2.4" },
        },
      ),
    ],
    pods: [/^etcd-n1$/],
    is: ([first]) => assert.deepEqual([first?.owner, first?.ips], [{ kind: "Node", name: "n1" }, ["10.0.2.4"]]),
  },
  {
    name: "a ReplicationController without selector takes its template's labels",
    objects: [
      {
        ...workload("ReplicationController", "rc", {}, { replicas: 1 }),
        spec: { template: { metadata: { labels: { app: "w" } }, ...TEMPLATE } },
      },
    ],
    pods: [new RegExp(`^rc-${END}$`)],
    counts: [1, 1, 1],
  },
];

for (const { name, objects, pods, counts, is } of rows)
  test(name, () => {
    const cluster = decideCluster([...THREE_NODES, ...objects], {});
    const found = cluster.pods;
    assert.equal(found.length, pods.length, found.map((each) => each.name).join());
    for (const [i, pattern] of pods.entries()) assert.match(found[i]?.name ?? "", pattern);
    const [row] = cluster.workloads;
    if (counts) assert.deepEqual([row?.desired, row?.current, row?.ready], counts);
    is?.(found);
  });

const ports: readonly {
  readonly name: string;
  readonly spec: PodSpec;
  readonly targetPort: string;
  readonly endpoint: number | undefined;
}[] = [
  { name: "a container's", spec: port(8080, "web"), targetPort: "web", endpoint: 8080 },
  {
    name: "a sidecar's",
    spec: {
      containers: [{ name: "c", image: "x" }],
      initContainers: [{ name: "s", image: "x", restartPolicy: "Always", ports: [{ name: "web", containerPort: 15001 }] }],
    },
    targetPort: "web",
    endpoint: 15001,
  },
  {
    name: "an init container's is gone when the pod runs",
    spec: {
      containers: [{ name: "c", image: "x" }],
      initContainers: [{ name: "i", image: "x", ports: [{ name: "web", containerPort: 1 }] }],
    },
    targetPort: "web",
    endpoint: undefined,
  },
];
for (const { name, spec, targetPort, endpoint } of ports)
  test(`a named targetPort: ${name}`, () => {
    const cluster = decideCluster(
      all(
        THREE_NODES,
        pod("a", { containers: [{ name: "c", image: "x" }], ...spec }),
        service("s", { selector: { app: "a" }, ports: [{ port: 80, targetPort }] }),
      ),
      {},
    );
    assert.equal(cluster.slices.find((slice) => slice.service === "s")?.ports[0]?.port, endpoint);
  });
