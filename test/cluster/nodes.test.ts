/** Machines: what the topology, Node objects and pods say of them, and what is assumed when they are silent. */
import assert from "node:assert/strict";
import test from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import { parseVersion } from "../../src/cluster/version.ts";
import { formatCidr } from "../../src/net/address.ts";
import type { ApiObject } from "../../src/objects/api.ts";
import type { Topology } from "../../src/objects/topology.ts";
import { node } from "./objects.ts";

const lines = (objects: readonly ApiObject[], topology: Topology) =>
  decideCluster(objects, topology).nodes.map((each) => {
    const addresses = each.interfaces.map((one) => `${one.name} ${one.addresses.map(formatCidr).join()}`).join(", ");
    const routes = each.routes.map((route) => `${route.to} via ${route.via}${route.assumed ? "?" : ""}`).join();
    return `${each.name} | ${addresses} | ${each.internalIPs.join()} | ${each.podCIDRs.map(formatCidr).join()} | ${routes}`;
  });
const eth = (address: string) => [{ name: "eth0", addresses: [address] }];

const rows: readonly {
  readonly name: string;
  readonly objects?: readonly ApiObject[];
  readonly topology?: Topology;
  readonly is: readonly string[];
}[] = [
  {
    name: "nothing at all: two assumed nodes",
    is: [
      "node-1 | eth0 192.168.1.11/24 | 192.168.1.11 | 10.244.0.0/24 | default via 192.168.1.1?",
      "node-2 | eth0 192.168.1.12/24 | 192.168.1.12 | 10.244.1.0/24 | default via 192.168.1.1?",
    ],
  },
  {
    name: "three names are enough",
    topology: { nodes: [{ name: "c" }, { name: "a" }, { name: "b" }] },
    is: [
      "c | eth0 192.168.1.11/24 | 192.168.1.11 | 10.244.0.0/24 | default via 192.168.1.1?",
      "a | eth0 192.168.1.12/24 | 192.168.1.12 | 10.244.1.0/24 | default via 192.168.1.1?",
      "b | eth0 192.168.1.13/24 | 192.168.1.13 | 10.244.2.0/24 | default via 192.168.1.1?",
    ],
  },
  {
    name: "a Node object alone: its InternalIP on an assumed eth0",
    objects: [node("n1", "10.0.2.4", "10.5.7.0/24")],
    is: ["n1 | eth0 10.0.2.4/24 | 10.0.2.4 | 10.5.7.0/24 | default via 10.0.2.1?"],
  },
  {
    name: "both are merged by name, the topology wins",
    objects: [node("n1", "10.0.2.4", "10.5.7.0/24")],
    topology: {
      nodes: [{ name: "n1", interfaces: [...eth("192.168.56.100/24"), { name: "eth1", addresses: ["10.0.2.4/24"] }], routes: [] }],
    },
    is: ["n1 | eth0 192.168.56.100/24, eth1 10.0.2.4/24 | 10.0.2.4 | 10.5.7.0/24 | "],
  },
  {
    name: "internalIP chooses",
    topology: {
      nodes: [
        {
          name: "n1",
          internalIP: "10.0.2.4",
          routes: [],
          interfaces: [...eth("192.168.56.100/24"), { name: "eth1", addresses: ["10.0.2.4/24"] }],
        },
      ],
    },
    is: ["n1 | eth0 192.168.56.100/24, eth1 10.0.2.4/24 | 10.0.2.4 | 10.244.0.0/24 | "],
  },
  {
    name: "pod CIDRs go on around those written",
    topology: {
      nodes: [
        { name: "a", interfaces: eth("10.0.0.5/24"), routes: [] },
        { name: "b", interfaces: eth("10.0.0.6/24"), routes: [], podCIDRs: ["10.244.0.0/24"] },
      ],
    },
    is: ["b | eth0 10.0.0.6/24 | 10.0.0.6 | 10.244.0.0/24 | ", "a | eth0 10.0.0.5/24 | 10.0.0.5 | 10.244.1.0/24 | "],
  },
  {
    name: "a node among others gets an address of their network",
    topology: { nodes: [{ name: "a", interfaces: eth("10.9.0.11/24") }, { name: "b" }] },
    is: [
      "a | eth0 10.9.0.11/24 | 10.9.0.11 | 10.244.0.0/24 | default via 10.9.0.1?",
      "b | eth0 10.9.0.12/24 | 10.9.0.12 | 10.244.1.0/24 | default via 10.9.0.1?",
    ],
  },
  {
    name: "a listed machine is no assumed gateway",
    topology: { nodes: [{ name: "a", interfaces: eth("10.9.0.11/24") }], hosts: [{ name: "client", interfaces: eth("10.9.0.1/24") }] },
    is: ["a | eth0 10.9.0.11/24 | 10.9.0.11 | 10.244.0.0/24 | default via 10.9.0.2?"],
  },
  {
    name: "dual stack",
    topology: {
      kubernetes: { podCIDRs: ["10.244.0.0/16", "fd00:10:244::/56"] },
      nodes: [{ name: "a", interfaces: [{ name: "eth0", addresses: ["10.9.0.11/24", "fd00:9::11/64"] }] }],
    },
    is: [
      "a | eth0 10.9.0.11/24,fd00:9::11/64 | 10.9.0.11,fd00:9::11 | 10.244.0.0/24,fd00:10:244::/64 | default via 10.9.0.1?,default via fd00:9::1?",
    ],
  },
];
for (const { name, objects = [], topology = {}, is } of rows) test(name, () => assert.deepEqual(lines(objects, topology), is));

