/**
 * The tables of an `nft list ruleset` text. What is no table, chain, set or map is a problem; an expression of a rule that is not
 * modelled is an `unknown` in the rule. Not read: commands (`add rule …`), flowtables, stateful objects.
 */
import {
  type NftChain,
  type NftElement,
  type NftFamily,
  type NftRule,
  type NftSet,
  type NftTable,
  nftTableOf,
} from "../../linux/netfilter/nft.ts";
import { nftSetOf } from "../../linux/netfilter/nft-set.ts";
import type { Hook } from "../../linux/netfilter/table.ts";
import { type CauseId, NO_CAUSE } from "../../net/cause.ts";
import { readNftRule } from "./read-rule.ts";
import { kindOfType, readBraces, readElement, type Tokens, wordAt } from "./read-values.ts";
import { type NftToken, rawText, tokenizeNft } from "./tokens.ts";
import { readDuration, readNumber, readPriority } from "./words.ts";

/** A line that could not be taken. */
export type NftProblem = { readonly file: string; readonly line: number; readonly message: string };
export type ParsedNft = { readonly tables: readonly NftTable[]; readonly problems: readonly NftProblem[] };
export type ReadNftOptions = { readonly causeOf?: (line: number) => CauseId };

type Reading = { readonly causeOf: (line: number) => CauseId; readonly complain: (at: NftToken | undefined, message: string) => void };

/** Reads what `nft list` printed. `causeOf` gives the cause of the rule at a line. */
export function parseNft(text: string, file: string, options: ReadNftOptions = {}): ParsedNft {
  const problems: NftProblem[] = [];
  const reading: Reading = {
    causeOf: options.causeOf ?? (() => NO_CAUSE),
    complain: (at, message) => problems.push({ file, line: at?.line ?? 1, message }),
  };
  const tables = statementsOf(tokenizeNft(text)).flatMap((statement) => readTable(statement, reading) ?? []);
  return { tables, problems };
}

/** A statement is what stands before a line end, or a head with the block that follows it. */
type Statement = { readonly head: Tokens; readonly body?: Tokens };

function statementsOf(tokens: Tokens): Statement[] {
  const statements: Statement[] = [];
  let head: NftToken[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.quoted || (token.text !== ";" && !(token.text === "{" && opensBlock(head)))) {
      head.push(token);
      if (!token.quoted && token.text === "{") at = pushThrough(tokens, at, head);
      continue;
    }
    if (token.text === ";") {
      if (head.length > 0) statements.push({ head });
    } else {
      const end = closing(tokens, at);
      statements.push({ head, body: tokens.slice(at + 1, end) });
      at = end;
    }
    head = [];
  }
  return head.length > 0 ? [...statements, { head }] : statements;
}

/** `table ip NAME {`, `chain NAME {`, `ct helper NAME {`; other braces belong to an expression. */
function opensBlock(head: Tokens): boolean {
  const [word, second] = [wordAt(head, 0) ?? "", wordAt(head, 1) ?? ""];
  if (word === "ct") return head.length === 3 && ["helper", "timeout", "expectation"].includes(second);
  return word === "table" || (BLOCKS.has(word) && head.length === 2);
}
const BLOCKS: ReadonlySet<string> = new Set(["chain", "set", "map", "flowtable", "counter", "quota", "limit", "secmark", "synproxy"]);

function closing(tokens: Tokens, open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const word = wordAt(tokens, at);
    if (word === "{") depth += 1;
    if (word === "}" && --depth === 0) return at;
  }
  return tokens.length;
}

/** Takes the words of an anonymous set or element list into the statement, line ends and all. */
function pushThrough(tokens: Tokens, open: number, head: NftToken[]): number {
  const end = closing(tokens, open);
  head.push(...tokens.slice(open + 1, end + 1));
  return end;
}

function readTable({ head, body }: Statement, reading: Reading): NftTable | undefined {
  const [word, ...names] = head.map(({ text }) => text);
  if (word !== "table" || body === undefined) {
    reading.complain(head[0], `not understood: ${JSON.stringify(rawText(head))}`);
    return undefined;
  }
  const [family, name] = names.length === 1 ? ["ip", names[0]] : names;
  if ((family !== "ip" && family !== "ip6" && family !== "inet") || name === undefined) {
    reading.complain(head[0], `table ${names.join(" ")} is not modelled: its rules are left out`);
    return undefined;
  }
  return tableOf(family, name, statementsOf(body), reading);
}

