/**
 * The real nft takes what ktrace prints, and `nft list ruleset` gives it back byte for byte. Needs root, network namespaces
 * and nft 1.0.6; fails where they are missing.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { programNftables } from "../../src/agents/kube-proxy/nftables/program.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { parseNft } from "../../src/dialects/nft/read-table.ts";
import { printNftRuleset } from "../../src/dialects/nft.ts";
import { createCauseTable } from "../../src/objects/cause.ts";
import { nodeNamed, oracleCases, oracleCluster } from "../agents/kube-proxy/oracle.ts";

/** What `nft list ruleset` prints after `nft -f` took the text, in a network namespace of its own. */
const throughKernel = (text: string): string =>
  execFileSync("unshare", ["--net", "sh", "-c", "ip link add eth9 type veth peer name eth10 && nft -f - && nft list ruleset"], {
    input: text,
    encoding: "utf8",
  });

const releases = [
  ["1.30", 30],
  ["1.36", 36],
] as const;

for (const { name, nodes } of oracleCases) {
  for (const [text, minor] of releases) {
    test(`${name} ${nodes[0]}: rules of ${text} pass through the kernel unchanged`, () => {
      const captured = oracleCluster(name, "nftables");
      const cluster: Cluster = { ...captured, version: { major: 1, minor, text }, serviceCIDRs: [{ ip: "10.96.0.0", length: 12 }] };
      const ours = printNftRuleset(programNftables(cluster, nodeNamed(cluster, nodes[0] ?? ""), createCauseTable()));
      assert.ok(ours.split("\n").length > 100);
      assert.equal(throughKernel(ours), ours);
    });
  }
}

test("foreign rules: read, printed, loaded and listed, still the same", () => {
  const text = readFileSync("test/dialects/foreign.nft", "utf8");
  assert.equal(throughKernel(printNftRuleset(parseNft(text, "foreign.nft").tables)), text);
});
