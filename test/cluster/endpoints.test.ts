/** Who stands behind a Service: slices and Endpoints. */
import assert from "node:assert/strict";
import test from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import type { ApiObject, EndpointSlice, Endpoints, Pod } from "../../src/objects/api.ts";
import type { Topology } from "../../src/objects/topology.ts";
import { all, pod, port, service, source, THREE_NODES, workload } from "./objects.ts";

const running = (name: string, ip: string, more: { ready?: boolean; phase?: string; deleted?: boolean; nodeName?: string } = {}): Pod =>
  pod(
    name,
    { ...port(8080, "web"), nodeName: more.nodeName ?? "n2" },
    {
      labels: { app: "web" },
      ...(more.deleted ? { deletionTimestamp: "2024-01-01T00:00:00Z" } : {}),
      status: {
        phase: more.phase ?? "Running",
        podIP: ip,
        conditions: [{ type: "Ready", status: more.ready === false ? "False" : "True" }],
      },
    },
  );
const endpoints = (name: string, subsets: Endpoints["subsets"], more: Partial<Endpoints["metadata"]> = {}): Endpoints => ({
  apiVersion: "v1",
  kind: "Endpoints",
  metadata: { name, namespace: "default", ...more },
  subsets: subsets ?? [],
  source: source(`ep-${name}.yaml`),
});
const slice = (name: string, addresses: readonly string[], labels: Record<string, string>): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": "web", ...labels } },
  addressType: "IPv4",
  ports: [{ port: 9000 }],
  endpoints: [{ addresses }],
  source: source(`${name}.yaml`),
});
const CONTROLLER = { "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" };
const web = service("web", { selector: { app: "web" }, ports: [{ port: 80, targetPort: "web" }] });
const manual = service("web", { ports: [{ port: 3306 }] });

