/**
 * What rules of both languages say of themselves: where they lead, what they ask of the source, their comment. For those who
 * tell a trace; the kernel itself never asks.
 */
import type { NftAsking, NftExpression, NftVerdict } from "../linux/netfilter/nft.ts";
import type { Match } from "../linux/netfilter/rule.ts";
import type { RuleRef } from "../linux/step.ts";
import type { Cidr } from "../net/address.ts";

/** The chain that the rule leads to, for this packet where a map decided. */
export function chainAfter(ref: RuleRef): string | undefined {
  if (!ref.nft) return chainOf(ref.rule.target);
  for (const expression of ref.rule.expressions) {
    if (expression.kind === "verdict") return chainOf(expression.verdict);
    if (expression.kind === "vmap" || expression.kind === "numgen-vmap") return chainOf(ref.element?.element.verdict);
  }
  return undefined;
}

const chainOf = (target: NftVerdict | { readonly kind: string } | undefined): string | undefined =>
  target !== undefined && (target.kind === "jump" || target.kind === "goto") && "chain" in target ? target.chain : undefined;

/** The rule's own comment; of nftables, that of the element that decided too. */
export function commentOf(ref: RuleRef): string | undefined {
  if (ref.nft) return ref.rule.comment ?? ref.element?.element.comment;
  for (const match of ref.rule.matches) if (match.kind === "comment") return match.text;
  return undefined;
}

/** What the rule asks of the source address. */
export function sourceAsked(ref: RuleRef): { readonly cidr: Cidr; readonly not: boolean } | undefined {
  if (!ref.nft) {
    for (const match of ref.rule.matches) if (match.kind === "src") return { cidr: match.cidr, not: match.not === true };
    return undefined;
  }
  for (const expression of ref.rule.expressions) {
    if (expression.kind !== "compare" || !expression.field.endsWith(" saddr")) continue;
    const [value] = expression.values;
    if (value?.kind === "prefix") return { cidr: value.cidr, not: expression.not === true };
  }
  return undefined;
}

/** Whether every packet that gets to the rule matches. */
export function isBare(ref: RuleRef): boolean {
  if (!ref.nft) return ref.rule.matches.every((match) => match.kind === "comment");
  return ref.rule.expressions.every(({ kind }) => kind === "verdict" || kind === "set-mark" || kind === "note");
}

export const masquerades = (ref: RuleRef): boolean =>
  ref.nft ? ref.rule.expressions.some(({ kind }) => kind === "masquerade") : ref.rule.target.kind === "masquerade";

/** How the rule refuses, in its language's words: `--reject-with icmp-port-unreachable`, `reject`. */
export function refusalWords(ref: RuleRef): string | undefined {
  if (!ref.nft) return ref.rule.target.kind === "reject" ? `--reject-with ${ref.rule.target.with}` : undefined;
  for (const expression of ref.rule.expressions)
    if (expression.kind === "reject") return expression.with === undefined ? "reject" : `reject with ${expression.with}`;
  return undefined;
}

/** The part of the rule that said no. */
export function failedPart(ref: RuleRef, index: number | undefined): Match | NftAsking | undefined {
  if (index === undefined) return undefined;
  if (!ref.nft) return ref.rule.matches[index];
  const expression = ref.rule.expressions[index];
  return expression && asks(expression) ? expression : undefined;
}

const SILENT: ReadonlySet<string> = new Set(["verdict", "set-mark", "dnat", "snat", "masquerade", "redirect", "notrack", "note"]);
const asks = (expression: NftExpression): expression is NftAsking => !SILENT.has(expression.kind);
