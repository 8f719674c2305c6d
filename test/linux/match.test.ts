/** Every kind of match, with and without `!`: iptables-extensions(8). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HookContext } from "../../src/linux/netfilter/hook-context.ts";
import { type Answer, evaluateMatch } from "../../src/linux/netfilter/match.ts";
import type { Match } from "../../src/linux/netfilter/rule.ts";
import type { Packet } from "../../src/net/packet.ts";
import { cidr, packet } from "./build.ts";

const context = (over: Partial<HookContext> = {}): HookContext => ({
  packet: packet({ src: "10.244.1.15", dst: "10.96.0.1", dport: 80, sport: 40000 }),
  mark: 0x4001,
  in: "cni0",
  out: "eth0",
  physIn: "veth1",
  physOut: undefined,
  ctStates: () => ["NEW", "DNAT"],
  isLocal: (ip) => ip === "10.96.0.1",
  isBroadcast: (ip) => ip === "10.0.2.255",
  chooseOneIn: (k) => k === 2,
  recent: (match) => match.not !== true,
  inSet: (name) => (name === "known" ? true : { undecidable: `ipset ${name}` }),
  ...over,
});
const about = (over: Partial<Packet>): Partial<HookContext> => ({ packet: packet(over) });
const icmpError = (code: number): Partial<HookContext> =>
  about({ protocol: "icmp", segment: { kind: "icmp-error", type: 3, code, quoted: packet() } });
const symbolic = about({ sport: "mport1" });

const rows: readonly (readonly [string, Match, boolean, Partial<HookContext>?])[] = [
  ["-s in the prefix", { kind: "src", cidr: cidr("10.244.0.0/16") }, true],
  ["-s outside", { kind: "src", cidr: cidr("10.245.0.0/16") }, false],
  ["-s of the other family", { kind: "src", cidr: cidr("fd00::/8") }, false],
  ["-d one address", { kind: "dst", cidr: cidr("10.96.0.1/32") }, true],
  ["-d another", { kind: "dst", cidr: cidr("10.96.0.2/32") }, false],
  ["-i by name", { kind: "in", name: "cni0" }, true],
  ["-i by prefix", { kind: "in", name: "cni+" }, true],
  ["-i another", { kind: "in", name: "eth0" }, false],
  ["-i where the packet was made here", { kind: "in", name: "cni0" }, false, { in: undefined }],
  ["-o by name", { kind: "out", name: "eth0" }, true],
  ["-o by prefix of all", { kind: "out", name: "+" }, true],
  ["-o where the packet ends here", { kind: "out", name: "eth0" }, false, { out: undefined }],
  ["-p tcp", { kind: "protocol", protocol: "tcp" }, true],
  ["-p udp", { kind: "protocol", protocol: "udp" }, false],
  ["-p all", { kind: "protocol", protocol: "all" }, true],
  ["--dport", { kind: "dport", protocol: "tcp", ports: { from: 80, to: 80 } }, true],
  ["--dport of another protocol", { kind: "dport", protocol: "udp", ports: { from: 80, to: 80 } }, false],
  ["--dport range, its end", { kind: "dport", protocol: "tcp", ports: { from: 1, to: 80 } }, true],
  ["--dport range, past its end", { kind: "dport", protocol: "tcp", ports: { from: 1, to: 79 } }, false],
  ["--sport", { kind: "sport", protocol: "tcp", ports: { from: 40000, to: 40001 } }, true],
  ["--sport of a drawn port: all that can be drawn", { kind: "sport", protocol: "tcp", ports: { from: 1024, to: 65535 } }, true, symbolic],
  ["--sport of a drawn port: none that can be drawn", { kind: "sport", protocol: "tcp", ports: { from: 1, to: 1023 } }, false, symbolic],
  [
    "multiport --dports",
    {
      kind: "multiport",
      which: "dports",
      ports: [
        { from: 443, to: 443 },
        { from: 80, to: 81 },
      ],
    },
    true,
  ],
  ["multiport --dports, none of them", { kind: "multiport", which: "dports", ports: [{ from: 443, to: 443 }] }, false],
  ["multiport --sports", { kind: "multiport", which: "sports", ports: [{ from: 40000, to: 40000 }] }, true],
  ["multiport --ports takes either", { kind: "multiport", which: "ports", ports: [{ from: 40000, to: 40000 }] }, true],
  ["--syn", { kind: "tcp-flags", mask: ["FIN", "SYN", "RST", "ACK"], set: ["SYN"] }, true],
  [
    "--syn of an answer",
    { kind: "tcp-flags", mask: ["FIN", "SYN", "RST", "ACK"], set: ["SYN"] },
    false,
    about({ segment: { kind: "syn-ack" } }),
  ],
  ["--tcp-flags of UDP", { kind: "tcp-flags", mask: ["SYN"], set: [] }, false, about({ protocol: "udp", segment: { kind: "datagram" } })],
  ["--tcp-flags ALL NONE", { kind: "tcp-flags", mask: ["ALL"], set: [] }, false],
  ["--icmp-type 8", { kind: "icmp-type", type: 8, v6: false }, true, about({ protocol: "icmp", segment: { kind: "echo-request" } })],
  [
    "--icmp-type 8 of a reply",
    { kind: "icmp-type", type: 8, v6: false },
    false,
    about({ protocol: "icmp", segment: { kind: "echo-reply" } }),
  ],
  ["--icmp-type any", { kind: "icmp-type", type: 255, v6: false }, true, icmpError(1)],
  ["--icmp-type 3/3", { kind: "icmp-type", type: 3, code: 3, v6: false }, true, icmpError(3)],
  ["--icmp-type 3/3 of 3/1", { kind: "icmp-type", type: 3, code: 3, v6: false }, false, icmpError(1)],
  ["--icmp-type 3 of any code", { kind: "icmp-type", type: 3, v6: false }, true, icmpError(1)],
  ["--icmp-type of TCP", { kind: "icmp-type", type: 255, v6: false }, false],
  [
    "--icmpv6-type 128",
    { kind: "icmp-type", type: 128, v6: true },
    true,
    about({ family: 6, protocol: "icmpv6", segment: { kind: "echo-request" } }),
  ],
  ["--mark under a mask", { kind: "mark", value: 0x4000, mask: 0x4000 }, true],
  ["--mark without a mask", { kind: "mark", value: 0x4000, mask: 0xffffffff }, false],
  ["--mark with the highest bit", { kind: "mark", value: 0x80000000, mask: 0x80000000 }, true, { mark: 0x80000000 }],
  ["--ctstate", { kind: "ctstate", states: ["RELATED", "NEW"] }, true],
  ["--ctstate DNAT", { kind: "ctstate", states: ["DNAT"] }, true],
  ["--ctstate INVALID", { kind: "ctstate", states: ["INVALID"] }, false],
  ["--dst-type LOCAL", { kind: "addrtype", side: "dst", type: "LOCAL" }, true],
  ["--src-type LOCAL", { kind: "addrtype", side: "src", type: "LOCAL" }, false],
  ["--src-type UNICAST", { kind: "addrtype", side: "src", type: "UNICAST" }, true],
  ["--dst-type UNICAST of an own address", { kind: "addrtype", side: "dst", type: "UNICAST" }, false],
  ["--dst-type BROADCAST", { kind: "addrtype", side: "dst", type: "BROADCAST" }, true, about({ dst: "10.0.2.255" })],
  ["--dst-type MULTICAST", { kind: "addrtype", side: "dst", type: "MULTICAST" }, true, about({ dst: "224.0.0.1" })],
  ["statistic random, by the die", { kind: "statistic-random", inverse: 2 }, true],
  ["statistic random, by the die against", { kind: "statistic-random", inverse: 3 }, false],
  ["statistic probability 1 asks no die", { kind: "statistic-random", inverse: 1 }, true],
  ["statistic probability 0 neither", { kind: "statistic-random", inverse: 0 }, false],
  ["recent", { kind: "recent", command: "rcheck", name: "x", side: "rsource" }, true],
  ["--match-set", { kind: "set", name: "known", flags: ["dst"] }, true],
  ["physdev --physdev-in", { kind: "physdev", text: "", in: "veth+" }, true],
  ["physdev --physdev-out of a packet that leaves by no port", { kind: "physdev", text: "", out: "veth1" }, false],
  ["physdev --physdev-is-in", { kind: "physdev", text: "", isIn: true }, true],
  ["physdev --physdev-is-bridged", { kind: "physdev", text: "", isBridged: true }, false],
  ["physdev --physdev-is-bridged, bridged", { kind: "physdev", text: "", isBridged: true }, true, { physOut: "veth2" }],
];
for (const [name, match, holds, over] of rows) {
  test(`match ${name}`, () => {
    assert.equal(evaluateMatch(match, context(over)), holds);
    assert.equal(evaluateMatch({ ...match, not: true }, context(over)), !holds);
  });
}

test("a comment says nothing", () => assert.equal(evaluateMatch({ kind: "comment", text: "x" }, context()), true));

const undecidable: readonly (readonly [string, Match, Partial<HookContext>?])[] = [
  ["a match outside the grammar", { kind: "unknown", text: "-m bpf …" }],
  ["statistic nth counts packets not seen", { kind: "statistic-nth", every: 2, packet: 0 }],
  ["an ipset that nothing says the members of", { kind: "set", name: "other", flags: ["src"] }],
  ["a range that a drawn port may lie in", { kind: "sport", protocol: "tcp", ports: { from: 32768, to: 60999 } }, symbolic],
  ["an address type that routes would decide", { kind: "addrtype", side: "dst", type: "BLACKHOLE" }],
];
for (const [name, match, over] of undecidable) {
  test(`match cannot be decided: ${name}`, () => {
    const answers: Answer[] = [evaluateMatch(match, context(over)), evaluateMatch({ ...match, not: true }, context(over))];
    for (const answer of answers) assert.ok(typeof answer === "object" && answer.undecidable !== "");
  });
}
