/** What the rules about nodes, kube-proxy, names and expectations say beyond their own examples, and where they keep silent. */
import assert from "node:assert/strict";
import test from "node:test";
import { judgeExpected } from "../../src/lint/expected.ts";
import { KT702 } from "../../src/lint/rules/dns-name-unresolvable.ts";
import { KT703 } from "../../src/lint/rules/dns-port-mismatch.ts";
import { KT701 } from "../../src/lint/rules/dns-service-mismatch.ts";
import { KT901 } from "../../src/lint/rules/expectation-failed.ts";
import { KT606 } from "../../src/lint/rules/hairpin-broken.ts";
import { KT704 } from "../../src/lint/rules/host-network-dns-policy.ts";
import { KT607 } from "../../src/lint/rules/kube-proxy-mode-deprecated.ts";
import { KT603 } from "../../src/lint/rules/node-address-duplicate.ts";
import { KT604 } from "../../src/lint/rules/overlay-mtu-too-large.ts";
import { KT602 } from "../../src/lint/rules/pod-ip-outside-node-cidr.ts";
import { KT605 } from "../../src/lint/rules/sysctl-breaks-path.ts";
import type { Trace } from "../../src/trace/trace.ts";
import { runCases } from "./cases.ts";

const pod = (spec: string, more = ""): string =>
  `kind: Pod\napiVersion: v1\nmetadata: {name: cli, labels: {app: cli}}\nspec: {${spec}}\n${more}`;
const calls = (value: string, more = ""): string => pod(`${more}containers: [{name: c, image: x, env: [{name: URL, value: "${value}"}]}]`);
const expects = (text: string): string =>
  `kind: ConfigMap\napiVersion: v1\nmetadata: {name: e, annotations: {ktrace.dev/expect: "${text}"}}\n`;
const CONTAINER = "containers: [{name: c, image: x}]";

