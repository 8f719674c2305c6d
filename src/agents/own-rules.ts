/** The node's own rules beside the agents', as iptables-save printed them: firewalld's, a FORWARD policy, an administrator's. */
import { BUILT_IN, chainOf, type IptablesTable } from "../linux/netfilter/table.ts";
import type { Family } from "../net/address.ts";
import type { RulesetPart } from "./ruleset.ts";

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
