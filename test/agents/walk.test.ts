/** The programmed cluster under the kernel's hands: which source and TTL a server sees, as real kernels showed for the same state. */
import assert from "node:assert/strict";
import test from "node:test";
import { programNetwork } from "../../src/agents/network.ts";
import type { Cluster, ClusterSlice } from "../../src/cluster/cluster.ts";
import { connectSource, sendPacket } from "../../src/linux/kernel.ts";
import { createRun, explore } from "../../src/linux/run.ts";
import { familyOf } from "../../src/net/address.ts";
import { formatFraction } from "../../src/net/fraction.ts";
import type { Packet } from "../../src/net/packet.ts";
import { createCauseTable } from "../../src/objects/cause.ts";
import { sampleCluster, samplePod, samplePods, sampleService } from "./sample-cluster.ts";

const tomcat = sampleService("tomcat6", {
  type: "NodePort",
  clusterIPs: ["10.96.246.235"],
  ports: [{ index: 0, name: "", protocol: "TCP", port: 80, targetPort: 8080, nodePort: 31160 }],
  externalTrafficPolicy: "Cluster",
});
const sliceOf = (pods: readonly (readonly [string, string])[]): ClusterSlice => ({
  namespace: "default",
  name: "tomcat6-abcde",
  service: "tomcat6",
  labels: {},
  addressType: "IPv4",
  ports: [{ name: "", protocol: "TCP", port: 8080 }],
  endpoints: pods.map(([ip, nodeName]) => ({ addresses: [ip], ready: true, serving: true, terminating: false, nodeName })),
});
const LOCAL = ["10.244.1.11", "k8s-node2"] as const;
const REMOTE = ["10.244.2.10", "k8s-node3"] as const;

/** Every way that a SYN may take: its share, and where it arrived from whom with which TTL, or how it ended. */
function send(from: string, dst: string, dport: number, over: Partial<Cluster> = {}): string[] {
  const world = programNetwork(sampleCluster({ services: [tomcat], slices: [sliceOf([LOCAL, REMOTE])], ...over }), createCauseTable());
  const sender = world.netns(from);
  assert.ok(sender);
  const source = connectSource(sender, dst);
  if (!source) return ["no route"];
  const packet: Packet = {
    family: familyOf(dst),
    protocol: "tcp",
    src: source.src,
    sport: 40000,
    dst,
    dport,
    ttl: 64,
    segment: { kind: "syn" },
  };
  return explore((choose) => sendPacket(createRun(world, choose), from, packet, "process").end).map(({ share, value }) => {
    const { kind } = value;
    const how =
      kind === "socket"
        ? `${value.netns} sees ${value.packet.src} ttl ${value.packet.ttl}`
        : kind === "exits"
          ? `exits as ${value.packet.src}`
          : kind;
    return formatFraction(share) === "1" ? how : `${formatFraction(share)} ${how}`;
  });
}

const A = "pod/default/tomcat6-5f7ccf4cb9-8jxz7";
const B = "pod/default/tomcat6-5f7ccf4cb9-gbtt5";
const nginx = "pod/default/nginx";
const cases: readonly (readonly [name: string, from: string, dst: string, port: number, ends: readonly string[]])[] = [
  [
    "client to node2's NodePort",
    "host/client",
    "192.168.56.101",
    31160,
    [`1/2 ${A} sees 10.244.1.1 ttl 63`, `1/2 ${B} sees 10.244.1.0 ttl 62`],
  ],
  [
    "client to the control plane's NodePort",
    "host/client",
    "192.168.56.100",
    31160,
    [`1/2 ${A} sees 10.244.0.0 ttl 62`, `1/2 ${B} sees 10.244.0.0 ttl 62`],
  ],
  ["pod to ClusterIP", nginx, "10.96.246.235", 80, [`1/2 ${A} sees 10.244.1.15 ttl 64`, `1/2 ${B} sees 10.244.1.15 ttl 62`]],
  ["pod to its own ClusterIP: hairpin", A, "10.96.246.235", 80, [`1/2 ${A} sees 10.244.1.1 ttl 64`, `1/2 ${B} sees 10.244.1.11 ttl 62`]],
  ["node to ClusterIP", "node/k8s-node2", "10.96.246.235", 80, [`1/2 ${A} sees 10.244.1.1 ttl 64`, `1/2 ${B} sees 10.244.1.0 ttl 63`]],
  [
    "node to its NodePort on 127.0.0.1",
    "node/k8s-node2",
    "127.0.0.1",
    31160,
    [`1/2 ${A} sees 10.244.1.1 ttl 64`, `1/2 ${B} sees 10.244.1.0 ttl 63`],
  ],
  ["pod to pod, same node", nginx, "10.244.1.11", 8080, [`${A} sees 10.244.1.15 ttl 64`]],
  ["pod to pod, other node", nginx, "10.244.2.10", 8080, [`${B} sees 10.244.1.15 ttl 62`]],
  ["pod to the client's network", nginx, "192.168.56.1", 80, ["host/client sees 192.168.56.101 ttl 63"]],
  ["pod to the outside leaves the model behind the node's address", nginx, "192.0.2.53", 80, ["exits as 10.0.2.5"]],
  ["client to a hostNetwork port", "host/client", "192.168.56.101", 80, ["node/k8s-node2 sees 192.168.56.1 ttl 64"]],
  ["pod to its node's hostNetwork port", nginx, "10.0.2.5", 80, ["node/k8s-node2 sees 10.244.1.15 ttl 64"]],
  ["pod to another node's hostNetwork port", nginx, "10.0.2.15", 80, ["node/k8s-node3 sees 10.0.2.5 ttl 63"]],
  ["client to a ClusterIP without a route", "host/client", "10.96.246.235", 80, ["no route"]],
];
for (const [name, from, dst, port, ends] of cases) test(name, () => assert.deepEqual(send(from, dst, port), ends));

test("with host-gw a remote pod sees the node's own address", () => {
  const over = { cni: { plugin: "flannel", backend: "host-gw" }, slices: [sliceOf([REMOTE])] };
  assert.deepEqual(send("host/client", "192.168.56.101", 31160, over), [`${B} sees 10.0.2.5 ttl 62`]);
});

test("a hostPort of a pod on the pod network keeps the client's address", () => {
  const web = samplePod("web", 2, "10.244.1.30", {
    containers: [{ name: "web", image: "nginx", ports: [{ containerPort: 8080, hostPort: 8081 }] }],
  });
  assert.deepEqual(send("host/client", "192.168.56.101", 8081, { pods: [...samplePods, web] }), [
    "pod/default/web sees 192.168.56.1 ttl 63",
  ]);
});
