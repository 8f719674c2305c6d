/**
 * The text of iptables-save(8) and ip6tables-save(8) 1.8.9, printed and read. Printed without the comment lines (they hold
 * the date) and with counters at zero. Read with either argument order, so iptables-restore input too. Not modelled: the
 * table `security`, counters, deleting and flushing commands.
 */
import type { Rule } from "../linux/netfilter/rule.ts";
import { BUILT_IN, type Chain, chainOf, type IptablesTable, type TableName } from "../linux/netfilter/table.ts";
import type { Family } from "../net/address.ts";
import { type CauseId, NO_CAUSE } from "../net/cause.ts";
import { printRule } from "./iptables/print-rule.ts";
import { readRule } from "./iptables/read-rule.ts";
import { type Token, tokenize } from "./iptables/tokens.ts";

export type SaveOptions = {
  readonly only?: TableName;
  readonly family?: Family; // default 4
  /** Both back ends print the same lines; the nf_tables one lists the tables in this order, the legacy one as they were loaded. */
  readonly backend?: "nft" | "legacy";
};

/** The order of xtables-nft's own table list (enum nft_table_type); the legacy order depends on module loading. */
const PRINT_ORDER: readonly TableName[] = ["mangle", "raw", "filter", "nat"];

/** What `iptables-save [-t only]` prints. Makes every chain. */
export function printIptablesSave(tables: readonly IptablesTable[], { only, family = 4 }: SaveOptions = {}): string {
  const wanted = PRINT_ORDER.flatMap((name) => tables.filter((table) => table.name === name && (only === undefined || only === name)));
  return wanted.map((table) => printTable(table, family)).join("");
}

function printTable(table: IptablesTable, family: Family): string {
  const chains = table.names().flatMap((name) => table.chain(name) ?? []);
  const heads = chains.map((chain) => `:${chain.name} ${chain.policy?.toUpperCase() ?? "-"} [0:0]`);
  const rules = chains.flatMap((chain) => chain.rules().map((rule) => printRule(rule, chain.name, family)));
  return `${[`*${table.name}`, ...heads, ...rules, "COMMIT"].join("\n")}\n`;
}

/** A line that could not be taken. */
export type SaveProblem = { readonly file: string; readonly line: number; readonly message: string };
export type ParsedSave = { readonly tables: readonly IptablesTable[]; readonly problems: readonly SaveProblem[] };

export type ReadOptions = { readonly family?: Family; readonly causeOf?: (line: number) => CauseId };

/**
 * Reads what iptables-save printed, or what is fed to iptables-restore. `causeOf` gives the cause of the rule at a line.
 * What is no rule at all is a problem; a match or target that is not modelled is an `unknown` in the rule.
 */
export function parseIptablesSave(text: string, file: string, options: ReadOptions = {}): ParsedSave {
  const drafts: TableDraft[] = [];
  const problems: SaveProblem[] = [];
  text.split("\n").forEach((line, index) => {
    const message = readLine(line.trim(), index + 1, drafts);
    if (message !== undefined) problems.push({ file, line: index + 1, message });
  });
  const tables = drafts.filter((draft) => draft.name !== undefined).flatMap((draft) => finishTable(draft, file, problems, options) ?? []);
  return { tables, problems: [...problems].sort((a, b) => a.line - b.line) };
}

type RuleLine = { readonly line: number; readonly tokens: readonly Token[] };
type TableDraft = {
  readonly name: TableName | undefined; // undefined: a table that is not modelled, skipped to its COMMIT
  readonly policies: Map<string, "accept" | "drop">;
  readonly chains: Map<string, RuleLine[]>;
  open: boolean;
};

/** Takes one line into the newest table; answers what is wrong with it. */
function readLine(line: string, number: number, drafts: TableDraft[]): string | undefined {
  if (line === "" || line.startsWith("#")) return undefined;
  if (line.startsWith("*")) return openTable(line.slice(1).trim(), drafts);
  const table = drafts.at(-1);
  if (table === undefined || !table.open) return "outside of a table: a line *filter, *nat, *mangle or *raw must come first";
  if (table.name === undefined) {
    if (line === "COMMIT") table.open = false;
    return undefined;
  }
  if (line === "COMMIT") {
    table.open = false;
    return undefined;
  }
  return line.startsWith(":") ? declareChain(line, table) : takeCommand(line, number, table);
}

