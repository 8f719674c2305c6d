/**
 * The captured rules of the real kube-proxy 1.30.3 and ours, walked by the same packets: every flow of the grid that
 * `ktrace compare` asks (compare/flows.ts) and of what the Services bring besides, on the stand-in of every node of every
 * case, in both families. Each course, with its share, must be the same: network stacks, packets as they enter and leave
 * each, connections with their translations, the end and what is answered. Rules and reasons are not compared: a capture
 * has no reasons.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { programIptables } from "../../src/agents/kube-proxy/iptables/program.ts";
import { programNftables } from "../../src/agents/kube-proxy/nftables/program.ts";
import { mergeRuleset } from "../../src/agents/ruleset.ts";
import type { Cluster, ClusterNode } from "../../src/cluster/cluster.ts";
import { gridOf } from "../../src/compare/flows.ts";
import { parseIptablesSave } from "../../src/dialects/iptables-save.ts";
import { parseNft } from "../../src/dialects/nft/read-table.ts";
import { type ConntrackEntry, entryTuples } from "../../src/linux/conntrack.ts";
import { connectSource, sendPacket } from "../../src/linux/kernel.ts";
import type { NftTable } from "../../src/linux/netfilter/nft.ts";
import type { Netfilter } from "../../src/linux/netfilter/table.ts";
import { createRun, explore } from "../../src/linux/run.ts";
import type { End } from "../../src/linux/step.ts";
import { type Family, familyOf } from "../../src/net/address.ts";
import { addFractions, type Fraction, formatFraction, ZERO } from "../../src/net/fraction.ts";
import { DEFAULT_TTL, formatSocket, type Packet, type Protocol, type Segment } from "../../src/net/packet.ts";
import { createCauseTable } from "../../src/objects/cause.ts";
import { invariant } from "../../src/objects/diagnostic.ts";
import { capture, nodeNamed, oracleCases, oracleCluster } from "../agents/kube-proxy/oracle.ts";
import { NODE, type StandIn, standIn } from "../agents/kube-proxy/stand-in.ts";

const FAMILIES = [4, 6] as const;
type Mode = "iptables" | "nftables";

/** The rules of a capture; undefined where the node has none. */
function captured(name: string, node: string, mode: Mode): Netfilter | undefined {
  if (mode === "nftables") {
    const text = capture(name, node, "nft.txt");
    if (text === undefined) return undefined;
    const { tables, problems } = parseNft(text, "capture");
    assert.deepEqual(problems, []);
    return withNft(tables);
  }
  const saves = FAMILIES.map((family) => {
    const text = capture(name, node, family === 4 ? "iptables-save.txt" : "ip6tables-save.txt") ?? "";
    const { tables, problems } = parseIptablesSave(text, "capture", { family });
    assert.deepEqual(problems, []);
    return { family, tables };
  });
  return { tables: (family) => saves.find((one) => one.family === family)?.tables ?? [] };
}

function ours(cluster: Cluster, node: ClusterNode, mode: Mode): Netfilter {
  const causes = createCauseTable();
  return mode === "nftables" ? withNft(programNftables(cluster, node, causes)) : mergeRuleset(programIptables(cluster, node, causes));
}

const withNft = (tables: readonly NftTable[]): Netfilter => ({
  tables: () => [],
  nft: (family) => tables.filter((table) => table.family === (family === 4 ? "ip" : "ip6")),
});

type Target = { readonly host: string; readonly port?: number; readonly protocol: Protocol };

/** Entrances of the Services, a wrong port and a ping at each cluster IP, free addresses, health check ports, and endpoints asked directly. */
function targetsOf(cluster: Cluster, node: ClusterNode): Target[] {
  const asked: Cluster = {
    ...cluster,
    nodes: [node], // the grid takes the addresses of one node without pods: this one
    serviceCIDRs: [
      { ip: "10.96.0.0", length: 12 },
      { ip: "fd00:10:96::", length: 112 },
    ],
    services: cluster.services.map((service) => ({ ...service, ipFamilies: ["IPv4", "IPv6"] })),
  };
  const own = node.internalIPs;
  const health = cluster.services.flatMap(({ healthCheckNodePort: port }) =>
    port === undefined ? [] : own.map((host) => tcp(host, port)),
  );
  const direct = cluster.slices.flatMap(({ endpoints, ports }) =>
    endpoints.flatMap(({ addresses: [host] }) => ports.flatMap(({ port }) => (host === undefined ? [] : [tcp(host, port)]))),
  );
  const all = [...gridOf(asked, "anybody"), ...health, ...direct.slice(0, MOST_DIRECT)];
  return [...new Map(all.map((target) => [claimOf(target), target])).values()];
}
/** Endpoints are asked without any rule; a few show that none is in the way. */
const MOST_DIRECT = 6;

