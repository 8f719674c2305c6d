/** What exists under quotas and limit ranges, and in which words the rest is refused (pkg/quota/v1/evaluator/core, plugin/pkg/admission/limitranger). */
import assert from "node:assert/strict";
import test from "node:test";
import { decideCluster } from "../../../src/cluster/decide.ts";
import type { ApiObject, Container, LimitRange, LimitRangeItem, PodSpec, ResourceList, ResourceQuota } from "../../../src/objects/api.ts";
import { all, pod, service, source, THREE_NODES, workload } from "../objects.ts";

const quota = (hard: ResourceList, more: Partial<ResourceQuota["spec"]> & { status?: ResourceQuota["status"] } = {}): ResourceQuota => {
  const { status, ...spec } = more;
  return {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "q", namespace: "default" },
    spec: { hard, ...spec },
    ...(status ? { status } : {}),
    source: source("quota.yaml"),
  };
};
const limits = (...items: readonly LimitRangeItem[]): LimitRange => ({
  apiVersion: "v1",
  kind: "LimitRange",
  metadata: { name: "l", namespace: "default" },
  spec: { limits: items },
  source: source("limits.yaml"),
});
const asking = (resources: Container["resources"], more: Partial<Container> = {}): PodSpec => ({
  containers: [{ name: "c", image: "x", ...(resources ? { resources } : {}), ...more }],
});
const cpu = (amount: string): PodSpec => asking({ requests: { cpu: amount } });

type Row = {
  readonly name: string;
  readonly objects: readonly ApiObject[];
  /** Pods by owner or own name, with how many. */
  readonly pods: Record<string, number>;
  readonly used?: Readonly<Record<string, string>>;
  readonly refusal?: RegExp;
};
const rc = (name: string, replicas: number, spec: PodSpec = {}) => workload("ReplicationController", name, spec, { replicas });

