import assert from "node:assert/strict";
import { test } from "node:test";
import { createEndpointDecider } from "../../../src/agents/kube-proxy/endpoints.ts";
import { servicePorts } from "../../../src/agents/kube-proxy/service-ports.ts";
import type { Cluster, ClusterEndpoint, ClusterService } from "../../../src/cluster/cluster.ts";
import { nodeNamed, oracleCluster } from "./oracle.ts";

type Endpoint = Partial<ClusterEndpoint> & { readonly ip: string };
const here = { nodeName: "k8s-node2" };
const there = { nodeName: "k8s-node3" };
const leaving = { ready: false, serving: true, terminating: true };
const gone = { ready: false, serving: false, terminating: true };
const zones = (...forZones: string[]) => ({ forZones });

type Row = {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly service?: Partial<ClusterService>;
  readonly zone?: string;
  readonly minor?: number;
  readonly cluster: readonly string[];
  readonly local?: readonly string[];
  readonly has?: readonly [endpoints: boolean, internal: boolean, external: boolean];
};
const etpLocal: Partial<ClusterService> = { type: "NodePort", externalTrafficPolicy: "Local" };
const itpLocal: Partial<ClusterService> = { internalTrafficPolicy: "Local" };
const hinted: Partial<ClusterService> = { annotations: { "service.kubernetes.io/topology-mode": "Auto" } };
const bothZones = [
  { ip: "10.244.1.1", ...zones("zone-a") },
  { ip: "10.244.1.2", ...zones("zone-b") },
];

const rows: readonly Row[] = [
  {
    name: "sorted as text, not as numbers",
    endpoints: [{ ip: "10.244.1.2" }, { ip: "10.244.1.10" }],
    cluster: ["10.244.1.10", "10.244.1.2"],
  },
  { name: "the same address twice is one endpoint", endpoints: [{ ip: "10.244.1.2" }, { ip: "10.244.1.2" }], cluster: ["10.244.1.2"] },
  { name: "the other family is not seen", endpoints: [{ ip: "fd00::1" }], cluster: [], has: [false, false, false] },
  { name: "ready before terminating", endpoints: [{ ip: "10.244.1.1" }, { ip: "10.244.1.2", ...leaving }], cluster: ["10.244.1.1"] },
  {
    name: "serving and terminating when nothing is ready",
    endpoints: [
      { ip: "10.244.1.2", ...leaving },
      { ip: "10.244.1.3", ...gone },
    ],
    cluster: ["10.244.1.2"],
  },
  {
    name: "before 1.26 what terminates is not used",
    minor: 25,
    endpoints: [{ ip: "10.244.1.2", ...leaving }],
    cluster: [],
    has: [false, false, false],
  },
  {
    name: "eTP Local: ready endpoints of the node",
    service: etpLocal,
    endpoints: [
      { ip: "10.244.1.1", ...here },
      { ip: "10.244.2.1", ...there },
    ],
    cluster: ["10.244.1.1", "10.244.2.1"],
    local: ["10.244.1.1"],
  },
  {
    name: "eTP Local: a local one that terminates counts before remote ready ones",
    service: etpLocal,
    endpoints: [
      { ip: "10.244.1.1", ...here, ...leaving },
      { ip: "10.244.2.1", ...there },
    ],
    cluster: ["10.244.2.1"],
    local: ["10.244.1.1"],
  },
  {
    name: "eTP Local: no local endpoint",
    service: etpLocal,
    endpoints: [{ ip: "10.244.2.1", ...there }],
    cluster: ["10.244.2.1"],
    has: [true, true, false],
  },
  {
    name: "eTP Local: an endpoint without nodeName is never local",
    service: etpLocal,
    endpoints: [{ ip: "10.244.2.1" }],
    cluster: ["10.244.2.1"],
    has: [true, true, false],
  },
  {
    name: "eTP Local means nothing for a plain ClusterIP",
    service: { externalTrafficPolicy: "Local" },
    endpoints: [{ ip: "10.244.2.1" }],
    cluster: ["10.244.2.1"],
  },
  {
    name: "iTP Local: only the node's own, and no Cluster list",
    service: itpLocal,
    endpoints: [
      { ip: "10.244.1.1", ...here },
      { ip: "10.244.2.1", ...there },
    ],
    cluster: [],
    local: ["10.244.1.1"],
  },
  { name: "iTP Local: none here", service: itpLocal, endpoints: [{ ip: "10.244.2.1", ...there }], cluster: [], has: [true, false, true] },
  { name: "hints: the node's zone", service: hinted, zone: "zone-a", endpoints: bothZones, cluster: ["10.244.1.1"] },
  { name: "hints: no zone label on the node", service: hinted, endpoints: bothZones, cluster: ["10.244.1.1", "10.244.1.2"] },
  {
    name: "hints: no endpoint for this zone",
    service: hinted,
    zone: "zone-c",
    endpoints: bothZones,
    cluster: ["10.244.1.1", "10.244.1.2"],
  },
  {
    name: "hints: one endpoint has none",
    service: hinted,
    zone: "zone-a",
    endpoints: [...bothZones, { ip: "10.244.1.3" }],
    cluster: ["10.244.1.1", "10.244.1.2", "10.244.1.3"],
  },
  {
    name: "hints: one that is not ready may have none",
    service: hinted,
    zone: "zone-a",
    endpoints: [...bothZones, { ip: "10.244.1.3", ...gone }],
    cluster: ["10.244.1.1"],
  },
  { name: "hints: no annotation in 1.30", zone: "zone-a", endpoints: bothZones, cluster: ["10.244.1.1", "10.244.1.2"] },
  { name: "hints: no annotation in 1.31", minor: 31, zone: "zone-a", endpoints: bothZones, cluster: ["10.244.1.1"] },
  {
    name: "hints: the older annotation wins",
    service: { annotations: { "service.kubernetes.io/topology-aware-hints": "disabled", "service.kubernetes.io/topology-mode": "Auto" } },
    zone: "zone-a",
    endpoints: bothZones,
    cluster: ["10.244.1.1", "10.244.1.2"],
  },
  {
    name: "hints: this node before the zone, from 1.34",
    minor: 34,
    zone: "zone-a",
    endpoints: [
      { ip: "10.244.1.1", ...zones("zone-a"), forNodes: ["k8s-node2"] },
      { ip: "10.244.1.2", ...zones("zone-a"), forNodes: ["k8s-node3"] },
    ],
    cluster: ["10.244.1.1"],
  },
  {
    name: "hints: nodes are not read in 1.33",
    minor: 33,
    zone: "zone-a",
    endpoints: [
      { ip: "10.244.1.1", ...zones("zone-a"), forNodes: ["k8s-node2"] },
      { ip: "10.244.1.2", ...zones("zone-a"), forNodes: ["k8s-node3"] },
    ],
    cluster: ["10.244.1.1", "10.244.1.2"],
  },
];

