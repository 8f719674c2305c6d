/** ipvs mode at the size that Kubernetes documents: what a packet costs must not grow with the Services. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { programNetwork } from "../../../src/agents/network.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { connectSource } from "../../../src/linux/kernel.ts";
import { isLocalAddress } from "../../../src/linux/route.ts";
import { createRun, explore } from "../../../src/linux/run.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { walkConnection } from "../../../src/trace/connection.ts";
import { sampleCluster, samplePod, sampleService } from "../sample-cluster.ts";

const COUNT = 10_000;
const ipOf = (n: number): string => `10.100.${n >> 8}.${n & 255}`;

/** Ten thousand Services; reading the endpoints of one is counted. The first has a pod on node 2. */
function manyServices(): { readonly cluster: Cluster; readonly touched: () => number } {
  const touched = new Set<number>();
  const numbers = Array.from({ length: COUNT }, (_, n) => n);
  const cluster = sampleCluster({
    kubeProxy: { mode: "ipvs", clusterCIDR: "10.244.0.0/16" },
    pods: [samplePod("web", 2, "10.244.1.11", { listens: [{ port: 8080, protocol: "TCP", assumed: false }] })],
    services: numbers.map((n) =>
      sampleService(`s${n}`, { clusterIPs: [ipOf(n)], ports: [{ index: 0, name: "", protocol: "TCP", port: 80, targetPort: 8080 }] }),
    ),
    slices: numbers.map((n) => ({
      namespace: "default",
      name: `s${n}-abcde`,
      service: `s${n}`,
      labels: {},
      addressType: "IPv4",
      ports: [{ name: "", protocol: "TCP", port: 8080 }],
      get endpoints() {
        touched.add(n);
        return [{ addresses: ["10.244.1.11"], ready: true, serving: true, terminating: false, nodeName: "k8s-node2" }];
      },
    })),
  });
  return { cluster, touched: () => touched.size };
}

test("of 10,000 Services a request touches the endpoints of its own, and of the first that has one on the node", () => {
  const { cluster, touched } = manyServices();
  const world = programNetwork(cluster, createCauseTable());
  const paths = explore((choose) =>
    walkConnection(createRun(world, choose), { from: "node/k8s-node2", protocol: "tcp", dst: ipOf(9999), dport: 80, sport: 40000 }),
  );
  assert.deepEqual(
    paths.map(({ value }) => [value.verdict, value.arrived?.dst, value.arrived?.src]),
    [["delivered", "10.244.1.11", "10.244.1.1"]],
  );
  assert.ok(touched() <= 2, `${touched()} Services were looked at`);
});

test("10,000 local addresses are looked up, not searched", () => {
  const { cluster } = manyServices();
  const node = programNetwork(cluster, createCauseTable()).netns("node/k8s-node2");
  assert.ok(node);
  assert.equal(connectSource(node, ipOf(9999))?.src, ipOf(9999));
  const reads = countReads(node.links.find(({ name }) => name === "kube-ipvs0")?.addresses ?? []);
  const counted = { ...node, links: node.links.map((link) => (link.name === "kube-ipvs0" ? { ...link, addresses: reads.list } : link)) };
  isLocalAddress(counted, ipOf(1));
  const first = reads.count();
  for (let n = 0; n < 1000; n++) assert.ok(isLocalAddress(counted, ipOf(n)) && !isLocalAddress(counted, `10.200.0.${n & 255}`));
  assert.equal(reads.count(), first);
});

/** A list that counts how often one of its entries is read. */
function countReads<T>(list: readonly T[]): { readonly list: readonly T[]; readonly count: () => number } {
  let count = 0;
  const counted = new Proxy(list, {
    get: (target, key, receiver) => {
      if (typeof key === "string" && /^\d+$/.test(key)) count += 1;
      return Reflect.get(target, key, receiver);
    },
  });
  return { list: counted, count: () => count };
}
