/** The reference cluster, read from its files, comes out as it was seen. */
import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { decideCluster } from "../../src/cluster/decide.ts";
import { readInput } from "../../src/manifests/input.ts";

const cwd = fileURLToPath(new URL("../../fixtures/tomcat6/", import.meta.url));
const input = readInput({ files: [], cwd });
const cluster = decideCluster(input.objects, input.topology);

test("pods have the pinned names, addresses and nodes", () => {
  const pods = cluster.pods.map((pod) => `${pod.namespace}/${pod.name} ${pod.ips.join()} ${pod.node}`);
  assert.deepEqual(pods, [
    "default/echo-udp-6b8c7f9d54-7wgzn 10.244.1.20 k8s-node2",
    "default/echo-udp-6b8c7f9d54-x2kqm 10.244.2.20 k8s-node3",
    "default/nginx 10.244.1.15 k8s-node2",
    "default/tomcat6-5f7ccf4cb9-8jxz7 10.244.1.11 k8s-node2",
    "default/tomcat6-5f7ccf4cb9-gbtt5 10.244.2.10 k8s-node3",
    "default/tomcat6-5f7ccf4cb9-hvxs5 10.244.2.11 k8s-node3",
    "ingress-nginx/nginx-ingress-controller-jj88x 10.0.2.5 k8s-node2",
    "ingress-nginx/nginx-ingress-controller-k2d4n 10.0.2.15 k8s-node3",
    "kube-system/coredns-7f9c544f75-n4z6r 10.244.0.9 k8s-node1",
    "kube-system/coredns-7f9c544f75-w4wqm 10.244.0.8 k8s-node1",
    "kube-system/kube-proxy-7dhbm 10.0.2.4 k8s-node1",
    "kube-system/kube-proxy-q6vxt 10.0.2.5 k8s-node2",
    "kube-system/kube-proxy-z8m5d 10.0.2.15 k8s-node3",
  ]);
});

test("nothing is assumed and nothing is wrong: the topology says it all", () => {
  assert.deepEqual(cluster.assumptions, []);
  assert.deepEqual(cluster.diagnostics, []);
});

test("endpoints are those of the selectors, and of the API server", () => {
  const endpoints = cluster.endpoints.map((each) => [
    each.name,
    each.subsets.flatMap((subset) => subset.addresses.map((address) => address.ip)).join(),
  ]);
  assert.deepEqual(endpoints, [
    ["echo-udp", "10.244.1.20,10.244.2.20"],
    ["kubernetes", "10.0.2.4"],
    ["tomcat6", "10.244.1.11,10.244.2.10,10.244.2.11"],
    ["ingress-nginx", "10.0.2.5,10.0.2.15"],
    ["kube-dns", "10.244.0.8,10.244.0.9"],
  ]);
});

test("a pod of a Deployment points to the template that made it, and a listening port to its line", () => {
  const pod = cluster.pods.find((each) => each.name.endsWith("8jxz7"));
  assert.deepEqual(pod?.origin.field, ["spec", "template"]);
  assert.deepEqual(pod?.owner, { kind: "ReplicaSet", name: "tomcat6-5f7ccf4cb9" });
  assert.deepEqual(pod?.workload, { kind: "Deployment", name: "tomcat6" });
  assert.deepEqual(pod?.labels, { app: "tomcat6", "pod-template-hash": "5f7ccf4cb9" });
  assert.deepEqual(pod?.listens[0]?.origin?.field, ["spec", "template", "spec", "containers", 0, "ports", 0, "containerPort"]);
});

test("namespaces are the four of every cluster and those in the input", () => {
  assert.deepEqual(
    cluster.namespaces.map((each) => each.name),
    ["default", "ingress-nginx", "kube-node-lease", "kube-public", "kube-system"],
  );
});

test("without pins: replicas on the workers only, one and two, addresses from .2, the same every run", () => {
  const { pods: _, ...topology } = input.topology;
  const once = decideCluster(input.objects, topology);
  const tomcats = once.pods.filter((pod) => pod.workload?.name === "tomcat6");
  assert.deepEqual(tomcats.map((pod) => pod.node).sort().length, 3);
  assert.ok(tomcats.every((pod) => pod.node === "k8s-node2" || pod.node === "k8s-node3"));
  assert.equal(new Set(tomcats.map((pod) => pod.node)).size, 2);
  assert.ok(tomcats.every((pod) => /^tomcat6-[456789bcdf]{1,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/.test(pod.name)));
  assert.equal(once.assumptions.filter((each) => each.about === "pod names").length, 1);
  assert.deepEqual(decideCluster(input.objects, topology).pods, once.pods);
});
