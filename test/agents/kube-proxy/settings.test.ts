/** Settings and releases that the oracle has no capture of: what follows from pkg/proxy in their releases. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ProgramOptions, programIptables } from "../../../src/agents/kube-proxy/iptables/program.ts";
import { kubeProxySysctls, programKubeProxy } from "../../../src/agents/kube-proxy/mode.ts";
import { servicePortHash } from "../../../src/agents/kube-proxy/names.ts";
import { mergeRuleset } from "../../../src/agents/ruleset.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { printRule } from "../../../src/dialects/iptables/print-rule.ts";
import type { Family } from "../../../src/net/address.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import type { KubeProxySettings } from "../../../src/objects/topology.ts";
import { nodeNamed, oracleCluster } from "./oracle.ts";

type Change = { readonly settings?: KubeProxySettings; readonly minor?: number; readonly liberal?: boolean; readonly case?: string };

function changed({ settings = {}, minor = 30, liberal = false, case: name = "tomcat6-reference" }: Change): Cluster {
  const cluster = oracleCluster(name);
  return {
    ...cluster,
    version: { major: 1, minor, text: `1.${minor}.0` },
    kubeProxy: { ...cluster.kubeProxy, ...settings, mode: "iptables" },
    nodes: cluster.nodes.map((node) => ({ ...node, sysctls: liberal ? { "net.netfilter.nf_conntrack_tcp_be_liberal": "1" } : {} })),
  };
}

function linesOf(cluster: Cluster, family: Family = 4, options: ProgramOptions = {}): string[] {
  const parts = programIptables(cluster, nodeNamed(cluster, "k8s-node2"), createCauseTable(), options);
  const tables = mergeRuleset(parts).tables(family);
  return tables.flatMap((table) =>
    table.names().flatMap(
      (name) =>
        table
          .chain(name)
          ?.rules()
          .map((rule) => printRule(rule, name, family)) ?? [],
    ),
  );
}

const CLUSTER_IP = '-d 10.96.246.235/32 -p tcp -m comment --comment "default/tomcat6 cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ';
const LAST = '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"';

const cases: readonly (Change & {
  readonly name: string;
  readonly has?: string;
  readonly hasNot?: string;
  readonly family?: Family;
  readonly options?: ProgramOptions;
})[] = [
  {
    name: "masqueradeBit 3 marks with 8",
    settings: { iptables: { masqueradeBit: 3 } },
    has: "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x8/0x8",
    hasNot: "0x4000",
  },
  {
    name: "masqueradeBit 31 does not go negative",
    settings: { iptables: { masqueradeBit: 31 } },
    has: "-A KUBE-POSTROUTING -j MARK --set-xmark 0x80000000/0x0",
  },
  {
    name: "BridgeInterface",
    settings: { detectLocalMode: "BridgeInterface", detectLocal: { bridgeInterface: "cni0" } },
    has: `-A KUBE-SVC-74O5I7DKKBRLVTFF ${CLUSTER_IP.replace("/32 -p", "/32 ! -i cni0 -p")}`,
  },
  {
    name: "InterfaceNamePrefix",
    settings: { detectLocalMode: "InterfaceNamePrefix", detectLocal: { interfaceNamePrefix: "veth" } },
    has: `-A KUBE-SVC-74O5I7DKKBRLVTFF ${CLUSTER_IP.replace("/32 -p", "/32 ! -i veth+ -p")}`,
  },
  { name: "BridgeInterface without a name detects nothing", settings: { detectLocalMode: "BridgeInterface" }, hasNot: CLUSTER_IP },
  {
    name: "localhostNodePorts false",
    settings: { iptables: { localhostNodePorts: false } },
    has: `-A KUBE-SERVICES ! -d 127.0.0.0/8 ${LAST} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
    hasNot: "block incoming localnet",
  },
  {
    name: "nodePortAddresses of the other family only",
    settings: { nodePortAddresses: ["fd00::/8"] },
    has: `-A KUBE-SERVICES ${LAST} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
  },
  {
    name: "nodePortAddresses with loopback",
    settings: { nodePortAddresses: ["127.0.0.0/8"] },
    has: `-A KUBE-SERVICES -d 127.0.0.1/32 ${LAST} -j KUBE-NODEPORTS`,
    hasNot: `${LAST} -m addrtype`,
  },
  {
    name: "nodePortAddresses with loopback, localhostNodePorts false",
    settings: { nodePortAddresses: ["127.0.0.0/8"], iptables: { localhostNodePorts: false } },
    hasNot: LAST,
  },
  {
    name: "nodePortAddresses primary",
    settings: { nodePortAddresses: ["primary"] },
    has: `-A KUBE-SERVICES -d 10.0.2.5/32 ${LAST} -j KUBE-NODEPORTS`,
    hasNot: `${LAST} -m addrtype`,
  },
  { name: "nodePortAddresses that nothing matches", settings: { nodePortAddresses: ["203.0.113.0/24"] }, hasNot: LAST },
  {
    name: "nodePortAddresses and an address that the CNI plugin gave",
    settings: { nodePortAddresses: ["203.0.113.0/24"] },
    options: { localAddresses: ["203.0.113.9"] },
    has: `-A KUBE-SERVICES -d 203.0.113.9/32 ${LAST} -j KUBE-NODEPORTS`,
  },
  { name: "tcp_be_liberal leaves out the INVALID drop", liberal: true, hasNot: "INVALID" },
  { name: "before 1.26 the choice does not name its endpoint", minor: 25, hasNot: " -> " },
  {
    name: "before 1.19 an unnamed port keeps its colon",
    minor: 18,
    has: '-A KUBE-NODEPORTS -p tcp -m comment --comment "default/tomcat6:" -m tcp --dport 31160 -j KUBE-SVC-FNMHSAEX4CWBRK3A',
  },
  { name: "from 1.31 hints need no annotation", minor: 31, case: "topology-hints", hasNot: "default/noann:http -> 10.244.2.130" },
];

for (const { name, has, hasNot, family, options, ...change } of cases) {
  test(name, () => {
    const lines = linesOf(changed(change), family, options);
    if (has !== undefined) assert.ok(lines.includes(has), `${has} is not among\n${lines.join("\n")}`);
    if (hasNot === undefined) return;
    const unchanged = linesOf(changed(change.case === undefined ? {} : { case: change.case }), family);
    assert.ok(unchanged.some((line) => line.includes(hasNot)));
    assert.deepEqual(
      lines.filter((line) => line.includes(hasNot)),
      [],
    );
  });
}

const sysctls = [
  { name: "default", settings: {}, expected: { "net.ipv4.conf.all.route_localnet": "1" } },
  { name: "localhostNodePorts false", settings: { iptables: { localhostNodePorts: false } }, expected: {} },
  { name: "nodePortAddresses without loopback", settings: { nodePortAddresses: ["10.0.0.0/8"] }, expected: {} },
  {
    name: "nodePortAddresses with loopback",
    settings: { nodePortAddresses: ["10.0.0.0/8", "127.0.0.0/8"] },
    expected: { "net.ipv4.conf.all.route_localnet": "1" },
  },
] as const;
for (const { name, settings, expected } of sysctls) {
  test(`sysctls: ${name}`, () => {
    const cluster = changed({ settings });
    assert.deepEqual(kubeProxySysctls(cluster, nodeNamed(cluster, "k8s-node2")), expected);
  });
}

test("userspace mode is refused from 1.26 on, where kube-proxy has none", () => {
  const cluster = oracleCluster("tomcat6-reference");
  const run = (minor: number) => {
    const old: Cluster = {
      ...cluster,
      version: { major: 1, minor, text: `1.${minor}.0` },
      kubeProxy: { ...cluster.kubeProxy, mode: "userspace" },
    };
    return programKubeProxy(old, nodeNamed(old, "k8s-node2"), createCauseTable());
  };
  assert.equal(run(25).notModelled, undefined);
  assert.deepEqual([run(26).parts.length, /no userspace mode since 1\.26/.test(run(26).notModelled ?? "")], [0, true]);
});

test("a mode that is not modelled says so, and none is nothing", () => {
  const cluster = oracleCluster("tomcat6-reference");
  const node = nodeNamed(cluster, "k8s-node2");
  const run = (mode: "iptables" | "nftables" | "ipvs" | "userspace" | "none") =>
    programKubeProxy({ ...cluster, kubeProxy: { ...cluster.kubeProxy, mode } }, node, createCauseTable());
  assert.equal(run("iptables").parts.length, 6);
  assert.deepEqual(run("none"), { parts: [], sysctls: {} });
  assert.deepEqual(
    run("nftables").nft?.map(({ family, name }) => `${family} ${name}`),
    ["ip kube-proxy", "ip6 kube-proxy"],
  );
  assert.match(run("userspace").notModelled ?? "", /no userspace mode since 1.26/);
});

const hashes = [
  ["default/tomcat6", "tcp", "74O5I7DKKBRLVTFF"],
  ["default/ds:http", "tcp", "ERCRVNABXPQETWEQ"],
  ["default/tomcat6:", "tcp", "FNMHSAEX4CWBRK3A"],
] as const;
for (const [text, protocol, hash] of hashes) test(`hash of ${text}`, () => assert.equal(servicePortHash(text, protocol), hash));

/** `count` services with so many endpoints each; reading the endpoints of one is counted. */
function manyServices(count: number, endpoints: number): { readonly cluster: Cluster; readonly touched: () => number } {
  const cluster = oracleCluster("clusterip-basic");
  const [service] = cluster.services;
  const [slice] = cluster.slices;
  assert.ok(service && slice?.endpoints[0]);
  const [template] = slice.endpoints;
  const touched = new Set<string>();
  const numbers = Array.from({ length: count }, (_, n) => n);
  return {
    touched: () => touched.size,
    cluster: {
      ...cluster,
      services: numbers.map((n) => ({ ...service, name: `s${n}`, clusterIPs: [`10.97.${n >> 8}.${n & 255}`] })),
      slices: numbers.map((n) => ({
        ...slice,
        service: `s${n}`,
        get endpoints() {
          touched.add(`s${n}`);
          return Array.from({ length: endpoints }, (_, e) => ({ ...template, addresses: [`10.244.${e >> 8}.${e & 255}`] }));
        },
      })),
    },
  };
}

