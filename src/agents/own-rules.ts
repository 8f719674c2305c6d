/**
 * Several programs on one node that each make sure of a rule: `iptables -C` first, then -I or -A, so that a rule which is
 * there already is not put a second time (kubelet and kube-proxy both want the jump to KUBE-FIREWALL).
 */

import type { Rule } from "../linux/netfilter/rule.ts";
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
  JSON.stringify([family, table, chain, rule.matches, rule.target]);
