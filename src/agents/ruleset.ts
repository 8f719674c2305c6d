/**
 * How several daemons share a node's iptables: each brings its own chains and puts jumps at the front or the back of the
 * built-in ones, as `iptables -I` and `-A` do. Merged lazily: a chain is made when a packet first jumps to it.
 */

import type { Rule } from "../linux/netfilter/rule.ts";
import { BUILT_IN, type Chain, chainOf, type IptablesTable, type Netfilter, type TableName } from "../linux/netfilter/table.ts";
import type { Family } from "../net/address.ts";

/** `ensure`: rules that an earlier daemon put there already are not put there again, as `iptables -C || iptables -I` does. */
export type BuiltInRules = {
  readonly chain: string;
  readonly at: "front" | "back";
  readonly rules: readonly Rule[];
  readonly ensure?: boolean;
};

/** What one daemon brings to one table of one family. */
export type RulesetPart = {
  readonly family: Family;
  readonly table: TableName;
  /** Rules in built-in chains. `front` is an insert at the top by a daemon that starts after those listed before it. */
  readonly builtIn: readonly BuiltInRules[];
  /** Its own chains, made on demand. */
  readonly chain: (name: string) => Chain | undefined;
  readonly names: () => readonly string[];
  /** Policies of built-in chains that it sets (a node's own rules). */
  readonly policies?: Readonly<Record<string, "accept" | "drop">>;
};

/** A part that holds nothing but what is given. */
export const partOf = (family: Family, table: TableName, chains: readonly Chain[], builtIn: RulesetPart["builtIn"] = []): RulesetPart => {
  const byName = new Map(chains.map((chain) => [chain.name, chain]));
  return { family, table, builtIn, chain: (name) => byName.get(name), names: () => [...byName.keys()] };
};

/** A chain whose rules are there already. */
export const chainOfRules = (name: string, rules: readonly Rule[]): Chain => ({ name, rules: () => rules });

/** The node's tables: parts in the order in which their daemons started. Families and tables without a part are absent. */
export function mergeRuleset(parts: readonly RulesetPart[]): Netfilter {
  const byFamily = new Map<Family, readonly IptablesTable[]>();
  for (const family of [4, 6] as const) byFamily.set(family, mergeFamily(parts.filter((part) => part.family === family)));
  return { tables: (family) => byFamily.get(family) ?? [] };
}

const TABLE_ORDER: readonly TableName[] = ["raw", "mangle", "nat", "filter"];

function mergeFamily(parts: readonly RulesetPart[]): IptablesTable[] {
  return TABLE_ORDER.filter((name) => parts.some((part) => part.table === name)).map((name) =>
    mergeTable(
      name,
      parts.filter((part) => part.table === name),
    ),
  );
}

function mergeTable(name: TableName, parts: readonly RulesetPart[]): IptablesTable {
  const made = new Map<string, Chain | undefined>();
  const builtInNames = BUILT_IN[name].map(chainOf);
  const make = (chain: string): Chain | undefined => (builtInNames.includes(chain) ? builtInChain(chain, parts) : firstChain(chain, parts));
  return {
    name,
    chain: (chain) => {
      if (!made.has(chain)) made.set(chain, make(chain));
      return made.get(chain);
    },
    names: () => [
      ...builtInNames,
      ...[...new Set(parts.flatMap((part) => part.names()))].filter((n) => !builtInNames.includes(n)).sort(byCodeUnits),
    ],
  };
}

/** Two daemons that use a chain of one name (kubelet's and kube-proxy's KUBE-FIREWALL) write the same rules: the first one's stand. */
function firstChain(name: string, parts: readonly RulesetPart[]): Chain | undefined {
  for (const part of parts) {
    const chain = part.chain(name);
    if (chain) return chain;
  }
  return undefined;
}

function builtInChain(name: string, parts: readonly RulesetPart[]): Chain {
  let rules: Rule[] = [];
  let policy: "accept" | "drop" = "accept";
  for (const part of parts) {
    policy = part.policies?.[name] ?? policy;
    for (const put of part.builtIn.filter((entry) => entry.chain === name)) {
      const added = put.ensure ? put.rules.filter((rule) => !rules.some((other) => isSameRule(rule, other))) : put.rules;
      rules = put.at === "front" ? [...added, ...rules] : [...rules, ...added];
    }
  }
  return { name, policy, rules: () => rules };
}

/** The same matches and target, whoever wrote them. */
const isSameRule = (a: Rule, b: Rule): boolean => JSON.stringify([a.matches, a.target]) === JSON.stringify([b.matches, b.target]);

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
