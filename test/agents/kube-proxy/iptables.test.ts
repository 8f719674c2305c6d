import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { programIptables } from "../../../src/agents/kube-proxy/iptables/program.ts";
import { kubeProxySysctls } from "../../../src/agents/kube-proxy/mode.ts";
import { mergeRuleset } from "../../../src/agents/ruleset.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { printRule } from "../../../src/dialects/iptables/print-rule.ts";
import { printIptablesSave } from "../../../src/dialects/iptables-save.ts";
import type { Match, Rule } from "../../../src/linux/netfilter/rule.ts";
import type { IptablesTable } from "../../../src/linux/netfilter/table.ts";
import { cidrContains, type Family } from "../../../src/net/address.ts";
import type { Packet } from "../../../src/net/packet.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { capture, nodeNamed, oracleCases, oracleCluster } from "./oracle.ts";

const tablesOf = (cluster: Cluster, node: string, family: Family): readonly IptablesTable[] =>
  mergeRuleset(programIptables(cluster, nodeNamed(cluster, node), createCauseTable())).tables(family);

let compared = 0;
for (const { name, nodes } of oracleCases) {
  for (const node of nodes) {
    for (const [family, file] of [
      [4, "iptables-save.txt"],
      [6, "ip6tables-save.txt"],
    ] as const) {
      const expected = capture(name, node, file);
      if (expected === undefined) continue;
      compared += 1;
      test(`${name} ${node}: ${file} is what kube-proxy 1.30.3 wrote`, () => {
        const ours = printIptablesSave(tablesOf(oracleCluster(name), node, family), { family });
        assert.equal(inOneOrder(ours), inOneOrder(expected));
      });
    }
    test(`${name} ${node}: sysctls`, () => {
      const cluster = oracleCluster(name);
      const set = kubeProxySysctls(cluster, nodeNamed(cluster, node))["net.ipv4.conf.all.route_localnet"] ?? "0";
      assert.ok(capture(name, node, "sysctl.txt")?.includes(`net.ipv4.conf.all.route_localnet = ${set}\n`));
    });
  }
}
test("all 28 cases were compared", () => assert.deepEqual([oracleCases.length, compared], [28, 43]));

/** kube-proxy walks a hash map of service ports: their blocks in the dispatch chains come in any order, each in a fixed one. */
function inOneOrder(text: string): string {
  const lines = text.split("\n");
  const blockOf = (line: string): string => {
    const dispatch = /^-A (KUBE-SERVICES|KUBE-NODEPORTS|KUBE-EXTERNAL-SERVICES|KUBE-PROXY-FIREWALL) .*--comment "(\S+?)(?=[ "])/.exec(line);
    return dispatch === null || line.includes("NOTE: this must be the last rule") ? "" : `${dispatch[1]} ${dispatch[2]}`;
  };
  const out: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const chain = blockOf(lines[at] ?? "").split(" ")[0];
    let end = at + 1;
    while (chain && blockOf(lines[end] ?? "").split(" ")[0] === chain) end += 1;
    const run = lines.slice(at, end).map((line) => ({ line, block: blockOf(line) }));
    out.push(...run.sort((a, b) => (a.block < b.block ? -1 : a.block > b.block ? 1 : 0)).map(({ line }) => line));
    at = end;
  }
  return out.join("\n");
}

test("dispatch chains: the candidates of a packet are the rules that match it, at their positions", () => {
  for (const { name, nodes } of oracleCases) {
    const [node = ""] = nodes;
    for (const family of [4, 6] as const) {
      for (const table of tablesOf(oracleCluster(name), node, family)) checkDispatch(table);
    }
  }
});

