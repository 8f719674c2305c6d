/**
 * The text of `nft list ruleset` and `nft list table`, as nft 1.0.6 prints it; nft/read-table.ts reads it. It can be given to
 * `nft -f`. Not modelled: handles, flowtables, stateful objects.
 */
import type { NftChain, NftSet, NftTable } from "../linux/netfilter/nft.ts";
import { inNftOrder, membersPerLine } from "./nft/order.ts";
import { printElement, printNftRule } from "./nft/print-rule.ts";
import { printDuration, printPriority } from "./nft/words.ts";

/** What `nft list ruleset` prints. Makes every chain and every member. */
export const printNftRuleset = (tables: readonly NftTable[]): string => tables.map(printNftTable).join("");

/** What `nft list table FAMILY NAME` prints. */
export function printNftTable(table: NftTable): string {
  const blocks = [
    ...table.sets().map(printSet),
    ...table.chainNames().flatMap((name) => {
      const chain = table.chain(name);
      return chain ? [printChain(chain)] : [];
    }),
  ];
  const comment = table.comment === undefined ? "" : `\tcomment "${table.comment}"\n`;
  return `table ${table.family} ${table.name} {\n${comment}${blocks.join("\n")}}\n`;
}

function printSet(set: NftSet): string {
  const type = `type ${set.type.join(" . ")}${set.data === undefined ? "" : ` : ${set.data}`}`;
  const lines = [
    type,
    ...(set.size === undefined ? [] : [`size ${set.size}`]),
    ...(set.flags.length === 0 ? [] : [`flags ${set.flags.join(",")}`]),
    ...(set.timeoutSeconds === undefined ? [] : [`timeout ${printDuration(set.timeoutSeconds)}`]),
    ...(set.comment === undefined ? [] : [`comment "${set.comment}"`]),
    ...printMembers(set),
  ];
  return `\t${set.kind} ${set.name} {\n${lines.map((line) => `\t\t${line}\n`).join("")}\t}\n`;
}

/** An interval set of concatenations keeps its own order. */
function printMembers(set: NftSet): string[] {
  const elements = set.elements();
  if (elements.length === 0) return [];
  const quoted = set.type.map((type) => type === "ifname");
  const keepsOrder = set.flags.includes("interval") && set.type.length > 1;
  const texts = (keepsOrder ? elements : inNftOrder(elements, ({ key }) => key)).map((element) => printElement(element, quoted));
  const perLine = membersPerLine(set.type);
  const lines = Array.from({ length: Math.ceil(texts.length / perLine) }, (_, i) => texts.slice(i * perLine, (i + 1) * perLine).join(", "));
  return [`elements = { ${lines.join(",\n\t\t\t     ")} }`];
}

function printChain(chain: NftChain): string {
  const { base } = chain;
  const lines = [
    ...(chain.comment === undefined ? [] : [`comment "${chain.comment}"`]),
    ...(base ? [`type ${base.type} hook ${base.hook} priority ${printPriority(base.priority, base.hook)}; policy ${base.policy};`] : []),
    ...chain.rules().map(printNftRule),
  ];
  return `\tchain ${chain.name} {\n${lines.map((line) => `\t\t${line}\n`).join("")}\t}\n`;
}
