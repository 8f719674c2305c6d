import assert from "node:assert/strict";
import { test } from "node:test";
import { createIpSet } from "../../src/linux/ipset.ts";
import type { SetAnswer, SetSide } from "../../src/linux/netfilter/table.ts";
import type { Packet } from "../../src/net/packet.ts";
import { packet } from "./build.ts";

const PAIRS = ["10.96.0.10,udp:53", "10.96.0.10,tcp:53", "10.96.0.1,tcp:443"];
const NETS = ["203.0.113.1,tcp:80,10.0.0.0/24", "203.0.113.1,tcp:80,192.0.2.7"];
const undecidable = { undecidable: "the port mport1 is drawn at random" };

const cases: readonly (readonly [type: string, members: readonly string[], sides: string, over: Partial<Packet>, answer: SetAnswer])[] = [
  ["hash:ip,port", PAIRS, "dst,dst", { dst: "10.96.0.1", dport: 443 }, true],
  ["hash:ip,port", PAIRS, "dst,dst", { dst: "10.96.0.1", dport: 53 }, false],
  ["hash:ip,port", PAIRS, "dst,dst", { dst: "10.96.0.10", dport: 53, protocol: "sctp" }, false],
  ["hash:ip,port", PAIRS, "src,dst", { src: "10.96.0.1", dst: "10.0.0.2", dport: 443 }, true],
  ["hash:ip,port", PAIRS, "dst,dst", { dst: "10.96.0.10", dport: 53, protocol: "icmp" }, false],
  ["hash:ip,port", PAIRS, "dst,dst", { dst: "10.96.0.1", dport: "mport1" }, undecidable],
  ["hash:ip,port", PAIRS, "dst,dst", { dst: "10.96.0.2", dport: "mport1" }, false],
  ["hash:ip,port", PAIRS, "dst", { dst: "10.96.0.1" }, { undecidable: "ipset S of type hash:ip,port" }],
  ["hash:ip", ["10.96.0.1"], "dst", { dst: "10.96.0.1", protocol: "icmp" }, true],
  ["hash:ip", ["10.96.0.1"], "src", { dst: "10.96.0.1" }, false],
  ["hash:ip,port,ip", ["10.0.0.2,tcp:80,10.0.0.2"], "dst,dst,src", { src: "10.0.0.2", dst: "10.0.0.2" }, true],
  ["hash:ip,port,ip", ["10.0.0.2,tcp:80,10.0.0.2"], "dst,dst,src", { src: "10.0.0.3", dst: "10.0.0.2" }, false],
  ["hash:ip,port,net", NETS, "dst,dst,src", { dst: "203.0.113.1", src: "10.0.0.77" }, true],
  ["hash:ip,port,net", NETS, "dst,dst,src", { dst: "203.0.113.1", src: "192.0.2.7" }, true],
  ["hash:ip,port,net", NETS, "dst,dst,src", { dst: "203.0.113.1", src: "192.0.2.8" }, false],
  ["hash:net", ["10.0.0.0/8"], "src", { src: "10.1.2.3" }, true],
  ["bitmap:port", ["80"], "dst", { dport: 80 }, true],
  ["bitmap:port", ["80"], "dst", { dport: 80, protocol: "udp" }, true],
  ["bitmap:port", ["80"], "dst", { dport: 80, protocol: "sctp" }, false],
  ["bitmap:port", ["80"], "dst", { dport: 80, protocol: "icmp" }, false],
  ["bitmap:port", [], "dst", { dport: "mport1" }, false],
  ["hash:mac", ["02:00:00:00:00:01"], "src", {}, { undecidable: "ipset S of type hash:mac" }],
  ["list:set", ["A"], "src", {}, { undecidable: "ipset S of type list:set" }],
];
for (const [type, members, sides, over, answer] of cases) {
  const asked = sides.split(",").flatMap((side) => (["src", "dst"] as const).find((known): known is SetSide => known === side) ?? []);
  test(`${type} ${members.join(" ")}: ${sides} of ${JSON.stringify(over)}`, () => {
    const family = type.startsWith("bitmap") ? {} : ({ family: 4 } as const);
    assert.deepEqual(createIpSet({ name: "S", type, ...family, members: () => members }).holds(packet(over), asked), answer);
  });
}

test("a set of the other family has no such member, a bitmap has none", () => {
  const set = createIpSet({ name: "S", type: "hash:ip", family: 6, members: () => ["10.0.0.2"] });
  assert.equal(set.holds(packet(), ["dst"]), false);
});

test("members are counted out when first asked for, each once and sorted", () => {
  let asked = 0;
  const set = createIpSet({
    name: "S",
    type: "hash:ip",
    family: 4,
    members: () => {
      asked += 1;
      return ["10.0.0.9", "10.0.0.10", "10.0.0.9"];
    },
  });
  assert.equal(asked, 0);
  assert.deepEqual(set.members(), ["10.0.0.10", "10.0.0.9"]);
});
