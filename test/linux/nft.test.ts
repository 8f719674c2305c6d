/**
 * What nftables rules do to a packet that a router forwards, as nft_do_chain and the hooks would: rule sets as nft lists them,
 * beside iptables where a row says so. Every row that nft takes was also seen with real connections on Linux 6.18, nft 1.0.6.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIptablesSave } from "../../src/dialects/iptables-save.ts";
import { parseNft } from "../../src/dialects/nft/read-table.ts";
import { sendPacket } from "../../src/linux/kernel.ts";
import type { World } from "../../src/linux/netns.ts";
import { createRun, explore, type Run } from "../../src/linux/run.ts";
import type { Journey } from "../../src/linux/step.ts";
import { formatFraction } from "../../src/net/fraction.ts";
import type { Packet } from "../../src/net/packet.ts";
import { link, listener, netns, packet, route, world } from "./build.ts";

const client = netns("client", [link("eth0", ["10.0.0.9/24"], { type: { kind: "device", segment: "left" } })], {
  routes: [route("default", { via: "10.0.0.1", dev: "eth0" })],
});
const server = netns("server", [link("eth0", ["10.0.1.9/24", "10.0.1.8/24"], { type: { kind: "device", segment: "right" } })], {
  routes: [route("default", { via: "10.0.1.1", dev: "eth0" })],
  sockets: [listener(80), listener(8080), listener(53, { protocol: "udp" })],
});

function router(nft: string, iptables: string): World {
  const { tables, problems } = parseNft(`table ip t {\n${nft}\n}\n`, "nft");
  assert.deepEqual(problems, []);
  const legacy = parseIptablesSave(iptables, "iptables").tables;
  const links = [
    link("eth0", ["10.0.0.1/24"], { type: { kind: "device", segment: "left" } }),
    link("eth1", ["10.0.1.1/24"], { type: { kind: "device", segment: "right" } }),
  ];
  return world(
    client,
    server,
    netns("router", links, {
      sysctls: { "net.ipv4.ip_forward": "1" },
      netfilter: {
        tables: (family) => (family === 4 ? legacy : []),
        nft: (family) => tables.filter((table) => table.family === (family === 4 ? "ip" : "ip6")),
      },
    }),
  );
}

function endOf({ end }: Journey): string {
  const { src, dst, dport } = "packet" in end ? end.packet : packet();
  if (end.kind === "socket") return `${src.replace("10.0.0.9", "client")} > ${dst}:${dport}`;
  if (end.kind === "answered")
    return `answered ${end.answer.segment.kind === "icmp-error" ? `${end.answer.segment.type}/${end.answer.segment.code}` : end.answer.segment.kind}`;
  return end.kind === "dropped" ? `dropped ${end.reason}` : end.kind === "unknown" ? `unknown ${end.text}` : end.kind;
}

const send = (run: Run, over: Partial<Packet>): string =>
  endOf(sendPacket(run, over.src === "10.0.1.1" ? "router" : "client", packet({ src: "10.0.0.9", dst: "10.0.1.9", ...over }), "process"));

type Row = {
  readonly name: string;
  readonly nft: string;
  readonly iptables?: string;
  readonly packet?: Partial<Packet>;
  readonly ends: string | readonly string[];
};

const base = (name: string, type: string, hook: string, priority: string, rules: string, policy = "accept"): string =>
  `\tchain ${name} {\n\t\ttype ${type} hook ${hook} priority ${priority}; policy ${policy};\n${rules}\n\t}\n`;
const chain = (name: string, rules: string): string => `\tchain ${name} {\n${rules}\n\t}\n`;
const forward = (rules: string, policy = "accept"): string => base("forward", "filter", "forward", "filter", rules, policy);
const dnat = (rules: string): string => base("pre", "nat", "prerouting", "dstnat", rules);
const IPTABLES_DROPS = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
const IPTABLES_DNATS = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j DNAT --to-destination 10.0.1.8:8080\nCOMMIT\n";
const THROUGH = "client > 10.0.1.9:80";

const rows: readonly Row[] = [
  {
    name: "an accept ends its base chain only: a later one drops",
    nft: `${forward("accept")}${base("late", "filter", "forward", "10", "drop")}`,
    ends: "dropped rule-denied",
  },
  { name: "a drop ends all", nft: `${base("early", "filter", "forward", "-10", "drop")}${forward("accept")}`, ends: "dropped rule-denied" },
  {
    name: "an nft accept does not overrule iptables' policy",
    nft: base("early", "filter", "forward", "-10", "accept"),
    iptables: IPTABLES_DROPS,
    ends: "dropped rule-denied",
  },
  {
    name: "a chain before iptables' filter answers before its policy drops",
    nft: base("early", "filter", "forward", "-10", "reject"),
    iptables: IPTABLES_DROPS,
    ends: "answered 3/3",
  },
  { name: "the policy of a base chain counts when its rules return", nft: forward("return", "drop"), ends: "dropped rule-denied" },
  { name: "after a jump the next rule comes", nft: `${forward("jump a\ndrop")}${chain("a", "return")}`, ends: "dropped rule-denied" },
  { name: "after a goto it does not", nft: `${forward("goto a\ndrop")}${chain("a", "return")}`, ends: THROUGH },
  {
    name: "a goto inside a jump returns to the jump's next rule",
    nft: `${forward("jump a\ndrop")}${chain("a", "goto b\naccept")}${chain("b", "ip saddr 1.1.1.1 drop")}`,
    ends: "dropped rule-denied",
  },
  {
    name: "a map without the key leaves the rule",
    nft: `\tmap m {\n\t\ttype ipv4_addr . inet_service : verdict\n\t\telements = { 10.0.1.9 . 443 : drop }\n\t}\n${forward("ip daddr . th dport vmap @m")}`,
    ends: THROUGH,
  },
  {
    name: "a map with it decides",
    nft: `\tmap m {\n\t\ttype ipv4_addr . inet_service : verdict\n\t\telements = { 10.0.1.9 . 80 : drop }\n\t}\n${forward("ip daddr . th dport vmap @m")}`,
    ends: "dropped rule-denied",
  },
  {
    name: "an interval set holds what lies between",
    nft: `\tset s {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 10.0.0.0/29, 10.0.0.9-10.0.0.12 }\n\t}\n${forward("ip saddr @s drop")}`,
    ends: "dropped rule-denied",
  },
  {
    name: "and not what does not",
    nft: `\tset s {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 10.0.0.0/29, 10.0.0.10-10.0.0.12 }\n\t}\n${forward("ip saddr @s drop")}`,
    ends: THROUGH,
  },
  {
    name: "!= on a set",
    nft: forward("ct state new ip saddr != { 10.0.0.0/24, 1.1.1.1 } drop\nct state new tcp dport != { 80, 443 } drop"),
    ends: THROUGH,
  },
  {
    name: "a field that the packet lacks ends the rule, != or not",
    nft: forward("udp dport != 53 drop\nicmp type != echo-request drop"),
    ends: THROUGH,
  },
  {
    name: "th reads ports of any transport",
    nft: forward("th dport 53 drop"),
    packet: { protocol: "udp", dport: 53, segment: { kind: "datagram" } },
    ends: "dropped rule-denied",
  },
  { name: "ct state new", nft: forward("ct state established,related accept\nct state new drop"), ends: "dropped rule-denied" },
  { name: "reject: port unreachable", nft: forward("reject"), ends: "answered 3/3" },
  { name: "reject: as said", nft: forward("reject with icmp admin-prohibited"), ends: "answered 3/13" },
  { name: "reject: a reset", nft: forward("meta l4proto tcp reject with tcp reset"), ends: "answered rst" },
  {
    name: "a reset is not for UDP",
    nft: forward("reject with tcp reset"),
    packet: { protocol: "udp", dport: 53, segment: { kind: "datagram" } },
    ends: "client > 10.0.1.9:53",
  },
  { name: "dnat", nft: dnat("meta l4proto tcp dnat to 10.0.1.8:8080"), ends: "client > 10.0.1.8:8080" },
  {
    name: "several nat chains: the first that translates, by priority",
    nft: `${dnat("meta l4proto tcp dnat to 10.0.1.9:80")}${base("first", "nat", "prerouting", "-110", "tcp dport 80 dnat to 10.0.1.8:8080")}`,
    ends: "client > 10.0.1.8:8080",
  },
  {
    name: "one that accepts without translating lets the next be asked",
    nft: `${base("first", "nat", "prerouting", "-110", "accept")}${dnat("meta l4proto tcp dnat to 10.0.1.8:8080")}`,
    ends: "client > 10.0.1.8:8080",
  },
  {
    name: "iptables' nat and nft's are one list",
    nft: base("first", "nat", "prerouting", "-101", "meta l4proto tcp dnat to 10.0.1.9:8080"),
    iptables: IPTABLES_DNATS,
    ends: "client > 10.0.1.9:8080",
  },
  {
    name: "filter chains before DNAT see the address that was asked",
    nft: `${base("f", "filter", "prerouting", "dstnat - 10", "ip daddr 10.0.1.8 drop")}${dnat("meta l4proto tcp dnat to 10.0.1.8:8080")}`,
    ends: "client > 10.0.1.8:8080",
  },
  {
    name: "those of forward see the new one, whatever their priority",
    nft: `${dnat("meta l4proto tcp dnat to 10.0.1.8:8080")}${base("f", "filter", "forward", "-110", "ip daddr 10.0.1.8 drop")}`,
    ends: "dropped rule-denied",
  },
  {
    name: "ct status dnat",
    nft: `${dnat("meta l4proto tcp dnat to 10.0.1.8:8080")}${forward("ct status dnat drop")}`,
    ends: "dropped rule-denied",
  },
  {
    name: "a mark set in one chain is read in another",
    nft: `${dnat("meta mark set meta mark | 0x00004000")}${base("post", "nat", "postrouting", "srcnat", "meta mark & 0x00004000 == 0x00000000 return\nmeta mark set meta mark ^ 0x00004000\nmasquerade fully-random")}`,
    ends: "10.0.1.1 > 10.0.1.9:80",
  },
  {
    name: "fib saddr type local: from the router itself",
    nft: `${forward("ct state invalid drop")}${base("post", "nat", "postrouting", "srcnat", "fib saddr type local drop")}`,
    packet: { src: "10.0.1.1" },
    ends: "dropped rule-denied",
  },
  {
    name: "fib saddr type local: not from the client",
    nft: `${forward("ct state invalid drop")}${base("post", "nat", "postrouting", "srcnat", "fib saddr type local drop")}`,
    ends: THROUGH,
  },
  {
    name: "numgen random splits evenly",
    nft: dnat("meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.1.8 . 8080, 1 : 10.0.1.9 . 8080 }"),
    ends: ["1/2 client > 10.0.1.8:8080", "1/2 client > 10.0.1.9:8080"],
  },
  {
    name: "an arm without a member leaves the rule",
    nft: forward("numgen random mod 3 vmap { 0 : drop, 1 : goto a }\nreject") + chain("a", "accept"),
    ends: ["1/3 dropped rule-denied", `1/3 ${THROUGH}`, "1/3 answered 3/3"],
  },
  {
    name: "numgen inc counts unseen packets",
    nft: forward("numgen inc mod 2 vmap { 0 : drop, 1 : accept }"),
    ends: "unknown numgen inc mod 2 counts packets that ktrace has not seen",
  },
  {
    name: "what is not modelled is unknown, never a match",
    nft: forward("ether saddr 00:11:22:33:44:55 drop"),
    ends: "unknown ether saddr 00:11:22:33:44:55",
  },
  { name: "unless another part of the rule says no", nft: forward("limit rate 3/minute tcp dport 443 drop"), ends: THROUGH },
  { name: "counters and logs matter to nobody", nft: forward('counter packets 0 bytes 0 log prefix "x" accept'), ends: THROUGH },
  { name: "a chain that is not there", nft: forward("jump nowhere"), ends: "unknown no chain nowhere" },
];

for (const { name, nft, iptables = "", packet: over = {}, ends } of rows) {
  test(name, () => {
    const there = router(nft, iptables);
    const paths = explore((choose) => send(createRun(there, choose), over));
    const said = paths.map(({ share, value }) => (paths.length === 1 ? value : `${formatFraction(share)} ${value}`));
    assert.deepEqual(said, typeof ends === "string" ? [ends] : ends);
  });
}

test("a dynamic set remembers a client: its next connection goes where the first one went", () => {
  const endpoint = (ip: string, set: string): string =>
    chain(`ep-${set}`, `update @${set} { ip saddr }\nmeta l4proto tcp dnat to ${ip}:8080`);
  const set = (name: string): string =>
    `\tset ${name} {\n\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 3h\n\t}\n`;
  const choice = "ip saddr @a goto ep-a\nip saddr @b goto ep-b\nnumgen random mod 2 vmap { 0 : goto ep-a, 1 : goto ep-b }";
  const there = router(`${set("a")}${set("b")}${dnat(choice)}${endpoint("10.0.1.8", "a")}${endpoint("10.0.1.9", "b")}`, "");
  const paths = explore((choose) => {
    const run = createRun(there, choose);
    return [40001, 40002, 40003].map((sport) => send(run, { sport }));
  });
  assert.deepEqual(
    paths.map(({ value }) => value),
    ["10.0.1.8", "10.0.1.9"].map((ip) => Array.from({ length: 3 }, () => `client > ${ip}:8080`)),
  );
});
