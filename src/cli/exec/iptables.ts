/** `iptables-save [-t TABLE]`, `iptables -S [CHAIN]` and `iptables -L -n [CHAIN]`: the rules of the network stack in the real program's words. */
import { printRule } from "../../dialects/iptables/print-rule.ts";
import { printIptablesList } from "../../dialects/iptables-list.ts";
import { printIptablesSave } from "../../dialects/iptables-save.ts";
import type { IptablesTable, TableName } from "../../linux/netfilter/table.ts";
import type { Family } from "../../net/address.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { parseFlags } from "../getopt.ts";
import { fails, type Program, shows } from "./program.ts";

const TABLES: readonly TableName[] = ["raw", "mangle", "nat", "filter"];

export const runIptablesSave =
  (family: Family): Program =>
  (args, { netns }) => {
    const program = family === 4 ? "iptables-save" : "ip6tables-save";
    const items = parseFlags(
      args,
      [
        { name: "table", short: "t", value: true },
        { name: "counters", short: "c" },
      ],
      program,
    );
    if (items.some((item) => item.kind === "word")) throw new UsageError(`${program} takes only -t TABLE`);
    const table = items.filter((item) => item.kind === "flag").findLast((item) => item.name === "table")?.value;
    const only = table === undefined ? undefined : tableName(table, program);
    return shows(printIptablesSave(netns.netfilter.tables(family), { family, ...(only === undefined ? {} : { only }) }));
  };

export const runIptables =
  (family: Family): Program =>
  (args, { netns }) => {
    const program = family === 4 ? "iptables" : "ip6tables";
    const items = parseFlags(args, IPTABLES_FLAGS, program);
    const flags = items.filter((item) => item.kind === "flag");
    const has = (option: string): boolean => flags.some((flag) => flag.name === option);
    const [chain, ...more] = items.filter((item) => item.kind === "word").map((item) => item.text);
    if (more.length > 0) throw new UsageError(`${program}: ${JSON.stringify(more[0])} after the chain is not understood`);
    const name = tableName(flags.findLast((flag) => flag.name === "table")?.value ?? "filter", program);
    const table = netns.netfilter.tables(family).find((one) => one.name === name);
    if (table === undefined) return shows("");
    if (chain !== undefined && table.chain(chain) === undefined) return fails(`${program}: No chain/target/match by that name.`);
    if (has("list-rules")) return shows(listRules(table, chain, family));
    if (!has("list")) throw new UsageError(`${program}: only -L and -S are printed`, `${program} -t ${name} -L -n [CHAIN]`);
    if (!has("numeric")) throw new UsageError(`${program} -L looks up names, which is not modelled; add -n`);
    const options = { family, verbose: has("verbose"), exact: has("exact"), lineNumbers: has("line-numbers") };
    return shows(printIptablesList(table, { ...options, ...(chain === undefined ? {} : { chain }) }));
  };

const IPTABLES_FLAGS = [
  { name: "table", short: "t", value: true },
  { name: "list", short: "L" },
  { name: "list-rules", short: "S" },
  { name: "numeric", short: "n" },
  { name: "verbose", short: "v" },
  { name: "exact", short: "x" },
  { name: "line-numbers" },
];

/** `iptables -S`: policies and chain names first, then the rules (iptables/iptables.c, list_rules). */
function listRules(table: IptablesTable, only: string | undefined, family: Family): string {
  const chains = table
    .names()
    .filter((name) => only === undefined || name === only)
    .flatMap((name) => table.chain(name) ?? []);
  const heads = chains.map((chain) => (chain.policy === undefined ? `-N ${chain.name}` : `-P ${chain.name} ${chain.policy.toUpperCase()}`));
  const rules = chains.flatMap((chain) => chain.rules().map((rule) => printRule(rule, chain.name, family)));
  return [...heads, ...rules].map((line) => `${line}\n`).join("");
}

function tableName(text: string, program: string): TableName {
  const found = TABLES.find((known) => known === text);
  if (found !== undefined) return found;
  throw new UsageError(`${program}: no table ${JSON.stringify(text)}`, `tables: ${TABLES.join(", ")}`);
}
