import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { printNftRule } from "../../src/dialects/nft/print-rule.ts";
import { readNftRule } from "../../src/dialects/nft/read-rule.ts";
import { parseNft } from "../../src/dialects/nft/read-table.ts";
import { tokenizeNft } from "../../src/dialects/nft/tokens.ts";
import { printDuration, printPriority, readDuration, readPriority } from "../../src/dialects/nft/words.ts";
import { printNftRuleset } from "../../src/dialects/nft.ts";
import { oracleCases } from "../agents/kube-proxy/oracle.ts";

let captures = 0;
for (const { name, nodes } of oracleCases) {
  for (const node of nodes) {
    const file = `fixtures/oracle/${name}/${node}/nft.txt`;
    captures += 1;
    test(`${name} ${node}: read and printed, nft.txt is the same`, () => {
      const text = readFileSync(file, "utf8");
      const { tables, problems } = parseNft(text, file);
      assert.deepEqual(problems, []);
      assert.equal(printNftRuleset(tables), text);
      for (const table of tables)
        for (const chain of table.chainNames().flatMap((one) => table.chain(one) ?? []))
          for (const rule of chain.rules())
            assert.ok(
              rule.expressions.every(({ kind }) => kind !== "unknown"),
              printNftRule(rule),
            );
    });
  }
}
test("all captures were read", () => assert.equal(captures, 41));

const FOREIGN = readFileSync("test/dialects/foreign.nft", "utf8");

test("a rule set as an administrator may have it, listed by nft 1.0.6: read and printed, the same", () => {
  const { tables, problems } = parseNft(FOREIGN, "foreign.nft");
  assert.deepEqual(problems, []);
  assert.equal(printNftRuleset(tables), FOREIGN);
});

/** What a person types, and what nft lists of it. */
const typed = [
  ["meta mark and 0x4000 == 0x4000 return", "meta mark & 0x00004000 == 0x00004000 return"],
  ["meta mark set mark or 0x4000", "meta mark set meta mark | 0x00004000"],
  ["meta mark set 16", "meta mark set 0x00000010"],
  ["ip daddr { 10.96.0.0/12 } drop", "ip daddr 10.96.0.0/12 drop"],
  ["ip saddr != { 10.96.0.0/12 , 1.1.1.1 } drop", "ip saddr != { 1.1.1.1, 10.96.0.0/12 } drop"],
  ["ct state { related, established } accept", "ct state { established, related } accept"],
  ["ct state related,established accept", "ct state established,related accept"],
  ["meta l4proto { 17, tcp } accept", "meta l4proto { tcp, udp } accept"],
  [
    "meta l4proto tcp dnat ip addr . port to numgen random mod 2 map { 1 : 10.0.0.2 . 80 , 0 : 10.0.0.1 . 80 }",
    "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 80 }",
  ],
  ["limit rate 3/minute ip saddr 10.0.0.1 drop", "limit rate 3/minute ip saddr 10.0.0.1 drop"],
  ['iifname "cali*" counter packets 5 bytes 10 accept comment "x y"', 'iifname "cali*" counter packets 5 bytes 10 accept comment "x y"'],
  ["reject with icmp type admin-prohibited", "reject with icmp admin-prohibited"],
] as const;
for (const [text, listed] of typed)
  test(`${text}: is listed as nft lists it`, () => assert.equal(printNftRule(readNftRule(tokenizeNft(text), 0)), listed));

test("what is not modelled is as short as the rest can be read", () => {
  const { expressions } = readNftRule(tokenizeNft("ip saddr 10.0.0.1 ether saddr 00:11:22:33:44:55 tcp dport 22 accept"), 0);
  assert.deepEqual(
    expressions.map((expression) => (expression.kind === "unknown" ? expression.text : expression.kind)),
    ["compare", "ether saddr 00:11:22:33:44:55", "compare", "verdict"],
  );
});

test("problems have their line", () => {
  const { problems } = parseNft(
    "table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { nonsense! }\n\t}\n\tflowtable f {\n\t}\n}\ntable arp a {\n}\nadd rule x\n",
    "f",
  );
  assert.deepEqual(
    problems.map(({ line, message }) => `${line} ${message}`),
    [
      '4 element "nonsense!" is not modelled',
      '6 not modelled in a table: "flowtable f"',
      "9 table arp a is not modelled: its rules are left out",
      '11 not understood: "add rule x"',
    ],
  );
});

test("priorities and durations, both ways", () => {
  const priorities = [
    [-110, "prerouting", "dstnat - 10"],
    [-110, "output", "-110"],
    [-300, "prerouting", "raw"],
    [0, "forward", "filter"],
    [10, "forward", "filter + 10"],
    [11, "forward", "11"],
    [100, "postrouting", "srcnat"],
    [100, "input", "100"],
    [-90, "output", "-90"],
  ] as const;
  for (const [value, hook, text] of priorities) {
    assert.equal(printPriority(value, hook), text);
    assert.equal(readPriority(text.split(" ")), value);
  }
  for (const [seconds, text] of [
    [10800, "3h"],
    [90061, "1d1h1m1s"],
    [300, "5m"],
  ] as const) {
    assert.equal(printDuration(seconds), text);
    assert.equal(readDuration(text), seconds);
  }
});

test("any text is read without an error, and what was read once is read the same again", () => {
  const words = fc.constantFrom(
    "table",
    "ip",
    "chain",
    "set",
    "map",
    "{",
    "}",
    ";",
    "\n",
    ",",
    "elements",
    "=",
    "type",
    "ipv4_addr",
    ":",
    "verdict",
    "filter",
    "hook",
    "input",
    "priority",
    "0",
    "policy",
    "drop",
    "accept",
    "jump",
    "a",
    "@a",
    "saddr",
    "10.0.0.1",
    "!=",
    "ct",
    "state",
    "new",
    "numgen",
    "random",
    "mod",
    "2",
    "vmap",
    '"x"',
    '"',
    "__proto__",
    "constructor",
    "comment",
    "meta",
    "mark",
    "&",
    "dnat",
    "to",
    ".",
    "update",
    "\u0000",
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 40 }), (parts) => {
      const once = printNftRuleset(parseNft(parts.join(" "), "f").tables);
      const again = printNftRuleset(parseNft(once, "f").tables);
      assert.equal(printNftRuleset(parseNft(again, "f").tables), again);
    }),
    { numRuns: 2000, seed: 1 },
  );
});
