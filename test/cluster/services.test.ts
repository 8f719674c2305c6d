/** What the API server makes of a Service. */
import assert from "node:assert/strict";
import test from "node:test";
import type { ClusterService } from "../../src/cluster/cluster.ts";
import { decideCluster } from "../../src/cluster/decide.ts";
import { cidrContains } from "../../src/net/address.ts";
import type { Service, ServiceSpec } from "../../src/objects/api.ts";
import type { Topology } from "../../src/objects/topology.ts";
import { service } from "./objects.ts";

const DUAL: Topology = {
  kubernetes: { podCIDRs: ["10.244.0.0/16", "fd00:10:244::/56"], serviceCIDRs: ["10.96.0.0/12", "fd00:10:96::/112"] },
};
const ports = [{ port: 80, targetPort: 8080 }];
const decide = (spec: ServiceSpec, topology: Topology = {}) => decideCluster([service("web", spec)], topology);
const found = (spec: ServiceSpec, topology: Topology = {}): ClusterService => {
  const one = decide(spec, topology).services.find((each) => each.name === "web");
  assert.ok(one);
  return one;
};

const defaults: readonly {
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly topology?: Topology;
  readonly is: Partial<ClusterService>;
}[] = [
  {
    name: "ClusterIP has no externalTrafficPolicy",
    spec: { ports: [{ port: 80 }] },
    is: {
      type: "ClusterIP",
      sessionAffinity: "None",
      affinityTimeoutSeconds: 10800,
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ index: 0, name: "", protocol: "TCP", port: 80, targetPort: 80 }],
    },
  },
  {
    name: "externalIPs bring it",
    spec: { ports, externalIPs: ["80.11.12.10"] },
    is: { externalTrafficPolicy: "Cluster", externalIPs: ["80.11.12.10"] },
  },
  {
    name: "NodePort keeps what is asked for",
    spec: { type: "NodePort", clusterIP: "10.96.246.235", ports: [{ port: 80, nodePort: 31160 }] },
    is: {
      clusterIPs: ["10.96.246.235"],
      externalTrafficPolicy: "Cluster",
      ports: [{ index: 0, name: "", protocol: "TCP", port: 80, targetPort: 80, nodePort: 31160 }],
    },
  },
  { name: "headless", spec: { clusterIP: "None", ports, selector: { app: "web" } }, is: { clusterIPs: ["None"], ipFamilies: ["IPv4"] } },
  {
    name: "ExternalName has neither address nor policy",
    spec: { type: "ExternalName", externalName: "db.example.com" },
    is: { clusterIPs: [], ipFamilies: [], externalName: "db.example.com" },
  },
  { name: "an empty selector is none", spec: { ports, selector: {} }, is: {} },
  {
    name: "LoadBalancer without node ports",
    spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports },
    is: { allocateLoadBalancerNodePorts: false, ports: [{ index: 0, name: "", protocol: "TCP", port: 80, targetPort: 8080 }] },
  },
  {
    name: "PreferDualStack on a single-stack cluster has one family",
    spec: { ipFamilyPolicy: "PreferDualStack", ports },
    is: { ipFamilies: ["IPv4"], ipFamilyPolicy: "PreferDualStack" },
  },
  {
    name: "PreferDualStack on a dual-stack cluster has both",
    spec: { ipFamilyPolicy: "PreferDualStack", clusterIPs: ["10.96.1.9", "fd00:10:96::9"], ports },
    topology: DUAL,
    is: { ipFamilies: ["IPv4", "IPv6"], clusterIPs: ["10.96.1.9", "fd00:10:96::9"] },
  },
  {
    name: "ipFamilies IPv6 alone",
    spec: { ipFamilies: ["IPv6"], ports },
    topology: DUAL,
    is: { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" },
  },
  {
    name: "headless without selector takes both families",
    spec: { clusterIP: "None", ports },
    topology: DUAL,
    is: { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" },
  },
];

for (const { name, spec, topology, is } of defaults)
  test(name, () => {
    const one = found(spec, topology);
    for (const [key, value] of Object.entries(is)) assert.deepEqual(Reflect.get(one, key), value, key);
    if (one.type === "ClusterIP" && one.externalIPs.length === 0) assert.equal(one.externalTrafficPolicy, undefined);
    if (name.startsWith("an empty selector")) assert.equal(one.selector, undefined);
  });

test("a cluster address left out comes from the upper band of the range, is assumed, and stays from run to run", () => {
  const cluster = decide({ ports });
  const ip = cluster.services.find((each) => each.name === "web")?.clusterIPs[0] ?? "";
  assert.ok(cidrContains({ ip: "10.96.0.0", length: 12 }, ip) && !cidrContains({ ip: "10.96.0.0", length: 24 }, ip), ip);
  assert.ok(cluster.assumptions.some((each) => each.about === "Service default/web" && each.what === `cluster address ${ip}`));
  assert.equal(found({ ports }).clusterIPs[0], ip);
});

test("a node port left out lies in the dynamic band; the protocols of one port share it", () => {
  const { ports: filled } = found({
    type: "NodePort",
    ports: [
      { name: "a", port: 53 },
      { name: "b", port: 53, protocol: "UDP" },
      { name: "c", port: 80 },
    ],
  });
  const [tcp, udp, other] = filled.map((port) => port.nodePort ?? 0);
  assert.equal(tcp, udp);
  assert.notEqual(tcp, other);
  for (const port of [tcp, other]) assert.ok(port !== undefined && port >= 30086 && port <= 32767, String(port));
});

test("a health check node port exists for LoadBalancer with Local only", () => {
  assert.equal(
    found({ type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 32000, ports }).healthCheckNodePort,
    32000,
  );
  assert.equal(typeof found({ type: "LoadBalancer", externalTrafficPolicy: "Local", ports }).healthCheckNodePort, "number");
  assert.equal(found({ type: "LoadBalancer", ports }).healthCheckNodePort, undefined);
});

test("the smallest range still serves all its addresses", () => {
  const many = Array.from({ length: 6 }, (_, i) => service(`s${i}`, { ports }));
  const cluster = decideCluster(many, { kubernetes: { serviceCIDRs: ["10.96.0.0/29"], clusterDNS: [] } });
  const addresses = cluster.services.flatMap((each) => each.clusterIPs);
  assert.deepEqual([...new Set(addresses)].length, 6); // .1 is kubernetes', .2 to .6 are left for five of the six
  assert.deepEqual(
    cluster.diagnostics.map((each) => each.code),
    ["KT116"],
  );
});

const refused: readonly { readonly name: string; readonly services: readonly Service[]; readonly codes: readonly string[] }[] = [
  { name: "outside the range", services: [service("a", { clusterIP: "10.244.9.9", ports })], codes: ["KT111"] },
  { name: "the network address", services: [service("a", { clusterIP: "10.96.0.0", ports })], codes: ["KT111"] },
  {
    name: "two with one address",
    services: [service("a", { clusterIP: "10.96.0.77", ports }), service("b", { clusterIP: "10.96.0.77", ports })],
    codes: ["KT110"],
  },
  { name: "the API server's own", services: [service("a", { clusterIP: "10.96.0.1", ports })], codes: ["KT110"] },
  {
    name: "a node port outside the range",
    services: [service("a", { type: "NodePort", ports: [{ port: 80, nodePort: 8080 }] })],
    codes: ["KT301"],
  },
  {
    name: "a node port twice",
    services: [
      service("a", { type: "NodePort", ports: [{ port: 80, nodePort: 31160 }] }),
      service("b", { type: "NodePort", ports: [{ port: 80, nodePort: 31160 }] }, "other"),
    ],
    codes: ["KT302"],
  },
  {
    name: "TCP and UDP may share a node port",
    services: [
      service("a", {
        type: "NodePort",
        ports: [
          { name: "t", port: 80, nodePort: 31160 },
          { name: "u", port: 80, nodePort: 31160, protocol: "UDP" },
        ],
      }),
    ],
    codes: [],
  },
  {
    name: "a health check port counts as TCP",
    services: [
      service("a", {
        type: "LoadBalancer",
        externalTrafficPolicy: "Local",
        healthCheckNodePort: 31160,
        ports: [{ port: 80, nodePort: 31160 }],
      }),
    ],
    codes: ["KT302"],
  },
  { name: "a family that the cluster lacks", services: [service("a", { ipFamilies: ["IPv6"], ports })], codes: ["KT116"] },
];
for (const { name, services, codes } of refused)
  test(`${codes.length === 0 ? "taken" : "refused"}: ${name}`, () => {
    const cluster = decideCluster(services, {});
    assert.deepEqual(
      cluster.diagnostics.map((each) => each.code),
      codes,
    );
    // Of two that clash the first stands.
    assert.equal(cluster.services.filter((each) => each.name !== "kubernetes").length, services.length - codes.length);
  });

test("what a live cluster took stays, whatever is wrong with it", () => {
  const one = service("a", { type: "NodePort", clusterIP: "10.244.9.9", ports: [{ port: 80, nodePort: 8080 }] });
  const cluster = decideCluster([{ ...one, metadata: { ...one.metadata, uid: "0b3c" } }], {});
  assert.deepEqual(
    cluster.diagnostics.map((each) => each.code),
    ["KT111", "KT301"],
  );
  assert.deepEqual(cluster.services.find((each) => each.name === "a")?.clusterIPs, ["10.244.9.9"]);
});

test("default/kubernetes leads to the API servers, unless the input has it", () => {
  const own = decideCluster([], {}).services[0];
  assert.deepEqual([own?.name, own?.clusterIPs, own?.ports[0]?.targetPort], ["kubernetes", ["10.96.0.1"], 6443]);
  const given = decideCluster([service("kubernetes", { clusterIP: "10.0.0.1", ports: [{ port: 443, targetPort: 8443 }] })], {
    kubernetes: { serviceCIDRs: ["10.0.0.0/24"] },
  });
  assert.deepEqual(
    given.services.map((each) => each.clusterIPs),
    [["10.0.0.1"]],
  );
  assert.deepEqual(given.diagnostics, []);
});