test("without hosts there is one called client, on the node network, without default route", () => {
  const [host, ...rest] = decideCluster([], { nodes: [{ name: "a", interfaces: eth("10.9.0.11/24") }] }).hosts;
  assert.deepEqual(rest, []);
  assert.deepEqual([host?.name, host?.interfaces[0]?.addresses, host?.routes], ["client", [{ ip: "10.9.0.254", length: 24 }], []]);
});

test("MACs are locally administered, different, and stay", () => {
  const macs = () =>
    decideCluster([], { nodes: Array.from({ length: 50 }, (_, i) => ({ name: `n${i}` })) }).nodes.flatMap((each) =>
      each.interfaces.map((one) => one.mac),
    );
  assert.equal(new Set(macs()).size, 50);
  assert.ok(macs().every((mac) => /^02(:[0-9a-f]{2}){5}$/.test(mac)));
  assert.deepEqual(macs(), macs());
});

test("a broken value of the topology is reported with its place, not obeyed", () => {
  const source = { file: "t.yaml", offset: 0, path: [] };
  const cluster = decideCluster([], {
    source,
    kubernetes: { version: "soon", nodePortRange: "9-1", podCIDRs: ["10.244.0.0/16", "x"] },
    nodes: [{ name: "a", interfaces: [{ name: "eth0", addresses: ["10.0.0.300/24"] }] }],
  });
  const fields = cluster.diagnostics.map((each) => (each.at && "field" in each.at ? each.at.field.join(".") : ""));
  assert.deepEqual(fields.sort(), [
    "spec.kubernetes.nodePortRange",
    "spec.kubernetes.podCIDRs.1",
    "spec.kubernetes.version",
    "spec.nodes.0.interfaces.0.addresses.0",
  ]);
  assert.deepEqual([cluster.version.text, cluster.nodePortRange], ["1.36", { from: 30000, to: 32767 }]);
});

for (const [text, major, minor] of [
  ["1.36", 1, 36],
  ["v1.17.3", 1, 17],
  ["1.30.3-gke.100", 1, 30],
  ["v1.28+", 1, 28],
] as const)
  test(`version ${text}`, () => assert.deepEqual([parseVersion(text)?.major, parseVersion(text)?.minor], [major, minor]));
for (const text of ["1", "latest", "1.x", ""]) test(`no version: "${text}"`, () => assert.equal(parseVersion(text), undefined));
