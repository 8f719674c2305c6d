/**
 * `nft list ruleset` against the predicted nftables tables. Members of sets and maps have no order; rules of a chain have.
 * The tables that iptables itself keeps in nftables (`ip nat` with PREROUTING…) are iptables-save's to show.
 */
import { printElement, printNftRule } from "../dialects/nft/print-rule.ts";
import { parseNft } from "../dialects/nft/read-table.ts";
import type { NftElement, NftRule, NftSet, NftTable } from "../linux/netfilter/nft.ts";
import type { Netns } from "../linux/netns.ts";
import type { Capture } from "./capture.ts";
import { type Compared, type Difference, type Foreign, ruleKey, without } from "./difference.ts";

const RUNNING = "is kube-proxy running on this node, in mode nftables? kubectl -n kube-system logs -l k8s-app=kube-proxy";
const STALE = "the manifests do not have it, or it is gone and kube-proxy has not noticed (is it running?)";

export function compareNft(netns: Netns, capture: Capture): Compared {
  const parsed = parseNft(capture.text, capture.file, { causeOf: (line) => line });
  const predicted = [...new Set(([4, 6] as const).flatMap((family) => netns.netfilter.nft?.(family) ?? []))];
  const own = parsed.tables.filter((table) => !isOfIptables(table));
  const results = own.map((table) => compareTable(predicted.find(isNamed(table)), table, capture));
  const absent = predicted.filter((table) => !own.some(isNamed(table)));
  // `nft list table ip kube-proxy` shows one family, and a cluster of one family has no need of the other.
  const lost = absent.filter(({ name }) => !own.some((table) => table.name === name));
  const hidden = parsed.tables.length > own.length;
  return {
    differences: [...lost.map((table) => lostTable(table, capture)), ...results.flatMap(({ differences }) => differences)],
    foreign: results.flatMap(({ foreign }) => foreign),
    notes: [
      ...(hidden ? ["nft shows iptables' own tables too (ip filter, ip nat…): give `iptables-save` to have them compared"] : []),
      ...absent
        .filter((table) => !lost.includes(table))
        .map(({ family, name }) => `nft list ruleset: table ${family} ${name} is not in the capture: not compared`),
      ...parsed.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`),
    ],
    ...(own.length === 0 && predicted.length === 0 ? { isIncomparable: true } : {}),
    captured: { ...netns, netfilter: { ...netns.netfilter, nft: (family) => [...ofFamily(own, family)] } },
  };
}

const isNamed =
  ({ family, name }: NftTable) =>
  (other: NftTable): boolean =>
    other.family === family && other.name === name;
const ofFamily = (tables: readonly NftTable[], family: 4 | 6): readonly NftTable[] =>
  tables.filter((table) => table.family === "inet" || table.family === (family === 4 ? "ip" : "ip6"));

/** xtables-nft names its base chains as iptables does. */
const isOfIptables = (table: NftTable): boolean =>
  /^(raw|mangle|nat|filter|security)$/.test(table.name) &&
  table.baseChains.every(({ name }) => /^(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)$/.test(name));

const lostTable = (table: NftTable, { format }: Capture): Difference => ({
  area: "rule",
  kind: "missing",
  where: format,
  predicted: `table ${table.family} ${table.name}`,
  likely: RUNNING,
  keys: table.chainNames().flatMap((chain) => (table.chain(chain)?.rules() ?? []).map((rule) => keyOf(table, chain, rule))),
});

/** The rule as comparisons see it: without its comment and counters. */
export const bareNft = ({ comment: _, ...rule }: NftRule): string =>
  printNftRule({ ...rule, expressions: rule.expressions.filter((each) => each.kind !== "note" || !/^counter\b/.test(each.text)) });
const keyOf = ({ family, name }: NftTable, chain: string, rule: NftRule): string => ruleKey(family, name, chain, bareNft(rule));

type TableResult = { readonly differences: readonly Difference[]; readonly foreign: readonly Foreign[] };

function compareTable(predicted: NftTable | undefined, found: NftTable, capture: Capture): TableResult {
  if (!predicted)
    return found.name === "kube-proxy"
      ? { differences: [unexpectedTable(found, capture)], foreign: [] }
      : { differences: [], foreign: [foreignTable(found)] };
  const chains = [...new Set([...predicted.chainNames(), ...found.chainNames()])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const sets = [...new Set([...predicted.sets(), ...found.sets()].map(({ name }) => name))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    differences: [
      ...sets.flatMap((name) => compareSet(predicted.set(name), found.set(name), predicted, capture)),
      ...chains.flatMap((chain) => compareChain(predicted, found, chain, capture)),
    ],
    foreign: [],
  };
}

const unexpectedTable = (found: NftTable, { format, file, line }: Capture): Difference => ({
  area: "rule",
  kind: "unexpected",
  where: format,
  found: `table ${found.family} ${found.name}`,
  likely: STALE,
  at: { file, line },
  keys: found.chainNames().flatMap((chain) => (found.chain(chain)?.rules() ?? []).map((rule) => keyOf(found, chain, rule))),
});

function foreignTable(table: NftTable): Foreign {
  const rules = table.chainNames().flatMap((chain) => (table.chain(chain)?.rules() ?? []).map((rule) => ({ chain, rule })));
  const owner = /docker/.test(table.name) ? "Docker" : /^firewalld/.test(table.name) ? "firewalld" : undefined;
  return {
    where: `table ${table.family} ${table.name}`,
    ...(owner === undefined ? {} : { owner }),
    count: rules.length,
    notUnderstood: rules
      .filter(({ rule }) => rule.expressions.some(({ kind }) => kind === "unknown"))
      .map(({ rule }) => printNftRule(rule)),
    keys: rules.map(({ chain, rule }) => keyOf(table, chain, rule)),
  };
}

/** Members with their verdicts; those that come and go with traffic (`update @set`) are not compared. */
const memberText = ({ comment: _, ...element }: NftElement): string => printElement(element);
export const memberKey = (set: string, element: NftElement): string => `member ${set} ${memberText(element)}`;

function compareSet(predicted: NftSet | undefined, found: NftSet | undefined, table: NftTable, { format, file }: Capture): Difference[] {
  const set = predicted ?? found;
  if (!set || set.timeoutSeconds !== undefined || set.flags.includes("dynamic")) return [];
  const where = `${table.family} ${table.name} ${set.kind} ${set.name}`;
  const [a, b] = [predicted?.elements() ?? [], found?.elements() ?? []];
  return [
    ...without(a, b, memberText).map(
      (each): Difference => ({
        area: "rule",
        kind: "missing",
        where,
        predicted: memberText(each),
        cause: each.cause,
        likely: `this member is missing: ${RUNNING}`,
        keys: [memberKey(set.name, each)],
      }),
    ),
    ...without(b, a, memberText).map(
      (each): Difference => ({
        area: "rule",
        kind: "unexpected",
        where: `${where}`,
        found: memberText(each),
        likely: STALE,
        at: { file, line: each.cause },
        keys: [memberKey(set.name, each)],
      }),
    ),
  ].map((difference) => ({ ...difference, where: `${format}: ${difference.where}` }));
}

function compareChain(predicted: NftTable, found: NftTable, chain: string, { format, file }: Capture): Difference[] {
  const where = `${format}: ${predicted.family} ${predicted.name} ${chain}`;
  const [a, b] = [predicted.chain(chain)?.rules() ?? [], found.chain(chain)?.rules() ?? []];
  const lost = without(a, b, comparable);
  const gained = without(b, a, comparable);
  const [one, other] = [lost[0], gained[0]];
  if (one && other && lost.length === 1 && gained.length === 1)
    return [
      {
        area: "rule",
        kind: "changed",
        where,
        predicted: printNftRule(one),
        found: printNftRule(other),
        cause: one.cause,
        likely: "the same rule with other values: endpoints came or went, or another version wrote it",
        at: { file, line: other.cause },
        keys: [keyOf(predicted, chain, one), keyOf(found, chain, other)],
      },
    ];
  return [
    ...lost.map(
      (rule): Difference => ({
        area: "rule",
        kind: "missing",
        where,
        predicted: printNftRule(rule),
        cause: rule.cause,
        likely: `this rule is missing: ${RUNNING}`,
        keys: [keyOf(predicted, chain, rule)],
      }),
    ),
    ...gained.map(
      (rule): Difference => ({
        area: "rule",
        kind: "unexpected",
        where,
        found: printNftRule(rule),
        likely: STALE,
        at: { file, line: rule.cause },
        keys: [keyOf(found, chain, rule)],
      }),
    ),
  ];
}

/** An even choice is the same in any order of its arms. */
const comparable = (rule: NftRule): string => {
  const text = bareNft(rule);
  const arms = rule.expressions.flatMap((each) =>
    each.kind === "numgen-vmap" || each.kind === "numgen-dnat" ? [...each.arms.map(({ value }) => JSON.stringify(value))].sort() : [],
  );
  return arms.length === 0 ? text : `${text.slice(0, text.indexOf("{"))}${arms.join(", ")}`;
};
