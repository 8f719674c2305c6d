/** `ktrace get` prints what kubectl prints. */
import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { apiObjects } from "../../../src/cluster/api/objects.ts";
import { decideCluster } from "../../../src/cluster/decide.ts";
import { readInput } from "../../../src/manifests/input.ts";
import { UsageError } from "../../../src/objects/diagnostic.ts";
import { getObjects, renderGet, type TableRequest } from "../../../src/render/get/get.ts";
import { all, node, pod, port, service, THREE_NODES, workload } from "../../cluster/objects.ts";

const input = readInput({ files: [], cwd: fileURLToPath(new URL("../../../fixtures/tomcat6/", import.meta.url)) });
const reference = decideCluster(input.objects, input.topology);
const sourceOf = (cluster: typeof reference) => (kind: string) => apiObjects(cluster, kind);
const get = (words: string, more: Partial<TableRequest> = {}, cluster = reference) =>
  renderGet(sourceOf(cluster), {
    words: words.split(" "),
    namespace: "default",
    output: "table",
    version: { major: 1, minor: 36 },
    ...more,
  });
const lines = (...text: readonly string[]) => `${text.join("\n")}\n`;

test("nodes, wide: every column, and <unknown> for what nobody stated", () =>
  assert.equal(
    get("nodes", { output: "wide" }).text,
    lines(
      "NAME        STATUS   ROLES           AGE         VERSION     INTERNAL-IP   EXTERNAL-IP   OS-IMAGE    KERNEL-VERSION   CONTAINER-RUNTIME",
      "k8s-node1   Ready    control-plane   <unknown>   <unknown>   10.0.2.4      <none>        <unknown>   <unknown>        <unknown>",
      "k8s-node2   Ready    <none>          <unknown>   <unknown>   10.0.2.5      <none>        <unknown>   <unknown>        <unknown>",
      "k8s-node3   Ready    <none>          <unknown>   <unknown>   10.0.2.15     <none>        <unknown>   <unknown>        <unknown>",
    ),
  ));

test("pods, wide, by label", () =>
  assert.equal(
    get("po", { output: "wide", selector: "app=tomcat6" }).text,
    lines(
      "NAME                       READY   STATUS    RESTARTS   AGE         IP            NODE        NOMINATED NODE   READINESS GATES",
      "tomcat6-5f7ccf4cb9-8jxz7   1/1     Running   0          <unknown>   10.244.1.11   k8s-node2   <none>           <none>",
      "tomcat6-5f7ccf4cb9-gbtt5   1/1     Running   0          <unknown>   10.244.2.10   k8s-node3   <none>           <none>",
      "tomcat6-5f7ccf4cb9-hvxs5   1/1     Running   0          <unknown>   10.244.2.11   k8s-node3   <none>           <none>",
    ),
  ));

test("services of all namespaces", () =>
  assert.equal(
    get("svc", { allNamespaces: true }).text,
    lines(
      "NAMESPACE       NAME            TYPE        CLUSTER-IP      EXTERNAL-IP   PORT(S)                  AGE",
      "default         echo-udp        NodePort    10.96.99.99     <none>        9999:31999/UDP           <unknown>",
      "default         kubernetes      ClusterIP   10.96.0.1       <none>        443/TCP                  <unknown>",
      "default         tomcat6         NodePort    10.96.246.235   <none>        80:31160/TCP             <unknown>",
      "ingress-nginx   ingress-nginx   ClusterIP   10.96.38.18     <none>        80/TCP,443/TCP           <unknown>",
      "kube-system     kube-dns        ClusterIP   10.96.0.10      <none>        53/UDP,53/TCP,9153/TCP   <unknown>",
    ),
  ));