runCases([
  {
    name: "the bridge's own address",
    rule: KT602,
    manifests: pod(`nodeName: k8s-node2, ${CONTAINER}`, "status: {podIP: 10.244.1.1}\n"),
    says: ["error 10.244.1.1: Pod default/cli on k8s-node2: its address 10.244.1.1 is the address of the bridge on k8s-node2"],
  },
  {
    name: "another plugin hands out addresses in its own way",
    rule: KT602,
    manifests: pod(`nodeName: k8s-node2, ${CONTAINER}`, "status: {podIP: 10.244.2.50}\n"),
    topology: "cni: {plugin: calico}",
    says: [],
  },
  {
    name: "one MAC",
    rule: KT603,
    topology: `nodes: [{name: k8s-node3, interfaces: [{name: eth0, addresses: [10.0.2.15/24], mac: "08:00:27:3c:4e:df"}]}]`,
    says: [
      "error topology.yaml: eth0 of nodes k8s-node1 and k8s-node3 has one MAC, 08:00:27:3c:4e:df: the network delivers the frames of both to one of them",
    ],
  },
  {
    name: "larger frames below leave room",
    rule: KT604,
    topology:
      "{cni: {plugin: flannel, backend: vxlan, mtu: 8950}, nodes: [{name: k8s-node1, interfaces: [{name: eth0, mtu: 9000}]}, {name: k8s-node2, interfaces: [{name: eth0, mtu: 9000}]}, {name: k8s-node3, interfaces: [{name: eth0, mtu: 9000}]}]}",
    says: [],
  },
  { name: "host-gw wraps nothing", rule: KT604, topology: "{cni: {plugin: flannel, backend: host-gw, mtu: 1500}}", says: [] },
  {
    name: "nothing is forwarded",
    rule: KT605,
    topology: "{nodes: [{name: k8s-node2, sysctls: {net.ipv4.ip_forward: 0}}]}",
    says: ["error topology.yaml: node k8s-node2: net.ipv4.ip_forward = 0, and packets of the cluster die of it"],
    writes: ["1"],
  },
  {
    name: "a setting that breaks nothing",
    rule: KT605,
    topology: "{nodes: [{name: k8s-node2, sysctls: {net.ipv4.ip_default_ttl: 32}}]}",
    says: [],
  },
  { name: "flannel switches it on", rule: KT606, topology: "{cni: {plugin: flannel}}", says: [] },
  {
    name: "gone, in the topology",
    rule: KT607,
    topology: "{kubeProxy: {mode: userspace}}",
    says: ["error topology.yaml: kube-proxy: mode userspace was removed in 1.26"],
    writes: ["nftables"],
  },
  { name: "ipvs in its time", rule: KT607, topology: '{kubernetes: {version: "1.30"}, kubeProxy: {mode: ipvs}}', says: [] },
  {
    name: "no port for long answers",
    rule: KT701,
    manifests:
      "kind: Service\napiVersion: v1\nmetadata: {name: kube-dns, namespace: kube-system}\nspec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{name: dns, port: 53, protocol: UDP}]}\n",
    says: ["warning [{name: dns, port: 53, protocol: UDP}]: Service kube-system/kube-dns has no port 53/TCP"],
  },
  {
    name: ".svc is left out",
    rule: KT702,
    manifests: calls("http://tomcat6.default.cluster.local/a"),
    says: [
      'warning "http://tomcat6.default.cluster.local/a": Pod default/cli calls tomcat6.default.cluster.local, which its resolver does not find: .svc is missing before cluster.local',
    ],
    writes: ['"http://tomcat6.default.svc.cluster.local/a"'],
  },
  { name: "the world outside is nobody's slip", rule: KT702, manifests: calls("http://www.example.com/"), says: [] },
  { name: "a Service that is not in the input", rule: KT702, manifests: calls("amqp://rabbitmq:5672/"), says: [] },
  {
    name: "/etc/hosts knows it",
    rule: KT702,
    manifests: calls("http://tomcat7/", "hostAliases: [{ip: 10.0.2.4, hostnames: [tomcat7]}], "),
    says: [],
  },
  { name: "a variable that Kubernetes fills in", rule: KT703, manifests: calls("http://tomcat6:$(PORT)/"), says: [] },
  {
    name: "https, and no port 443",
    rule: KT703,
    manifests: calls("https://tomcat6/"),
    says: ['warning "https://tomcat6/": Pod default/cli calls tomcat6 at port 443, and Service default/tomcat6 has port 80 only'],
    writes: [],
  },
  {
    name: "who calls no Service asks the node's DNS, and finds what it wants",
    rule: KT704,
    manifests: calls("https://www.example.com/", "hostNetwork: true, "),
    says: [],
  },
  {
    name: "a refusal that is expected",
    rule: KT901,
    manifests: expects("curl http://192.168.56.100:31161/ => rejected, not-listening"),
    says: [],
  },
  {
    name: "what is written wrongly is no silence",
    rule: KT901,
    manifests: expects("curl http://192.168.56.100:31160/"),
    says: [
      'error "curl http://192.168.56.100:31160/": "curl http://192.168.56.100:31160/" does not say what is expected: there is no `=>`',
    ],
  },
]);

const trace = (verdict: "delivered" | "rejected", more: object = {}): Trace => ({
  request: { command: "curl web", program: "curl", from: { kind: "host", name: "client" }, to: { host: "web", protocol: "tcp" } },
  verdict,
  paths: [
    {
      share: { num: 1n, den: 1n },
      verdict,
      text: "",
      legs: [],
      clientSees: { exitCode: verdict === "delivered" ? 0 : 7, message: "" },
      ...more,
    },
  ],
  pathsTotal: 1,
  warnings: [],
  assumed: [],
});
const POD = { destination: { kind: "pod", name: "web-1-a", node: "n1", ip: "10.244.0.5", clientIPSeen: "10.0.2.4" } };
for (const [expected, got, wanted] of [
  ["200", trace("delivered"), "met"],
  ["404", trace("delivered"), "missed"],
  ["404", trace("delivered", { status: 404 }), "met"],
  ["delivered node=n1 pod=web-1 source=10.0.2.4", trace("delivered", POD), "met"],
  ["node=n2", trace("delivered", POD), "missed"],
  ["not delivered", trace("delivered"), "missed"],
  ["rejected, not-listening, exit 7", trace("rejected", { reason: "not-listening" }), "met"],
  ["colour=blue", trace("delivered"), "unreadable"],
  ["nice!", trace("delivered"), "unreadable"],
  ["", trace("delivered"), "unreadable"],
] as const)
  test(`expected: ${JSON.stringify(expected)} of ${got.verdict}`, () => assert.equal(judgeExpected(expected, got).verdict, wanted));
