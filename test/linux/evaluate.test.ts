/** Walking chains as ipt_do_table does: jumps, returns, gotos, policies, and rules that cannot be decided. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateTable, type Observer, type TableVerdict } from "../../src/linux/netfilter/evaluate.ts";
import type { HookContext } from "../../src/linux/netfilter/hook-context.ts";
import type { Match, Rule, Target } from "../../src/linux/netfilter/rule.ts";
import type { IptablesTable } from "../../src/linux/netfilter/table.ts";
import { cidr, jump, packet, rule, table } from "./build.ts";

const yes: Match = { kind: "protocol", protocol: "tcp" };
const no: Match = { kind: "protocol", protocol: "udp" };
const foreign: Match = { kind: "unknown", text: "-m foreign" };
const ACCEPT: Target = { kind: "accept" };
const DROP: Target = { kind: "drop" };
const RETURN: Target = { kind: "return" };
const mark = (value: number, mask = value): Target => ({ kind: "mark", value, mask });
const masquerade: Target = { kind: "masquerade", randomFully: true };
const dnat: Target = { kind: "dnat", ip: "10.244.1.11", ports: { from: 8080, to: 8080 } };

type Seen = { readonly verdict: TableVerdict; readonly matched: string[]; readonly left: string[]; mark: number };

/** Evaluates a table for one packet, and keeps what the evaluator tells. */
function evaluate(rules: IptablesTable, builtIn: string, evidence = false): Seen {
  const seen = { matched: [] as string[], left: [] as string[], mark: 0 };
  const context = (): HookContext => ({
    packet: packet(),
    mark: seen.mark,
    in: "eth0",
    out: undefined,
    physIn: undefined,
    physOut: undefined,
    ctStates: () => ["NEW"],
    isLocal: () => false,
    isBroadcast: () => false,
    chooseOneIn: () => false,
    recent: () => false,
    inSet: () => false,
  });
  const observer: Observer = {
    evidence,
    matched: ({ chain, position }) => seen.matched.push(`${chain} ${position}`),
    marked: (_ref, value) => {
      seen.mark = value;
    },
    untracked: () => undefined,
    left: (chain, verdict, visits, skipped) => seen.left.push(`${chain} ${verdict} ${visits.length}+${skipped}`),
  };
  return { ...seen, verdict: evaluateTable(4, rules, builtIn, context, observer), mark: seen.mark };
}

type Case = {
  readonly name: string;
  readonly chains: Readonly<Record<string, readonly Rule[]>>;
  readonly policy?: "drop";
  readonly verdict: string;
  readonly matched?: readonly string[];
};
const cases: readonly Case[] = [
  { name: "an empty chain's policy", chains: {}, verdict: "accept" },
  { name: "a policy of DROP", chains: {}, policy: "drop", verdict: "drop by policy of INPUT" },
  {
    name: "the first rule that matches ends it",
    chains: { INPUT: [rule([no], DROP), rule([yes], ACCEPT), rule([yes], DROP)] },
    verdict: "accept",
    matched: ["INPUT 1"],
  },
  { name: "all matches must hold", chains: { INPUT: [rule([yes, no], DROP)] }, verdict: "accept", matched: [] },
  { name: "a rule without matches holds for all", chains: { INPUT: [rule([], DROP)] }, verdict: "drop INPUT 0" },
  {
    name: "a rule without target counts only",
    chains: { INPUT: [rule([yes], { kind: "none" }), rule([yes], { kind: "log", text: "LOG" }), rule([], DROP)] },
    verdict: "drop INPUT 2",
  },
  {
    name: "after a jump the next rule is looked at",
    chains: { INPUT: [rule([], jump("A")), rule([], DROP)], A: [rule([no], ACCEPT)] },
    verdict: "drop INPUT 1",
    matched: ["INPUT 0", "INPUT 1"],
  },
  {
    name: "RETURN goes back to after the jump",
    chains: { INPUT: [rule([], jump("A")), rule([], DROP)], A: [rule([], RETURN), rule([], ACCEPT)] },
    verdict: "drop INPUT 1",
  },
  {
    name: "RETURN in a built-in chain means its policy",
    chains: { INPUT: [rule([], RETURN), rule([], ACCEPT)] },
    policy: "drop",
    verdict: "drop by policy of INPUT",
  },
  {
    name: "ACCEPT in a chain below ends it all",
    chains: { INPUT: [rule([], jump("A")), rule([], DROP)], A: [rule([], jump("B"))], B: [rule([], ACCEPT)] },
    verdict: "accept",
  },
  {
    name: "after a goto's chain its caller is not gone on with",
    chains: { INPUT: [rule([], jump("A")), rule([], DROP)], A: [rule([], { kind: "goto", chain: "B" }), rule([], ACCEPT)], B: [] },
    verdict: "drop INPUT 1",
  },
  {
    name: "a goto from a built-in chain ends with its policy",
    chains: { INPUT: [rule([], { kind: "goto", chain: "B" }), rule([], ACCEPT)], B: [] },
    policy: "drop",
    verdict: "drop by policy of INPUT",
  },
  {
    name: "REJECT",
    chains: { INPUT: [rule([], { kind: "reject", with: "icmp-port-unreachable" })] },
    verdict: "reject icmp-port-unreachable INPUT 0",
  },
  {
    name: "a mark set above is seen below",
    chains: { INPUT: [rule([], mark(0x4000)), rule([{ kind: "mark", value: 0x4000, mask: 0x4000 }], DROP)] },
    verdict: "drop INPUT 1",
  },
  { name: "a match that cannot be decided ends the walk", chains: { INPUT: [rule([foreign], DROP)] }, verdict: "unknown -m foreign" },
  { name: "unless another match of the rule says no", chains: { INPUT: [rule([foreign, no], DROP)] }, verdict: "accept" },
  { name: "before or behind it", chains: { INPUT: [rule([no, foreign], DROP)] }, verdict: "accept" },
  {
    name: "or nothing follows from it",
    chains: { INPUT: [rule([foreign], { kind: "none" }), rule([foreign], { kind: "log", text: "LOG" })] },
    verdict: "accept",
  },
  {
    name: "a target outside the grammar",
    chains: { INPUT: [rule([], { kind: "unknown", text: "-j QUEUE" })] },
    verdict: "unknown -j QUEUE",
  },
  {
    name: "a target outside the grammar that is not reached",
    chains: { INPUT: [rule([no], { kind: "unknown", text: "-j QUEUE" })] },
    verdict: "accept",
  },
  { name: "a chain that does not exist", chains: { INPUT: [rule([], jump("GONE"))] }, verdict: "unknown no chain GONE" },
  {
    name: "chains that jump in a circle",
    chains: { INPUT: [rule([], jump("A"))], A: [rule([], jump("A"))] },
    verdict: "unknown chains nested too deep",
  },
];
for (const { name, chains, policy, verdict, matched } of cases) {
  test(`filter: ${name}`, () => {
    const seen = evaluate(table("filter", chains, policy ? { INPUT: policy } : {}), "INPUT");
    assert.equal(describe(seen.verdict), verdict);
    if (matched) assert.deepEqual(seen.matched, matched);
  });
}

