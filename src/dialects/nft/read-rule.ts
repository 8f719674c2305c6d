/**
 * One rule of nft's language. What is outside the grammar is kept as `unknown` with its words, as short as the rest of the
 * rule can still be read.
 */
import type { NatFlag, NftArm, NftExpression, NftField, NftRule, NftTarget } from "../../linux/netfilter/nft.ts";
import type { CtState } from "../../linux/netfilter/rule.ts";
import { parseIp } from "../../net/address.ts";
import { type CauseId, NO_CAUSE } from "../../net/cause.ts";
import { kindOfField, type Read, readBraces, readElement, readFields, readValue, readVerdict, type Tokens, wordAt } from "./read-values.ts";
import { rawText } from "./tokens.ts";
import { readNumber } from "./words.ts";

/** A rule from its words. */
export function readNftRule(tokens: Tokens, cause: CauseId): NftRule {
  const comment = wordAt(tokens, tokens.length - 2) === "comment" ? tokens.at(-1) : undefined;
  const body = comment?.quoted ? tokens.slice(0, -2) : tokens;
  return { expressions: readExpressions(body), ...(comment?.quoted ? { comment: comment.text } : {}), cause };
}

function readExpressions(tokens: Tokens): readonly NftExpression[] {
  const expressions: NftExpression[] = [];
  let at = 0;
  while (at < tokens.length) {
    const known = readExpression(tokens, at);
    if (known) {
      expressions.push(known.value);
      at = known.next;
      continue;
    }
    const next = resume(tokens, at + 1);
    expressions.push({ kind: "unknown", text: rawText(tokens.slice(at, next)) });
    at = next;
  }
  return expressions;
}

/** The first place from which all the rest is understood; the end when there is none. */
function resume(tokens: Tokens, from: number): number {
  for (let start = from; start < tokens.length; start++) {
    let at = start;
    for (let known = readExpression(tokens, at); known; known = readExpression(tokens, at)) at = known.next;
    if (at === tokens.length) return start;
  }
  return tokens.length;
}

type Reader = (tokens: Tokens, at: number) => Read<NftExpression>;

const readExpression: Reader = (tokens, at) => {
  const word = wordAt(tokens, at);
  const reader = word === undefined || !Object.hasOwn(READERS, word) ? undefined : READERS[word];
  return reader?.(tokens, at) ?? readVerdictStatement(tokens, at) ?? readTest(tokens, at);
};

const readVerdictStatement: Reader = (tokens, at) => {
  const verdict = readVerdict(tokens, at);
  return verdict && { value: { kind: "verdict", verdict: verdict.value }, next: verdict.next };
};

const READERS: Readonly<Record<string, Reader>> = {
  ct: (tokens, at) => readCt(tokens, at),
  fib: (tokens, at) => readFib(tokens, at),
  meta: (tokens, at) => readMark(tokens, at),
  numgen: (tokens, at) => readNumgenVmap(tokens, at),
  dnat: (tokens, at) => readNat("dnat", tokens, at),
  snat: (tokens, at) => readNat("snat", tokens, at),
  masquerade: (tokens, at) => {
    const { flags, next } = readFlags(tokens, at + 1);
    return { value: { kind: "masquerade", flags }, next };
  },
  redirect: (tokens, at) => readRedirect(tokens, at),
  reject: (tokens, at) => readReject(tokens, at),
  update: (tokens, at) => readUpdate(tokens, at),
  counter: (tokens, at) => readCounter(tokens, at),
  log: (tokens, at) => readLog(tokens, at),
  notrack: (_tokens, at) => ({ value: { kind: "notrack" }, next: at + 1 }),
};

