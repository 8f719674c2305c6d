/**
 * What a real kernel did with real packets under the rules of the real kube-proxy (packets.json), predicted from the captured
 * rules and from ours: outcome, endpoints reached, source addresses.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { programIptables } from "../../../src/agents/kube-proxy/iptables/program.ts";
import { programNftables } from "../../../src/agents/kube-proxy/nftables/program.ts";
import { mergeRuleset } from "../../../src/agents/ruleset.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { parseIptablesSave } from "../../../src/dialects/iptables-save.ts";
import { parseNft } from "../../../src/dialects/nft/read-table.ts";
import type { NftTable } from "../../../src/linux/netfilter/nft.ts";
import type { Netfilter } from "../../../src/linux/netfilter/table.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { capture, nodeNamed, oracleCases, oracleCluster } from "./oracle.ts";
import { type Flow, inOrder, standIn, type Translated } from "./stand-in.ts";

type Mode = "iptables" | "nftables";

const RULES: Readonly<Record<Mode, Readonly<Record<"captured" | "ours", (name: string, cluster: Cluster, node: string) => Netfilter>>>> = {
  iptables: {
    captured: (name, _cluster, node) => {
      const { tables, problems } = parseIptablesSave(capture(name, node, "iptables-save.txt") ?? "", "capture");
      assert.deepEqual(problems, []);
      return { tables: (family) => (family === 4 ? tables : []) };
    },
    ours: (_name, cluster, node) => mergeRuleset(programIptables(cluster, nodeNamed(cluster, node), createCauseTable())),
  },
  nftables: {
    captured: (name, _cluster, node) => {
      const { tables, problems } = parseNft(capture(name, node, "nft.txt") ?? "", "capture");
      assert.deepEqual(problems, []);
      return withNft(tables);
    },
    ours: (_name, cluster, node) => withNft(programNftables(cluster, nodeNamed(cluster, node), createCauseTable())),
  },
};

const withNft = (tables: readonly NftTable[]): Netfilter => ({
  tables: () => [],
  nft: (family) => tables.filter((table) => table.family === (family === 4 ? "ip" : "ip6")),
});

let flows = 0;
for (const { name, nodes } of oracleCases) {
  for (const node of nodes) {
    const text = capture(name, node, "packets.json");
    if (text === undefined) continue;
    const packets: Readonly<Record<Mode, readonly Flow[]>> = JSON.parse(text);
    for (const mode of ["iptables", "nftables"] as const) {
      for (const rules of ["captured", "ours"] as const) {
        test(`${name} ${node}: packets through ${rules} ${mode} rules`, () => {
          const cluster = oracleCluster(name, mode);
          const { send } = standIn(name, cluster, node, RULES[mode][rules](name, cluster, node));
          for (const flow of packets[mode]) {
            flows += 1;
            const sent = send(flow.from, flow.to);
            const claim = `${flow.from} -> ${flow.to}`;
            assert.deepEqual(sent.outcomes, outcomesOf(flow), claim);
            const seen = inOrder(flow.connections ?? []);
            const predicted = sent.connections.filter((one) => !wasAbsent(name, node, one));
            // An affinity keeps a client at one endpoint, whichever came first: only that one is in the list.
            if (name === "session-affinity")
              assert.ok(
                seen.every((one) => sent.connections.some((own) => same(one, own))),
                claim,
              );
            else assert.deepEqual(predicted, seen, claim);
          }
        });
      }
    }
  }
}
test("every flow of every packets.json was walked twice", () => assert.equal(flows, 2 * 222));

/** Where one endpoint is a closed port of the node itself, that arm is refused and leaves no connection. */
const outcomesOf = (flow: Flow): readonly Flow["outcome"][] => (flow.note === undefined ? [flow.outcome] : ["refused", flow.outcome]);

const same = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * The stand-in of this one node had no pod 10.244.2.10: a packet that br_netfilter sends on to it over the same bridge waits
 * for ARP before POSTROUTING (br_nf_pre_routing_finish_bridge), so it left no connection. Routed ones passed it before ARP.
 */
const wasAbsent = (name: string, node: string, { src, dnat }: Translated): boolean =>
  name === "tomcat6-reference" && node === "k8s-node3" && src.startsWith("10.244.2.") && dnat === "10.244.2.10:8080";
