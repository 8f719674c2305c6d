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
  const text = printIptablesSave(mergeRuleset([...programKubeletIptables(causes, cluster.version), ...proxy]).tables(4), {
    only: "filter",
  });
  const lines = text.split("\n");
  assert.deepEqual(
    lines.filter((line) => line.startsWith("-A INPUT")).map((line) => line.split(" -j ")[1]),
    ["KUBE-PROXY-FIREWALL", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES", "KUBE-FIREWALL"],
  );
  assert.equal(lines.filter((line) => line.startsWith("-A KUBE-FIREWALL")).length, 1);
});

const release = (minor: number) => ({ major: 1, minor, text: `1.${minor}` });

test("up to 1.26 kubelet marks for drop, and drops what is marked on its way in and out", () => {
  for (const [minor, has] of [
    [26, true],
    [27, false],
  ] as const) {
    const netfilter = mergeRuleset(programKubeletIptables(createCauseTable(), release(minor)));
    for (const family of [4, 6] as const) {
      const text = printIptablesSave(netfilter.tables(family), { family });
      assert.equal(text.includes("-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000\n"), has);
      assert.equal(/-A INPUT -j KUBE-FIREWALL\n[\s\S]*-A KUBE-FIREWALL .* -m mark --mark 0x8000\/0x8000 -j DROP\n/.test(text), has);
    }
  }
});

test("kubelet's part alone", () => {
  const netfilter = mergeRuleset(programKubeletIptables(createCauseTable(), release(36)));
  assert.match(printIptablesSave(netfilter.tables(4), { only: "mangle" }), /:KUBE-IPTABLES-HINT - \[0:0\]\n:KUBE-KUBELET-CANARY - /);
  assert.match(
    printIptablesSave(netfilter.tables(4), { only: "filter" }),
    /-A INPUT -j KUBE-FIREWALL\n-A OUTPUT -j KUBE-FIREWALL\n-A KUBE-FIREWALL ! -s 127/,
  );
  assert.doesNotMatch(printIptablesSave(netfilter.tables(6), { family: 6 }), /KUBE-FIREWALL/);
});
