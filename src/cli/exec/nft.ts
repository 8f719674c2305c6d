/** `nft list ruleset [FAMILY]`, `nft list tables`, `nft list table|chain|set|map FAMILY NAME…`: nftables in nft's own words. */
import { printNftRuleset, printNftTable } from "../../dialects/nft.ts";
import type { NftFamily, NftTable } from "../../linux/netfilter/nft.ts";
import type { Netns } from "../../linux/netns.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { fails, type Program, shows } from "./program.ts";

const FAMILIES: readonly NftFamily[] = ["ip", "ip6", "inet"];

export const runNft: Program = (args, { netns }) => {
  const words = args.filter((arg) => !/^-[ansy]+$/.test(arg));
  const [verb, what, ...names] = words;
  if (verb !== "list") throw new UsageError("nft: only list is shown", "nft list ruleset");
  const tables = tablesOf(netns);
  if (what === "ruleset") return shows(printNftRuleset(tables.filter(({ family }) => names[0] === undefined || family === names[0])));
  if (what === "tables") return shows(tables.map(({ family, name }) => `table ${family} ${name}\n`).join(""));
  if (what !== "table" && what !== "chain" && what !== "set" && what !== "map")
    throw new UsageError(`nft: list ${what ?? ""} is not shown`, "nft list ruleset | tables | table FAMILY NAME | chain FAMILY TABLE NAME");
  const family = FAMILIES.find((one) => one === names[0]);
  const [name, inner] = family === undefined ? names : names.slice(1);
  const table = tables.find((one) => one.family === (family ?? "ip") && one.name === name);
  const only = table && (what === "table" ? table : onlyPart(table, what === "chain" ? "chain" : "set", inner ?? ""));
  return only ? shows(printNftTable(only)) : fails("Error: No such file or directory");
};

/** Each table once: those of family inet are seen by both. */
const tablesOf = ({ netfilter }: Netns): readonly NftTable[] => [
  ...new Set([4, 6].flatMap((family) => netfilter.nft?.(family === 4 ? 4 : 6) ?? [])),
];

function onlyPart(table: NftTable, kind: "chain" | "set", name: string): NftTable | undefined {
  const { comment: _, ...bare } = table;
  const chain = kind === "chain" ? table.chain(name) : undefined;
  const set = kind === "set" ? table.set(name) : undefined;
  if (!chain && !set) return undefined;
  return { ...bare, sets: () => (set ? [set] : []), chainNames: () => (chain ? [name] : []) };
}