function checkDispatch(table: IptablesTable): void {
  const chains = table.names().flatMap((chain) => table.chain(chain) ?? []);
  const dispatch = chains.filter((chain) => chain.candidates !== undefined);
  if (table.name !== "mangle") assert.ok(dispatch.length >= 2);
  for (const chain of dispatch) {
    const rules = chain.rules();
    fc.assert(
      fc.property(packetNear(rules), (packet) => {
        const found = chain.candidates?.(packet) ?? [];
        for (const { position, rule } of found) assert.equal(rules[position], rule);
        assert.deepEqual(
          found.map(({ position }) => position),
          [...found.map(({ position }) => position)].sort((a, b) => a - b),
        );
        assert.deepEqual(
          found.map(({ rule }) => rule).filter((rule) => couldMatch(rule, packet)),
          rules.filter((rule) => couldMatch(rule, packet)),
        );
      }),
      { numRuns: 200, seed: 1 },
    );
  }
}

/** A packet whose address, port and protocol come from the rules themselves, mixed with ones that no rule has. */
function packetNear(rules: readonly Rule[]): fc.Arbitrary<Packet> {
  const matches = rules.flatMap((rule) => rule.matches);
  const addresses = matches.flatMap((match) => (match.kind === "dst" ? [match.cidr.ip] : []));
  const ports = matches.flatMap((match) => (match.kind === "dport" ? [match.ports.from] : []));
  return fc
    .record({
      dst: fc.constantFrom("10.0.2.5", ...addresses),
      dport: fc.constantFrom<number | string>(1, "mport1", ...ports),
      protocol: fc.constantFrom("tcp" as const, "udp" as const, "sctp" as const, "icmp" as const),
    })
    .map((some) => ({ ...some, family: 4, src: "10.0.2.99", sport: 40000, ttl: 64, segment: { kind: "syn" } }));
}

const couldMatch = (rule: Rule, packet: Packet): boolean => rule.matches.every((match) => holds(match, packet) !== (match.not === true));

function holds(match: Match, packet: Packet): boolean {
  if (match.kind === "dst") return cidrContains(match.cidr, packet.dst);
  if (match.kind === "protocol") return match.protocol === packet.protocol;
  if (match.kind === "dport") return packet.dport === match.ports.from && match.protocol === packet.protocol;
  return match.not !== true; // what does not tell services apart
}

test("a chain is made when it is asked for by name, also when nothing has named it yet", () => {
  const warm = tablesOf(oracleCluster("tomcat6-reference"), "k8s-node2", 4).find(({ name }) => name === "nat");
  const names = warm?.names().filter((name) => name.startsWith("KUBE-SEP-")) ?? [];
  assert.ok(names.length > 3);
  for (const name of names) {
    const cold = tablesOf(oracleCluster("tomcat6-reference"), "k8s-node2", 4).find((table) => table.name === "nat");
    assert.deepEqual(
      cold
        ?.chain(name)
        ?.rules()
        .map((rule) => printRule(rule, name)),
      warm
        ?.chain(name)
        ?.rules()
        .map((rule) => printRule(rule, name)),
    );
  }
  assert.equal(warm?.chain("KUBE-SEP-AAAAAAAAAAAAAAAA"), undefined);
});

test("every rule says who made it, every refusal why", () => {
  const reasons = new Set<string>();
  for (const { name, nodes } of oracleCases) {
    const cluster = oracleCluster(name);
    const causes = createCauseTable();
    for (const part of programIptables(cluster, nodeNamed(cluster, nodes[0] ?? ""), causes)) {
      const own = part.names().flatMap(
        (chain) =>
          part
            .chain(chain)
            ?.rules()
            .map((rule) => ({ chain, rule })) ?? [],
      );
      for (const { chain, rule } of own) {
        const cause = causes.lookup(rule.cause);
        assert.ok(cause, printRule(rule, chain));
        if (/^KUBE-(SVC|SVL|SEP|EXT|FW)-/.test(chain)) assert.ok(cause.object && cause.source, printRule(rule, chain));
        const refuses = rule.target.kind === "drop" || rule.target.kind === "reject";
        assert.equal(rule.reason !== undefined, refuses, printRule(rule, chain));
        if (rule.reason) reasons.add(rule.reason);
      }
    }
  }
  assert.deepEqual([...reasons].sort(), ["invalid-state", "no-endpoints", "no-local-endpoints", "source-range-denied", "spoofed-source"]);
});
