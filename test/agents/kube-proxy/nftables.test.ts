import assert from "node:assert/strict";
import { test } from "node:test";
import { programNftables } from "../../../src/agents/kube-proxy/nftables/program.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { printNftTable } from "../../../src/dialects/nft.ts";
import type { NftTable } from "../../../src/linux/netfilter/nft.ts";
import type { Netfilter } from "../../../src/linux/netfilter/table.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { capture, nodeNamed, oracleCases, oracleCluster } from "./oracle.ts";
import { type Flow, standIn } from "./stand-in.ts";

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

const current = (cluster: Cluster): Cluster => ({
  ...cluster,
  version: { major: 1, minor: 36, text: "1.36" },
  serviceCIDRs: [{ ip: "10.96.0.0", length: 12 }],
});
const withNft = (tables: readonly NftTable[]): Netfilter => ({
  tables: () => [],
  nft: (family) => tables.filter((table) => table.family === (family === 4 ? "ip" : "ip6")),
});

/** The flows of 1.36, seen on a real kernel with its rules, beside what 1.30 did with the same. Endpoints: 1 here, 2 elsewhere. */
const flows = [
  { name: "pod to cluster IP", from: "pod", to: "10.96.246.235:80", ends: "sent", snat: [null] },
  {
    name: "a pod to itself through its Service",
    from: "endpoint 10.244.1.11",
    to: "10.96.246.235:80",
    ends: "sent",
    snat: ["10.244.1.1", null],
  },
  { name: "node to cluster IP", from: "node", to: "10.96.246.235:80", ends: "sent", snat: ["10.244.1.0", "10.244.1.1"] },
  { name: "outside to cluster IP", from: "outside", to: "10.96.246.235:80", ends: "sent", snat: ["10.244.1.0", "10.244.1.1"] },
  { name: "outside to node port", from: "outside", to: "10.0.2.5:31160", ends: "sent", snat: ["10.244.1.0", "10.244.1.1"] },
  { name: "pod to node port", from: "pod", to: "10.0.2.5:31160", ends: "sent", snat: ["10.244.1.0", "10.244.1.1"] },
  { name: "node to its node port", from: "node", to: "10.0.2.5:31160", ends: "sent", snat: ["10.244.1.0", "10.244.1.1"] },
  { name: "node port on loopback", from: "node", to: "127.0.0.1:31160", ends: "refused" },
  { name: "node port on another address", from: "pod", to: "10.244.1.1:31160", ends: "refused" },
  { name: "a port that no Service has", from: "pod", to: "10.96.246.235:81", ends: "refused" },
  { name: "a port that no Service has, from the node", from: "node", to: "10.96.246.235:81", ends: "refused" },
  { name: "an address that no Service has", from: "pod", to: "10.96.7.7:80", ends: "dropped", in130: "sent" },
  { name: "an address that no Service has, from the node", from: "node", to: "10.96.7.7:80", ends: "dropped", in130: "sent" },
] as const;
for (const { name, from, to, ends, ...row } of flows)
  test(`1.36, ${name}: ${ends}`, () => {
    const captured = oracleCluster("tomcat6-reference", "nftables");
    const sendIn = (cluster: Cluster) =>
      standIn("tomcat6-reference", cluster, "k8s-node2", withNft(tablesOf(cluster, "k8s-node2"))).send(from, to);
    const sent = sendIn(current(captured));
    assert.deepEqual(sent.outcomes, [ends]);
    if ("snat" in row) assert.deepEqual([...new Set(sent.connections.map(({ snat }) => snat))].sort(byText), row.snat);
    assert.deepEqual(sendIn(captured).outcomes, ["in130" in row ? row.in130 : ends]);
  });

const byText = (a: string | null, b: string | null): number => (String(a) < String(b) ? -1 : 1);

test("1.36: the node's own request to an external IP under policy Local reaches an endpoint elsewhere, which 1.30 drops", () => {
  const captured = oracleCluster("external-ips", "nftables");
  const outcomes = [captured, current(captured)].map((cluster) => {
    const node = standIn("external-ips", cluster, "k8s-node2", withNft(tablesOf(cluster, "k8s-node2")));
    return [...node.send("node", "198.51.100.11:81").outcomes, ...node.send("outside", "198.51.100.11:81").outcomes];
  });
  assert.deepEqual(outcomes, [
    ["dropped", "dropped"],
    ["sent", "dropped"],
  ]);
});

/** Where the two forms do not differ, the real kernel's answers to the rules of 1.30 hold for those of 1.36 too. */
test("1.36: the flows of packets.json go as in 1.30, but for the two that changed", () => {
  const differing: string[] = [];
  for (const { name, nodes } of oracleCases)
    for (const node of nodes) {
      const text = capture(name, node, "packets.json");
      if (text === undefined) continue;
      const cluster = current(oracleCluster(name, "nftables"));
      const { send } = standIn(name, cluster, node, withNft(tablesOf(cluster, node)));
      const packets: { readonly nftables: readonly Flow[] } = JSON.parse(text);
      for (const flow of packets.nftables) {
        const sent = send(flow.from, flow.to);
        const missing = (flow.connections ?? []).filter(
          (one) => !sent.connections.some((own) => JSON.stringify(own) === JSON.stringify(one)),
        );
        if (!sent.outcomes.includes(flow.outcome) || missing.length > 0) differing.push(`${name} ${node}: ${flow.from} -> ${flow.to}`);
      }
    }
  assert.deepEqual(differing, DIFFERING);
});