type Row = {
  readonly name: string;
  readonly objects: readonly ApiObject[];
  readonly topology?: Topology;
  readonly slices: readonly string[];
  readonly endpoints: readonly string[];
};
const rows: readonly Row[] = [
  {
    name: "ready pods, in order of address",
    objects: all(web, running("b", "10.244.1.12"), running("a", "10.244.1.9")),
    slices: ["10.244.1.9:8080 10.244.1.12:8080"],
    endpoints: ["10.244.1.9:8080", "10.244.1.12:8080"],
  },
  { name: "no pod: one empty slice, no address", objects: all(web), slices: [""], endpoints: [] },
  {
    name: "labels decide, not names",
    objects: all(web, pod("web", { nodeName: "n2" }, { labels: { app: "webb" } })),
    slices: [""],
    endpoints: [],
  },
  {
    name: "another namespace does not count",
    objects: all(web, { ...running("a", "10.244.1.9"), metadata: { name: "a", namespace: "other", labels: { app: "web" } } }),
    slices: [""],
    endpoints: [],
  },
  {
    name: "a pod that is not ready is listed as such",
    objects: all(web, running("a", "10.244.1.9", { ready: false })),
    slices: ["10.244.1.9:8080!"],
    endpoints: [],
  },
  {
    name: "publishNotReadyAddresses makes it ready",
    objects: all(service("web", { ...web.spec, publishNotReadyAddresses: true }), running("a", "10.244.1.9", { ready: false })),
    slices: ["10.244.1.9:8080"],
    endpoints: ["10.244.1.9:8080"],
  },
  {
    name: "a terminating pod stays in the slice, serving, and leaves Endpoints",
    objects: all(web, running("a", "10.244.1.9", { deleted: true })),
    slices: ["10.244.1.9:8080!ts"],
    endpoints: [],
  },
  {
    name: "finished pods are out",
    objects: all(web, running("a", "10.244.1.9", { phase: "Succeeded" }), running("b", "10.244.1.10", { phase: "Failed" })),
    slices: [""],
    endpoints: [],
  },
  {
    name: "a named targetPort is looked up in each pod: other ports, other slices",
    objects: all(
      web,
      running("a", "10.244.1.9"),
      pod("b", { ...port(9090, "web"), nodeName: "n2" }, { labels: { app: "web" }, status: { podIP: "10.244.1.10" } }),
    ),
    slices: ["10.244.1.10:9090", "10.244.1.9:8080"],
    endpoints: ["10.244.1.10:9090", "10.244.1.9:8080"],
  },
  {
    name: "a name that the pod lacks leaves it without port",
    objects: all(web, pod("b", { ...port(9090, "http"), nodeName: "n2" }, { labels: { app: "web" }, status: { podIP: "10.244.1.10" } })),
    slices: ["10.244.1.10"],
    endpoints: ["10.244.1.10"],
  },
  {
    name: "a name of another protocol is another port",
    objects: all(
      web,
      pod("b", { ...port(9090, "web", { protocol: "UDP" }), nodeName: "n2" }, { labels: { app: "web" }, status: { podIP: "10.244.1.10" } }),
    ),
    slices: ["10.244.1.10"],
    endpoints: ["10.244.1.10"],
  },
  {
    name: "hostNetwork pods stand with their node's address",
    objects: all(web, workload("DaemonSet", "web", { ...port(8080, "web"), hostNetwork: true })),
    slices: ["10.0.2.5:8080 10.0.2.15:8080"],
    endpoints: ["10.0.2.5:8080", "10.0.2.15:8080"],
  },
  {
    name: "a dead pod is still listed",
    objects: all(web, pod("a", port(8080, "web"), { labels: { app: "web" } })),
    topology: { pods: [{ name: "a", ip: "10.244.1.9", node: "n2", dead: true }] },
    slices: ["10.244.1.9:8080"],
    endpoints: ["10.244.1.9:8080"],
  },
  {
    name: "hand-made Endpoints are mirrored",
    objects: all(
      manual,
      endpoints("web", [{ addresses: [{ ip: "10.0.2.100" }], notReadyAddresses: [{ ip: "10.0.2.101" }], ports: [{ port: 3306 }] }]),
    ),
    slices: ["10.0.2.100:3306 10.0.2.101:3306!"],
    endpoints: ["10.0.2.100:3306"],
  },
  {
    name: "unless they say skip",
    objects: all(
      manual,
      endpoints("web", [{ addresses: [{ ip: "10.0.2.100" }], ports: [{ port: 3306 }] }], {
        labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
      }),
    ),
    slices: [],
    endpoints: ["10.0.2.100:3306"],
  },
  {
    name: "each family has its slice",
    objects: all(manual, endpoints("web", [{ addresses: [{ ip: "10.0.2.100" }, { ip: "fd00::1" }], ports: [{ port: 3306 }] }])),
    slices: ["10.0.2.100:3306", "fd00::1:3306"],
    endpoints: ["10.0.2.100:3306", "fd00::1:3306"],
  },
  { name: "a Service without selector and Endpoints has none", objects: all(manual), slices: [], endpoints: [] },
  {
    name: "hand-made Endpoints of a Service with selector are overwritten",
    objects: all(web, running("a", "10.244.1.9"), endpoints("web", [{ addresses: [{ ip: "10.0.2.100" }], ports: [{ port: 1 }] }])),
    slices: ["10.244.1.9:8080"],
    endpoints: ["10.244.1.9:8080"],
  },
  {
    name: "those of a live cluster are believed",
    objects: all(web, endpoints("web", [{ addresses: [{ ip: "172.16.2.125" }], ports: [{ port: 80 }] }], { uid: "0b1c" })),
    slices: ["172.16.2.125:80"],
    endpoints: ["172.16.2.125:80"],
  },
  {
    name: "so are the controller's slices",
    objects: all(web, running("a", "10.244.1.9"), slice("web-abcde", ["172.16.2.125"], CONTROLLER)),
    slices: ["172.16.2.125:9000"],
    endpoints: ["172.16.2.125:9000"],
  },
  {
    name: "a slice of the user's counts beside the controller's",
    objects: all(web, running("a", "10.244.1.9"), slice("web-mine", ["10.0.2.100"], {})),
    slices: ["10.0.2.100:9000", "10.244.1.9:8080"],
    endpoints: ["10.0.2.100:9000", "10.244.1.9:8080"],
  },
  {
    name: "an ExternalName has no endpoints",
    objects: all(service("web", { type: "ExternalName", externalName: "x.example", selector: { app: "web" } }), running("a", "10.244.1.9")),
    slices: [],
    endpoints: [],
  },
];

