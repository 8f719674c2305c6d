import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { printProbability, readProbability } from "../../src/dialects/iptables/numbers.ts";
import { printRule } from "../../src/dialects/iptables/print-rule.ts";
import { parseIptablesSave, printIptablesSave } from "../../src/dialects/iptables-save.ts";
import type { Rule } from "../../src/linux/netfilter/rule.ts";

const captures = readdirSync("fixtures/oracle", { recursive: true, encoding: "utf8" })
  .filter((path) => /ip6?tables-save\.txt$/.test(path))
  .sort();

test("there are captures to read", () => assert.ok(captures.length >= 84, `${captures.length} captures`));

for (const path of captures) {
  test(`${path}: read and printed again gives the same bytes`, () => {
    const text = readFileSync(`fixtures/oracle/${path}`, "utf8");
    const { tables, problems } = parseIptablesSave(text, path);
    assert.deepEqual(problems, []);
    assert.equal(printIptablesSave(tables, { family: path.includes("ip6tables") ? 6 : 4 }), text);
    assert.deepEqual(unknownsOf(tables.flatMap((table) => table.names().flatMap((name) => table.chain(name)?.rules() ?? []))), []);
  });
}

const inputs = readdirSync("fixtures/oracle", { recursive: true, encoding: "utf8" })
  .filter((path) => /\/ip6?tables-restore-input\.txt$/.test(path))
  .sort();

/** What iptables-restore was fed, printed by us, says what iptables-save then printed of it; the jumps came later. */
for (const path of inputs) {
  test(`${path}: restore input means what iptables-save printed`, () => {
    const family = path.includes("ip6tables") ? 6 : 4;
    const input = parseIptablesSave(readFileSync(`fixtures/oracle/${path}`, "utf8"), path, { family });
    const saved = readFileSync(`fixtures/oracle/${path.replace("restore-input", "save")}`, "utf8");
    assert.deepEqual(input.problems, []);
    const ours = ruleLines(printIptablesSave(input.tables, { family }));
    assert.deepEqual(
      ours,
      ruleLines(saved).filter((line) => !/^-A (INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING) /.test(line)),
    );
  });
}

const ruleLines = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("-A"))
    .sort();

const unknownsOf = (rules: readonly Rule[]): string[] =>
  rules.flatMap((rule) => [
    ...rule.matches.flatMap((match) => (match.kind === "unknown" ? [match.text] : [])),
    ...(rule.target.kind === "unknown" ? [rule.target.text] : []),
  ]);