/** `FIELDS [!=] @set | VALUE | { … }`, `FIELDS vmap …`. */
const readTest: Reader = (tokens, at) => {
  const fields = readFields(tokens, at);
  if (!fields) return undefined;
  const { value: names, next } = fields;
  if (wordAt(tokens, next) === "vmap") return readVmap(names, tokens, next + 1);
  const operator = wordAt(tokens, next);
  const negated = operator === "!=" ? ({ not: true } as const) : {};
  const from = operator === "!=" || operator === "==" ? next + 1 : next;
  const set = setName(wordAt(tokens, from));
  if (set !== undefined) return { value: { kind: "lookup", fields: names, ...negated, set }, next: from + 1 };
  const [field, ...more] = names;
  if (field === undefined || more.length > 0) return undefined;
  const kind = kindOfField(field);
  const list = readBraces(tokens, from);
  if (!list) {
    const value = readValue(tokens[from], kind);
    return value && { value: { kind: "compare", field, ...negated, values: [value] }, next: from + 1 };
  }
  const values = list.value
    .map((part) => (part.length === 1 ? readValue(part[0], kind) : undefined))
    .filter((value) => value !== undefined);
  if (values.length !== list.value.length || values.length === 0) return undefined;
  return { value: { kind: "compare", field, ...negated, values, braces: true }, next: list.next };
};

const setName = (word: string | undefined): string | undefined => (word?.startsWith("@") && word.length > 1 ? word.slice(1) : undefined);

function readVmap(fields: readonly NftField[], tokens: Tokens, at: number): Read<NftExpression> {
  const map = setName(wordAt(tokens, at));
  if (map !== undefined) return { value: { kind: "vmap", fields, map }, next: at + 1 };
  const list = readBraces(tokens, at);
  const elements = list?.value.map((part) => readElement(part, fields.map(kindOfField)));
  const read = elements?.filter((element) => element?.verdict !== undefined).flatMap((element) => element ?? []);
  if (!list || !read || read.length !== list.value.length) return undefined;
  return { value: { kind: "vmap", fields, map: read }, next: list.next };
}

const STATES: Readonly<Record<string, CtState>> = {
  invalid: "INVALID",
  established: "ESTABLISHED",
  related: "RELATED",
  new: "NEW",
  untracked: "UNTRACKED",
};

/** `ct state new`, `ct state != established,related`, `ct status dnat`. */
const readCt: Reader = (tokens, at) => {
  const what = wordAt(tokens, at + 1);
  const negated = wordAt(tokens, at + 2) === "!=" ? ({ not: true } as const) : {};
  const from = at + ("not" in negated ? 3 : 2);
  const words = wordAt(tokens, from)?.split(",") ?? [];
  if (what === "state") {
    const states = words.map((word) => (Object.hasOwn(STATES, word) ? STATES[word] : undefined)).filter((state) => state !== undefined);
    if (states.length === words.length && states.length > 0) return { value: { kind: "ct-state", ...negated, states }, next: from + 1 };
  }
  if (what === "status") {
    const status = words.filter((word) => word === "dnat" || word === "snat");
    if (status.length === words.length && status.length > 0) return { value: { kind: "ct-status", ...negated, status }, next: from + 1 };
  }
  return undefined;
};

const readFib: Reader = (tokens, at) => {
  const side = wordAt(tokens, at + 1);
  if ((side !== "saddr" && side !== "daddr") || wordAt(tokens, at + 2) !== "type") return undefined;
  const negated = wordAt(tokens, at + 3) === "!=" ? ({ not: true } as const) : {};
  const from = at + ("not" in negated ? 4 : 3);
  const type = wordAt(tokens, from);
  if (type !== "local" && type !== "broadcast" && type !== "multicast") return undefined;
  return { value: { kind: "fib", side, ...negated, type }, next: from + 1 };
};

const OPERATORS: Readonly<Record<string, "|" | "&" | "^">> = { "|": "|", or: "|", "&": "&", and: "&", "^": "^", xor: "^" };
const operatorOf = (word: string | undefined): "|" | "&" | "^" | undefined =>
  word !== undefined && Object.hasOwn(OPERATORS, word) ? OPERATORS[word] : undefined;