const rows: readonly Row[] = [
  {
    name: "an RC of 4 under a quota of 3 pods",
    objects: all(quota({ pods: 3 }), rc("web", 4)),
    pods: { web: 3 },
    used: { pods: "3" },
    refusal:
      /^ReplicationController default\/web: 3 of 4 pods are created: exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3$/,
  },
  {
    name: "a bare pod comes first, wherever it stands",
    objects: all(quota({ pods: 3 }), rc("web", 4), pod("zz")),
    pods: { web: 2, zz: 1 },
    refusal: /2 of 4 pods/,
  },
  {
    name: "controllers in the order of the input, not of their names",
    objects: all(quota({ pods: 3 }), rc("zz", 2), rc("aa", 2)),
    pods: { zz: 2, aa: 1 },
    refusal: /^ReplicationController default\/aa: 1 of 2/,
  },
  {
    name: "bare pods in the order of the input; the later one is refused",
    objects: all(quota({ pods: "1" }), pod("b"), pod("a")),
    pods: { b: 1 },
    refusal: /^Pod default\/a: pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1$/,
  },
  {
    name: "the quota's place in the input does not matter",
    objects: all(pod("a"), pod("b"), quota({ "count/pods": 1 })),
    pods: { a: 1 },
    refusal: /requested: count\/pods=1, used: count\/pods=1/,
  },
  {
    name: "a Deployment is named, its ReplicaSet has the event",
    objects: all(quota({ pods: 1 }), workload("Deployment", "web", {}, { replicas: 3 })),
    pods: { web: 1 },
    refusal: /^Deployment default\/web: 1 of 3 pods/,
  },
  {
    name: "CPU is counted by what each pod asks for",
    objects: all(quota({ "requests.cpu": "1" }), rc("web", 4, cpu("300m"))),
    pods: { web: 3 },
    used: { "requests.cpu": "900m" },
    refusal: /requested: requests\.cpu=300m, used: requests\.cpu=900m, limited: requests\.cpu=1$/,
  },
  {
    name: "`cpu` is `requests.cpu`, and a limit alone is a request too",
    objects: all(quota({ cpu: "500m" }), pod("a", asking({ limits: { cpu: "400m" } })), pod("b", cpu("200m"))),
    pods: { a: 1 },
    used: { cpu: "400m" },
    refusal: /^Pod default\/b/,
  },
  {
    name: "a pod that does not say what it takes is refused",
    objects: all(quota({ "requests.cpu": "1", "limits.memory": "1Gi" }), rc("web", 2)),
    pods: {},
    refusal: /0 of 2 pods are created: failed quota: q: must specify limits\.memory for: c; requests\.cpu for: c$/,
  },
  {
    name: "a LimitRange's default lets it in, and counts",
    objects: all(quota({ "requests.cpu": "1" }), limits({ type: "Container", defaultRequest: { cpu: "400m" } }), rc("web", 3)),
    pods: { web: 2 },
    used: { "requests.cpu": "800m" },
    refusal: /2 of 3/,
  },
  {
    name: "its default limit is the request as well, its max the limit",
    objects: all(quota({ "requests.cpu": "1", "limits.cpu": "4" }), limits({ type: "Container", max: { cpu: "500m" } }), rc("web", 2)),
    pods: { web: 2 },
    used: { "limits.cpu": "1", "requests.cpu": "1" },
  },
  {
    name: "a maximum is a bound",
    objects: all(limits({ type: "Container", max: { cpu: "800m" } }), pod("a", asking({ limits: { cpu: "1500m" } }))),
    pods: {},
    refusal: /^Pod default\/a: pods "a" is forbidden: maximum cpu usage per Container is 800m, but limit is 1500m$/,
  },
  {
    name: "a minimum, and a ratio, in one list",
    objects: all(
      limits({ type: "Container", min: { cpu: "200m" }, maxLimitRequestRatio: { cpu: 2 } }),
      pod("a", asking({ requests: { cpu: "100m" }, limits: { cpu: "400m" } })),
    ),
    pods: {},
    refusal:
      /\[minimum cpu usage per Container is 200m, but request is 100m, cpu max limit to request ratio per Container is 2, but provided ratio is 4\.000000\]$/,
  },
  {
    name: "a Pod item bounds the sum of its containers",
    objects: all(
      limits({ type: "Pod", max: { memory: "1Gi" } }),
      pod("a", { containers: ["x", "y"].map((name) => ({ name, image: "x", resources: { limits: { memory: "600Mi" } } })) }),
    ),
    pods: {},
    refusal: /maximum memory usage per Pod is 1Gi, but limit is 1200Mi$/,
  },
  {
    name: "init containers count by the largest, sidecars by their sum",
    objects: all(
      quota({ "requests.cpu": "10" }),
      pod("a", {
        ...cpu("100m"),
        initContainers: [
          { name: "side", image: "x", restartPolicy: "Always", resources: { requests: { cpu: "50m" } } },
          { name: "init", image: "x", resources: { requests: { cpu: "500m" } } },
        ],
      }),
    ),
    pods: { a: 1 },
    used: { "requests.cpu": "550m" },
  },
  {
    name: "a pod that has ended takes no place, but is still an object",
    objects: all(quota({ pods: 1, "count/pods": 5 }), pod("old", {}, { uid: "1", status: { phase: "Succeeded" } }), pod("new")),
    pods: { old: 1, new: 1 },
    used: { "count/pods": "2", pods: "1" },
  },
  {
    name: "what a dump has was admitted, and counts",
    objects: all(quota({ pods: 2 }), pod("new"), pod("a", {}, { uid: "1" }), pod("b", {}, { uid: "2" })),
    pods: { a: 1, b: 1 },
    used: { pods: "2" },
    refusal: /^Pod default\/new/,
  },
  {
    name: "a dump's quota knows its own numbers",
    objects: all(
      quota({ pods: 5, secrets: 9 }, { status: { used: { pods: "4", secrets: "3" } } }),
      pod("a", {}, { uid: "1" }),
      pod("b"),
      pod("c"),
    ),
    pods: { a: 1, b: 1 },
    used: { pods: "5", secrets: "3" },
    refusal: /^Pod default\/c/,
  },
  {
    name: "what ktrace does not read is not counted",
    objects: all(quota({ secrets: 1, persistentvolumeclaims: 0, pods: 1 })),
    pods: {},
    used: { pods: "0" },
  },
  {
    name: "scopes: best-effort pods only",
    objects: all(quota({ pods: 1 }, { scopes: ["BestEffort"] }), pod("a"), pod("b"), pod("c", cpu("1"))),
    pods: { a: 1, c: 1 },
    refusal: /^Pod default\/b/,
  },
  {
    name: "a second ReplicationController is refused",
    objects: all(quota({ replicationcontrollers: 1 }), rc("zz", 1), rc("aa", 1)),
    pods: { zz: 1 },
    refusal:
      /^ReplicationController default\/aa: replicationcontrollers "aa" is forbidden: exceeded quota: q, requested: replicationcontrollers=1, used: replicationcontrollers=1, limited: replicationcontrollers=1$/,
  },
  {
    name: "count/deployments.apps",
    objects: all(quota({ "count/deployments.apps": 0 }), workload("Deployment", "web")),
    pods: {},
    refusal: /deployments\.apps "web" is forbidden/,
  },
  {
    name: "another namespace's quota is none of ours",
    objects: all({ ...quota({ pods: 0 }), metadata: { name: "q", namespace: "other" } }, pod("a")),
    pods: { a: 1 },
  },
];

for (const { name, objects, pods, used, refusal } of rows)
  test(name, () => {
    const cluster = decideCluster([...THREE_NODES, ...objects], {});
    const counts: Record<string, number> = {};
    for (const each of cluster.pods) counts[each.workload?.name ?? each.name] = (counts[each.workload?.name ?? each.name] ?? 0) + 1;
    assert.deepEqual(counts, pods);
    if (used) assert.deepEqual(cluster.resourceQuotas?.[0]?.used, used);
    const found = cluster.diagnostics.filter(({ code }) => code === "KT211").map(({ message }) => message);
    assert.equal(found.length, refusal ? 1 : 0, found.join("; "));
    if (refusal) assert.match(found[0] ?? "", refusal);
  });

