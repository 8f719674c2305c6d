/** What must hold for every input: the order of files decides nothing, addresses are one pod's only, nothing on odd keys breaks. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { decideCluster } from "../../src/cluster/decide.ts";
import type { ApiObject, Labels } from "../../src/objects/api.ts";
import { pod, port, service, THREE_NODES, workload } from "./objects.ts";

const name = fc.constantFrom("a", "b", "web", "web-1", "db", "constructor", "x-y");
const label: fc.Arbitrary<Labels> = fc.record({ app: fc.constantFrom("a", "b", "web", "__proto__") });
const spec = fc.oneof(
  fc.constant({}),
  fc.constant({ hostNetwork: true }),
  fc.integer({ min: 1, max: 9 }).map((n) => port(8000 + n, "http", { hostPort: n })),
  fc.constant(port(80)),
);
const object: fc.Arbitrary<ApiObject> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("Deployment", "DaemonSet", "StatefulSet", "ReplicationController", "Job"),
      name,
      spec,
      label,
      fc.integer({ min: 0, max: 9 }),
    )
    .map(([kind, each, podSpec, labels, replicas]) => workload(kind, each, podSpec, { labels, replicas, parallelism: replicas })),
  fc.tuple(name, spec, label).map(([each, podSpec, labels]) => pod(`pod-${each}`, podSpec, { labels })),
  fc
    .tuple(name, label, fc.constantFrom("ClusterIP" as const, "NodePort" as const, "LoadBalancer" as const), fc.boolean())
    .map(([each, selector, type, isNamed]) =>
      service(each, { type, selector, ports: [{ port: 80, targetPort: isNamed ? "http" : 8080 }] }),
    ),
);
const input = fc
  .uniqueArray(object, { selector: (each) => `${each.kind}/${each.metadata.name}`, maxLength: 12 })
  .map((objects) => [...THREE_NODES, ...objects]);

test("the same input in any order of files gives the same cluster", () => {
  fc.assert(
    fc.property(
      input.chain((objects) => fc.tuple(fc.constant(objects), fc.shuffledSubarray(objects, { minLength: objects.length }))),
      ([objects, shuffled]) => assert.deepEqual(decideCluster(shuffled, {}), decideCluster(objects, {})),
    ),
    { numRuns: 60 },
  );
});

test("no two pods share an address or a name, no two Services an address or a node port", () => {
  fc.assert(
    fc.property(input, (objects) => {
      const cluster = decideCluster(objects, {});
      const once = (values: readonly (string | number)[]) => assert.equal(new Set(values).size, values.length, values.join());
      once(cluster.pods.filter((each) => !each.hostNetwork).flatMap((each) => each.ips));
      once(cluster.pods.map((each) => each.name));
      once(cluster.services.flatMap((each) => each.clusterIPs));
      once(
        cluster.services.flatMap((each) =>
          each.ports.flatMap((one) => (one.nodePort === undefined ? [] : [`${one.protocol}/${one.nodePort}`])),
        ),
      );
    }),
    { numRuns: 100 },
  );
});

test("every endpoint is a pod that the selector picks, and every such pod with an address is an endpoint", () => {
  fc.assert(
    fc.property(input, (objects) => {
      const cluster = decideCluster(objects, {});
      for (const one of cluster.services.filter((each) => each.selector)) {
        const listed = cluster.slices
          .filter((each) => each.service === one.name)
          .flatMap((each) => each.endpoints.map((endpoint) => endpoint.pod?.name ?? ""));
        const picked = cluster.pods.filter((each) => each.ips.length > 0 && each.labels.app === one.selector?.app).map((each) => each.name);
        assert.deepEqual(listed.sort(), picked.sort());
      }
    }),
    { numRuns: 60 },
  );
});

test("a cluster of 500 nodes, 1,000 Services and 10,000 pods is spread evenly, and quickly", () => {
  const nodes = Array.from({ length: 500 }, (_, i) => ({ name: `n${i}` }));
  const objects = Array.from({ length: 1000 }, (_, i) => i).flatMap((i): ApiObject[] => [
    workload("Deployment", `w${i}`, port(8080), { replicas: 10 }),
    service(`w${i}`, { selector: { app: `w${i}` }, ports: [{ port: 80, targetPort: 8080 }] }),
  ]);
  const cluster = decideCluster(objects, { kubernetes: { podCIDRs: ["10.128.0.0/9"] }, nodes });
  assert.equal(cluster.pods.filter((each) => each.ips.length === 1).length, 10_000);
  const loads = nodes.map((each) => cluster.pods.filter((one) => one.node === each.name).length);
  assert.deepEqual([...new Set(loads)], [20]);
});
