/** `ktrace compare`: exactly what differs between modes and releases is listed (proxies.md §2.3, kube-proxy.md §9 as issue C states them). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv } from "ajv";
import { ktrace } from "../cli/io.ts";
import { changed, REFERENCE, replace } from "../scenarios/rows.ts";

type Difference = {
  readonly source: string;
  readonly target: { readonly host: string; readonly port?: number; readonly about?: string };
  readonly differs: readonly string[];
  readonly results: readonly { readonly variant: string; readonly verdict: string; readonly reasons: readonly string[] }[];
};
type Document = { readonly summary: { readonly flows: number; readonly differ: number }; readonly changes: readonly Difference[] };

const schema: object = JSON.parse(readFileSync("schema/comparison.schema.json", "utf8"));
const validate = new Ajv({ allErrors: true }).compile(schema);

async function compare(words: string, cwd = REFERENCE): Promise<{ readonly status: number; readonly document: Document }> {
  const { status, stdout, stderr } = await ktrace(["-q", "compare", ...words.split(" "), "-o", "json"], { cwd });
  assert.notEqual(stdout, "", stderr);
  const document: Document = JSON.parse(stdout);
  assert.ok(validate(document), JSON.stringify(validate.errors));
  assert.equal(document.changes.length, document.summary.differ);
  assert.equal(status, document.summary.differ === 0 ? 0 : 1);
  return { status, document };
}

/** What differs, each kind of flow once: its entrance, and how each variant ends it. */
const kinds = ({ changes }: Document): string[] =>
  [
    ...new Set(changes.map(({ target, results }) => `${(target.about ?? "").replace(/^\S+ /, "")}: ${results.map(endOf).join(" | ")}`)),
  ].sort();
const endOf = ({ verdict, reasons }: Difference["results"][number]): string => [verdict, ...reasons].join(" ");

const WRONG = "exits left-topology | rejected service-port-unknown";

test("iptables and nftables on the reference cluster", async () => {
  const { document } = await compare("--modes iptables,nftables");
  assert.deepEqual(kinds(document), [
    `a port it does not have: ${WRONG}`, // the packet follows the routes; nftables rejects
    "address of no Service: exits left-topology | dropped unallocated-cluster-ip",
    "node port: delivered | rejected not-listening",
    `ping: ${WRONG}`,
  ]);
  const nodePorts = document.changes.filter(({ target }) => target.about?.endsWith("node port"));
  // Another address than the node's primary one, and loopback.
  assert.deepEqual([...new Set(nodePorts.map(({ target }) => target.host))].sort(), ["127.0.0.1", "192.168.56.100", "192.168.56.101"]);
  assert.deepEqual(nodePorts[0]?.differs, ["verdict", "backends"]);
});

test("iptables rules of 1.30 and 1.36 mean the same", async () => {
  const { document } = await compare("--kubernetes 1.30,1.36");
  assert.deepEqual(kinds(document), []);
  assert.ok(document.summary.flows > 100);
});

const vipLocal = changed({
  "topology.yaml": replace("  ingressControllers:\n", "  loadBalancers: [{name: cloud, pool: [203.0.113.0/24]}]\n  ingressControllers:\n"),
  "web.yaml": `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, loadBalancerIP: 203.0.113.7, externalIPs: [203.0.113.200], selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080}]}
`,
});

test("nftables of 1.30 and 1.36: a node's own request under policy Local, and free service addresses", async () => {
  const { document } = await compare("--modes nftables --kubernetes 1.30,1.36", vipLocal);
  assert.deepEqual(kinds(document), [
    "address of no Service: exits left-topology | dropped unallocated-cluster-ip",
    "external IP: dropped no-local-endpoints | delivered",
    "load balancer IP: dropped no-local-endpoints | delivered",
  ]);
  for (const { source, target } of document.changes)
    if (target.about?.endsWith(" IP")) assert.equal(source, "node/k8s-node1", "the node without a pod");
});

test("nftables of 1.30 and 1.36 over every kind of Service", async () => {
  const { document } = await compare("--modes nftables --kubernetes 1.30,1.36", "fixtures/services");
  // Services with trafficDistribution differ by the API's release, not by kube-proxy's rules: 1.30 knows it as alpha only.
  const byRelease = document.changes.filter(({ target }) => /^default\/(close|same-node|zonal|nodal)\b/.test(target.about ?? ""));
  assert.ok(byRelease.length > 0);
  const rest = document.changes.filter((change) => !byRelease.includes(change));
  const sources = ["pod/default/peer", "node/k8s-node1", "host/client"];
  assert.deepEqual(
    rest.map(({ source, target, results }) => `${source} ${target.host}: ${results.map(endOf).join(" | ")}`).sort(),
    [
      "node/k8s-node1 203.0.113.25: dropped no-local-endpoints | delivered", // its own request, short-circuited after DNAT
      ...["10.111.255.254", "fd00:96::fffe"].flatMap((host) =>
        sources.map((source) => `${source} ${host}: exits left-topology | dropped unallocated-cluster-ip`),
      ),
    ].sort(),
  );
});

test("ipvs falls back to all endpoints where the others drop", async () => {
  const local = changed({ "tomcat6-service.yaml": replace("externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local") });
  const { document } = await compare("--modes iptables,ipvs --to node1:31160", local);
  assert.deepEqual(
    document.changes.map(({ results }) => results.map(endOf)),
    [["dropped no-local-endpoints", "delivered"]],
  );
});

test("one flow that goes the same way", async () => {
  const { status, stdout } = await ktrace(
    ["compare", "--modes", "iptables,ipvs,nftables", "--to", "10.0.2.5:31160", "--from", "pod/nginx"],
    { cwd: REFERENCE },
  );
  assert.deepEqual([status, stdout], [0, "no difference: 1 flow goes the same way with iptables, ipvs, nftables\n"]);
});

test("text folds sources that fare alike", async () => {
  const { status, stdout } = await ktrace(["-q", "compare", "--modes", "iptables,nftables"], { cwd: REFERENCE });
  assert.equal(status, 1);
  assert.match(
    stdout,
    /^to 10\.96\.246\.235:81, default\/tomcat6 a port it does not have: verdict\n {2}from pod\/.*, node\/k8s-node1\n {2}iptables {2}exits/m,
  );
  assert.match(stdout, /\d+ of \d+ flows differ between iptables, nftables\n$/);
});

for (const [words, why] of [
  ["--modes iptables", /two modes or two releases/],
  ["--modes iptables,nft", /no mode "nft"/],
  ["--kubernetes 1.30,newest", /"newest" is no release/],
  ["--modes iptables,ipvs --to node2", /has no port/],
  ["--modes iptables,ipvs --from pod/nobody", /nobody/],
] as const)
  test(`wrong usage: compare ${words}`, async () => {
    const { status, stderr } = await ktrace(["compare", ...words.split(" ")], { cwd: REFERENCE });
    assert.equal(status, 2);
    assert.match(stderr, why);
  });