/** The node's own request under policy Local without a local endpoint: newer filter-output runs after DNAT. */
const DIFFERING: readonly string[] = [
  "external-ips k8s-node2: node -> 198.51.100.11:81",
  "lb-etp-local-health k8s-node1: node -> 203.0.113.30:80",
];

test("the rules explain themselves: the reason and the object of a refusal, the pod of an endpoint", () => {
  for (const release of [oracleCluster, (name: string, mode: "nftables") => current(oracleCluster(name, mode))] as const) {
    const cluster = release("etp-local-nodeport", "nftables");
    const causes = createCauseTable();
    const tables = programNftables(cluster, nodeNamed(cluster, "k8s-node1"), causes);
    const node = standIn("etp-local-nodeport", cluster, "k8s-node1", withNft(tables));
    const [dropped] = node.send("outside", "10.0.2.4:31160").journeys.map(({ end }) => end);
    assert.ok(dropped?.kind === "dropped" && dropped.because);
    assert.equal(dropped.reason, "no-local-endpoints");
    assert.equal(causes.lookup(dropped.because.rule.cause)?.object?.name, "tomcat6");
    const steps = node.send("pod", "10.96.246.235:80").journeys.map(({ hops }) => hops.flatMap((hop) => hop.steps));
    for (const path of steps) {
      const nat = path.find((step) => step.kind === "nat");
      assert.ok(nat?.kind === "nat");
      const roles = nat.because.map(({ rule }) => causes.lookup(rule.cause)?.role);
      assert.ok(roles.includes("cluster-ip") && roles.includes("endpoint"), roles.join());
    }
  }
});

const releases = [
  { minor: 30, perEndpoint: true, dropsUnallocated: false, filtersAfterDnat: false },
  { minor: 33, perEndpoint: true, dropsUnallocated: true, filtersAfterDnat: false },
  { minor: 34, perEndpoint: true, dropsUnallocated: true, filtersAfterDnat: true },
  { minor: 35, perEndpoint: true, dropsUnallocated: true, filtersAfterDnat: true },
  { minor: 36, perEndpoint: false, dropsUnallocated: true, filtersAfterDnat: true },
] as const;
for (const { minor, perEndpoint, dropsUnallocated, filtersAfterDnat } of releases)
  test(`1.${minor}: chains of endpoints ${perEndpoint}, unallocated addresses dropped ${dropsUnallocated}`, () => {
    const cluster = { ...current(oracleCluster("tomcat6-reference", "nftables")), version: { major: 1, minor, text: `1.${minor}` } };
    const [table] = tablesOf(cluster, "k8s-node2");
    assert.ok(table);
    const text = printNftTable(table);
    assert.equal(
      table.chainNames().some((name) => name.startsWith("endpoint-")),
      perEndpoint,
    );
    assert.equal(text.includes('ip daddr 10.96.0.0/12 drop comment "Drop traffic to unallocated ClusterIPs"'), dropsUnallocated);
    assert.equal(text.includes("set hairpin-connections {"), !perEndpoint);
    assert.equal(text.includes("chain filter-output-pre-dnat {"), filtersAfterDnat);
    assert.equal(text.includes("chain filter-output-post-dnat {"), !filtersAfterDnat);
  });

const detection = [
  { mode: "InterfaceNamePrefix", minor: 30, tables: 0, asks: "" },
  { mode: "InterfaceNamePrefix", minor: 33, tables: 0, asks: "" },
  { mode: "InterfaceNamePrefix", minor: 34, tables: 2, asks: 'iifname != "veth*"' },
  { mode: "InterfaceNamePrefix", minor: 36, tables: 2, asks: 'iifname != "veth*"' },
  { mode: "BridgeInterface", minor: 30, tables: 2, asks: 'iif != "cni0"' },
  { mode: "BridgeInterface", minor: 36, tables: 2, asks: 'iifname != "cni0"' },
] as const;
for (const { mode, minor, tables, asks } of detection)
  test(`detectLocalMode ${mode} at 1.${minor}: ${asks || "nft refuses the whole transaction"}`, () => {
    const captured = oracleCluster("tomcat6-reference", "nftables");
    const detectLocal = { bridgeInterface: "cni0", interfaceNamePrefix: "veth" };
    const kubeProxy = { ...captured.kubeProxy, detectLocalMode: mode, detectLocal };
    const made = tablesOf({ ...captured, kubeProxy, version: { major: 1, minor, text: `1.${minor}` } }, "k8s-node2");
    assert.equal(made.length, tables);
    assert.ok(made.map(printNftTable).join("").includes(asks));
  });

test("nodePortAddresses 0.0.0.0/0: every address but loopback, and no set", () => {
  const captured = oracleCluster("tomcat6-reference", "nftables");
  const cluster = { ...captured, kubeProxy: { ...captured.kubeProxy, nodePortAddresses: ["0.0.0.0/0"] } };
  const text = tablesOf(cluster, "k8s-node2").map(printNftTable).join("");
  assert.ok(text.includes("fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports"));
  assert.ok(!text.includes("set nodeport-ips {\n\t\ttype ipv4_addr"));
  const node = standIn("tomcat6-reference", cluster, "k8s-node2", withNft(tablesOf(cluster, "k8s-node2")));
  assert.deepEqual(node.send("outside", "192.168.56.101:31160").outcomes, ["sent"]);
  assert.deepEqual(node.send("node", "127.0.0.1:31160").outcomes, ["refused"]);
});
