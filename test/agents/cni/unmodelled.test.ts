/** A network plugin that is known by name only: what meets its pods is unknown, with its name; the rest is traced as ever. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { notModelledText } from "../../../src/agents/cni/unmodelled.ts";
import { ktrace } from "../../cli/io.ts";

const KIND = "fixtures/dumps/kind.json";
const UNKNOWN = "unknown not-modelled: the network plugin kindnet is not modelled: how packets get from and to its pods is not known";

const rows: readonly { readonly name: string; readonly ask: string; readonly says: string }[] = [
  { name: "pod to a Service", ask: "--from pod/echo nc 10.96.88.9 9100", says: UNKNOWN },
  { name: "pod to its node", ask: "--from pod/echo nc 172.18.0.2 9100", says: UNKNOWN },
  { name: "pod asks the cluster's DNS", ask: "--from pod/echo nc agent 9100", says: UNKNOWN },
  { name: "pod, dig", ask: "--from pod/echo dig agent", says: UNKNOWN },
  { name: "pod to itself", ask: "--from pod/echo nc localhost 8080", says: "delivered null" },
  { name: "node to a pod", ask: "--from node/kind-worker nc 10.244.1.3 8080", says: UNKNOWN },
  { name: "outside by a node port to a pod", ask: "nc 172.18.0.2 31380", says: UNKNOWN },
  { name: "a hostPort", ask: "nc 172.18.0.2 8088", says: UNKNOWN.replace("the network", "hostPort 8088: the network") },
  { name: "outside to a hostNetwork pod", ask: "nc 172.18.0.2 9100", says: "delivered null" },
  { name: "node by a Service to a hostNetwork pod", ask: "--from node/kind-worker nc 10.96.88.9 9100", says: "delivered null" },
  { name: "node to the API server by its Service", ask: "--from node/kind-worker nc 10.96.0.1 443", says: "delivered null" },
];
for (const { name, ask, says } of rows) {
  test(name, async () => {
    const { stdout } = await ktrace(["-f", KIND, "-o", "jsonl", ...ask.split(" ")]);
    const paths = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === "Path");
    assert.deepEqual(
      paths.map(({ verdict, reason, text }) => (reason === null ? `${verdict} null` : `${verdict} ${reason}: ${text}`)),
      [says],
    );
  });
}

test("which names are known, and what is said of them", () => {
  const text = (plugin: string, backend?: string) =>
    notModelledText({ plugin, ...(backend === undefined ? {} : { backend }) }, ["flannel", "bridge"]);
  assert.equal(text("flannel", "vxlan"), undefined);
  assert.equal(text("calcio"), undefined); // no such plugin: wrong usage
  assert.match(text("flannel", "wireguard") ?? "", /^flannel's backend wireguard is not modelled/);
  assert.match(text("cilium") ?? "", /^the network plugin cilium is not modelled/);
  assert.match(text("calico+flannel") ?? "", /^calico and flannel are both installed/);
  assert.match(text("unrecognised") ?? "", /spec\.cni\.plugin/);
});