test("of 3,000 services a packet touches the endpoints of its own and of as few as tell a large cluster", () => {
  const { cluster, touched } = manyServices(3000, 100);
  const parts = programIptables(cluster, nodeNamed(cluster, "k8s-node2"), createCauseTable());
  const nat = mergeRuleset(parts)
    .tables(4)
    .find(({ name }) => name === "nat");
  const packet = {
    family: 4,
    protocol: "tcp",
    src: "10.244.1.9",
    sport: 40000,
    dst: "10.97.9.9",
    dport: 80,
    ttl: 64,
    segment: { kind: "syn" },
  } as const;
  const [first] = nat?.chain("KUBE-SERVICES")?.candidates?.(packet) ?? [];
  assert.ok(first?.rule.target.kind === "jump");
  assert.equal(touched(), 1);
  const rules = nat?.chain(first.rule.target.chain)?.rules() ?? [];
  assert.equal(rules.length, 101);
  assert.ok(touched() <= 12, `${touched()} services`);
});

test("with more than 1,000 endpoints the endpoint rules have no comment, the others keep theirs", () => {
  for (const [endpoints, isLarge] of [
    [500, false],
    [501, true],
  ] as const) {
    const lines = linesOf(manyServices(2, endpoints).cluster);
    const sep = lines.filter((line) => line.startsWith("-A KUBE-SEP-") || line.includes("-j KUBE-SEP-"));
    assert.equal(sep.length, endpoints * 2 * 3);
    assert.equal(sep.filter((line) => line.includes("--comment")).length, isLarge ? 0 : sep.length);
    assert.ok(lines.some((line) => line.startsWith("-A KUBE-SVC-") && line.includes("cluster IP")));
  }
});
