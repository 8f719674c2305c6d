import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readInput } from "../../src/manifests/input.ts";

const directory = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const EXPECTED = [
  "ConfigMap kube-system/coredns",
  "DaemonSet ingress-nginx/nginx-ingress-controller",
  "DaemonSet kube-system/kube-proxy",
  "Deployment default/echo-udp",
  "Deployment default/tomcat6",
  "Deployment kube-system/coredns",
  "Ingress default/web",
  "Namespace ingress-nginx",
  "Pod default/nginx",
  "Service default/echo-udp",
  "Service default/tomcat6",
  "Service ingress-nginx/ingress-nginx",
  "Service kube-system/kube-dns",
];

for (const fixture of ["fixtures/tomcat6", "fixtures/tomcat6-1.17", "."]) {
  test(`${fixture}: the reference cluster reads without a finding`, () => {
    const { objects, diagnostics, topology } = readInput({ files: [], cwd: directory(fixture) });
    assert.deepEqual(diagnostics, []);
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ""}${metadata.name}`);
    assert.deepEqual(names.sort(), EXPECTED);
    assert.deepEqual(
      topology.nodes?.map(({ name, aliases }) => [name, aliases?.[0]]),
      [
        ["k8s-node1", "node1"],
        ["k8s-node2", "node2"],
        ["k8s-node3", "node3"],
      ],
    );
    assert.equal(topology.kubernetes?.version, fixture.endsWith("1.17") ? "1.17" : undefined);
  });
}

test("the pins cover every replica, on the nodes and at the addresses of the issue", () => {
  const { topology } = readInput({ files: [], cwd: directory("fixtures/tomcat6") });
  const pins = (topology.pods ?? []).filter(({ name }) => name.startsWith("default/")).map(({ name, ip, node }) => `${name} ${ip} ${node}`);
  assert.deepEqual(pins, [
    "default/tomcat6-5f7ccf4cb9-8jxz7 10.244.1.11 k8s-node2",
    "default/tomcat6-5f7ccf4cb9-gbtt5 10.244.2.10 k8s-node3",
    "default/tomcat6-5f7ccf4cb9-hvxs5 10.244.2.11 k8s-node3",
    "default/nginx 10.244.1.15 k8s-node2",
    "default/echo-udp-6b8c7f9d54-7wgzn 10.244.1.20 k8s-node2",
    "default/echo-udp-6b8c7f9d54-x2kqm 10.244.2.20 k8s-node3",
  ]);
});

test("-f on the directory finds the topology that lies in it", () => {
  const { topology, objects } = readInput({ files: ["fixtures/tomcat6"], cwd: directory(".") });
  assert.deepEqual([topology.name, topology.source?.file, objects.length], ["tomcat6", "fixtures/tomcat6/topology.yaml", EXPECTED.length]);
});