/** `meta mark set …`, `meta mark & MASK == VALUE`; the plain comparison is an ordinary test. */
const readMark: Reader = (tokens, at) => {
  if (wordAt(tokens, at + 1) !== "mark") return undefined;
  if (wordAt(tokens, at + 2) === "set") return readSetMark(tokens, at + 3);
  const mask = operatorOf(wordAt(tokens, at + 2)) === "&" ? readNumber(wordAt(tokens, at + 3)) : undefined;
  const operator = wordAt(tokens, at + 4);
  const value = readNumber(wordAt(tokens, at + 5));
  if (mask === undefined || value === undefined || (operator !== "==" && operator !== "!=")) return undefined;
  return { value: { kind: "mask", mask, ...(operator === "!=" ? { not: true } : {}), value }, next: at + 6 };
};

function readSetMark(tokens: Tokens, at: number): Read<NftExpression> {
  const plain = readNumber(wordAt(tokens, at));
  if (plain !== undefined) return { value: { kind: "set-mark", op: "=", value: plain }, next: at + 1 };
  const from = wordAt(tokens, at) === "meta" ? at + 1 : at;
  const op = wordAt(tokens, from) === "mark" ? operatorOf(wordAt(tokens, from + 1)) : undefined;
  const value = readNumber(wordAt(tokens, from + 2));
  return op && value !== undefined ? { value: { kind: "set-mark", op, value }, next: from + 3 } : undefined;
}

/** `numgen random mod N`. */
function readNumgen(tokens: Tokens, at: number): Read<{ readonly mode: "random" | "inc"; readonly mod: number }> {
  const mode = wordAt(tokens, at + 1);
  const mod = readNumber(wordAt(tokens, at + 3));
  if (wordAt(tokens, at) !== "numgen" || (mode !== "random" && mode !== "inc") || wordAt(tokens, at + 2) !== "mod") return undefined;
  return mod === undefined || mod < 1 ? undefined : { value: { mode, mod }, next: at + 4 };
}

/** `{ 0 : …, 1 : … }` */
function readArms<T>(tokens: Tokens, at: number, read: (part: Tokens) => T | undefined): Read<readonly NftArm<T>[]> {
  const list = readBraces(tokens, at);
  const arms = list?.value.flatMap((part): NftArm<T>[] => {
    const key = readNumber(wordAt(part, 0));
    const value = wordAt(part, 1) === ":" ? read(part.slice(2)) : undefined;
    return key === undefined || value === undefined ? [] : [{ key, value, cause: NO_CAUSE }];
  });
  return list && arms && arms.length === list.value.length ? { value: arms, next: list.next } : undefined;
}

const readNumgenVmap: Reader = (tokens, at) => {
  const numgen = readNumgen(tokens, at);
  if (!numgen || wordAt(tokens, numgen.next) !== "vmap") return undefined;
  const arms = readArms(tokens, numgen.next + 1, (part) => {
    const verdict = readVerdict(part, 0);
    return verdict?.next === part.length ? verdict.value : undefined;
  });
  return arms && { value: { kind: "numgen-vmap", ...numgen.value, arms: arms.value }, next: arms.next };
};

/** `dnat [ip|ip6] [addr . port] to ADDRESS[:PORT] | numgen … map { … }`. */
function readNat(kind: "dnat" | "snat", tokens: Tokens, at: number): Read<NftExpression> {
  const word = wordAt(tokens, at + 1);
  const family = word === "ip" || word === "ip6" ? word : undefined;
  let next = at + (family ? 2 : 1);
  if (rawText(tokens.slice(next, next + 3)) === "addr . port") next += 3;
  if (wordAt(tokens, next) !== "to") return undefined;
  const numgen = readNumgen(tokens, next + 1);
  if (numgen) {
    if (kind !== "dnat" || family === undefined || wordAt(tokens, numgen.next) !== "map") return undefined;
    const arms = readArms(tokens, numgen.next + 1, readPair);
    return arms && { value: { kind: "numgen-dnat", family, ...numgen.value, arms: arms.value }, next: arms.next };
  }
  const to = readTarget(wordAt(tokens, next + 1));
  if (!to) return undefined;
  const { flags, next: end } = readFlags(tokens, next + 2);
  return { value: { kind, ...(family ? { family } : {}), to, flags }, next: end };
}

