import assert from "node:assert/strict";
import { test } from "node:test";
import { programNftables } from "../../../src/agents/kube-proxy/nftables/program.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { printNftTable } from "../../../src/dialects/nft.ts";
import type { NftTable } from "../../../src/linux/netfilter/nft.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { capture, nodeNamed, oracleCases, oracleCluster } from "./oracle.ts";

const tablesOf = (cluster: Cluster, node: string): readonly NftTable[] =>
  programNftables(cluster, nodeNamed(cluster, node), createCauseTable());

let compared = 0;
for (const { name, nodes } of oracleCases) {
  for (const node of nodes) {
    const expected = capture(name, node, "nft.txt");
    if (expected === undefined) continue;
    compared += 1;
    test(`${name} ${node}: nft.txt is what kube-proxy 1.30.3 wrote`, () => {
      const captured = tablesOf(oracleCluster(name, "nftables"), node).filter(({ family }) => expected.includes(`table ${family} `));
      const ours = captured.map(printNftTable).join("");
      assert.equal(inOneOrder(ours), inOneOrder(expected));
    });
  }
}
test("all 28 cases were compared", () => assert.deepEqual([oracleCases.length, compared], [28, 41]));

/** kube-proxy walks a hash map of service ports: their chains and affinity sets come in any order, each block whole. */
function inOneOrder(text: string): string {
  return text
    .split(/(?=^table )/m)
    .map((table) => {
      const blocks = table.split(/(?=^\t(?:chain|set|map) )/m).map((block) => block.replace(/\n\n$|\n}\n$/, "\n"));
      const ofPorts = blocks.filter(isOfPort).sort();
      return [...blocks.filter((block) => !isOfPort(block)), ...ofPorts].join("\n");
    })
    .join("");
}

const isOfPort = (block: string): boolean => /^\t(chain|set) (service|local|external|firewall|endpoint|affinity)-[A-Z2-7]{8}-/.test(block);
