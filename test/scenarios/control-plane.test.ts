/** What the control plane makes of the reference manifests (rows S02, S03, S05, S08, S13, S16, S98). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ktrace } from "../cli/io.ts";
import { changed, pathLine, printed, type Row, replace, runRows, traced } from "./rows.ts";

const CLUSTER_IP = `{apiVersion: v1, kind: Service, metadata: {labels: {app: tomcat6}, name: tomcat6, namespace: default},
  spec: {clusterIP: 10.96.246.235, ports: [{port: 80, protocol: TCP, targetPort: 8080}], selector: {app: tomcat6}}}
`;
const unpinned = (text: string): string => text.replace(/^ {2}pods:\n[\s\S]*?\n\n/m, "");
const m02 = changed({ "tomcat6-service.yaml": CLUSTER_IP, "echo-udp.yaml": undefined });
const m02Free = changed({ "tomcat6-service.yaml": CLUSTER_IP, "echo-udp.yaml": undefined, "topology.yaml": unpinned });

/** The cells of the tables of `get`, without NAME's kind. */
async function cells(command: string, cwd: string): Promise<string[][]> {
  return (await printed(command, cwd)).filter((line) => line !== "").map((line) => line.split(/ {3,}/));
}

test("S02: get all -o wide", async () => {
  const all = await cells("get all -o wide", m02);
  const row = (name: string): string[] => all.find(([first]) => first === name) ?? [];
  assert.equal(all.filter(([name]) => name?.startsWith("pod/")).length, 4);
  assert.deepEqual(row("service/kubernetes").slice(1), ["ClusterIP", "10.96.0.1", "<none>", "443/TCP", "<unknown>", "<none>"]);
  assert.deepEqual(row("service/tomcat6").slice(1), ["ClusterIP", "10.96.246.235", "<none>", "80/TCP", "<unknown>", "app=tomcat6"]);
  assert.equal(row("deployment.apps/tomcat6")[1], "3/3");
  const set = row("replicaset.apps/tomcat6-5f7ccf4cb9");
  assert.deepEqual([...set.slice(1, 4), set.at(-1)], ["3", "3", "3", "app=tomcat6,pod-template-hash=5f7ccf4cb9"]);
});
test("S02: without pins the hash and the random ends are invented in their usual shape, and said to be", async () => {
  const names = (await cells("get pods -l app=tomcat6", m02Free)).slice(1).map(([name]) => name ?? "");
  assert.equal(names.length, 3);
  for (const name of names) assert.match(name, /^tomcat6-[4-9bcdf]{5,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  const { trace } = await traced("curl -H 'Host: www.test.com' http://node2/", m02Free);
  assert.ok(trace.assumed.length > 0);
});

test("S03: without pins: two workers, one and two, the same in every run", async () => {
  const pods = async (): Promise<string[][]> => (await cells("get pods -o wide", m02Free)).slice(1);
  const first = await pods();
  assert.deepEqual(await pods(), first);
  const nodes = first.map((row) => row[6]);
  assert.deepEqual([...new Set(nodes)].sort(), ["k8s-node2", "k8s-node3"]);
  const tomcats = first.filter(([name]) => name?.startsWith("tomcat6-")).map((row) => row[6]);
  assert.deepEqual(["k8s-node2", "k8s-node3"].map((node) => tomcats.filter((each) => each === node).length).sort(), [1, 2]);
  const { trace } = await traced("exec pod/nginx -- curl http://10.96.246.235/", m02Free);
  assert.ok(trace.assumed.some(({ key }) => key === "spec.pods[].node"));
});

test("S05: what the API server fills in", async () => {
  const yaml = (await printed("get svc tomcat6 -o yaml", m02)).join("\n");
  for (const line of [
    "  type: ClusterIP",
    "  sessionAffinity: None",
    "  internalTrafficPolicy: Cluster",
    "  clusterIPs:\n  - 10.96.246.235",
    "  ipFamilies:\n  - IPv4",
    "  ipFamilyPolicy: SingleStack",
  ])
    assert.ok(yaml.includes(`\n${line}\n`), `${line} in ${yaml}`);
  assert.equal(yaml.includes("externalTrafficPolicy"), false);
  const nodePort = (await printed("get svc tomcat6 -o yaml")).join("\n");
  assert.match(nodePort, /^ {2}externalTrafficPolicy: Cluster$/m);
});

test("S08: a dumped NodePort Service whose node port was cut out", async () => {
  const dumped = changed({
    "tomcat6-service.yaml": `apiVersion: v1
kind: Service
metadata:
  {name: tomcat6, namespace: default, uid: 0f6e4d1c-5b8a-11eb-8f0a-080027e3c4ed, resourceVersion: "88422", selfLink: /api/v1/namespaces/default/services/tomcat6, creationTimestamp: "2021-01-21T03:10:52Z"}
spec: {type: NodePort, clusterIP: 10.96.9.14, externalTrafficPolicy: Cluster, selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080, protocol: TCP}]}
status: {loadBalancer: {}}
`,
  });
  const { stderr } = await ktrace(["get", "svc"], { cwd: dumped });
  assert.equal(stderr.includes("error["), false, stderr);
  const [, , row = []] = (await cells("get svc", dumped)).filter(([name]) => name !== "echo-udp");
  const port = Number(/^80:(\d+)\/TCP$/.exec(row[4] ?? "")?.[1]);
  assert.ok(port >= 30086 && port <= 32767, `${port} of the dynamic band`);
  const { trace } = await traced(`curl http://node2:${port}/`, dumped);
  assert.equal(trace.verdict, "delivered");
  assert.ok(trace.assumed.some(({ what }) => what.includes(`node port ${port} for port 80/TCP`)));
});

test("S13: the namespaces", async () => {
  assert.deepEqual(
    (await cells("get ns", "fixtures/tomcat6")).map(([name]) => name),
    ["NAME", "default", "ingress-nginx", "kube-node-lease", "kube-public", "kube-system"],
  );
});

test("S16: a node on which no pod ever ran has flannel.1 but no bridge", async () => {
  const early = changed({
    "echo-udp.yaml": undefined,
    "topology.yaml": (text) =>
      text
        .replace("ip: 10.244.2.10, node: k8s-node3", "ip: 10.244.1.12, node: k8s-node2")
        .replace("ip: 10.244.2.11, node: k8s-node3", "ip: 10.244.1.13, node: k8s-node2"),
  });
  const names = async (node: string): Promise<string[]> =>
    (await printed(`exec node/${node} -- ip a`, early)).flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []);
  assert.deepEqual(await names("k8s-node3"), ["lo", "eth0", "eth1", "docker0", "flannel.1"]);
  assert.ok((await names("k8s-node2")).includes("cni0"));
});

const byName = "exec pod/nginx -- curl http://tomcat6/";
const byAddress = "exec pod/nginx -- curl http://10.96.246.235/";
const gone = { verdict: "exits", exit: 1, paths: ["1 exits left-topology"] };
const rows: readonly Row[] = [
  {
    id: "S98: no kube-proxy at all",
    in: changed({ "topology.yaml": replace("    mode: iptables\n", "    mode: none\n") }),
    command: byAddress,
    expect: gone,
  },
  {
    id: "S98: a Service that another proxy is to serve",
    in: changed({
      "tomcat6-service.yaml": replace(
        "    app: tomcat6\nspec",
        "    app: tomcat6\n    service.kubernetes.io/service-proxy-name: other\nspec",
      ),
    }),
    command: byAddress,
    expect: gone,
  },
];
runRows(rows);
test("S98: a DNS address that no Service has", async () => {
  const lost = changed({ "topology.yaml": replace("    serviceCIDRs:", "    clusterDNS: [10.96.0.99]\n    serviceCIDRs:") });
  const { trace } = await traced(byName, lost);
  assert.deepEqual(trace.paths.map(pathLine), ["1 unresolved dns-unreachable"]);
});
