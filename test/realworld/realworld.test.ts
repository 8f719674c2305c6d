/**
 * KTRACE_REALWORLD=FOLDER: other people's projects, loaded as they are, counted and traced against the folder's index.json.
 * Their files are not ours to keep, so without the variable there is nothing to do; what was met in them stands in
 * test/realworld/shapes.test.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, openProject, podName, projectsIn, rowsOf } from "./projects.ts";

const root = process.env.KTRACE_REALWORLD;
/** Findings that say what is so: a balancer that no topology has, kinds that make no packet go another way in these projects. */
const EXPLAINED: ReadonlySet<string> = new Set(["KT306", "not-modelled"]);
/** The index uses words of before DESIGN's verdicts. */
const VERDICTS: Readonly<Record<string, string>> = { "dns-nxdomain": "unresolved", refused: "rejected" };

for (const project of root === undefined ? [] : projectsIn(root)) {
  const session = openProject(root ?? "", project);
  const { cluster, input } = session;

  test(`${project.directory}: every file is read, and every finding explained`, () => {
    const odd = [...input.diagnostics, ...cluster.diagnostics].filter(({ code }) => !EXPLAINED.has(code));
    assert.deepEqual(
      odd.map(({ code, message }) => `${code} ${message}`),
      [],
    );
  });

  for (const { kind, namespace, name, replicas, podsOnReferenceCluster } of project.expect.workloads)
    test(`${project.directory}: pods of ${kind} ${namespace}/${name}`, () => {
      const pods = cluster.pods.filter((pod) => pod.namespace === namespace && pod.workload?.kind === kind && pod.workload.name === name);
      assert.equal(pods.length, podsOnReferenceCluster ?? replicas);
      assert.ok(pods.every((pod) => pod.ips.length > 0));
    });

  for (const { namespace, name, endpoints } of project.expect.services)
    test(`${project.directory}: endpoints of ${namespace}/${name}`, () => {
      const slices = cluster.slices.filter((slice) => slice.namespace === namespace && slice.service === name);
      assert.equal(
        new Set(slices.flatMap((slice) => slice.endpoints.filter(({ ready }) => ready)).flatMap(({ addresses }) => addresses)).size,
        endpoints,
      );
    });

  test(`${project.directory}: each Service's first port from a pod`, () => {
    const rows = rowsOf(session);
    assert.deepEqual(rows.length, project.expect.services.length);
    assert.deepEqual(
      rows.filter(({ verdict }) => verdict !== "delivered"),
      [],
    );
  });

  for (const { from, to, verdict, backendCount } of project.expect.flows ?? [])
    test(`${project.directory}: ${from.kind} ${from.name} to ${to}`, () => {
      const [host = "", port = "0"] = to.split(":");
      const [namespace = "", workload = ""] = from.name.split("/");
      const pod = cluster.pods.find((each) => each.namespace === namespace && (each.name === workload || each.workload?.name === workload));
      const source = from.kind === "pod" && pod ? podName(pod) : from.kind === "node" ? "node/k8s-node2" : "external";
      const trace = ask(session, source, addressOf(host, from.kind), Number(port), pod?.namespace);
      assert.equal(trace.verdict, VERDICTS[verdict] ?? verdict);
      const backends = new Set(
        trace.paths.flatMap(({ destination, verdict: end }) => (end === "delivered" && destination ? [destination.ip] : [])),
      );
      assert.equal(backends.size, backendCount);
    });

  /** A node asks no cluster DNS: the API server finds a webhook's Service by its address. */
  const addressOf = (host: string, kind: string): string => {
    if (host === "NODE") return "k8s-node2";
    if (kind !== "node") return host;
    const [name, namespace] = host.split(".");
    return cluster.services.find((service) => service.name === name && service.namespace === namespace)?.clusterIPs[0] ?? host;
  };
}