const tcp = (host: string, port: number): Target => ({ host, port, protocol: "tcp" });
const claimOf = ({ host, port, protocol }: Target): string => `${protocol} ${port === undefined ? host : formatSocket(host, port)}`;

/** A pod that is no endpoint, two that are, the node, the outside. */
const sourcesIn = ({ endpoints }: StandIn): string[] => ["pod", "node", "outside", ...endpoints.slice(0, 2).map((ip) => `endpoint ${ip}`)];

const FIRST: Readonly<Record<string, Segment>> = {
  tcp: { kind: "syn" },
  udp: { kind: "datagram" },
  sctp: { kind: "datagram" },
  icmp: { kind: "echo-request" },
  icmpv6: { kind: "echo-request" },
};

/** Every course of a flow's first packet, in a text each, with its share. */
function coursesOf({ world, netnsOf }: StandIn, from: string, { host, port = 0, protocol }: Target): string[] {
  const netns = netnsOf(from);
  const source = world.netns(netns);
  const src = source && connectSource(source, host)?.src;
  if (src === undefined) return ["no way"];
  const segment = FIRST[protocol];
  invariant(segment, `${protocol} has a first packet`);
  const packet: Packet = { family: familyOf(host), protocol, src, sport: 40000, dst: host, dport: port, ttl: DEFAULT_TTL, segment };
  const walks = explore((choose) => {
    const run = createRun(world, choose);
    const { hops, end } = sendPacket(run, netns, packet, "process");
    const way = hops.map((hop) =>
      [hop.netns, hop.in, packetText(hop.packetIn), hop.out, hop.packetOut && packetText(hop.packetOut)].join(" "),
    );
    const kept = run.conntrack
      .filter((entry) => entry.netns === NODE)
      .map((entry) => `${isRewritten(entry) ? "nat" : "as it is"} ${entryTuples(entry)}`);
    return [...way, ...kept, endText(end)].join(" / ");
  });
  const shares = new Map<string, Fraction>();
  for (const { share, value } of walks) shares.set(value, addFractions(shares.get(value) ?? ZERO, share));
  return [...shares].map(([course, share]) => `${formatFraction(share)} ${course}`).sort();
}

const isRewritten = ({ original, reply }: ConntrackEntry): boolean => original.dst !== reply.src || original.src !== reply.dst;

const packetText = ({ protocol, src, sport, dst, dport, ttl, segment }: Packet): string =>
  `${protocol} ${formatSocket(src, sport)}>${formatSocket(dst, dport)} ttl ${ttl} ${JSON.stringify(segment)}`;

function endText(end: End): string {
  assert.notEqual(end.kind, "unknown", "the rules are decided");
  if (end.kind === "errno") return `${end.netns} ${end.errno}`;
  return `${end.kind} ${end.netns} ${packetText(end.packet)}${end.kind === "answered" ? ` ${packetText(end.answer)}` : ""}`;
}

let flows = 0;
let courses = 0;
let translated = 0;
for (const { name, nodes } of oracleCases)
  for (const node of nodes)
    for (const mode of ["iptables", "nftables"] as const)
      test(`${name} ${node} ${mode}: captured and own rules give the same answers`, () => {
        const cluster = oracleCluster(name, mode);
        const machine = nodeNamed(cluster, node);
        const real = captured(name, node, mode);
        assert.ok(real, "there is a capture");
        const written = ours(cluster, machine, mode);
        for (const family of familiesOf(machine)) {
          const theirs = standIn(name, cluster, node, real, undefined, family);
          const own = standIn(name, cluster, node, written, undefined, family);
          for (const target of targetsOf(cluster, machine).filter(({ host }) => familyOf(host) === family))
            for (const from of sourcesIn(own)) {
              const predicted = coursesOf(own, from, target);
              assert.deepEqual(predicted, coursesOf(theirs, from, target), `${from} -> ${claimOf(target)}`);
              flows += 1;
              courses += predicted.length;
              if (predicted.some((course) => course.includes(" / nat "))) translated += 1;
            }
        }
      });

const familiesOf = ({ podCIDRs }: ClusterNode): Family[] => FAMILIES.filter((family) => podCIDRs.some(({ ip }) => familyOf(ip) === family));

test("the grid is large", (t) => {
  t.diagnostic(`${flows} flows, ${courses} courses, ${translated} flows translated`);
  assert.ok(flows > 4000 && courses > flows && translated > 1000, `${flows} flows, ${courses} courses, ${translated} translated`);
});
