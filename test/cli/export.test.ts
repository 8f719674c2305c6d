/**
 * A dump, and the topology that is exported from it with the manifests it was made of, are one cluster: the same traces, but
 * for places, generated names and what is assumed.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openCluster } from "../../src/ktrace.ts";
import { workspace } from "../manifests/workspace.ts";
import { ktrace, type Outcome } from "./io.ts";

const DUMP = "fixtures/dumps/kubeadm-flannel.yaml";
const MANIFESTS = "fixtures/dumps/shop";

const QUESTIONS = [
  "curl http://172.20.0.21:30080/",
  "curl http://172.20.1.22:30080/",
  "--from shop/client curl http://web/",
  "--from shop/client nc db 5432",
  "--from shop/client nc db-0.db 5432",
  "--from shop/client nc legacy 3306",
  "--from shop/client nc 10.103.77.41 81",
  "--from shop/client nc nobody 80",
  "--from shop/web-6d4b9c7f5d-xk4lz nc kubernetes.default 443",
  "--from node/cp-1 curl http://10.103.77.41/",
  "--from node/worker-2 ping 10.244.1.8",
  "nc 172.20.0.11 9999",
];

/** The document without what may differ. */
const comparable = ({ stdout }: Outcome): unknown =>
  JSON.parse(stdout, (key, value) => (key === "at" || key === "assumed" || key === "place" ? undefined : value));

for (const question of QUESTIONS) {
  test(question, async (t) => {
    const exported = await ktrace(["-f", DUMP, "export", "topology"]);
    assert.equal(exported.status, 0, exported.stderr);
    const topology = join(workspace(t, { "topology.yaml": exported.stdout }), "topology.yaml");
    const words = ["-n", "shop", "-o", "json", "-v", ...question.split(" ")];
    const [ofDump, ofExport] = [await ktrace(["-f", DUMP, ...words]), await ktrace(["-f", MANIFESTS, "-t", topology, ...words])];
    assert.equal(ofExport.stderr, "");
    assert.deepEqual(comparable(ofExport), comparable(ofDump));
    assert.equal(ofExport.status, ofDump.status);
  });
}

test("an export of an export is itself", async (t) => {
  const first = await ktrace(["-f", DUMP, "export", "topology"]);
  const topology = join(workspace(t, { "topology.yaml": first.stdout }), "topology.yaml");
  const second = await ktrace(["-f", MANIFESTS, "-t", topology, "export", "topology"]);
  assert.equal(second.stdout, first.stdout);
});

test("manifests alone are exported as they were decided", (t) => {
  const alone = openCluster({ files: [MANIFESTS], cwd: process.cwd() });
  assert.equal(alone.cluster.pods.length > 0, true);
  return ktrace(["-f", MANIFESTS, "export", "topology"]).then(({ stdout }) => {
    const topology = join(workspace(t, { "topology.yaml": stdout }), "topology.yaml");
    const again = openCluster({ files: [MANIFESTS], topology, cwd: process.cwd() });
    const rows = ({ cluster }: typeof alone) => [
      cluster.pods.map(({ name, node, ips }) => [name, node, ips]),
      cluster.services.map(({ name, clusterIPs, ports }) => [name, clusterIPs, ports]),
    ];
    assert.deepEqual(rows(again), rows(alone));
  });
});

const mistakes = [
  { words: ["export"], says: /what is to be exported/ },
  { words: ["export", "trace"], says: /what is to be exported/ },
  { words: ["export", "topology", "-o", "text"], says: /one of yaml, json/ },
];
for (const { words, says } of mistakes)
  test(words.join(" "), async () => {
    const { status, stderr } = await ktrace(["-f", DUMP, ...words]);
    assert.equal(status, 2);
    assert.match(stderr, says);
  });
