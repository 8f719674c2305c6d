/**
 * An iptables-save capture against the predicted tables. The same: rules in the same order where order has a meaning,
 * whatever their comments and counters say. Foreign chains and rules are set apart; they are part of the captured stack.
 */
import { printRule } from "../dialects/iptables/print-rule.ts";
import { parseIptablesSave } from "../dialects/iptables-save.ts";
import type { Rule } from "../linux/netfilter/rule.ts";
import { BUILT_IN, type Chain, chainOf, type IptablesTable } from "../linux/netfilter/table.ts";
import type { Netns } from "../linux/netns.ts";
import type { Family } from "../net/address.ts";
import { type Capture, familyOfSave } from "./capture.ts";
import { type Compared, type Difference, type Foreign, ruleKey, without } from "./difference.ts";
import {
  agentOfChain,
  isBalancer,
  isCanary,
  isDispatch,
  ownerOfForeign,
  whyChainMissing,
  whyPolicy,
  whyRuleMissing,
  whyUnexpected,
} from "./owners.ts";

/** The rule as comparisons see it: without its comments. */
export const bareText = (rule: Rule, chain: string, family: Family): string =>
  printRule({ ...rule, matches: rule.matches.filter(({ kind }) => kind !== "comment") }, chain, family);

type Side = { readonly rule: Rule; readonly bare: string };
type Site = { readonly family: Family; readonly table: string; readonly chain: string; readonly file: string };