for (const row of rows) {
  test(row.name, () => {
    const cluster = clusterOf(row);
    const [port] = servicePorts(cluster, 4);
    assert.ok(port);
    const decision = createEndpointDecider(cluster, nodeNamed(cluster, "k8s-node2")).decide(port);
    assert.deepEqual(
      decision.cluster.map(({ ip }) => ip),
      row.cluster,
    );
    assert.deepEqual(
      decision.local.map(({ ip }) => ip),
      row.local ?? [],
    );
    assert.deepEqual([decision.hasEndpoints, decision.hasInternal, decision.hasExternal], row.has ?? [true, true, true]);
  });
}

function clusterOf({ endpoints, service = {}, zone, minor = 30 }: Row): Cluster {
  const cluster = oracleCluster("clusterip-basic");
  const [plain] = cluster.services;
  const [slice] = cluster.slices;
  assert.ok(plain && slice);
  const ports = plain.ports.map((port) => (service.type === "NodePort" ? { ...port, nodePort: 30001 } : port));
  const filled = endpoints.map(({ ip, ...rest }) => ({ ready: true, serving: true, terminating: false, ...rest, addresses: [ip] }));
  return {
    ...cluster,
    version: { major: 1, minor, text: `1.${minor}.0` },
    services: [{ ...plain, ports, ...service }],
    slices: [{ ...slice, endpoints: filled }],
    nodes: cluster.nodes.map((node) => ({ ...node, labels: zone ? { "topology.kubernetes.io/zone": zone } : {} })),
  };
}