function describe(verdict: TableVerdict): string {
  switch (verdict.kind) {
    case "accept":
      return "accept";
    case "drop":
      return verdict.policyOf === undefined
        ? `drop ${verdict.ref?.chain} ${verdict.ref?.position}`
        : `drop by policy of ${verdict.policyOf}`;
    case "reject":
      return `reject ${verdict.with} ${verdict.ref.chain} ${verdict.ref.position}`;
    case "nat":
      return `nat ${JSON.stringify(verdict.change)}`;
    case "unknown":
      return `unknown ${verdict.text}`;
    default:
      return verdict satisfies never;
  }
}

const nats: readonly (readonly [string, Target, string])[] = [
  ["DNAT", dnat, `nat {"manip":"dst","ip":"10.244.1.11","port":8080,"randomPort":false}`],
  ["DNAT without a port keeps it", { kind: "dnat", ip: "10.244.1.11" }, `nat {"manip":"dst","ip":"10.244.1.11","randomPort":false}`],
  ["MASQUERADE --random-fully", masquerade, `nat {"manip":"src","masquerade":true,"randomPort":true}`],
  ["MASQUERADE keeps the port", { kind: "masquerade", randomFully: false }, `nat {"manip":"src","masquerade":true,"randomPort":false}`],
  ["SNAT", { kind: "snat", ip: "192.0.2.1" }, `nat {"manip":"src","ip":"192.0.2.1","randomPort":false}`],
  ["REDIRECT", { kind: "redirect", ports: { from: 3128, to: 3128 } }, `nat {"manip":"dst","redirect":true,"port":3128,"randomPort":false}`],
];
for (const [name, target, verdict] of nats)
  test(`nat: ${name}`, () =>
    assert.equal(describe(evaluate(table("nat", { PREROUTING: [rule([], target)] }), "PREROUTING").verdict), verdict));

test("nat: ranges that the kernel would draw from are not guessed", () => {
  for (const target of [
    { kind: "dnat", ip: "10.0.0.1", ports: { from: 1, to: 9 } },
    { kind: "dnat", ip: "10.0.0.1", ipTo: "10.0.0.9" },
  ] as const)
    assert.equal(evaluate(table("nat", { PREROUTING: [rule([], target)] }), "PREROUTING").verdict.kind, "unknown");
});

test("--set-xmark value/mask: the bits of the mask are cleared, then value is xored in", () => {
  const seen = evaluate(
    table("mangle", { PREROUTING: [rule([], mark(0x11)), rule([], mark(0x4000, 0x1)), rule([], mark(0x4000, 0))] }),
    "PREROUTING",
  );
  assert.equal(seen.mark, 0x10);
  assert.equal(evaluate(table("mangle", { PREROUTING: [rule([], mark(0x80000000))] }), "PREROUTING").mark, 0x80000000);
});

test("evidence: which rules of a chain were looked at", () => {
  const chains = {
    INPUT: [rule([no], DROP), rule([yes], jump("A")), rule([], DROP)],
    A: [rule([{ kind: "src", cidr: cidr("10.9.9.9/32") }], DROP)],
  };
  assert.deepEqual(evaluate(table("filter", chains), "INPUT", true).left, ["A return 1+0", "INPUT drop 3+0"]);
  assert.deepEqual(evaluate(table("filter", chains), "INPUT").left, ["A return 0+0", "INPUT drop 0+0"]);
});

test("a chain with an index: only candidates are looked at, under their own positions", () => {
  const rules = [rule([no], DROP), rule([no], DROP), rule([yes], DROP)];
  const last = rules[2];
  assert.ok(last);
  const base = table("filter", { INPUT: rules });
  const indexed: IptablesTable = {
    ...base,
    chain: (name) =>
      name === "INPUT" ? { name, policy: "accept", rules: () => rules, candidates: () => [{ position: 2, rule: last }] } : base.chain(name),
  };
  const seen = evaluate(indexed, "INPUT", true);
  assert.equal(describe(seen.verdict), "drop INPUT 2");
  assert.deepEqual(seen.left, ["INPUT drop 1+2"]);
});