export function compareIptables(netns: Netns, capture: Capture): Compared {
  const family = familyOfSave(capture.format);
  // The cause of a captured rule is its line.
  const parsed = parseIptablesSave(capture.text, capture.file, { family, causeOf: (line) => line });
  const predicted = netns.netfilter.tables(family);
  const whole = parsed.tables.length > 1;
  const names = [...new Set([...predicted, ...parsed.tables].map(({ name }) => name))];
  const results = names.flatMap((name) => {
    const before = predicted.find((table) => table.name === name);
    const found = parsed.tables.find((table) => table.name === name);
    return found || whole ? [compareTable(before, found, { family, table: name, file: capture.file })] : [];
  });
  const tables = names.flatMap((name) => {
    const result = results.find(({ table }) => table === name);
    return result ? (result.captured ?? []) : (predicted.find((table) => table.name === name) ?? []);
  });
  return {
    differences: results.flatMap(({ differences }) => differences),
    foreign: results.flatMap(({ foreign }) => foreign),
    notes: parsed.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`),
    captured: {
      ...netns,
      netfilter: { ...netns.netfilter, tables: (wanted) => (wanted === family ? tables : netns.netfilter.tables(wanted)) },
    },
  };
}

type TableResult = {
  readonly table: string;
  readonly differences: readonly Difference[];
  readonly foreign: readonly Foreign[];
  readonly captured: IptablesTable | undefined;
};

function compareTable(before: IptablesTable | undefined, found: IptablesTable | undefined, site: Omit<Site, "chain">): TableResult {
  const builtIn = new Set(BUILT_IN[(before ?? found)?.name ?? "filter"].map(chainOf));
  const chains = [...new Set([...(before?.names() ?? []), ...(found?.names() ?? [])])].filter((name) => !isCanary(name));
  const results = chains.map((chain) => compareChain(before?.chain(chain), found?.chain(chain), { ...site, chain }, builtIn.has(chain)));
  return {
    table: site.table,
    differences: results.flatMap(({ differences }) => differences),
    foreign: results.flatMap(({ foreign }) => foreign),
    captured: found && tableOf(found, before, site.family),
  };
}

/** The captured table. A rule that was predicted word for word is the predicted one: it knows what it stands for. */
function tableOf(found: IptablesTable, before: IptablesTable | undefined, family: Family): IptablesTable {
  const made = new Map<string, Chain>();
  for (const name of found.names()) {
    const chain = found.chain(name);
    if (!chain) continue;
    const known = new Map((before?.chain(name)?.rules() ?? []).map((rule) => [bareText(rule, name, family), rule]));
    const rules = chain.rules().map((rule) => known.get(bareText(rule, name, family)) ?? rule);
    made.set(name, { name, ...(chain.policy ? { policy: chain.policy } : {}), rules: () => rules });
  }
  return { name: found.name, chain: (name) => made.get(name), names: found.names };
}

type ChainResult = { readonly differences: readonly Difference[]; readonly foreign: readonly Foreign[] };
const SAME: ChainResult = { differences: [], foreign: [] };

function compareChain(before: Chain | undefined, found: Chain | undefined, site: Site, isBuiltIn: boolean): ChainResult {
  const [predicted, real] = [sidesOf(before, site), sidesOf(found, site)];
  if (isBuiltIn) {
    const own = real.filter(({ rule, bare }) => predicted.some((other) => other.bare === bare) || isOfAgent(rule));
    const foreign = real.filter((side) => !own.includes(side));
    return { differences: [...policyOf(before, found, site), ...compareBuiltIn(predicted, own, site)], foreign: foreignOf(site, foreign) };
  }
  if (!before) return agentOfChain(site.chain) ? unexpectedChain(real, site) : { differences: [], foreign: foreignOf(site, real, true) };
  if (!found) return predicted.length === 0 ? SAME : missingChain(predicted, site);
  if (isDispatch(site.chain)) return { differences: compareDispatch(predicted, real, site), foreign: [] };
  if (isBalancer(site.chain)) return { differences: compareBalancer(predicted, real, site), foreign: [] };
  return { differences: compareOrdered(predicted, real, site), foreign: [] };
}

const sidesOf = (chain: Chain | undefined, { family }: Site): Side[] =>
  (chain?.rules() ?? []).map((rule) => ({ rule, bare: bareText(rule, chain?.name ?? "", family) }));

/** A jump into an agent's chain is the agent's. */
const isOfAgent = ({ target }: Rule): boolean =>
  (target.kind === "jump" || target.kind === "goto") && agentOfChain(target.chain) !== undefined;

/** Not one table without rules has policies worth a word: ACCEPT is what an absent table does. */
function policyOf(before: Chain | undefined, found: Chain | undefined, { table, chain }: Site): Difference[] {
  const [a, b] = [before?.policy ?? "accept", found?.policy ?? "accept"].map((word) => word.toUpperCase());
  if (a === b || a === undefined || b === undefined) return [];
  const where = `${table} ${chain}`;
  return [{ area: "policy", kind: "changed", where, predicted: a, found: b, likely: whyPolicy(b), keys: [`policy ${table} ${chain}`] }];
}

function foreignOf({ family, table, chain }: Site, sides: readonly Side[], whole = false): Foreign[] {
  if (sides.length === 0 && !whole) return [];
  const leads = sides.flatMap(({ rule: { target } }) => (target.kind === "jump" || target.kind === "goto" ? [target.chain] : []));
  const owner = ownerOfForeign(chain) ?? leads.flatMap((name) => ownerOfForeign(name) ?? [])[0];
  const unknown = sides.filter(({ rule }) => rule.target.kind === "unknown" || rule.matches.some(({ kind }) => kind === "unknown"));
  return [
    {
      where: `${family === 6 ? "ip6tables " : ""}${table} ${chain}`,
      ...(owner === undefined ? {} : { owner }),
      count: sides.length,
      notUnderstood: unknown.map(({ rule }) => printRule(rule, chain, family)),
      keys: sides.map(({ bare }) => ruleKey(family, table, chain, bare)),
    },
  ];
}

const keyed = ({ family, table, chain }: Site, sides: readonly Side[]): string[] =>
  sides.map(({ bare }) => ruleKey(family, table, chain, bare));
const whereOf = ({ family, table, chain }: Site): string => `${family === 6 ? "ip6tables " : ""}${table} ${chain}`;
const shown = (side: Side, { chain, family }: Site): string => printRule(side.rule, chain, family);

function missingChain(sides: readonly Side[], site: Site): ChainResult {
  const { rule } = sides[0] ?? {};
  const difference: Difference = {
    area: "chain",
    kind: "missing",
    where: whereOf(site),
    predicted: `:${site.chain} with ${sides.length} rule${sides.length === 1 ? "" : "s"}`,
    ...(rule ? { cause: rule.cause } : {}),
    likely: whyChainMissing(site.chain),
    keys: keyed(site, sides),
  };
  return { differences: [difference], foreign: [] };
}

function unexpectedChain(sides: readonly Side[], site: Site): ChainResult {
  const line = sides[0]?.rule.cause;
  const difference: Difference = {
    area: "chain",
    kind: "unexpected",
    where: whereOf(site),
    found: sides.map((side) => shown(side, site)).join("\n") || `:${site.chain}, empty`,
    likely: whyUnexpected(site.chain),
    ...(line === undefined ? {} : { at: { file: site.file, line } }),
    keys: keyed(site, sides),
  };
  return sides.length === 0 ? SAME : { differences: [difference], foreign: [] };
}

const missing = (side: Side, site: Site): Difference => ({
  area: "rule",
  kind: "missing",
  where: whereOf(site),
  predicted: shown(side, site),
  cause: side.rule.cause,
  likely: whyRuleMissing(site.chain, side.rule.target),
  keys: keyed(site, [side]),
});

const unexpected = (side: Side, site: Site): Difference => ({
  area: "rule",
  kind: "unexpected",
  where: whereOf(site),
  found: shown(side, site),
  likely: whyUnexpected(site.chain, side.rule.target),
  at: { file: site.file, line: side.rule.cause },
  keys: keyed(site, [side]),
});

const changed = (a: Side, b: Side, site: Site, likely: string): Difference => ({
  area: "rule",
  kind: "changed",
  where: whereOf(site),
  predicted: shown(a, site),
  found: shown(b, site),
  cause: a.rule.cause,
  likely,
  at: { file: site.file, line: b.rule.cause },
  keys: keyed(site, [a, b]),
});

/** One of each that stand at the same place, with the same kind of target: a rule that was changed, not lost and gained. */
function unordered(predicted: readonly Side[], real: readonly Side[], site: Site): Difference[] {
  const lost = without(predicted, real, ({ bare }) => bare);
  const gained = without(real, predicted, ({ bare }) => bare);
  const pairs = lost.flatMap((a) => {
    const b = gained.find((each) => isVariant(a.rule, each.rule));
    return b ? [{ a, b }] : [];
  });
  const single = pairs.filter(({ a, b }) => pairs.every((other) => other.a === a || other.b !== b));
  const likely =
    "the same rule with other values: another version or other settings, or something else wrote it; compare with the topology";
  return [
    ...lost.filter((a) => !single.some((pair) => pair.a === a)).map((side) => missing(side, site)),
    ...single.map(({ a, b }) => changed(a, b, site, isDnat(a.rule) ? WRONG_ENDPOINT : likely)),
    ...gained.filter((b) => !single.some((pair) => pair.b === b)).map((side) => unexpected(side, site)),
  ];
}

const WRONG_ENDPOINT = "the endpoint has another address: a pod was recreated, or kube-proxy is behind; kubectl get endpointslices";
const isDnat = ({ target }: Rule): boolean => target.kind === "dnat";
const isVariant = (a: Rule, b: Rule): boolean =>
  a.target.kind === b.target.kind && (a.target.kind === "jump" && b.target.kind === "jump" ? a.target.chain === b.target.chain : true);

function compareOrdered(predicted: readonly Side[], real: readonly Side[], site: Site): Difference[] {
  const differences = unordered(predicted, real, site);
  if (differences.length > 0) return differences;
  const at = predicted.findIndex((side, i) => side.bare !== real[i]?.bare);
  const [a, b] = [predicted[at], real[at]];
  if (!a || !b) return [];
  return [
    {
      ...changed(a, b, site, `the same rules in another order: something was inserted again later`),
      kind: "misplaced",
      keys: keyed(site, predicted),
    },
  ];
}

/** Each daemon puts its jumps in when it starts, in front or at the end: who came first is no difference, its own order is. */
function compareBuiltIn(predicted: readonly Side[], real: readonly Side[], site: Site): Difference[] {
  const agentOf = ({ rule: { target } }: Side): string =>
    target.kind === "jump" || target.kind === "goto" ? (agentOfChain(target.chain) ?? "") : "";
  const agents = [...new Set([...predicted, ...real].map(agentOf))];
  return agents.flatMap((agent) =>
    compareOrdered(
      predicted.filter((side) => agentOf(side) === agent),
      real.filter((side) => agentOf(side) === agent),
      site,
    ),
  );
}

/** One rule a Service in any order; the jump to the node ports stands last. */
function compareDispatch(predicted: readonly Side[], real: readonly Side[], site: Site): Difference[] {
  const differences = unordered(predicted, real, site);
  const [a, b] = [predicted.at(-1), real.at(-1)];
  if (differences.length > 0 || !a || !b || !isLast(a.rule) || isLast(b.rule)) return differences;
  return [{ ...changed(a, b, site, "the jump to the node ports must be the last rule"), kind: "misplaced" }];
}
const isLast = ({ target }: Rule): boolean => target.kind === "jump" && target.chain === "KUBE-NODEPORTS";

/** The endpoints in any order, each with the same share; all else in order. */
function compareBalancer(predicted: readonly Side[], real: readonly Side[], site: Site): Difference[] {
  const [a, b] = [sharesOf(predicted), sharesOf(real)];
  const others = compareOrdered(
    predicted.filter((side) => !a.has(side)),
    real.filter((side) => !b.has(side)),
    site,
  );
  const toKey = (side: Side): string => leadsTo(side.rule) ?? side.bare;
  const lost = without([...a.keys()], [...b.keys()], toKey);
  const gained = without([...b.keys()], [...a.keys()], toKey);
  if (lost.length + gained.length > 0)
    return [...others, ...lost.map((each) => missing(each, site)), ...gained.map((each) => unexpected(each, site))];
  const uneven = [...a].flatMap(([side, share]) => {
    const twin = [...b].find(([each]) => toKey(each) === toKey(side));
    return twin && Math.abs(twin[1] - share) > 1e-6 ? [{ side, twin: twin[0] }] : [];
  });
  const first = uneven[0];
  return first
    ? [...others, changed(first.side, first.twin, site, "the endpoints' shares differ: rules are missing or were edited")]
    : others;
}

const leadsTo = ({ target }: Rule): string | undefined => (target.kind === "jump" ? target.chain : undefined);

/** The rules that pick an endpoint, and the share of connections each gets. */
function sharesOf(sides: readonly Side[]): ReadonlyMap<Side, number> {
  const shares = new Map<Side, number>();
  let left = 1;
  for (const side of sides) {
    if (!leadsTo(side.rule)?.startsWith("KUBE-SEP-") || side.rule.matches.some(({ kind }) => kind === "recent")) continue;
    const random = side.rule.matches.find((match) => match.kind === "statistic-random");
    const share = random?.kind === "statistic-random" ? left / random.inverse : left;
    shares.set(side, share);
    left -= share;
  }
  return shares;
}