/** Lines as iptables-save 1.8.9 printed them on Linux 6.18; `unknown` is what the model does not decide. */
const lines = [
  { line: "-A FOO -p icmp -m icmp --icmp-type 8 -j ACCEPT" },
  { line: "-A FOO -p icmp -m icmp --icmp-type 3/4 -j ACCEPT" },
  { line: "-A FOO -p icmp -m icmp --icmp-type any -j ACCEPT", unknown: "-m icmp --icmp-type any" },
  { line: "-A FOO -p icmp -m icmp ! --icmp-type 8 -j ACCEPT" },
  { line: "-A FOO -m state --state NEW,RELATED -j ACCEPT" },
  { line: "-A FOO -m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED,SNAT,DNAT -j ACCEPT" },
  { line: "-A FOO -p tcp -m tcp --sport 1:5 --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -j REJECT --reject-with tcp-reset" },
  { line: "-A FOO -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j REJECT --reject-with icmp-port-unreachable" },
  { line: "-A FOO -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP" },
  { line: "-A FOO -p tcp -m multiport --dports 80,443,100:200 -j ACCEPT" },
  { line: "-A FOO -p tcp -m multiport ! --ports 80 -j ACCEPT" },
  { line: "-A FOO -p tcp -m tcp -j ACCEPT" },
  { line: "-A FOO -p tcp -m tcp ! --dport 22 -j ACCEPT" },
  { line: "-A FOO -p gre -j ACCEPT", unknown: "-p gre" },
  { line: "-A FOO ! -p tcp -g BAR" },
  { line: "-A FOO ! -i eth+ ! -o eth1 -j ACCEPT" },
  { line: "-A FOO -m comment --comment plain" },
  { line: '-A FOO -m comment --comment ""' },
  { line: '-A FOO -m comment --comment "a\\\'b\\"c\\\\d"' },
  { line: "-A FOO -m statistic --mode nth --every 3 --packet 0 -j ACCEPT" },
  { line: "-A FOO -m statistic --mode nth --every 3 --packet 2 -j ACCEPT" },
  {
    line: "-A FOO -m statistic --mode random --probability 0.29999999981 -j ACCEPT",
    unknown: "-m statistic --mode random --probability 0.29999999981",
  },
  { line: "-A FOO -m statistic --mode random --probability 0.33332999982 -j ACCEPT" },
  { line: "-A FOO -m statistic --mode random ! --probability 0.25000000000 -j ACCEPT" },
  { line: "-A FOO -m statistic --mode random --probability 1.00000000000 -j ACCEPT" },
  { line: "-A FOO -m statistic --mode random --probability 0.00000000000 -j ACCEPT" },
  { line: "-A FOO -m statistic --mode random --probability 0.00024414062 -j ACCEPT" },
  { line: "-A FOO -m recent --update --seconds 60 --name x --mask 255.255.255.255 --rsource -j DROP" },
  { line: "-A FOO -m recent ! --rcheck --name x --mask 255.255.255.255 --rdest -j DROP" },
  {
    line: "-A FOO -m recent --update --seconds 60 --hitcount 3 --rttl --name x --mask 255.255.255.255 --rsource -j DROP",
    unknown: "-m recent --update --seconds 60 --hitcount 3 --rttl --name x --mask 255.255.255.255 --rsource",
  },
  {
    line: "-A FOO -m addrtype --src-type LOCAL --dst-type LOCAL,BROADCAST -j ACCEPT",
    unknown: "-m addrtype --src-type LOCAL --dst-type LOCAL,BROADCAST",
  },
  { line: "-A FOO -m addrtype ! --src-type LOCAL ! --dst-type UNICAST -j ACCEPT" },
  { line: "-A FOO -m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT" },
  { line: '-A FOO -m limit --limit 3/min -j LOG --log-prefix "x y: "', unknown: "-m limit --limit 3/min" },
  { line: "-A FOO -m physdev --physdev-in veth0 --physdev-is-bridged -j ACCEPT" },
  {
    line: '-A FOO -m physdev --physdev-in a ! --physdev-is-out -m comment --comment "a b" -j DROP',
    unknown: "-m physdev --physdev-in a ! --physdev-is-out",
  },
  { line: "-A FOO -s 10.0.0.0/255.0.255.0 -j BAR", unknown: "-s 10.0.0.0/255.0.255.0" },
  { line: "-A FOO -f -j ACCEPT", unknown: "-f" },
  { line: "-A FOO -p sctp -m sctp --dport 7 -j ACCEPT" },
  { line: "-A FOO -m iprange --src-range 1.1.1.1-1.1.1.9 -j ACCEPT", unknown: "-m iprange --src-range 1.1.1.1-1.1.1.9" },
  {
    line: "-A FOO -m conntrack ! --ctstate NEW --ctorigdst 1.2.3.4 -j ACCEPT",
    unknown: "-m conntrack ! --ctstate NEW --ctorigdst 1.2.3.4",
  },
  {
    line: "-A FOO -m mark --mark 0x5 -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    unknown: "CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
  },
  { line: "-A FOO -j MARK --set-xmark 0x0/0xffffff00" },
  { line: "-A FOO -p udp -m udp --dport 53 -j NOTRACK" },
  { line: "-A FOO -j CT --notrack" },
  { line: "-A FOO -j CT --zone 3", unknown: "CT --zone 3" },
  { line: "-A FOO -j TRACE" },
  { line: "-A FOO -j QUEUE", unknown: "QUEUE" },
  { line: "-A FOO -p tcp -j DNAT --to-destination 1.2.3.4-1.2.3.9:80-90" },
  { line: "-A FOO -p tcp -j DNAT --to-destination :80" },
  { line: "-A FOO -p tcp -j DNAT --to-destination 1.2.3.4:80 --random --persistent" },
  { line: "-A FOO -p tcp -j DNAT --to-destination [fd00::1-fd00::9]:80" },
  { line: "-A FOO -p tcp -j DNAT --to-destination fd00::1" },
  { line: "-A FOO -p tcp -j REDIRECT --to-ports 80" },
  { line: "-A FOO -p tcp -j REDIRECT" },
  { line: "-A FOO -j SNAT --to-source 1.2.3.4 --random-fully" },
  { line: "-A FOO -j MASQUERADE --random", unknown: "MASQUERADE --random" },
  { line: "-A FOO -p ipv6-icmp -m icmp6 --icmpv6-type 1/4 -j ACCEPT" },
] as const;

for (const row of lines) {
  test(`${row.line} survives`, () => {
    const { rules, problems } = readRules(row.line);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      rules.map((rule) => printRule(rule, "FOO")),
      [row.line],
    );
    assert.deepEqual(unknownsOf(rules), "unknown" in row ? [row.unknown] : []);
  });
}