function openTable(name: string, drafts: TableDraft[]): string | undefined {
  const known = PRINT_ORDER.find((table) => table === name);
  const earlier = known === undefined ? undefined : drafts.findIndex((draft) => draft.name === known);
  const again = earlier === undefined || earlier < 0 ? undefined : drafts.splice(earlier, 1)[0];
  drafts.push({ name: known, policies: again?.policies ?? new Map(), chains: again?.chains ?? new Map(), open: true });
  return known === undefined ? `table ${JSON.stringify(name)} is not modelled: its rules are left out` : undefined;
}

function declareChain(line: string, table: TableDraft): string | undefined {
  const [name = "", policy] = line.slice(1).trim().split(/\s+/);
  if (name === "") return "a chain without a name";
  if (!table.chains.has(name)) table.chains.set(name, []);
  if (policy === "ACCEPT") table.policies.set(name, "accept");
  if (policy === "DROP") table.policies.set(name, "drop");
  return policy === undefined || policy === "-" || policy === "ACCEPT" || policy === "DROP"
    ? undefined
    : `policy ${JSON.stringify(policy)} is not modelled`;
}

function takeCommand(line: string, number: number, table: TableDraft): string | undefined {
  const tokens = tokenize(line.replace(/^\[\d+:\d+\]\s*/, ""));
  if (tokens === undefined) return "a quote is not closed";
  const [command, chain, ...rest] = tokens;
  if (chain === undefined) return `not understood: ${JSON.stringify(line)}`;
  const rules = table.chains.get(chain.text);
  switch (command?.text) {
    case "-A":
    case "--append":
      if (rules === undefined && !isBuiltIn(table, chain.text)) return `chain ${JSON.stringify(chain.text)} is not declared`;
      if (rules) rules.push({ line: number, tokens: rest });
      else table.chains.set(chain.text, [{ line: number, tokens: rest }]);
      return undefined;
    case "-N":
    case "--new-chain":
      if (rules === undefined) table.chains.set(chain.text, []);
      return undefined;
    case "-P":
    case "--policy":
      return declareChain(`:${chain.text} ${rest[0]?.text ?? ""}`, table);
    case "-I":
    case "--insert":
      return insertRule(table, chain.text, rest, number);
    default:
      return `command ${JSON.stringify(command?.text ?? "")} is not modelled`;
  }
}

function insertRule(table: TableDraft, chain: string, words: readonly Token[], line: number): string | undefined {
  const rules = table.chains.get(chain) ?? [];
  if (!table.chains.has(chain) && !isBuiltIn(table, chain)) return `chain ${JSON.stringify(chain)} is not declared`;
  const position = words[0] !== undefined && /^[1-9]\d{0,8}$/.test(words[0].text) ? Number(words[0].text) : undefined;
  if (position !== undefined && position > rules.length + 1) return `chain ${chain} has no position ${position}`;
  const rule: RuleLine = { line, tokens: position === undefined ? words : words.slice(1) };
  table.chains.set(chain, [...rules.slice(0, (position ?? 1) - 1), rule, ...rules.slice((position ?? 1) - 1)]);
  return undefined;
}

const isBuiltIn = (table: TableDraft, chain: string): boolean =>
  table.name !== undefined && BUILT_IN[table.name].some((hook) => chainOf(hook) === chain);

function finishTable(draft: TableDraft, file: string, problems: SaveProblem[], options: ReadOptions): IptablesTable | undefined {
  const { name, chains, policies } = draft;
  if (name === undefined) return undefined;
  const builtIn = BUILT_IN[name].map(chainOf);
  const made = new Map<string, Chain>();
  const context = { isChain: (target: string) => chains.has(target), family: options.family ?? 4 };
  for (const [chain, lines] of chains) {
    const rules: Rule[] = lines.map(({ line, tokens }) => {
      const { rule, problem } = readRule(tokens, context, options.causeOf?.(line) ?? NO_CAUSE);
      if (problem !== undefined) problems.push({ file, line, message: problem });
      return rule;
    });
    const policy = builtIn.includes(chain) ? { policy: policies.get(chain) ?? ("accept" as const) } : {};
    made.set(chain, { name: chain, ...policy, rules: () => rules });
  }
  const own = [...chains.keys()].filter((chain) => !builtIn.includes(chain)).sort(byCodeUnits);
  const names = [...builtIn.filter((chain) => chains.has(chain)), ...own];
  return { name, chain: (chain) => made.get(chain), names: () => names };
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
