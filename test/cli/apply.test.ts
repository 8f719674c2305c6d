/** `--apply FILE`: what if I apply this to the cluster of the dump? */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isWithin } from "../../src/manifests/apply.ts";
import { workspace } from "../manifests/workspace.ts";
import { ktrace } from "./io.ts";

const DUMP = "fixtures/dumps/kubeadm-flannel.yaml";
const KNOWN = ["10.244.1.7", "10.244.2.5", "10.244.2.6"];
const service = (spec: string): string => `apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: ${spec}\n`;
const deployment = (replicas: string, image = "registry.example/shop/web:2.4.1"): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "${image}", ports: [{name: http, containerPort: 8080}]}]
`;
const NODE_PORT = "curl http://172.20.0.21:30080/";

type Row = {
  readonly name: string;
  readonly apply: string;
  readonly ask?: string;
  readonly verdict?: string;
  readonly pods?: (ips: readonly string[]) => void;
};
const rows: readonly Row[] = [
  { name: "the same again changes nothing", apply: deployment("replicas: 3"), pods: (ips) => assert.deepEqual(ips, KNOWN) },
  { name: "no replicas given: as many as before", apply: deployment("minReadySeconds: 0"), pods: (ips) => assert.deepEqual(ips, KNOWN) },
  {
    name: "two replicas more: those there stay",
    apply: deployment("replicas: 5"),
    pods: (ips) => {
      assert.equal(ips.length, 5);
      assert.ok(KNOWN.every((ip) => ips.includes(ip)));
    },
  },
  {
    name: "fewer: some of those there",
    apply: deployment("replicas: 1"),
    pods: (ips) => {
      assert.equal(ips.length, 1);
      assert.ok(ips.every((ip) => KNOWN.includes(ip)));
    },
  },
  { name: "none: refused", apply: deployment("replicas: 0"), verdict: "rejected no-endpoints" },
  {
    name: "another image: other pods",
    apply: deployment("replicas: 3", "registry.example/shop/web:3.0.0"),
    pods: (ips) => assert.equal(ips.length, 3),
  },
  {
    name: "a Service that selects nothing: its node port is kept, its endpoints are not",
    apply: service("{type: NodePort, selector: {app: wbe}, ports: [{port: 80, targetPort: http}]}"),
    verdict: "rejected no-endpoints",
  },
  {
    name: "a Service with a port where nothing listens",
    apply: service("{type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 9999}]}"),
    verdict: "rejected not-listening",
  },
  {
    name: "a Service that is no NodePort any more",
    apply: service("{selector: {app: web}, ports: [{port: 80, targetPort: http}]}"),
    verdict: "rejected not-listening",
  },
  {
    name: "its cluster address is immutable",
    apply: service("{selector: {app: web}, ports: [{port: 80, targetPort: http}]}"),
    ask: "--from shop/client curl http://10.103.77.41/",
    pods: (ips) => assert.deepEqual(ips, KNOWN),
  },
  {
    name: "a new Service",
    apply: service("{type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30099}]}").replace(
      "name: web",
      "name: more",
    ),
    ask: "curl http://172.20.0.21:30099/",
    pods: (ips) => assert.deepEqual(ips, KNOWN),
  },
  {
    name: "a new pod behind it",
    apply:
      "apiVersion: v1\nkind: Pod\nmetadata: {name: extra, namespace: shop, labels: {app: web}}\nspec: {containers: [{name: c, image: web, ports: [{name: http, containerPort: 8080}]}]}\n",
    pods: (ips) => assert.equal(ips.length, 4),
  },
  {
    name: "a node that is relabelled keeps its addresses",
    apply: "apiVersion: v1\nkind: Node\nmetadata: {name: worker-1, labels: {disk: fast}}\n",
    pods: (ips) => assert.deepEqual(ips, KNOWN),
  },
];
for (const { name, apply, ask = NODE_PORT, verdict = "delivered", pods } of rows) {
  test(name, async (t) => {
    const file = join(workspace(t, { "new.yaml": apply }), "new.yaml");
    const { stdout, stderr } = await ktrace(["-f", DUMP, "--apply", file, "-o", "json", ...ask.split(" ")]);
    const trace = JSON.parse(stdout);
    const [first] = trace.paths ?? [];
    assert.equal(`${trace.verdict}${first?.reason ? ` ${first.reason}` : ""}`, verdict, stderr);
    pods?.(trace.paths.map((path: { readonly destination: { readonly ip: string } }) => path.destination.ip).sort());
    assert.doesNotMatch(stderr, /error|KT007/);
  });
}

test("to a dump on standard input, and after the client's name", async (t) => {
  const file = join(workspace(t, { "new.yaml": deployment("replicas: 0") }), "new.yaml");
  const { stdout } = await ktrace(["-f", "-", "curl", "http://172.20.0.21:30080/", "--apply", file], { stdin: readFileSync(DUMP, "utf8") });
  assert.match(stdout, /no-endpoints/);
});

test("places are those of the file that was applied", async (t) => {
  const cwd = workspace(t, {
    "dump.yaml": readFileSync(DUMP, "utf8"),
    "new.yaml": service("{type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}"),
  });
  const { stdout } = await ktrace(["-f", "dump.yaml", "--apply", "new.yaml", ...NODE_PORT.split(" ")], { cwd });
  assert.match(stdout, /Service shop\/web +new\.yaml:4:/);
});

test("a file that is not there, or has nothing in it: exit 2", async (t) => {
  const cwd = workspace(t, { "a.yaml": service("{ports: [{port: 80}]}"), "empty.yaml": "# nothing\n" });
  for (const file of ["missing.yaml", "empty.yaml"]) {
    const { status, stderr } = await ktrace(["-f", "a.yaml", "--apply", file, "get", "svc"], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(file));
  }
});

test("what is written is in what the API server stored, which has defaults besides", () => {
  assert.ok(isWithin({ a: [{ b: 1 }] }, { a: [{ b: 1, c: 2 }], d: 3 }));
  assert.ok(!isWithin({ a: [{ b: 1 }] }, { a: [{ b: 2 }] }));
  assert.ok(!isWithin({ a: [1] }, { a: [1, 2] }));
  assert.ok(!isWithin({ a: {} }, { a: [] }));
});
