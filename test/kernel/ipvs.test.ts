/**
 * The parts of ipvs mode that this kernel has, ipset and iptables: the real tools take what ktrace prints and give it back.
 * Needs root, network namespaces, ipset 7 and iptables 1.8.9. The one rule with `-m ipvs` is left out: no kernel module here.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { programIpvs } from "../../src/agents/kube-proxy/ipvs/program.ts";
import { programUserspace } from "../../src/agents/kube-proxy/userspace/program.ts";
import { mergeRuleset } from "../../src/agents/ruleset.ts";
import { parseIpset, printIpsetList, printIpsetSave } from "../../src/dialects/ipset.ts";
import { printIptablesSave } from "../../src/dialects/iptables-save.ts";
import type { IpSet } from "../../src/linux/netfilter/table.ts";
import { createCauseTable } from "../../src/objects/cause.ts";
import { nodeNamed, oracleCases, oracleCluster } from "../agents/kube-proxy/oracle.ts";

const SEPARATOR = "---8<---\n";

/** What the tools print after they took the sets and then the rules of both families, in a network namespace of its own. */
function throughKernel(
  sets: string,
  rules: Readonly<Record<4 | 6, string>>,
): { readonly save: string; readonly list: string; readonly rules: Readonly<Record<4 | 6, string>> } {
  const script = [
    'printf "%s" "$SETS" | ipset restore',
    'printf "%s" "$RULES4" | iptables-nft-restore',
    'printf "%s" "$RULES6" | ip6tables-nft-restore',
    ...["ipset save", "ipset list", "iptables-nft-save", "ip6tables-nft-save"].flatMap((command) => [
      command,
      `printf '%s' '${SEPARATOR}'`,
    ]),
  ].join(" && ");
  const env = { ...process.env, SETS: sets, RULES4: rules[4], RULES6: rules[6] };
  const out = execFileSync("unshare", ["--net", "sh", "-c", script], { encoding: "utf8", env }).split(SEPARATOR);
  const clean = (text = "") =>
    text
      .split("\n")
      .filter((line) => !line.startsWith("#"))
      .join("\n")
      .replace(/^(:\S+ \S+) \[\d+:\d+\]$/gm, "$1 [0:0]");
  return { save: out[0] ?? "", list: out[1] ?? "", rules: { 4: clean(out[2]), 6: clean(out[3]) } };
}

const plain = (sets: readonly IpSet[]) =>
  [...sets]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, type, family, members }) => ({ name, type, family, members: members() }));
const withoutIpvsMatch = (text: string): string => text.replace(/^.* -m ipvs .*\n/gm, "");

for (const { name, nodes } of oracleCases) {
  test(`${name} ${nodes[0]}: ipsets and rules of ipvs mode pass through the kernel unchanged`, () => {
    const cluster = oracleCluster(name, "ipvs");
    const { parts, sets } = programIpvs(cluster, nodeNamed(cluster, nodes[0] ?? ""), createCauseTable());
    const all = [...sets.values()];
    const merged = mergeRuleset(parts);
    const rules = {
      4: withoutIpvsMatch(printIptablesSave(merged.tables(4), { family: 4 })),
      6: withoutIpvsMatch(printIptablesSave(merged.tables(6), { family: 6 })),
    };
    const real = throughKernel(printIpsetSave(all), rules);
    assert.deepEqual(real.rules, rules);
    for (const text of [real.save, real.list]) {
      const { sets: read, problems } = parseIpset(text);
      assert.deepEqual([problems, plain(read)], [[], plain(all)]);
    }
    // Line for line, but for what is drawn at random and the order of members.
    const lines = (text: string) =>
      text
        .split("\n")
        .map((line) => line.replace(/ bucketsize 12 initval 0x[0-9a-f]+$/, ""))
        .sort();
    assert.deepEqual(lines(printIpsetSave(all)), lines(real.save));
    assert.deepEqual(lines(printIpsetList(all)), lines(real.list.replace(/^(Revision|Size in memory|References): .*\n/gm, "")));
  });
}

test("the rules of userspace mode pass through the kernel unchanged", () => {
  let seen = 0;
  for (const { name, nodes } of oracleCases) {
    const cluster = { ...oracleCluster(name), version: { major: 1, minor: 20, text: "1.20.2" } };
    const merged = mergeRuleset(programUserspace(cluster, nodeNamed(cluster, nodes[0] ?? ""), createCauseTable()));
    const rules = { 4: printIptablesSave(merged.tables(4), { family: 4 }), 6: printIptablesSave(merged.tables(6), { family: 6 }) };
    assert.deepEqual(throughKernel("", rules).rules, rules, name);
    seen += rules[4].length + rules[6].length;
  }
  assert.ok(seen > 10_000);
});
