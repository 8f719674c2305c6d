/**
 * The node's own rules beside the agents', and several programs on one node that each make sure of a rule: `iptables -C` first, then -I or -A, so that a rule which is
 * there already is not put a second time (kubelet and kube-proxy both want the jump to KUBE-FIREWALL).
 */

import type { Rule } from "../linux/netfilter/rule.ts";
import { BUILT_IN, chainOf, type IptablesTable } from "../linux/netfilter/table.ts";
import type { Family } from "../net/address.ts";
import type { RulesetPart } from "./ruleset.ts";

/** The parts without those rules of built-in chains that an earlier part has put there. */
export function withoutRepeats(parts: readonly RulesetPart[]): RulesetPart[] {
  const present = new Set<string>();
  return parts.map((part) => {
    const builtIn = part.builtIn.map((entry) => {
      const keyed = entry.rules.map((rule) => ({ rule, key: keyOf(part.family, part.table, entry.chain, rule) }));
      return { ...entry, rules: keyed.filter(({ key }) => !present.has(key)).map(({ rule }) => rule) };
    });
    for (const entry of part.builtIn) for (const rule of entry.rules) present.add(keyOf(part.family, part.table, entry.chain, rule));
    return { ...part, builtIn };
  });
}

/** What `iptables -C` compares: the matches and the target, whoever wrote the rule. */
const keyOf = (family: Family, table: string, chain: string, rule: Rule): string =>
  JSON.stringify([family, table, chain, rule.matches, rule.target], keysInOrder);

/** Two writers may fill the fields of one match in different orders. */
const keysInOrder = (_key: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** A node's own tables, as read from its rules file, as the part that was there before any daemon started. */
export function ownRulesParts(family: Family, tables: readonly IptablesTable[]): RulesetPart[] {
  return tables.map((table) => {
    const builtIn = BUILT_IN[table.name].map(chainOf);
    const chains = builtIn.flatMap((name) => table.chain(name) ?? []);
    return {
      family,
      table: table.name,
      builtIn: chains.map((chain) => ({ chain: chain.name, at: "back" as const, rules: chain.rules() })),
      chain: (name) => (builtIn.includes(name) ? undefined : table.chain(name)),
      names: () => table.names().filter((name) => !builtIn.includes(name)),
      policies: Object.fromEntries(chains.flatMap((chain) => (chain.policy ? [[chain.name, chain.policy]] : []))),
    };
  });
}