function tableOf(family: NftFamily, name: string, statements: readonly Statement[], reading: Reading): NftTable {
  const sets: NftSet[] = [];
  const chains: NftChain[] = [];
  let comment: string | undefined;
  for (const statement of statements) {
    const { head, body } = statement;
    const [word, called] = [wordAt(head, 0), head[1]?.text ?? ""];
    if (word === "comment") comment = head[1]?.text;
    else if ((word === "set" || word === "map") && body) sets.push(readSet(word, called, statementsOf(body), reading));
    else if (word === "chain" && body) chains.push(readChain(called, statementsOf(body), reading));
    else reading.complain(head[0], `not modelled in a table: ${JSON.stringify(rawText(head))}`);
  }
  return nftTableOf(family, name, sets, chains, comment);
}

function readSet(kind: "set" | "map", name: string, statements: readonly Statement[], reading: Reading): NftSet {
  let head: Omit<NftSet, "elements" | "find"> = { name, kind, type: [], flags: [] };
  let elements: readonly NftElement[] = [];
  for (const { head: words } of statements) {
    const word = wordAt(words, 0);
    const rest = words.slice(1);
    const value = rest[0]?.text ?? "";
    if (word === "type") head = { ...head, ...readType(rest) };
    else if (word === "flags") head = { ...head, flags: rest.flatMap(({ text }) => text.split(",")).filter((flag) => flag !== "") };
    else if (word === "timeout") head = { ...head, timeoutSeconds: readDuration(value) ?? 0 };
    else if (word === "size") head = { ...head, size: readNumber(value) ?? 0 };
    else if (word === "comment") head = { ...head, comment: value };
    else if (word === "elements") elements = readElements(words, head.type, reading);
    else reading.complain(words[0], `not modelled in a ${kind}: ${JSON.stringify(rawText(words))}`);
  }
  return nftSetOf(head, elements);
}

/** `ipv4_addr . inet_service : verdict` */
function readType(words: Tokens): Pick<NftSet, "type"> & { readonly data?: string } {
  const texts = words.map(({ text }) => text);
  const colon = texts.indexOf(":");
  const key = (colon < 0 ? texts : texts.slice(0, colon)).filter((text) => text !== ".");
  return { type: key, ...(colon < 0 ? {} : { data: texts.slice(colon + 1).join(" ") }) };
}

function readElements(words: Tokens, type: readonly string[], reading: Reading): readonly NftElement[] {
  const list = readBraces(words, 2);
  if (!list) reading.complain(words[0], "a list of elements that is not closed");
  return (list?.value ?? []).flatMap((part) => {
    const element = readElement(part, type.map(kindOfType), reading.causeOf(part[0]?.line ?? 1));
    if (!element) reading.complain(part[0], `element ${JSON.stringify(rawText(part))} is not modelled`);
    return element ?? [];
  });
}

function readChain(name: string, statements: readonly Statement[], reading: Reading): NftChain {
  const rules: NftRule[] = [];
  let comment: string | undefined;
  let base: NftChain["base"];
  for (const { head } of statements) {
    const word = wordAt(head, 0);
    if (word === "comment" && head.length === 2) comment = head[1]?.text;
    else if (word === "type" && wordAt(head, 2) === "hook") base = readBase(head, reading);
    else if (word === "policy" && base) base = { ...base, policy: wordAt(head, 1) === "drop" ? "drop" : "accept" };
    else rules.push(readNftRule(head, reading.causeOf(head[0]?.line ?? 1)));
  }
  return { name, ...(comment === undefined ? {} : { comment }), ...(base ? { base } : {}), rules: () => rules };
}

const HOOKS: readonly Hook[] = ["prerouting", "input", "forward", "output", "postrouting"];

/** `type filter hook prerouting priority dstnat - 10` */
function readBase(head: Tokens, reading: Reading): NftChain["base"] {
  const type = wordAt(head, 1);
  const hook = HOOKS.find((one) => one === wordAt(head, 3));
  const priority = wordAt(head, 4) === "priority" ? readPriority(head.slice(5).map(({ text }) => text)) : undefined;
  if ((type === "filter" || type === "nat" || type === "route") && hook && priority !== undefined)
    return { type, hook, priority, policy: "accept" };
  reading.complain(head[0], `not modelled: ${JSON.stringify(rawText(head))}`);
  return undefined;
}
