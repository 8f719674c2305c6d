/** Namespaces, quotas and limits on the reference cluster (rows S125 to S131). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ktrace } from "../cli/io.ts";
import { changed, printed, replace, traced } from "./rows.ts";

const NAMESPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: test}}\n";
const UTILITY =
  '{apiVersion: v1, kind: Pod, metadata: {name: utility, namespace: test}, spec: {containers: [{image: "debian:latest", command: [sleep, "3600"], name: utility}]}}\n';
const quota = (hard: string): string =>
  `{apiVersion: v1, kind: ResourceQuota, metadata: {name: test-quotas, namespace: test}, spec: {hard: {${hard}}}}\n`;
const rc = (name: string, replicas: number, resources = ""): string =>
  `{apiVersion: v1, kind: ReplicationController, metadata: {name: ${name}, namespace: test, labels: {name: ${name}}}, spec: {replicas: ${replicas}, selector: {name: ${name}}, template: {metadata: {labels: {name: ${name}}}, spec: {containers: [{name: ${name}, image: busybox, command: [sleep, "3600"]${resources}}]}}}}\n`;
const service = (name: string): string =>
  `{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: test}, spec: {selector: {name: busybox-ns}, ports: [{port: 80}]}}\n`;
const cluster = (...documents: readonly string[]): string => changed({ "test.yaml": [NAMESPACE, ...documents].join("---\n") });

const COUNTS = quota("pods: 3, services: 1, replicationcontrollers: 1");
const alone = cluster(COUNTS);
const busybox = cluster(COUNTS, rc("busybox-ns", 4));
const withUtility = cluster(COUNTS, rc("busybox-ns", 4), UTILITY);

test("S125: a name of another namespace is not found, and where it is", async () => {
  const { status, stderr } = await ktrace(["get", "rc", "busybox-ns"], { cwd: busybox });
  assert.equal(status, 2);
  assert.match(stderr, /replicationcontrollers "busybox-ns" not found\n +help: it exists in namespace test/);
  const [titles, row] = await printed("get rc busybox-ns -n test", busybox);
  assert.match(titles ?? "", /^NAME +DESIRED +CURRENT +READY/);
  assert.match(row ?? "", /^busybox-ns +4 +3 +3 /);
});

test("S126: describe ns, with a quota and nothing in it", async () => {
  assert.deepEqual(await printed("describe ns/test", alone), [
    "Name:         test",
    "Labels:       kubernetes.io/metadata.name=test",
    "Annotations:  <none>",
    "Status:       Active",
    "",
    "Resource Quotas",
    "  Name:                   test-quotas",
    "  Resource                Used  Hard",
    "  --------                ---   ---",
    "  pods                    0     3",
    "  replicationcontrollers  0     1",
    "  services                0     1",
    "",
    "No LimitRange resource.",
  ]);
  assert.match((await printed("get quota -n test", alone))[1] ?? "", /pods: 0\/3, replicationcontrollers: 0\/1, services: 0\/1/);
});
test("S126: no quota before there is one", async () => {
  const text = (await printed("describe ns test", cluster(UTILITY))).join("\n");
  assert.match(text, /^No resource quota\.\n\nNo LimitRange resource\.$/m);
});

const EXCEEDED =
  /pods "busybox-ns-[b-z2-9]{5}" is forbidden: exceeded quota: test-quotas, requested: pods=1, used: pods=3, limited: pods=3/;

test("S127: four replicas under a quota of three", async () => {
  assert.equal((await printed("get pods -n test", busybox)).length, 1 + 3);
  const described = (await printed("describe ns/test", busybox)).join("\n");
  assert.match(described, /pods +3 +3\n +replicationcontrollers +1 +1\n +services +0 +1/);
  const events = await printed("get events -n test", busybox);
  assert.equal(events.length, 2);
  assert.match(events[1] ?? "", /Warning +FailedCreate +replicationcontroller\/busybox-ns +Error creating: pods/);
  assert.match(events[1] ?? "", EXCEEDED);
  const rcText = (await printed("describe rc busybox-ns -n test", busybox)).join("\n");
  assert.match(rcText, /^Replicas: +3 current \/ 4 desired\nPods Status: +3 Running \/ 0 Waiting/m);
  assert.match(rcText, /ReplicaFailure +True +FailedCreate/);
  assert.match(rcText, /Warning +FailedCreate +<unknown> +replication-controller +Error creating/);
  const { stderr } = await ktrace(["get", "rc", "-n", "test"], { cwd: busybox });
  assert.match(stderr, /error\[KT211\]: ReplicationController test\/busybox-ns: 3 of 4 pods are created: exceeded quota/);
});

test("S128: a bare pod counts and comes first, which is said to be assumed", async () => {
  const names = (await printed("get pods -n test", withUtility)).slice(1).map((line) => line.replace(/-[b-z2-9]{5} .*| .*/, ""));
  assert.deepEqual(names, ["busybox-ns", "busybox-ns", "utility"]);
  const { stderr } = await ktrace(["get", "rc", "-n", "test"], { cwd: withUtility });
  assert.match(stderr, /2 of 4 pods are created/);
  assert.match(stderr, /who came first is assumed: bare pods, then those of controllers, each in the input's order/);
});

