/**
 * The real iptables-restore takes what ktrace prints, and the real iptables-save gives it back byte for byte. Needs root,
 * network namespaces and iptables 1.8.9 (nf_tables); fails where they are missing.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { programIptables } from "../../src/agents/kube-proxy/iptables/program.ts";
import { programKubeletIptables } from "../../src/agents/kubelet/iptables.ts";
import { mergeRuleset } from "../../src/agents/ruleset.ts";
import { printIptablesList } from "../../src/dialects/iptables-list.ts";
import { parseIptablesSave, printIptablesSave } from "../../src/dialects/iptables-save.ts";
import { createCauseTable } from "../../src/objects/cause.ts";
import { nodeNamed, oracleCases, oracleCluster } from "../agents/kube-proxy/oracle.ts";

/** What iptables-save prints after iptables-restore took the text, in a network namespace of its own. */
function throughKernel(text: string, family: 4 | 6): string {
  const tool = family === 4 ? "iptables" : "ip6tables";
  const out = execFileSync("unshare", ["--net", "sh", "-c", `${tool}-nft-restore && ${tool}-nft-save`], { input: text, encoding: "utf8" });
  return out
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .replace(/^(:\S+ \S+) \[\d+:\d+\]$/gm, "$1 [0:0]");
}

for (const { name, nodes } of oracleCases) {
  for (const family of [4, 6] as const) {
    test(`${name} ${nodes[0]}: IPv${family} rules of kubelet and kube-proxy pass through the kernel unchanged`, () => {
      const cluster = oracleCluster(name);
      const causes = createCauseTable();
      const parts = [
        ...programKubeletIptables(causes, cluster.version),
        ...programIptables(cluster, nodeNamed(cluster, nodes[0] ?? ""), causes),
      ];
      const text = printIptablesSave(mergeRuleset(parts).tables(family), { family });
      assert.ok(text.split("\n").length > 50);
      assert.equal(throughKernel(text, family), text);
    });
  }
}

/** Forms that nodes' own rules have and kube-proxy has not. */
const FOREIGN = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --sport 68 --dport 67 -j NOTRACK
-A PREROUTING -p tcp -j CT --notrack
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:BAR - [0:0]
:FOO - [0:0]
-A INPUT -i lo -j ACCEPT
-A FORWARD ! -i eth+ ! -o eth1 -j FOO
-A FOO -p icmp -m icmp --icmp-type any -m limit --limit 3/min -j ACCEPT
-A FOO -p tcp -m tcp --sport 1:5 --dport 80 --tcp-flags SYN,RST SYN -j REJECT --reject-with tcp-reset
-A FOO -p tcp -m multiport ! --dports 80,443,100:200 -g BAR
-A FOO -m addrtype --src-type LOCAL --dst-type UNICAST -m state --state NEW,RELATED -j LOG --log-prefix "x \\'y\\': "
-A FOO -m statistic --mode nth --every 3 --packet 2 -m comment --comment "a\\"b\\\\c" -j RETURN
-A FOO -m recent --update --seconds 60 --hitcount 3 --name x --mask 255.255.255.255 --rsource -j DROP
-A FOO -s 10.0.0.0/255.0.255.0 -p gre -m physdev --physdev-is-bridged
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -j DNAT --to-destination 1.2.3.4-1.2.3.9:80-90 --random --persistent
-A PREROUTING -p tcp -j REDIRECT --to-ports 80
-A POSTROUTING -j SNAT --to-source 1.2.3.4 --random-fully
-A POSTROUTING -j MASQUERADE --random
COMMIT
`;

test("foreign rules: read, printed, loaded and saved, still the same", () => {
  const { tables, problems } = parseIptablesSave(FOREIGN, "foreign");
  assert.deepEqual(problems, []);
  assert.equal(printIptablesSave(tables), FOREIGN);
  assert.ok(throughKernel(FOREIGN, 4).includes("*filter"));
  assert.equal(throughKernel(printIptablesSave(tables), 4), FOREIGN);
});

/** What `iptables -L` prints after iptables-restore took the text. */
const listed = (text: string, family: 4 | 6, table: string, flags: readonly string[]): string => {
  const tool = family === 4 ? "iptables" : "ip6tables";
  const script = `${tool}-nft-restore && ${tool}-nft -t ${table} -L ${flags.join(" ")}`;
  return execFileSync("unshare", ["--net", "sh", "-c", script], { input: text, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] });
};

for (const family of [4, 6] as const) {
  test(`iptables -L -n prints what the real one does: IPv${family} rules of kubelet and kube-proxy`, () => {
    for (const name of ["tomcat6-reference", "dual-stack"]) {
      const cluster = oracleCluster(name);
      const causes = createCauseTable();
      const node = nodeNamed(cluster, oracleCases.find((one) => one.name === name)?.nodes[0] ?? "");
      const tables = mergeRuleset([...programKubeletIptables(causes, cluster.version), ...programIptables(cluster, node, causes)]).tables(
        family,
      );
      const text = printIptablesSave(tables, { family });
      for (const table of tables) {
        assert.equal(printIptablesList(table, { family }), listed(text, family, table.name, ["-n"]));
        const all = { verbose: true, lineNumbers: true, exact: true };
        assert.equal(printIptablesList(table, { family, ...all }), listed(text, family, table.name, ["-n", "-v", "-x", "--line-numbers"]));
      }
    }
  });
}

test("iptables -L -n prints what the real one does: foreign rules that the grammar knows", () => {
  const known = FOREIGN.split("\n").filter((line) => !/-m limit|--hitcount|MASQUERADE --random$|255\.0\.255\.0/.test(line));
  const { tables } = parseIptablesSave(known.join("\n"), "foreign");
  for (const table of tables)
    assert.equal(printIptablesList(table, { verbose: true }), listed(known.join("\n"), 4, table.name, ["-n", "-v"]), table.name);
});
