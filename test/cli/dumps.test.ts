/** Dumps of live clusters without a topology file: what they state is kept, what they cannot state is said to be assumed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseDocument } from "../../src/manifests/yaml/parse.ts";
import { ktrace } from "./io.ts";

const CALM = "fixtures/dumps/kubeadm-flannel.yaml";
const NIGHT = "fixtures/dumps/night.yaml";

test("JSON and YAML of one dump are one cluster", async () => {
  const parsed = parseDocument({ text: readFileSync(CALM, "utf8"), offset: 0 });
  assert.ok("value" in parsed);
  const json = JSON.stringify(parsed.value, null, 4);
  const ask = ["-f", "-", "-o", "json", "-n", "shop", "--from", "pod/client", "curl", "http://web/"];
  const withoutPlaces = (text: string) => JSON.stringify(JSON.parse(text, (key, value) => (key === "at" ? undefined : value)));
  const [ofJson, ofYaml] = [await ktrace(ask, { stdin: json }), await ktrace(ask, { stdin: readFileSync(CALM, "utf8") })];
  assert.equal(withoutPlaces(ofJson.stdout), withoutPlaces(ofYaml.stdout));
  assert.equal(ofJson.stderr, "");
});

test("what a dump cannot state is assumed, with the key that settles it", async () => {
  const { stdout } = await ktrace(["-f", CALM, "-o", "json", "curl", "http://172.20.0.21:30080/"]);
  const { assumed } = JSON.parse(stdout);
  assert.deepEqual(
    assumed.map(({ what, key }: { readonly what: string; readonly key: string }) => `${key}: ${what}`),
    [
      "spec.nodes[].interfaces: node worker-1: interface eth0 with 172.20.0.21/23",
      "spec.nodes[].routes: node worker-1: default route via 172.20.0.1 dev eth0",
      "spec.nodes[].interfaces: node worker-2: interface eth0 with 172.20.1.22/23",
      "spec.nodes[].routes: node worker-2: default route via 172.20.0.1 dev eth0",
      "spec.hosts: host client: an outside machine on the node network",
      "spec.hosts[].interfaces: host client: interface eth0 with 172.20.1.254/23",
    ].filter((line) => assumed.some(({ what }: { readonly what: string }) => line.endsWith(what))),
  );
  assert.ok(assumed.length >= 4);
});

test("the VXLAN device has the MAC that flannel wrote on the node", async () => {
  const { stdout } = await ktrace(["-f", CALM, "exec", "node/worker-1", "--", "bridge", "fdb", "show", "dev", "flannel.1"]);
  assert.match(stdout, /2e:c4:70:9d:aa:63 dst 172\.20\.1\.22/);
});

const ask = async (...words: readonly string[]) => JSON.parse((await ktrace(["-q", "-f", NIGHT, "-o", "json", ...words])).stdout);

test("3 a.m.: slices that contradict the pods are believed, and said", async () => {
  const { stderr } = await ktrace(["-f", NIGHT, "get", "nodes"]);
  const said = stderr.split("\n").filter((line) => line.startsWith("warning[slice-contradicts-pods]"));
  assert.deepEqual(said, [
    "warning[slice-contradicts-pods]: EndpointSlice shop/web-7xk2d lists 10.244.2.6 of Pod shop/web-6d4b9c7f5d-xk4lz, which is not in the input",
    "warning[slice-contradicts-pods]: EndpointSlice shop/web-7xk2d and its siblings do not list the ready Pod shop/web-6d4b9c7f5d-kk7wd (10.244.1.12), which the Service selects",
  ]);
  const { paths } = await ask("curl", "http://172.20.0.21:30080/");
  assert.equal(paths.length, 1); // the stale endpoint alone
});

test("3 a.m.: flannel announces an address of another network: its tunnel leads out", async () => {
  const { verdict, paths } = await ask("curl", "http://172.20.0.21:30080/");
  assert.deepEqual([verdict, paths[0].reason], ["exits", "left-topology"]);
  const { stdout } = await ktrace(["-q", "-f", NIGHT, "exec", "node/worker-2", "--", "ip", "-br", "addr"]);
  assert.match(stdout, /eth0 +UP +10\.0\.2\.15\/24/);
});

test("3 a.m.: the cluster's DNS is in the dump and not ready: none is assumed", async () => {
  const { verdict, paths } = await ask("--from", "shop/client", "curl", "http://web/");
  assert.deepEqual([verdict, paths[0].reason], ["unresolved", "dns-unreachable"]);
});

test("3 a.m.: a container that crash-loops listens on nothing, its pod answers pings", async () => {
  const port = await ask("--from", "shop/client", "nc", "10.244.1.7", "8080");
  assert.deepEqual([port.verdict, port.paths[0].reason], ["rejected", "not-listening"]);
  assert.equal((await ask("--from", "shop/client", "ping", "10.244.1.7")).verdict, "delivered");
});

test("3 a.m.: nodes and pods as they are", async () => {
  const { stdout } = await ktrace(["-q", "-f", NIGHT, "get", "nodes"]);
  assert.match(stdout, /^worker-2 +NotReady /m);
  const pods = await ktrace(["-q", "-f", NIGHT, "get", "pods", "-A"]);
  assert.match(pods.stdout, /coredns-7c5b6d8f9c-vn4tz +0\/1 +Pending/);
  assert.match(pods.stdout, /web-6d4b9c7f5d-9h6rm +\S+ +Terminating/);
});