test("S129: the later of two Services, and of two ReplicationControllers", async () => {
  const crowded = cluster(COUNTS, service("first"), service("second"), rc("zz", 1), rc("aa", 1));
  const { stdout, stderr } = await ktrace(["get", "svc,rc,endpoints", "-n", "test", "-o", "name"], { cwd: crowded });
  assert.deepEqual(stdout.trimEnd().split("\n"), ["service/first", "replicationcontroller/zz", "endpoints/first"]);
  assert.match(
    stderr,
    /error\[KT211\]: Service test\/second: services "second" is forbidden: exceeded quota: test-quotas, requested: services=1, used: services=1, limited: services=1/,
  );
  assert.match(stderr, /error\[KT211\]: ReplicationController test\/aa: replicationcontrollers "aa" is forbidden/);
  const rules = (await printed("exec node/k8s-node2 -- iptables-save", crowded)).join("\n");
  assert.ok(rules.includes("test/first"));
  assert.equal(rules.includes("test/second"), false);
});

const CPU = quota('requests.cpu: "1"');
test("S130: under a quota of CPU a pod has to say what it takes", async () => {
  const silent = cluster(CPU, rc("busybox-ns", 2));
  assert.match((await printed("get rc -n test", silent))[1] ?? "", /^busybox-ns +2 +0 +0 /);
  assert.match(
    (await printed("get events -n test", silent))[1] ?? "",
    /failed quota: test-quotas: must specify requests\.cpu for: busybox-ns/,
  );
});
test("S130: a LimitRange says it for them, and it counts", async () => {
  const limits =
    "{apiVersion: v1, kind: LimitRange, metadata: {name: defaults, namespace: test}, spec: {limits: [{type: Container, default: {cpu: 500m}, defaultRequest: {cpu: 400m}}]}}\n";
  const defaulted = cluster(CPU, limits, rc("busybox-ns", 3));
  assert.match((await printed("get rc -n test", defaulted))[1] ?? "", /^busybox-ns +3 +2 +2 /);
  const described = (await printed("describe ns test", defaulted)).join("\n");
  assert.match(described, /requests\.cpu +800m +1/);
  assert.match(
    described,
    /^Resource Limits\n Type +Resource +Min +Max +Default Request +Default Limit +Max Limit\/Request Ratio\n -+.*\n Container +cpu +- +- +400m +500m +-$/m,
  );
  assert.match((await printed("get pods -n test -o yaml", defaulted)).join("\n"), /cpu: 400m/);
});

const POLICY =
  "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: test}, spec: {podSelector: {}, policyTypes: [Ingress]}}\n";
const WEB =
  "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: test, labels: {app: web}}, spec: {containers: [{name: web, image: x, ports: [{containerPort: 80}]}]}}\n";
test("S131: flannel enforces no policy: namespaces isolate names, not packets", async () => {
  const denied = changed({
    "test.yaml": [NAMESPACE, WEB, POLICY].join("---\n"),
    "topology.yaml": replace("  pods:\n", "  pods:\n    - {name: test/web, ip: 10.244.2.40, node: k8s-node3}\n"),
  });
  const { trace } = await traced("exec pod/nginx -- curl http://10.244.2.40/", denied);
  assert.equal(trace.verdict, "delivered");
});
test("S131: Calico would drop it; while no policy engine is modelled the answer is unknown, not a guess", async () => {
  const calico = changed({
    "test.yaml": [NAMESPACE, WEB, POLICY].join("---\n"),
    "topology.yaml": (text) =>
      replace(
        "    plugin: flannel\n    backend: vxlan # packets between pods of two nodes travel inside UDP packets between the nodes\n",
        "    plugin: calico\n",
      )(replace("  pods:\n", "  pods:\n    - {name: test/web, ip: 10.244.2.40, node: k8s-node3}\n")(text)),
  });
  const { trace } = await traced("exec pod/nginx -- curl http://10.244.2.40/", calico);
  assert.deepEqual([trace.verdict, trace.paths.map(({ reason }) => reason)], ["unknown", ["not-modelled"]]);
});
