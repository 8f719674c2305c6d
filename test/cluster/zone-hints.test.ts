/**
 * Hints with `service.kubernetes.io/topology-mode: Auto`, worked out by hand from the rules of
 * staging/src/k8s.io/endpointslice/topologycache: desired = share of CPU × endpoints, at least ceil(desired / 1.2).
 */
import assert from "node:assert/strict";
import test from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import type { Labels, Node, Pod, Service } from "../../src/objects/api.ts";
import { CONTROL_PLANE, node, pod, port, service } from "./objects.ts";

const machine = (name: string, index: number, zone: string | undefined, cpu: string | undefined, labels: Labels = {}): Node => {
  const made = node(name, `10.0.2.${index}`, `10.244.${index}.0/24`, {
    labels: { ...labels, ...(zone ? { "topology.kubernetes.io/zone": zone } : {}) },
  });
  return { ...made, status: { ...made.status, ...(cpu ? { allocatable: { cpu } } : {}) } };
};
const even = [machine("a", 1, "za", "4"), machine("b", 2, "zb", "4000m")];
const AUTO = { "service.kubernetes.io/topology-mode": "Auto" };
const web = (annotations: Labels = AUTO, spec: Partial<NonNullable<Service["spec"]>> = {}): Service => {
  const made = service("web", { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }], ...spec });
  return { ...made, metadata: { ...made.metadata, annotations } };
};
const on = (nodes: string): Pod[] =>
  [...nodes].map((nodeName, i) => {
    const status = nodeName === "-" ? { conditions: [{ type: "Ready", status: "False" }] } : {};
    return pod(`p${i}`, { ...port(8080), nodeName: nodeName === "-" ? "a" : nodeName }, { labels: { app: "web" }, status });
  });

type Row = {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly service?: Service;
  /** The node of each pod by its letter; `-` is a pod on node a that is not ready. */
  readonly pods: string;
  /** Zone of the endpoint -> zone it is for, in order of address. */
  readonly hints: readonly string[];
  readonly event?: string;
};
const ENABLED = "TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4";
const off = (why: string): string => `TopologyAwareHintsDisabled: ${why}, addressType: IPv4`;

const rows: readonly Row[] = [
  {
    name: "as many as the CPU: each for its own zone",
    nodes: even,
    pods: "aabb",
    hints: ["za>za", "za>za", "zb>zb", "zb>zb"],
    event: ENABLED,
  },
  { name: "3 + 1 of 2 + 2: one is lent", nodes: even, pods: "aaab", hints: ["za>zb", "za>za", "za>za", "zb>zb"], event: ENABLED },
  {
    name: "6 CPUs against 2: 3 and 1 of four",
    nodes: [machine("a", 1, "za", "6"), machine("b", 2, "zb", "2")],
    pods: "aabb",
    hints: ["za>za", "za>za", "zb>za", "zb>zb"],
    event: ENABLED,
  },
  {
    name: "three zones, all endpoints in one",
    nodes: [...even, machine("c", 3, "zc", "4")],
    pods: "aaaaaa",
    hints: ["za>zb", "za>zb", "za>zc", "za>zc", "za>za", "za>za"],
    event: ENABLED,
  },
  {
    name: "two nodes of one zone add up",
    nodes: [...even, machine("c", 3, "zb", "8")],
    pods: "aabc",
    hints: ["za>zb", "za>za", "zb>zb", "zb>zb"],
    event: ENABLED,
  },
  {
    name: "the control plane's CPU does not count, nor does its missing zone",
    nodes: [...even, machine("m", 9, undefined, undefined, CONTROL_PLANE.labels)],
    pods: "ab",
    hints: ["za>za", "zb>zb"],
    event: ENABLED,
  },
  {
    name: "one that is not ready has no hint and does not count",
    nodes: even,
    pods: "ab-",
    hints: ["za>za", "za>", "zb>zb"],
    event: ENABLED,
  },
  {
    name: "1.5 each would be 2 each, which is more than there are",
    nodes: even,
    pods: "aab",
    hints: ["za>", "za>", "zb>"],
    event: off("Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 2 zones)"),
  },
  {
    name: "fewer endpoints than zones",
    nodes: even,
    pods: "a",
    hints: ["za>"],
    event: off("Insufficient number of endpoints (1 endpoints, 2 zones)"),
  },
  {
    name: "a node that does not state its CPU",
    nodes: [...even, machine("c", 3, "zc", undefined)],
    pods: "abab",
    hints: ["za>", "zb>", "za>", "zb>"].sort(),
    event: off("Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"),
  },
  {
    name: "one zone",
    nodes: [machine("a", 1, "za", "4"), machine("b", 2, "za", "4")],
    pods: "ab",
    hints: ["za>", "za>"],
    event: off("Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"),
  },
  {
    name: "the older annotation",
    nodes: even,
    service: web({ "service.kubernetes.io/topology-aware-hints": "auto" }),
    pods: "ab",
    hints: ["za>za", "zb>zb"],
    event: ENABLED,
  },
  {
    name: "which comes first, even when it says no",
    nodes: even,
    service: web({ ...AUTO, "service.kubernetes.io/topology-aware-hints": "Disabled" }),
    pods: "ab",
    hints: ["za>", "zb>"],
  },
  { name: "no annotation", nodes: even, service: web({}), pods: "ab", hints: ["za>", "zb>"] },
  {
    name: "the annotation puts trafficDistribution out of force",
    nodes: even,
    service: web(AUTO, { trafficDistribution: "PreferClose" }),
    pods: "aab",
    hints: ["za>", "za>", "zb>"],
    event: off("Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 2 zones)"),
  },
];

for (const { name, nodes, service: asked = web(), pods, hints, event } of rows)
  test(name, () => {
    const cluster = decideCluster([...nodes, asked, ...on(pods)], {});
    const found = cluster.slices.find((slice) => slice.service === "web")?.endpoints ?? [];
    assert.deepEqual(
      found.map(({ zone, forZones = [] }) => `${zone}>${forZones.join()}`),
      hints,
    );
    assert.deepEqual(
      cluster.events.map(({ reason, message }) => `${reason}: ${message}`),
      event === undefined ? [] : [event],
    );
  });