const ports = [
  { port: 80, name: "a" },
  { port: 81, name: "b" },
];
const balancer = service("lb", { type: "LoadBalancer", selector: { app: "a" }, ports });
const services: readonly {
  readonly name: string;
  readonly hard: ResourceList;
  readonly objects: readonly ApiObject[];
  readonly exist: readonly string[];
  readonly used: Record<string, string>;
}[] = [
  {
    name: "the second Service, which `default/kubernetes` leaves no place for",
    hard: { services: 2 },
    objects: [service("zz", { ports: ports.slice(0, 1) }), service("aa", { ports: ports.slice(0, 1) })],
    exist: ["kubernetes", "zz"],
    used: { services: "2" },
  },
  {
    name: "node ports are counted one by one",
    hard: { "services.nodeports": 2 },
    objects: [service("np", { type: "NodePort", ports }), service("other", { type: "NodePort", ports: ports.slice(0, 1) })],
    exist: ["kubernetes", "np"],
    used: { "services.nodeports": "2" },
  },
  {
    name: "a balancer has node ports too, unless it is told not to",
    hard: { "services.nodeports": 2, "services.loadbalancers": 2 },
    objects: [balancer, service("bare", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports })],
    exist: ["bare", "kubernetes", "lb"],
    used: { "services.loadbalancers": "2", "services.nodeports": "2" },
  },
  {
    name: "an invalid Service takes no place",
    hard: { services: 2 },
    objects: [service("bad", { clusterIP: "1.2.3.4", ports: ports.slice(0, 1) }), service("good", { ports: ports.slice(0, 1) })],
    exist: ["good", "kubernetes"],
    used: { services: "2" },
  },
];
for (const { name, hard, objects, exist, used } of services)
  test(`Services: ${name}`, () => {
    const cluster = decideCluster([...THREE_NODES, quota(hard), ...objects], {});
    assert.deepEqual(
      cluster.services.map((each) => each.name),
      exist,
    );
    assert.deepEqual(cluster.resourceQuotas?.[0]?.used, used);
    const refused = new Set(objects.map((each) => each.metadata.name).filter((each) => !exist.includes(each)));
    assert.equal(
      cluster.endpoints.some((each) => refused.has(each.name)),
      false,
    );
    assert.equal(
      cluster.assumptions.some(({ about }) => refused.has(about.split("/")[1] ?? "")),
      false,
      "nothing is given to it",
    );
  });

const events: readonly {
  readonly kind: "ReplicationController" | "Deployment" | "StatefulSet" | "DaemonSet" | "Job";
  readonly of: RegExp;
  readonly message: RegExp;
}[] = [
  {
    kind: "ReplicationController",
    of: /^ReplicationController w$/,
    message: /^Error creating: pods "w-[b-z2-9]{5}" is forbidden: exceeded quota: q, /,
  },
  { kind: "Deployment", of: /^ReplicaSet w-[4-9bcdf]+$/, message: /^Error creating: pods "w-[4-9bcdf]+-[b-z2-9]{5}" is forbidden: / },
  { kind: "StatefulSet", of: /^StatefulSet w$/, message: /^create Pod w-1 in StatefulSet w failed error: pods "w-1" is forbidden: / },
  { kind: "DaemonSet", of: /^DaemonSet w$/, message: /^Error creating: pods "w-[b-z2-9]{5}" is forbidden: / },
  { kind: "Job", of: /^Job w$/, message: /^Error creating: pods "w-[b-z2-9]{5}" is forbidden: / },
];
for (const { kind, of, message } of events)
  test(`the event of a ${kind}`, () => {
    const cluster = decideCluster([...THREE_NODES, quota({ pods: 1 }), workload(kind, "w", {}, { replicas: 3, parallelism: 3 })], {});
    assert.equal(cluster.pods.length, 1);
    const [event, ...others] = cluster.events;
    assert.deepEqual(others, []);
    assert.ok(event);
    assert.deepEqual([event.type, event.reason], ["Warning", "FailedCreate"]);
    assert.match(`${event.object.kind} ${event.object.name}`, of);
    assert.match(event.message, message);
  });

test("LimitRanger says on the pod what it set", () => {
  const cluster = decideCluster([...THREE_NODES, limits({ type: "Container", default: { memory: "1Gi", cpu: "1" } }), pod("a")], {});
  assert.equal(
    cluster.pods[0]?.annotations["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c",
  );
  assert.deepEqual(cluster.pods[0]?.spec.containers?.[0]?.resources, {
    limits: { cpu: "1", memory: "1Gi" },
    requests: { cpu: "1", memory: "1Gi" },
  });
});
