import assert from "node:assert/strict";
import { test } from "node:test";
import { programIptables } from "../../../src/agents/kube-proxy/iptables/program.ts";
import { programKubeletIptables } from "../../../src/agents/kubelet/iptables.ts";
import { mergeRuleset } from "../../../src/agents/ruleset.ts";
import { printIptablesSave } from "../../../src/dialects/iptables-save.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { nodeNamed, oracleCluster } from "../kube-proxy/oracle.ts";

test("kubelet and kube-proxy share KUBE-FIREWALL: one jump, one rule, kube-proxy's jumps above it", () => {
  const cluster = oracleCluster("tomcat6-reference");
  const causes = createCauseTable();
  const proxy = programIptables(cluster, nodeNamed(cluster, "k8s-node2"), causes);
  const text = printIptablesSave(mergeRuleset([...programKubeletIptables(causes), ...proxy]).tables(4), { only: "filter" });
  const lines = text.split("\n");
  assert.deepEqual(
    lines.filter((line) => line.startsWith("-A INPUT")).map((line) => line.split(" -j ")[1]),
    ["KUBE-PROXY-FIREWALL", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES", "KUBE-FIREWALL"],
  );
  assert.equal(lines.filter((line) => line.startsWith("-A KUBE-FIREWALL")).length, 1);
});

test("kubelet's part alone", () => {
  const netfilter = mergeRuleset(programKubeletIptables(createCauseTable()));
  assert.match(printIptablesSave(netfilter.tables(4), { only: "mangle" }), /:KUBE-IPTABLES-HINT - \[0:0\]\n:KUBE-KUBELET-CANARY - /);
  assert.match(
    printIptablesSave(netfilter.tables(4), { only: "filter" }),
    /-A INPUT -j KUBE-FIREWALL\n-A OUTPUT -j KUBE-FIREWALL\n-A KUBE-FIREWALL ! -s 127/,
  );
  assert.doesNotMatch(printIptablesSave(netfilter.tables(6), { family: 6 }), /KUBE-FIREWALL/);
});