test("everything of a namespace: kinds in kubectl's order, each name with its kind", () =>
  assert.equal(
    get("all", { namespace: "ingress-nginx" }).text,
    lines(
      "NAME                                 READY   STATUS    RESTARTS   AGE",
      "pod/nginx-ingress-controller-jj88x   1/1     Running   0          <unknown>",
      "pod/nginx-ingress-controller-k2d4n   1/1     Running   0          <unknown>",
      "",
      "NAME                    TYPE        CLUSTER-IP    EXTERNAL-IP   PORT(S)          AGE",
      "service/ingress-nginx   ClusterIP   10.96.38.18   <none>        80/TCP,443/TCP   <unknown>",
      "",
      "NAME                                      DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR   AGE",
      "daemonset.apps/nginx-ingress-controller   2         2         2       2            2           <none>          <unknown>",
    ),
  ));

const web = (type: "LoadBalancer" | "ExternalName" | "ClusterIP", more = {}) =>
  service("web", { type, ports: [type === "LoadBalancer" ? { port: 80, nodePort: 30080 } : { port: 80 }], ...more });
const running = (count: number) => workload("Deployment", "web", port(8080), { replicas: count });
const selecting = service("web", { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] });
const terminating = pod("p", {}, { deletionTimestamp: "2024-01-01T00:00:00Z", status: { phase: "Running", podIP: "10.244.1.9" } });

const CORDONED = { ...node("n2", "10.0.2.5", "10.244.1.0/24"), spec: { unschedulable: true } };

