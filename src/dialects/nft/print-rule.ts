/** One rule as `nft list` 1.0.6 prints it (src/expression.c, src/statement.c of nftables). */
import type {
  NatFlag,
  NftArm,
  NftElement,
  NftExpression,
  NftField,
  NftRule,
  NftRuleRef,
  NftTarget,
  NftValue,
  NftVerdict,
} from "../../linux/netfilter/nft.ts";
import type { CtState } from "../../linux/netfilter/rule.ts";
import { addressBits, familyOf, formatCidr } from "../../net/address.ts";
import { formatSocket } from "../../net/packet.ts";
import { inNftOrder } from "./order.ts";
import { printMark } from "./words.ts";

/** The rule's line without indentation. */
export function printNftRule(rule: NftRule): string {
  const parts = rule.expressions.map(printExpression);
  return [...parts, ...(rule.comment === undefined ? [] : [`comment "${rule.comment}"`])].join(" ");
}

/** The rule that a step names, and the member of a named map or set that decided. */
export function printNftRef({ rule, element }: NftRuleRef): string {
  const text = printNftRule(rule);
  return element === undefined || element.set === "" ? text : `${text} # ${printElement(element.element)}`;
}

function printExpression(expression: NftExpression): string {
  switch (expression.kind) {
    case "compare":
      return `${expression.field} ${not(expression)}${printValues(expression.values, expression.field)}`;
    case "mask":
      return `meta mark & ${printMark(expression.mask)} ${expression.not ? "!=" : "=="} ${printMark(expression.value)}`;
    case "lookup":
      return `${expression.fields.join(" . ")} ${not(expression)}@${expression.set}`;
    case "ct-state":
      return `ct state ${not(expression)}${printStates(expression.states)}`;
    case "ct-status":
      return `ct status ${not(expression)}${["snat", "dnat"].filter((word) => expression.status.some((one) => one === word)).join(",")}`;
    case "fib":
      return `fib ${expression.side} type ${not(expression)}${expression.type}`;
    case "verdict":
      return printVerdict(expression.verdict);
    case "vmap":
      return `${expression.fields.join(" . ")} vmap ${typeof expression.map === "string" ? `@${expression.map}` : printInline(expression.map, expression.fields)}`;
    case "numgen-vmap":
      return `${printNumgen(expression)} vmap ${printArms(expression.arms, printVerdict)}`;
    case "numgen-dnat":
      return `dnat ${expression.family} to ${printNumgen(expression)} map ${printArms(expression.arms, printPair)}`;
    case "set-mark":
      return `meta mark set ${expression.op === "=" ? "" : `meta mark ${expression.op} `}${printMark(expression.value)}`;
    case "dnat":
    case "snat":
      return [expression.kind, expression.family, "to", printTarget(expression.to), ...expression.flags].filter((w) => w).join(" ");
    case "masquerade":
      return ["masquerade", ...printFlags(expression.flags)].join(" ");
    case "redirect":
      return ["redirect", ...(expression.port === undefined ? [] : ["to", `:${expression.port}`]), ...printFlags(expression.flags)].join(
        " ",
      );
    case "reject":
      return expression.with === undefined ? "reject" : `reject with ${expression.with}`;
    case "update":
      return `update @${expression.set} { ${expression.field} }`;
    case "notrack":
      return "notrack";
    case "note":
    case "unknown":
      return expression.text;
    default:
      return expression satisfies never;
  }
}

const not = ({ not: negated }: { readonly not?: boolean }): string => (negated ? "!= " : "");
const printFlags = (flags: readonly NatFlag[]): readonly string[] => flags;

const STATES: readonly CtState[] = ["INVALID", "ESTABLISHED", "RELATED", "NEW", "UNTRACKED"];
const printStates = (states: readonly CtState[]): string =>
  STATES.filter((state) => states.includes(state))
    .map((state) => state.toLowerCase())
    .join(",");

/** nft turns an anonymous set of one member into the member. */
function printValues(values: readonly NftValue[], field: NftField): string {
  const texts = inNftOrder(values, (value) => [value]).map((value) => printValue(value, isDevice(field)));
  return texts.length === 1 ? (texts[0] ?? "") : `{ ${texts.join(", ")} }`;
}

const isDevice = (field: NftField): boolean => /^[io]if/.test(field);

/** A literal; names of devices stand in quotes. */
export function printValue(value: NftValue, quoted = false): string {
  switch (value.kind) {
    case "prefix":
      return value.cidr.length === addressBits(familyOf(value.cidr.ip)) ? value.cidr.ip : formatCidr(value.cidr);
    case "range":
      return `${value.from}-${value.to}`;
    case "word":
      return quoted ? `"${value.word}"` : value.word;
    default:
      return value satisfies never;
  }
}

export const printVerdict = (verdict: NftVerdict): string =>
  verdict.kind === "jump" || verdict.kind === "goto" ? `${verdict.kind} ${verdict.chain}` : verdict.kind;

/** A member of a set or map. `quoted`: which parts are names of devices. */
export function printElement({ key, comment, verdict, data }: NftElement, quoted: readonly boolean[] = []): string {
  const text = key.map((value, i) => printValue(value, quoted[i])).join(" . ");
  const said = comment === undefined ? "" : ` comment "${comment}"`;
  const leads = verdict ? printVerdict(verdict) : data;
  return `${text}${said}${leads === undefined ? "" : ` : ${leads}`}`;
}

const printInline = (elements: readonly NftElement[], fields: readonly NftField[]): string =>
  `{ ${inNftOrder(elements, ({ key }) => key)
    .map((element) => printElement(element, fields.map(isDevice)))
    .join(", ")} }`;

const printNumgen = ({ mode, mod }: { readonly mode: string; readonly mod: number }): string => `numgen ${mode} mod ${mod}`;

function printArms<T>(arms: readonly NftArm<T>[], print: (value: T) => string): string {
  const inOrder = [...arms].sort((a, b) => a.key - b.key);
  return `{ ${inOrder.map(({ key, value }) => `${key} : ${print(value)}`).join(", ")} }`;
}

const printPair = ({ ip, port }: NftTarget): string => (port === undefined ? ip : `${ip} . ${port}`);

function printTarget({ ip, port }: Partial<NftTarget>): string {
  if (ip === undefined) return `:${port}`;
  return port === undefined ? ip : formatSocket(ip, port);
}
