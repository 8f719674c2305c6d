/** The captures of the real kube-proxy 1.30.3 in every mode, verified against the prediction of the same and of another mode. */
import assert from "node:assert/strict";
import test from "node:test";
import { programNetwork } from "../../src/agents/network.ts";
import { createCauseTable } from "../../src/objects/cause.ts";
import { readCaptures } from "../../src/verify/capture.ts";
import { type Verification, verifyNode } from "../../src/verify/verify.ts";
import { capture, type OracleMode, oracleCases, oracleCluster } from "../agents/kube-proxy/oracle.ts";

const notAsked = (): never => assert.fail("nothing was asked");
const NO_APPS = {
  source: notAsked,
  who: notAsked,
  whoHas: notAsked,
  isClusterAddress: notAsked,
  names: notAsked,
  askNameServer: notAsked,
  askOutside: notAsked,
  askProcess: notAsked,
};

function verify(name: string, node: string, mode: OracleMode, text: string): Verification {
  const world = programNetwork(oracleCluster(name, mode), createCauseTable());
  const netns = world.netns(`node/${node}`);
  assert.ok(netns);
  return verifyNode({ world, apps: NO_APPS, startRun: notAsked }, netns, [readCaptures(text, `${node}.txt`)]);
}

const FILE: Readonly<Record<OracleMode, string>> = { iptables: "iptables-save.txt", nftables: "nft.txt", ipvs: "ipvs-iptables-save.txt" };
let compared = 0;
for (const { name, nodes } of oracleCases) {
  for (const node of nodes) {
    for (const mode of ["iptables", "nftables", "ipvs"] as const) {
      const text = capture(name, node, FILE[mode]);
      if (text === undefined) continue;
      test(`${name} ${node} ${mode}: only what kube-proxy does not write is missing`, () => {
        compared += 1;
        const others = verify(name, node, mode, text).differences.filter(
          ({ where, predicted = "" }) => !/KUBE-(FIREWALL|KUBELET|MARK-DROP)/.test(where + predicted),
        );
        assert.deepEqual(others, []);
      });
    }
  }
}
test("captures of all modes were compared", () => assert.ok(compared > 100, String(compared)));

const MODES: readonly { readonly real: OracleMode; readonly predicted: OracleMode }[] = [
  { real: "nftables", predicted: "iptables" },
  { real: "iptables", predicted: "nftables" },
  { real: "ipvs", predicted: "iptables" },
  { real: "iptables", predicted: "ipvs" },
];
for (const { real, predicted } of MODES) {
  test(`mode ${real} where ${predicted} was predicted is named`, () => {
    const done = verify("tomcat6-reference", "k8s-node2", predicted, capture("tomcat6-reference", "k8s-node2", FILE[real]) ?? "");
    assert.equal(done.equal, false);
    const [first] = done.differences;
    assert.match(first?.likely ?? "", new RegExp(`kube-proxy runs in mode ${real}, predicted is ${predicted}`));
  });
}