/** Written as programs write for iptables-restore, printed as iptables-save does. */
const spellings = [
  [
    '-A FOO -m comment --comment "x" -m tcp -p tcp -d 10.0.0.1 --dport 80 ! -s 10.0.0.0/8 -j BAR',
    "-A FOO ! -s 10.0.0.0/8 -d 10.0.0.1/32 -p tcp -m comment --comment x -m tcp --dport 80 -j BAR",
  ],
  ["-A FOO -p tcp --dport 80 -j ACCEPT", "-A FOO -p tcp -m tcp --dport 80 -j ACCEPT"],
  ["[3:180] -A FOO -j ACCEPT", "-A FOO -j ACCEPT"],
  ["-A FOO -p tcp --syn -j DROP", "-A FOO -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"],
  ["-A FOO -j MARK --set-mark 0x5/0xff", "-A FOO -j MARK --set-xmark 0x5/0xff"],
  ["-A FOO -j MARK --and-mark 0xff", "-A FOO -j MARK --set-xmark 0x0/0xffffff00"],
  ["-A FOO -j MARK --or-mark 0x00004000", "-A FOO -j MARK --set-xmark 0x4000/0x4000"],
  ["-A FOO -j MARK --xor-mark 0x00004000", "-A FOO -j MARK --set-xmark 0x4000/0x0"],
  ["-A FOO -j REJECT", "-A FOO -j REJECT --reject-with icmp-port-unreachable"],
  ["-A FOO --protocol tcp --match tcp --destination-port 1:2 --jump BAR", "-A FOO -p tcp -m tcp --dport 1:2 -j BAR"],
] as const;

for (const [written, printed] of spellings) {
  test(`${written} prints as iptables-save prints it`, () => {
    const { rules, problems } = readRules(written);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      rules.map((rule) => printRule(rule, "FOO")),
      [printed],
    );
  });
}

function readRules(line: string): { readonly rules: readonly Rule[]; readonly problems: readonly string[] } {
  const { tables, problems } = parseIptablesSave(`*filter\n:FOO - [0:0]\n:BAR - [0:0]\n${line}\nCOMMIT\n`, "x");
  return { rules: tables[0]?.chain("FOO")?.rules() ?? [], problems: problems.map(({ message }) => message) };
}

test("what cannot be taken is said with its line, and no rule matches more than was written", () => {
  const text =
    '-A FOO -j ACCEPT\n*security\n-A INPUT -j DROP\nCOMMIT\n*filter\n:INPUT QUEUE [0:0]\n-A NONE -j DROP\n-A INPUT --dport 3 -j DROP\n-A INPUT word -j DROP\n-Z INPUT\n-A INPUT -m comment --comment "open\n-A INPUT -j\n:__proto__ - [0:0]\n';
  const { tables, problems } = parseIptablesSave(text, "node.rules");
  assert.deepEqual(
    problems.map(({ line }) => line),
    [1, 2, 6, 7, 8, 9, 10, 11, 12],
  );
  const rules = tables[0]?.chain("INPUT")?.rules() ?? [];
  assert.deepEqual(
    rules.map((rule) => rule.matches.map(({ kind }) => kind)),
    [["unknown"], ["unknown"], ["unknown"]],
  );
  assert.deepEqual(tables[0]?.names(), ["INPUT", "__proto__"]);
});

test("a chain may be read in two parts, and -I inserts", () => {
  const { tables, problems } = parseIptablesSave(
    "*filter\n-A INPUT -j ACCEPT\nCOMMIT\n*filter\n-I INPUT -j DROP\n-I INPUT 2 -j RETURN\n-P INPUT DROP\nCOMMIT\n",
    "x",
  );
  assert.deepEqual(problems, []);
  assert.equal(printIptablesSave(tables), "*filter\n:INPUT DROP [0:0]\n-A INPUT -j DROP\n-A INPUT -j RETURN\n-A INPUT -j ACCEPT\nCOMMIT\n");
});

test("causes are asked for by line", () => {
  const { tables } = parseIptablesSave("*filter\n:INPUT DROP [0:0]\n-A INPUT -j DROP\n", "x", { causeOf: (line) => line * 10 });
  assert.equal(tables[0]?.chain("INPUT")?.rules()[0]?.cause, 30);
});

const printed = [
  [1, "1.00000000000"],
  [2, "0.50000000000"],
  [3, "0.33333333349"],
  [25, "0.04000000004"],
  [4096, "0.00024414062"],
] as const;
for (const [inverse, text] of printed) test(`1/${inverse} prints as ${text}`, () => assert.equal(printProbability(inverse), text));

test("a printed probability gives its k back", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 150 }), (inverse) => readProbability(printProbability(inverse)) === inverse));
});

test("no text makes the reader throw, and what it takes without a problem prints to a fixed point", () => {
  const word = fc.constantFrom(
    "-A",
    "INPUT",
    "-m",
    "tcp",
    "!",
    "-s",
    "10.0.0.1",
    "-j",
    "DROP",
    '"',
    "'",
    "\\",
    "--dport",
    "80",
    "-p",
    "udp",
    "-g",
    "*filter",
    ":X",
    "-",
    "\n",
    "--mark",
    "0x1/0x2",
    "\u0000",
    "comment",
    "--comment",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      const { tables, problems } = parseIptablesSave(`*filter\n:INPUT ACCEPT\n-A INPUT ${words.join(" ")}`, "x");
      const once = printIptablesSave(tables);
      if (problems.length === 0) assert.equal(printIptablesSave(parseIptablesSave(once, "x").tables), once);
    }),
  );
});
