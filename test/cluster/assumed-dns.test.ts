/** When a cluster's DNS is assumed, and when what the input says of it is all there is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hasAssumedDns } from "../../src/cluster/assumed-dns.ts";
import { openCluster } from "../../src/ktrace.ts";

const WEB = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: zoo}\nspec: {ports: [{port: 80}], selector: {app: web}}\n";
const POD =
  "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: zoo, labels: {app: web}}\nspec: {containers: [{name: c, image: web, ports: [{containerPort: 80}]}]}\n";
const topology = (spec: string): string => `apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec: ${spec}\n`;
const system = (metadata: string, rest: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {namespace: kube-system, ${metadata}}\n${rest}\n`;

const open = (...documents: readonly string[]) =>
  openCluster({ files: ["-"], cwd: ".", stdin: () => [WEB, POD, ...documents].join("---\n") });

const rows: readonly { readonly name: string; readonly input: readonly string[]; readonly assumed: boolean }[] = [
  { name: "an application's manifests alone", input: [], assumed: true },
  { name: "a topology of node names", input: [topology("{nodes: [{name: a}, {name: b}]}")], assumed: true },
  { name: "another address told to kubelets", input: [topology("{kubernetes: {clusterDNS: [10.96.0.53]}}")], assumed: true },
  { name: "a cluster that has none", input: [topology("{kubernetes: {clusterDNS: []}}")], assumed: false },
  { name: "a node-local cache's address", input: [topology("{kubernetes: {clusterDNS: [169.254.20.10]}}")], assumed: false },
  {
    name: "manifests for kube-system that are no DNS",
    input: [system("name: metrics", "spec: {containers: [{name: c}]}")],
    assumed: true,
  },
  {
    name: "kube-dns in the input, without pods",
    input: ["apiVersion: v1\nkind: Service\nmetadata: {name: kube-dns, namespace: kube-system}\nspec: {ports: [{port: 53}]}\n"],
    assumed: false,
  },
  {
    name: "a Service of one's own at that address",
    input: ["apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: infra}\nspec: {clusterIP: 10.96.0.10, ports: [{port: 53}]}\n"],
    assumed: false,
  },
  {
    name: "a dump that lists kube-system: what is not there is not",
    input: [
      topology("{cni: {plugin: flannel}}"),
      system(
        "name: kube-proxy-x, uid: u",
        "spec: {nodeName: node-1, hostNetwork: true, containers: [{name: c}]}\nstatus: {phase: Running, hostIP: 192.168.1.11, podIP: 192.168.1.11}",
      ),
    ],
    assumed: false,
  },
];
for (const { name, input, assumed } of rows) {
  test(`${name}: ${assumed ? "assumed" : "as it is"}`, () => {
    const { cluster } = open(...input);
    assert.equal(hasAssumedDns(cluster), assumed);
    assert.equal(
      cluster.pods.some((pod) => /^coredns-/.test(pod.name)),
      assumed,
    );
  });
}

test("names are looked up at it like anywhere, and the trace says so", () => {
  const { trace } = open();
  const { verdict, paths, assumed } = trace({
    command: "curl http://web/",
    evidence: false,
    program: "curl",
    from: "pod/web",
    namespace: "zoo",
    to: { host: "web.zoo", port: 80, protocol: "tcp" },
  });
  assert.equal(verdict, "delivered");
  assert.deepEqual(paths[0]?.legs.map((leg) => `${leg.kind} ${leg.to.ip}`).slice(0, 1), ["dns 10.96.0.10"]);
  assert.ok(assumed.some(({ what, key }) => /^the cluster's DNS: kubeadm's CoreDNS/.test(what) && key === "spec.kubernetes.clusterDNS"));
});

test("no pod of the input moves for it", () => {
  const without = open(topology("{kubernetes: {clusterDNS: []}}")).cluster.pods.filter((pod) => pod.namespace === "zoo");
  const with_ = open().cluster.pods.filter((pod) => pod.namespace === "zoo");
  assert.deepEqual(
    with_.map(({ name, node, ips }) => [name, node, ips]),
    without.map(({ name, node, ips }) => [name, node, ips]),
  );
});