/** What one cell, found by its header, shows. */
const cells: readonly {
  readonly name: string;
  readonly objects: Parameters<typeof decideCluster>[0];
  readonly words: string;
  readonly header: string;
  readonly is: string;
  readonly output?: "wide";
  readonly minor?: number;
}[] = [
  { name: "a LoadBalancer without provider", objects: [web("LoadBalancer")], words: "svc web", header: "EXTERNAL-IP", is: "<pending>" },
  {
    name: "a LoadBalancer with an address",
    objects: [{ ...web("LoadBalancer"), status: { loadBalancer: { ingress: [{ ip: "203.0.113.7" }] } } }],
    words: "svc web",
    header: "EXTERNAL-IP",
    is: "203.0.113.7",
  },
  {
    name: "a long host name is cut",
    objects: [{ ...web("LoadBalancer"), status: { loadBalancer: { ingress: [{ hostname: "a1b2c3d4e5.elb.example.com" }] } } }],
    words: "svc web",
    header: "EXTERNAL-IP",
    is: "a1b2c3d4e5.el...",
  },
  {
    name: "but not in wide output",
    objects: [{ ...web("LoadBalancer"), status: { loadBalancer: { ingress: [{ hostname: "a1b2c3d4e5.elb.example.com" }] } } }],
    words: "svc web",
    header: "EXTERNAL-IP",
    output: "wide",
    is: "a1b2c3d4e5.elb.example.com",
  },
  {
    name: "an ExternalName",
    objects: [service("web", { type: "ExternalName", externalName: "db.example.com" })],
    words: "svc web",
    header: "EXTERNAL-IP",
    is: "db.example.com",
  },
  {
    name: "an ExternalName's address",
    objects: [service("web", { type: "ExternalName", externalName: "db.example.com" })],
    words: "svc web",
    header: "CLUSTER-IP",
    is: "<none>",
  },
  {
    name: "an ExternalName's ports",
    objects: [service("web", { type: "ExternalName", externalName: "db.example.com" })],
    words: "svc web",
    header: "PORT(S)",
    is: "<none>",
  },
  {
    name: "external IPs",
    objects: [web("ClusterIP", { externalIPs: ["80.11.12.10", "80.11.12.11"] })],
    words: "svc web",
    header: "EXTERNAL-IP",
    is: "80.11.12.10,80.11.12.11",
  },
  { name: "headless", objects: [web("ClusterIP", { clusterIP: "None" })], words: "svc web", header: "CLUSTER-IP", is: "None" },
  { name: "no endpoints", objects: [selecting], words: "ep web", header: "ENDPOINTS", is: "<none>" },
  {
    name: "three endpoints are shown",
    objects: all(THREE_NODES, selecting, running(3)),
    words: "ep web",
    header: "ENDPOINTS",
    is: "10.244.1.2:8080,10.244.1.3:8080,10.244.2.2:8080",
  },
  {
    name: "of five, three and a count",
    objects: all(THREE_NODES, selecting, running(5)),
    words: "ep web",
    header: "ENDPOINTS",
    is: "10.244.1.2:8080,10.244.1.3:8080,10.244.1.4:8080 + 2 more...",
  },
  {
    name: "the unset slice of a Service without pods",
    objects: [selecting],
    words: "endpointslices -",
    header: "ENDPOINTS",
    is: "<unset>",
  },
  { name: "a pod that is going", objects: all(THREE_NODES, terminating), words: "pod p", header: "STATUS", is: "Terminating" },
  {
    name: "a pod that no node will have",
    objects: all(THREE_NODES, pod("p", { nodeSelector: { a: "b" } })),
    words: "pod p",
    header: "STATUS",
    is: "Pending",
  },
  { name: "its containers", objects: all(THREE_NODES, pod("p", { nodeSelector: { a: "b" } })), words: "pod p", header: "READY", is: "0/1" },
  {
    name: "its address",
    objects: all(THREE_NODES, pod("p", { nodeSelector: { a: "b" } })),
    words: "pod p",
    header: "IP",
    output: "wide",
    is: "<none>",
  },
  {
    name: "a finished pod",
    objects: all(THREE_NODES, pod("p", { nodeName: "n2" }, { status: { phase: "Succeeded" } })),
    words: "pod p",
    header: "STATUS",
    is: "Completed",
  },
  {
    name: "restarts of a dump",
    objects: all(
      THREE_NODES,
      pod(
        "p",
        { nodeName: "n2" },
        { status: { phase: "Running", podIP: "10.244.1.9", containerStatuses: [{ ready: true, restartCount: 7 }] } },
      ),
    ),
    words: "pod p",
    header: "RESTARTS",
    is: "7",
  },
  { name: "a cordoned node", objects: [CORDONED], words: "node n2", header: "STATUS", is: "Ready,SchedulingDisabled" },
  {
    name: "a Deployment's readiness",
    objects: all(THREE_NODES, workload("Deployment", "web", { nodeSelector: { a: "b" } }, { replicas: 2 })),
    words: "deploy web",
    header: "READY",
    is: "0/2",
  },
];
for (const { name, objects, words, header, is, output = "table", minor = 36 } of cells)
  test(`${header}: ${name}`, () => {
    const cluster = decideCluster(objects, {});
    const asked = words.endsWith(" -") ? words.slice(0, -2) : words;
    const [head = "", ...rows] = get(asked, { output, version: { major: 1, minor } }, cluster).text.split("\n");
    const from = head.indexOf(header);
    const to = head.slice(from + header.length).search(/\S/);
    const row = words.endsWith(" -") ? rows.find((each) => each.startsWith("web-")) : rows[0];
    assert.ok(from >= 0, head);
    assert.equal(row?.slice(from, to < 0 ? undefined : from + header.length + to).trim(), is);
  });

test("an Ingress had no CLASS before 1.18", () => {
  assert.match(
    get("ing").text,
    /^NAME {3}CLASS {4}HOSTS {10}ADDRESS {12}PORTS {3}AGE\nweb {4}<none> {3}www\.test\.com {3}10\.0\.2\.15,10\.\.\.\. {3}80 {6}<unknown>\n$/,
  );
  assert.match(get("ing", { version: { major: 1, minor: 17 } }).text, /^NAME {3}HOSTS/);
});

