/** Kinds that are not modelled are named by the traces that they could change, and by no other. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ktrace } from "./cli/io.ts";

const object = (apiVersion: string, kind: string): string =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x, namespace: shop}\nspec: {}\n`;
const MORE = [
  object("gateway.networking.k8s.io/v1", "HTTPRoute"),
  object("cilium.io/v2", "CiliumNetworkPolicy"),
  object("cilium.io/v2", "CiliumNetworkPolicy"),
  object("metallb.io/v1beta1", "IPAddressPool"),
  object("cert-manager.io/v1", "Issuer"),
].join("");

const rows: readonly { readonly ask: string; readonly says: readonly string[] }[] = [
  { ask: "curl http://172.20.0.21:30080/", says: ["HTTPRoute (gateway.networking.k8s.io)", "CiliumNetworkPolicy (cilium.io)"] },
  { ask: "--from shop/client nc web 80", says: ["CiliumNetworkPolicy (cilium.io)"] },
  { ask: "--from node/worker-1 nc 172.20.0.11 6443", says: [] },
  { ask: "nc 203.0.113.7 80", says: ["IPAddressPool (metallb.io)"] },
];
for (const { ask, says } of rows) {
  test(ask, async () => {
    const stdin = `${readFileSync("fixtures/dumps/kubeadm-flannel.yaml", "utf8")}${MORE}`;
    const { warnings } = JSON.parse((await ktrace(["-f", "-", "-o", "json", ...ask.split(" ")], { stdin })).stdout);
    assert.deepEqual(
      warnings,
      says.map((kind) => `${kind} is in the input and not modelled: it could change this path`),
    );
    const { stdout } = await ktrace(["-f", "-", ...ask.split(" ")], { stdin });
    assert.equal(stdout.split("\n").filter((line) => line.startsWith("Mind: ")).length, says.length);
  });
}
