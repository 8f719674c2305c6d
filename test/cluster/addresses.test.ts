/** Ranges that run out, and what each allocator gives first (pkg/controller/nodeipam, pkg/registry/core/service, host-local). */
import assert from "node:assert/strict";
import test from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import { allocateNodePort, createIpAllocator } from "../../src/cluster/services/service-allocators.ts";
import { parseCidr } from "../../src/net/address.ts";
import { all, node, pod, service, workload } from "./objects.ts";

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  assert.ok(parsed);
  return parsed;
};
const last = (ip: string | undefined): number => Number(ip?.split(".").at(-1));

/** KEP-3070: min(max(16, size/16), 256) addresses from the first on are left to those who ask by number. */
const bands: readonly { readonly range: string; readonly firstDynamic: string }[] = [
  { range: "10.96.0.0/12", firstDynamic: "10.96.1.1" },
  { range: "10.96.0.0/20", firstDynamic: "10.96.1.1" },
  { range: "10.96.0.0/24", firstDynamic: "10.96.0.17" },
  { range: "10.96.0.0/28", firstDynamic: "10.96.0.1" },
];
const number = (ip: string): number => ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
for (const { range, firstDynamic } of bands)
  test(`${range}: addresses that nobody asked for begin at ${firstDynamic}`, () => {
    for (let i = 0; i < 200; i++) {
      const ip = createIpAllocator(cidr(range), new Set()).allocate(`seed ${i}`);
      assert.ok(ip !== undefined && number(ip) >= number(firstDynamic), ip);
    }
  });
test("the lower band is given when the upper one is full, and neither the network's nor the broadcast address ever", () => {
  const allocator = createIpAllocator(cidr("10.96.0.0/26"), new Set());
  const given = Array.from({ length: 62 }, (_, i) => last(allocator.allocate(`seed ${i}`)));
  assert.ok(given.slice(0, 46).every((n) => n >= 17));
  assert.ok(given.slice(46).every((n) => n >= 1 && n <= 16));
  assert.equal(new Set(given).size, 62);
  assert.equal(allocator.allocate("one more"), undefined);
});
/** KEP-3668: min(max(16, size/32), 128) ports; 30000-30085 of the usual range. */
for (const [from, to, first] of [
  [30000, 32767, 30086],
  [30000, 30015, 30000],
  [30000, 30099, 30016],
  [20000, 40000, 20128],
] as const)
  test(`node ports of ${from}-${to} that nobody asked for begin at ${first}`, () => {
    for (let i = 0; i < 200; i++) {
      const port = allocateNodePort({ from, to }, `seed ${i}`, ["TCP"], new Set());
      assert.ok(port !== undefined && port >= first && port <= to, String(port));
    }
  });

const ports = [{ port: 80 }];
const many = (count: number, spec: object = {}) => Array.from({ length: count }, (_, i) => service(`s${i}`, { ports, ...spec }));
const exhausted: readonly {
  readonly name: string;
  readonly codes: readonly string[];
  readonly services?: number;
  readonly run: () => ReturnType<typeof decideCluster>;
}[] = [
  {
    name: "pod CIDRs: two nodes, one range",
    codes: ["pod-cidr-exhausted"],
    run: () => decideCluster([], { kubernetes: { podCIDRs: ["10.244.0.0/24"] }, nodes: [{ name: "a" }, { name: "b" }] }),
  },
  {
    name: "cluster addresses: six of a /29, of which the API server has one",
    codes: ["KT116", "KT116"],
    services: 6,
    run: () => decideCluster(many(7), { kubernetes: { serviceCIDRs: ["10.96.0.0/29"], clusterDNS: [] } }),
  },
  {
    name: "node ports",
    codes: ["node-ports-exhausted"],
    services: 3, // default/kubernetes is one
    run: () => decideCluster(many(3, { type: "NodePort" }), { kubernetes: { nodePortRange: "30000-30001" } }),
  },
];
for (const { name, codes, services, run } of exhausted)
  test(`used up: ${name}`, () => {
    const cluster = run();
    assert.deepEqual(
      cluster.diagnostics.map(({ code }) => code),
      codes,
    );
    if (services !== undefined) assert.equal(cluster.services.length, services, "what finds none is refused");
  });

test("used up: a node's pod addresses; the pod waits, with the plugin's words", () => {
  const cluster = decideCluster(all(node("n1", "10.0.0.1", "10.244.0.0/29"), workload("ReplicaSet", "web", {}, { replicas: 6 })), {});
  assert.deepEqual(cluster.pods.flatMap(({ ips }) => ips).sort(), ["10.244.0.2", "10.244.0.3", "10.244.0.4", "10.244.0.5", "10.244.0.6"]);
  const [event, ...more] = cluster.events;
  assert.deepEqual(more, []);
  assert.equal(event?.reason, "FailedCreatePodSandBox");
  assert.match(
    event?.message ?? "",
    /failed to allocate for range 0: no IP addresses available in range set: 10\.244\.0\.1-10\.244\.0\.6$/,
  );
});

test("dual stack: nodes, pods and Services have both, the first family first", () => {
  const cluster = decideCluster([pod("a"), service("s", { ports, selector: { app: "a" }, ipFamilyPolicy: "PreferDualStack" })], {
    kubernetes: { podCIDRs: ["10.244.0.0/16", "fd00:10:244::/56"], serviceCIDRs: ["10.96.0.0/16", "fd00:10:96::/112"] },
    nodes: [{ name: "n1", interfaces: [{ name: "eth0", addresses: ["10.0.2.4/24", "fd00:2::4/64"] }] }],
  });
  assert.deepEqual(
    cluster.nodes[0]?.podCIDRs.map(({ ip, length }) => `${ip}/${length}`),
    ["10.244.0.0/24", "fd00:10:244::/64"],
  );
  assert.deepEqual(cluster.pods[0]?.ips, ["10.244.0.2", "fd00:10:244::2"]);
  const dual = cluster.services.find(({ name }) => name === "s");
  assert.deepEqual(dual?.ipFamilies, ["IPv4", "IPv6"]);
  assert.match(dual?.clusterIPs.join() ?? "", /^10\.96\.\d+\.\d+,fd00:10:96::[0-9a-f:]+$/);
  const slices = cluster.slices.filter(({ service: of }) => of === "s");
  assert.deepEqual(slices.map(({ addressType, endpoints }) => [addressType, endpoints[0]?.addresses[0]]).sort(), [
    ["IPv4", "10.244.0.2"],
    ["IPv6", "fd00:10:244::2"],
  ]);
});