const outcomes: readonly {
  readonly words: string;
  readonly more?: Partial<TableRequest>;
  readonly messages: readonly string[];
  readonly found: boolean;
  readonly rows: number;
}[] = [
  { words: "pods", more: { namespace: "nowhere" }, messages: ["No resources found in nowhere namespace."], found: true, rows: 0 },
  { words: "jobs", more: { allNamespaces: true }, messages: ["No resources found"], found: true, rows: 0 },
  { words: "pods nginx nginy", messages: ['Error from server (NotFound): pods "nginy" not found'], found: false, rows: 1 },
  { words: "deploy/web", messages: ['Error from server (NotFound): deployments.apps "web" not found'], found: false, rows: 0 },
  {
    words: "svc/kube-dns",
    messages: ['Error from server (NotFound): services "kube-dns" not found', "help: it exists in namespace kube-system"],
    found: false,
    rows: 0,
  },
  { words: "pod/nginx pod/tomcat6-5f7ccf4cb9-8jxz7", messages: [], found: true, rows: 2 },
  { words: "pods", more: { selector: "app in (nginx, tomcat6),pod-template-hash" }, messages: [], found: true, rows: 3 },
  { words: "pods", more: { selector: "app!=tomcat6,app notin (echo-udp)" }, messages: [], found: true, rows: 1 },
  { words: "pods", more: { selector: "!pod-template-hash" }, messages: [], found: true, rows: 1 },
  { words: "deployments.v1.apps", messages: [], found: true, rows: 2 },
];
for (const { words, more = {}, messages, found, rows } of outcomes)
  test(`get ${words} ${more.selector ?? ""}`, () => {
    const result = get(words, { ...more, output: "name" });
    assert.deepEqual([result.messages, result.found, result.text.split("\n").length - 1], [messages, found, rows]);
  });

for (const [words, message] of [
  ["podz", /resource type "podz"/],
  ["pod/", /single resource and name/],
  ["pods svc/web", /separate argument/],
] as const)
  test(`get ${words} is refused`, () =>
    assert.throws(
      () => get(words),
      (error) => error instanceof UsageError && message.test(error.message),
    ));
test("a malformed selector is refused", () => assert.throws(() => get("pods", { selector: "a=b=c" }), UsageError));
test("-o name says the group", () =>
  assert.equal(
    get("rs,ing", { output: "name" }).text,
    "replicaset.apps/echo-udp-6b8c7f9d54\nreplicaset.apps/tomcat6-5f7ccf4cb9\ningress.networking.k8s.io/web\n",
  ));

test("hostile names cannot reach the terminal", () => {
  const cluster = decideCluster([pod("a\u001b[31mb\nc", {}, { namespace: "default", uid: "of a dump" })], {});
  const { text } = get("pods", {}, cluster);
  assert.ok(!text.includes("\u001b") && text.includes("a\\x1b[31mb..."), text);
});

test("as data: one named object is itself, anything else a List", () => {
  const data = (words: string) => getObjects(sourceOf(reference), { words: words.split(" "), namespace: "default" }).data;
  assert.deepEqual(data("svc tomcat6"), {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "tomcat6", namespace: "default", labels: { app: "tomcat6" } },
    spec: {
      type: "NodePort",
      clusterIP: "10.96.246.235",
      clusterIPs: ["10.96.246.235"],
      externalTrafficPolicy: "Cluster",
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ nodePort: 31160, port: 80, protocol: "TCP", targetPort: 8080 }],
      selector: { app: "tomcat6" },
      sessionAffinity: "None",
    },
    status: { loadBalancer: {} },
  });
  assert.deepEqual(Object.keys(Object(data("svc"))), ["apiVersion", "items", "kind", "metadata"]);
  assert.equal(data("svc nothing"), undefined);
});

test("what is printed can be read back and decides the same endpoints", () => {
  const objects = ["Pod", "Service", "Node", "Deployment", "ReplicaSet", "DaemonSet"].flatMap((kind) => apiObjects(reference, kind));
  const text = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  const again = readInput({ files: ["-"], cwd: "/", stdin: () => text });
  assert.deepEqual(
    again.diagnostics.filter((each) => each.severity === "error"),
    [],
  );
  const cluster = decideCluster(again.objects, {});
  assert.deepEqual(cluster.endpoints, reference.endpoints);
  assert.deepEqual(
    cluster.pods.map((each) => [each.name, each.ips, each.node, each.workload]),
    reference.pods.map((each) => [each.name, each.ips, each.node, each.workload]),
  );
});
