/** What kube-proxy up to 1.23 wrote for one Service: the lines that iptables-save shows of it, in order (proxier.go of each release). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { programIptables } from "../../../src/agents/kube-proxy/iptables/program.ts";
import { mergeRuleset } from "../../../src/agents/ruleset.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { parseIptablesSave, printIptablesSave } from "../../../src/dialects/iptables-save.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { nodeNamed, oracleCluster } from "./oracle.ts";

const at = (name: string, minor: number): Cluster => ({
  ...oracleCluster(name),
  version: { major: 1, minor, text: `1.${minor}.0` },
});

function linesOf(cluster: Cluster, node: string, only: "filter" | "nat"): string[] {
  const parts = programIptables(cluster, nodeNamed(cluster, node), createCauseTable());
  return printIptablesSave(mergeRuleset(parts).tables(4), { only }).split("\n");
}

const chains = (lines: readonly string[], pattern: RegExp): string[] => lines.filter((line) => pattern.test(line));

test("1.17: a mark before each jump to KUBE-SVC, endpoints without comments, one rule that masquerades (002's listing)", () => {
  const nat = linesOf(at("tomcat6-reference", 17), "k8s-node2", "nat");
  assert.deepEqual(chains(nat, /tomcat6|^-A KUBE-SVC-FNMHSAEX4CWBRK3A|^-A KUBE-POSTROUTING/), [
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "default/tomcat6:" -m tcp --dport 31160 -j KUBE-MARK-MASQ',
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "default/tomcat6:" -m tcp --dport 31160 -j KUBE-SVC-FNMHSAEX4CWBRK3A',
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully',
    '-A KUBE-SERVICES ! -s 10.244.0.0/16 -d 10.96.246.235/32 -p tcp -m comment --comment "default/tomcat6: cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ',
    '-A KUBE-SERVICES -d 10.96.246.235/32 -p tcp -m comment --comment "default/tomcat6: cluster IP" -m tcp --dport 80 -j KUBE-SVC-FNMHSAEX4CWBRK3A',
    "-A KUBE-SVC-FNMHSAEX4CWBRK3A -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-DI6WLVZUNEL6CIRB",
    "-A KUBE-SVC-FNMHSAEX4CWBRK3A -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-MJH7Z2XVEGGHOBFH",
    "-A KUBE-SVC-FNMHSAEX4CWBRK3A -j KUBE-SEP-NDKR34RFV22EQWYW",
  ]);
});

test("1.23: the marks stand in KUBE-SVC", () => {
  const nat = linesOf(at("tomcat6-reference", 23), "k8s-node2", "nat");
  const ofService = chains(nat, /default\/tomcat6"? (cluster IP)?.*-j KUBE-(SVC|MARK)|--dport 31160/).filter(
    (line) => !line.includes("KUBE-SEP"),
  );
  assert.deepEqual(ofService, [
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "default/tomcat6" -m tcp --dport 31160 -j KUBE-SVC-74O5I7DKKBRLVTFF',
    '-A KUBE-SERVICES -d 10.96.246.235/32 -p tcp -m comment --comment "default/tomcat6 cluster IP" -m tcp --dport 80 -j KUBE-SVC-74O5I7DKKBRLVTFF',
    '-A KUBE-SVC-74O5I7DKKBRLVTFF ! -s 10.244.0.0/16 -d 10.96.246.235/32 -p tcp -m comment --comment "default/tomcat6 cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ',
    '-A KUBE-SVC-74O5I7DKKBRLVTFF -p tcp -m comment --comment "default/tomcat6" -m tcp --dport 31160 -j KUBE-MARK-MASQ',
  ]);
});

test("policy Local: KUBE-XLB, with KUBE-MARK-DROP at its end where no endpoint runs, and no refusal in filter", () => {
  const cluster = at("etp-local-nodeport", 20);
  const nat = linesOf(cluster, "k8s-node1", "nat");
  const text = "default/tomcat6";
  assert.deepEqual(
    chains(nat, /^-A KUBE-(XLB|NODEPORTS)/).map((line) => line.replace(/-[A-Z2-7]{16}/g, "-HASH")),
    [
      `-A KUBE-NODEPORTS -s 127.0.0.0/8 -p tcp -m comment --comment "${text}" -m tcp --dport 31160 -j KUBE-MARK-MASQ`,
      `-A KUBE-NODEPORTS -p tcp -m comment --comment "${text}" -m tcp --dport 31160 -j KUBE-XLB-HASH`,
      '-A KUBE-XLB-HASH -s 10.244.0.0/16 -m comment --comment "Redirect pods trying to reach external loadbalancer VIP to clusterIP" -j KUBE-SVC-HASH',
      `-A KUBE-XLB-HASH -m comment --comment "masquerade LOCAL traffic for ${text} LB IP" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
      `-A KUBE-XLB-HASH -m comment --comment "route LOCAL traffic for ${text} LB IP to service chain" -m addrtype --src-type LOCAL -j KUBE-SVC-HASH`,
      `-A KUBE-XLB-HASH -m comment --comment "${text} has no local endpoints" -j KUBE-MARK-DROP`,
    ],
  );
  assert.deepEqual(chains(linesOf(cluster, "k8s-node1", "filter"), /no local endpoints/), []);
  const served = chains(linesOf(cluster, "k8s-node2", "nat"), /^-A KUBE-XLB/).slice(3);
  assert.match(served[0] ?? "", /--comment "Balancing rule 0 for default\/tomcat6".* -j KUBE-SEP-/);
});

test("balancer addresses: always by KUBE-FW, whose end marks for drop", () => {
  const nat = linesOf(at("lb-basic", 21), "k8s-node2", "nat");
  const firewall = chains(nat, /^-A KUBE-FW-/);
  assert.ok(firewall.length >= 3);
  assert.match(firewall.at(-1) ?? "", /loadbalancer IP" -j KUBE-MARK-DROP$/);
  assert.deepEqual(chains(nat, /KUBE-EXT-|KUBE-SVL-/), []);
});

const jumps = [
  [17, ["INPUT KUBE-SERVICES", "INPUT KUBE-EXTERNAL-SERVICES", "FORWARD KUBE-FORWARD", "FORWARD KUBE-SERVICES", "OUTPUT KUBE-SERVICES"]],
  [
    20,
    [
      "INPUT KUBE-EXTERNAL-SERVICES",
      "FORWARD KUBE-FORWARD",
      "FORWARD KUBE-SERVICES",
      "FORWARD KUBE-EXTERNAL-SERVICES",
      "OUTPUT KUBE-SERVICES",
    ],
  ],
  [
    23,
    [
      "INPUT KUBE-NODEPORTS",
      "INPUT KUBE-EXTERNAL-SERVICES",
      "FORWARD KUBE-FORWARD",
      "FORWARD KUBE-SERVICES",
      "FORWARD KUBE-EXTERNAL-SERVICES",
      "OUTPUT KUBE-SERVICES",
    ],
  ],
] as const;
for (const [minor, expected] of jumps)
  test(`1.${minor}: jumps from the built-in chains of filter`, () => {
    const filter = linesOf(at("tomcat6-reference", minor), "k8s-node2", "filter");
    const found = chains(filter, /^-A (INPUT|FORWARD|OUTPUT) /).map((line) => line.replace(/^-A (\S+) .* -j (\S+)$/, "$1 $2"));
    assert.deepEqual(found, expected);
  });

const external = [
  [17, /-d 198\.51\.100\.\d+\/32 .*-m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j KUBE-SVC-/],
  [21, /-A KUBE-SERVICES ! -s 10\.244\.0\.0\/16 -d 198\.51\.100\.\d+\/32 .* external IP" .*-j KUBE-MARK-MASQ/],
  [22, /-A KUBE-SVC-\S+ ! -s 10\.244\.0\.0\/16 -d 198\.51\.100\.\d+\/32 .* external IP" .*-j KUBE-MARK-MASQ/],
] as const;
for (const [minor, pattern] of external)
  test(`1.${minor}: external IPs`, () => {
    const nat = linesOf(at("external-ips", minor), "k8s-node2", "nat");
    assert.ok(
      nat.some((line) => pattern.test(line)),
      nat.join("\n"),
    );
  });

test("every old form is read back as it was written", () => {
  for (const minor of [17, 19, 21, 23])
    for (const name of ["tomcat6-reference", "lb-basic", "external-ips", "session-affinity"]) {
      const cluster = at(name, minor);
      const parts = programIptables(cluster, nodeNamed(cluster, "k8s-node2"), createCauseTable());
      const text = printIptablesSave(mergeRuleset(parts).tables(4), { family: 4 });
      const { tables, problems } = parseIptablesSave(text, "ours");
      assert.deepEqual(problems, []);
      assert.equal(printIptablesSave(tables, { family: 4 }), text);
    }
});