/** `10.244.1.11 . 8080` */
function readPair(part: Tokens): NftTarget | undefined {
  const ip = parseIp(wordAt(part, 0) ?? "");
  const port = part.length === 3 && wordAt(part, 1) === "." ? portNumber(wordAt(part, 2)) : undefined;
  if (ip === undefined || (part.length !== 1 && port === undefined)) return undefined;
  return port === undefined ? { ip } : { ip, port };
}

function portNumber(word: string | undefined): number | undefined {
  const value = readNumber(word);
  return value !== undefined && value <= 65535 ? value : undefined;
}

/** `10.244.1.11:8080`, `[fd00::1]:80`, `fd00::1`, `:80`. */
function readTarget(word: string | undefined): Partial<NftTarget> | undefined {
  const found = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(word ?? "");
  const whole = parseIp(word ?? "");
  if (whole !== undefined) return { ip: whole };
  const port = portNumber(found?.[3]);
  if (!found || port === undefined) return undefined;
  const text = found[1] ?? found[2] ?? "";
  const ip = parseIp(text);
  if (text === "") return { port };
  return ip === undefined ? undefined : { ip, port };
}

function readFlags(tokens: Tokens, at: number): { readonly flags: readonly NatFlag[]; readonly next: number } {
  const words = wordAt(tokens, at)?.split(",") ?? [];
  const flags = words.filter((word) => word === "random" || word === "fully-random" || word === "persistent");
  return flags.length === words.length && flags.length > 0 ? { flags, next: at + 1 } : { flags: [], next: at };
}

const readRedirect: Reader = (tokens, at) => {
  const port = wordAt(tokens, at + 1) === "to" ? portNumber(wordAt(tokens, at + 2)?.replace(/^:/, "")) : undefined;
  if (wordAt(tokens, at + 1) === "to" && port === undefined) return undefined;
  const { flags, next } = readFlags(tokens, port === undefined ? at + 1 : at + 3);
  return { value: { kind: "redirect", ...(port === undefined ? {} : { port }), flags }, next };
};

const readReject: Reader = (tokens, at) => {
  if (wordAt(tokens, at + 1) !== "with") return { value: { kind: "reject" }, next: at + 1 };
  const family = wordAt(tokens, at + 2);
  const from = wordAt(tokens, at + 3) === "type" ? at + 4 : at + 3;
  const word = wordAt(tokens, from);
  if (word === undefined || !["tcp", "icmp", "icmpv6", "icmpx"].includes(family ?? "")) return undefined;
  return { value: { kind: "reject", with: `${family} ${word}` }, next: from + 1 };
};

/** `update @set { ip saddr }` */
const readUpdate: Reader = (tokens, at) => {
  const set = setName(wordAt(tokens, at + 1));
  const list = readBraces(tokens, at + 2);
  const part = list?.value[0];
  const fields = part && readFields(part, 0);
  const field = fields?.value[0];
  if (!list || set === undefined || list.value.length !== 1 || field === undefined) return undefined;
  return fields?.value.length === 1 && fields.next === part?.length
    ? { value: { kind: "update", set, field }, next: list.next }
    : undefined;
};

const readCounter: Reader = (tokens, at) => {
  const counts = wordAt(tokens, at + 1) === "packets" && wordAt(tokens, at + 3) === "bytes";
  const next = counts ? at + 5 : at + 1;
  return { value: { kind: "note", text: rawText(tokens.slice(at, next)) }, next };
};

const LOG_OPTIONS: readonly string[] = ["prefix", "level", "group", "snaplen", "queue-threshold", "flags"];

const readLog: Reader = (tokens, at) => {
  let next = at + 1;
  while (LOG_OPTIONS.includes(wordAt(tokens, next) ?? ""))
    next += wordAt(tokens, next) === "flags" && wordAt(tokens, next + 1) !== "all" ? 3 : 2;
  return { value: { kind: "note", text: rawText(tokens.slice(at, next)) }, next: Math.min(next, tokens.length) };
};