for (const { name, objects, topology = {}, slices, endpoints: expected } of rows)
  test(name, () => {
    const cluster = decideCluster(all(THREE_NODES, objects), topology);
    const sockets = (ips: readonly string[], ports: readonly { readonly port: number }[]) =>
      ips.flatMap((ip) => (ports.length > 0 ? ports.map((each) => `${ip}:${each.port}`) : [ip]));
    const found = cluster.slices
      .filter((each) => each.service === "web")
      .map((each) =>
        each.endpoints
          .map(
            (one) =>
              sockets(one.addresses, each.ports).join() +
              (one.ready ? "" : "!") +
              (one.terminating ? "t" : "") +
              (one.terminating && one.serving ? "s" : ""),
          )
          .join(" "),
      );
    assert.deepEqual(found.sort(), [...slices].sort());
    const object = cluster.endpoints.find((each) => each.name === "web");
    const addresses = (object?.subsets ?? []).flatMap((subset) =>
      sockets(
        subset.addresses.map((each) => each.ip),
        subset.ports,
      ),
    );
    assert.deepEqual(addresses.sort(), [...expected].sort());
  });

test("slices hold a hundred endpoints", () => {
  const cluster = decideCluster(all(THREE_NODES, web, workload("Deployment", "web", port(8080, "web"), { replicas: 250 })), {});
  assert.deepEqual(
    cluster.slices
      .filter((each) => each.service === "web")
      .map((each) => each.endpoints.length)
      .sort(),
    [100, 100, 50],
  );
});

test("a dual-stack Service has slices of both families", () => {
  const topology: Topology = {
    nodes: [{ name: "n1", interfaces: [{ name: "eth0", addresses: ["10.0.2.4/24", "fd00:2::4/64"] }] }],
    kubernetes: { podCIDRs: ["10.244.0.0/16", "fd00:10:244::/56"] },
  };
  const cluster = decideCluster(
    [service("web", { ...web.spec, ipFamilyPolicy: "RequireDualStack" }), pod("a", port(8080, "web"), { labels: { app: "web" } })],
    topology,
  );
  assert.deepEqual(cluster.pods[0]?.ips, ["10.244.0.2", "fd00:10:244::2"]);
  const found = cluster.slices
    .filter((each) => each.service === "web")
    .map((each) => [each.addressType, ...each.endpoints.flatMap((one) => one.addresses)]);
  assert.deepEqual(found.sort(), [
    ["IPv4", "10.244.0.2"],
    ["IPv6", "fd00:10:244::2"],
  ]);
});

test("a StatefulSet's endpoints have host names, zones and hints come from the nodes", () => {
  const topology: Topology = { nodes: [{ name: "n1", labels: { "topology.kubernetes.io/zone": "a" } }] };
  const cluster = decideCluster(
    [
      workload("StatefulSet", "db", port(5432, "pg"), { serviceName: "db", replicas: 2 }),
      service("db", { clusterIP: "None", selector: { app: "db" }, trafficDistribution: "PreferClose", ports: [{ port: 5432 }] }),
    ],
    topology,
  );
  const found = cluster.slices
    .find((each) => each.service === "db")
    ?.endpoints.map((each) => [each.hostname, each.zone, each.forZones, each.pod?.name]);
  assert.deepEqual(found, [
    ["db-0", "a", ["a"], "db-0"],
    ["db-1", "a", ["a"], "db-1"],
  ]);
});
