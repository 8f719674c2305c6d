/** ipvs mode against what kube-proxy 1.30.3 asked the kernel for: virtual servers, ipsets, iptables rules, bound addresses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { programIpvs } from "../../../src/agents/kube-proxy/ipvs/program.ts";
import { mergeRuleset } from "../../../src/agents/ruleset.ts";
import { printRule } from "../../../src/dialects/iptables/print-rule.ts";
import { parseIptablesSave, printIptablesSave } from "../../../src/dialects/iptables-save.ts";
import type { IptablesTable } from "../../../src/linux/netfilter/table.ts";
import type { VirtualServer } from "../../../src/linux/virtual-server.ts";
import { familyOf, formatCidr } from "../../../src/net/address.ts";
import { formatSocket } from "../../../src/net/packet.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { capture, nodeNamed, oracleCases, oracleCluster } from "./oracle.ts";

function programOf(name: string, node: string) {
  const cluster = oracleCluster(name, "ipvs");
  return programIpvs(cluster, nodeNamed(cluster, node), createCauseTable());
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The form of ipvs.txt: by text, one paragraph a virtual server. */
function serverText(server: VirtualServer): string {
  const persistent = server.persistentSeconds === undefined ? "" : ` persistent ${server.persistentSeconds}`;
  const head = `${server.protocol.toUpperCase()} ${formatSocket(server.ip, server.port)} sched ${server.scheduler}${persistent}`;
  const reals = server.servers().map(({ ip, port, weight }) => `  -> ${formatSocket(ip, port)} masq weight ${weight}`);
  return [head, ...reals].join("\n");
}

/** The form of ipvs-ipset.txt: `ipset save` without sizes, sorted. */
const setLines = (sets: ReturnType<typeof programOf>["sets"], families: readonly number[]): string[] =>
  [...sets.values()]
    .filter((set) => families.includes(set.name.startsWith("KUBE-6-") ? 6 : 4))
    .flatMap((set) => [
      `create ${set.name} ${set.type} ${set.type === "bitmap:port" ? "range 0-65535" : `family ${set.family === 6 ? "inet6" : "inet"}`}`,
      ...set.members().map((member) => `add ${set.name} ${member}`),
    ]);

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");

let compared = 0;
for (const { name, nodes } of oracleCases) {
  for (const node of nodes) {
    const servers = capture(name, node, "ipvs.txt");
    if (servers === undefined) continue;
    compared += 1;

    test(`${name} ${node}: virtual servers and the addresses of kube-ipvs0`, () => {
      const { ipvs, links } = programOf(name, node);
      const [asked = "", bound = ""] = servers.split("kube-ipvs0 addresses:\n");
      const expected = asked.split(/\n(?! )/).filter((paragraph) => paragraph !== "");
      assert.deepEqual(ipvs.all().map(serverText).sort(byText), expected.sort(byText));
      const addresses = (links[0]?.addresses ?? []).map(({ cidr }) => `  ${formatCidr(cidr)}`);
      assert.deepEqual([...addresses].sort(byText), linesOf(bound).sort(byText));
    });

    test(`${name} ${node}: ipsets`, () => {
      const expected = linesOf(capture(name, node, "ipvs-ipset.txt") ?? "");
      const families = [4, 6].filter((family) =>
        expected.some((line) => line.startsWith("create ") && line.startsWith("create KUBE-6-") === (family === 6)),
      );
      assert.deepEqual(setLines(programOf(name, node).sets, families).sort(byText), [...expected].sort(byText));
    });

    for (const family of [4, 6] as const) {
      const saved = capture(name, node, family === 4 ? "ipvs-iptables-save.txt" : "ipvs-ip6tables-save.txt");
      if (saved === undefined) continue;
      test(`${name} ${node}: iptables rules, IPv${family}`, () => {
        const tables = mergeRuleset(programOf(name, node).parts).tables(family);
        assert.deepEqual(linesOf(printIptablesSave(tables, { family })), linesOf(saved));
      });
    }
  }
}
test("all 28 cases were compared", () => assert.deepEqual([oracleCases.length, compared], [28, 41]));

test("the rules that could not be loaded where the capture was made are those that kube-proxy wrote, chain by chain", () => {
  let seen = 0;
  for (const { name, nodes } of oracleCases) {
    for (const node of nodes) {
      for (const family of [4, 6] as const) {
        const text = capture(name, node, family === 4 ? "ipvs-iptables-restore-input.txt" : "ipvs-ip6tables-restore-input.txt");
        if (text === undefined) continue;
        seen += 1;
        const { tables, problems } = parseIptablesSave(text, "restore", { family });
        assert.deepEqual(problems, []);
        const ours = mergeRuleset(programOf(name, node).parts).tables(family);
        for (const table of tables) {
          const mine = ours.find((one) => one.name === table.name);
          assert.ok(mine);
          assert.deepEqual(ruleLines(mine), ruleLines(table), `${name} ${node} ${table.name}`);
        }
      }
    }
  }
  assert.ok(seen >= 2, `${seen} captures`);
});

const ruleLines = (table: IptablesTable): string[] =>
  table
    .names()
    .filter((chain) => chain.startsWith("KUBE-"))
    .flatMap((chain) => (table.chain(chain)?.rules() ?? []).map((rule) => printRule(rule, chain)));

test("before 1.26 ports of the host are not filtered on Service addresses", () => {
  const cluster = oracleCluster("tomcat6-reference", "ipvs");
  const old = { ...cluster, version: { major: 1, minor: 25, text: "1.25.0" } };
  const filter = mergeRuleset(programIpvs(old, nodeNamed(old, "k8s-node2"), createCauseTable()).parts).tables(4);
  const names = filter.flatMap((table) => table.names());
  assert.ok(!names.some((chain) => chain.startsWith("KUBE-IPVS-")) && names.includes("KUBE-PROXY-FIREWALL"));
});

test("a Service address that another device of the node has is not bound, but served", () => {
  const cluster = oracleCluster("external-ips", "ipvs");
  const node = nodeNamed(cluster, "k8s-node2");
  const { links, ipvs } = programIpvs(cluster, node, createCauseTable(), ["192.168.56.100"]);
  const bound = links[0]?.addresses.map(({ cidr }) => cidr.ip) ?? [];
  assert.ok(bound.includes("198.51.100.10") && !bound.includes("192.168.56.100"));
  assert.equal(familyOf(ipvs.lookup("tcp", "192.168.56.100", 80)?.ip ?? "::"), 4);
});
