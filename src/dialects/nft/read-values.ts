/** Fields, literals, verdicts and braces of nft's language, read from words. A reader answers what it read and where it stopped. */
import { NFT_FIELDS, type NftElement, type NftField, type NftValue, type NftVerdict } from "../../linux/netfilter/nft.ts";
import { networkOf, parseCidr, parseIp } from "../../net/address.ts";
import { type CauseId, NO_CAUSE } from "../../net/cause.ts";
import type { NftToken } from "./tokens.ts";
import { printMark, protocolName, readNumber } from "./words.ts";

export type Read<T> = { readonly value: T; readonly next: number } | undefined;
export type Tokens = readonly NftToken[];

export const wordAt = (tokens: Tokens, at: number): string | undefined => (tokens[at]?.quoted === false ? tokens[at]?.text : undefined);

/** `ip saddr`, `iifname`; several with dots between them. */
export function readFields(tokens: Tokens, at: number): Read<readonly NftField[]> {
  const first = readField(tokens, at);
  if (!first) return undefined;
  const fields = [first.value];
  let next = first.next;
  while (wordAt(tokens, next) === ".") {
    const more = readField(tokens, next + 1);
    if (!more) return undefined;
    fields.push(more.value);
    next = more.next;
  }
  return { value: fields, next };
}

function readField(tokens: Tokens, at: number): Read<NftField> {
  const one = wordAt(tokens, at);
  const two = `${one} ${wordAt(tokens, at + 1)}`;
  const pair = NFT_FIELDS.find((field) => field === two);
  if (pair) return { value: pair, next: at + 2 };
  const single = NFT_FIELDS.find((field) => field === one || `meta ${field}` === two);
  return single && { value: single, next: single === one ? at + 1 : at + 2 };
}

/** What kind of literal goes with a field or the type of a set. */
export type ValueKind = "address" | "port" | "protocol" | "mark" | "device" | "word";

export function kindOfField(field: NftField): ValueKind {
  if (field.endsWith("addr")) return "address";
  if (field.endsWith("port")) return "port";
  if (field === "meta mark") return "mark";
  if (/^[io]if/.test(field)) return "device";
  return field === "meta l4proto" || field === "ip protocol" || field === "ip6 nexthdr" ? "protocol" : "word";
}

export function kindOfType(type: string): ValueKind {
  if (type === "ipv4_addr" || type === "ipv6_addr") return "address";
  if (type === "inet_service") return "port";
  if (type === "inet_proto") return "protocol";
  if (type === "mark") return "mark";
  return type === "ifname" || type === "iface_index" ? "device" : "word";
}

/** One literal from one word. */
export function readValue(token: NftToken | undefined, kind: ValueKind): NftValue | undefined {
  if (token === undefined || (token.quoted && kind !== "device") || /^[{},;]$/.test(token.text)) return undefined;
  const { text } = token;
  switch (kind) {
    case "address":
      return readAddress(text);
    case "port":
      return readPort(text);
    case "protocol": {
      const word = protocolName(text);
      return word === undefined ? undefined : { kind: "word", word };
    }
    case "mark": {
      const value = readNumber(text);
      return value === undefined ? undefined : { kind: "word", word: printMark(value) };
    }
    case "device":
      return { kind: "word", word: text };
    case "word":
      return /^[a-z0-9-]+$/.test(text) ? { kind: "word", word: text } : undefined;
    default:
      return kind satisfies never;
  }
}

function readAddress(text: string): NftValue | undefined {
  const dash = text.indexOf("-");
  if (dash > 0) {
    const [from, to] = [parseIp(text.slice(0, dash)), parseIp(text.slice(dash + 1))];
    return from !== undefined && to !== undefined ? { kind: "range", from, to } : undefined;
  }
  const cidr = parseCidr(text);
  return cidr && { kind: "prefix", cidr: networkOf(cidr) };
}

function readPort(text: string): NftValue | undefined {
  const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!found || Number(found[1]) > 65535 || Number(found[2] ?? 0) > 65535) return undefined;
  return found[2] === undefined
    ? { kind: "word", word: String(Number(found[1])) }
    : { kind: "range", from: String(Number(found[1])), to: String(Number(found[2])) };
}

/** `accept`, `goto CHAIN`. */
export function readVerdict(tokens: Tokens, at: number): Read<NftVerdict> {
  const word = wordAt(tokens, at);
  if (word === "accept" || word === "drop" || word === "return" || word === "continue") return { value: { kind: word }, next: at + 1 };
  const chain = wordAt(tokens, at + 1);
  if ((word !== "jump" && word !== "goto") || chain === undefined || /^[{},;]$/.test(chain)) return undefined;
  return { value: { kind: word, chain }, next: at + 2 };
}

/** What stands between braces, cut at the commas; line ends inside are nothing. */
export function readBraces(tokens: Tokens, at: number): Read<readonly Tokens[]> {
  if (wordAt(tokens, at) !== "{") return undefined;
  const parts: NftToken[][] = [[]];
  for (let next = at + 1; next < tokens.length; next++) {
    const token = tokens[next];
    if (token === undefined || (!token.quoted && token.text === "{")) return undefined;
    if (!token.quoted && token.text === "}") return { value: parts.filter((part) => part.length > 0), next: next + 1 };
    if (!token.quoted && token.text === ",") parts.push([]);
    else if (token.quoted || token.text !== ";") parts.at(-1)?.push(token);
  }
  return undefined;
}

/** A member of a set or map: `10.0.0.1 . tcp . 80 comment "x" : goto CHAIN`. */
export function readElement(tokens: Tokens, kinds: readonly ValueKind[], cause: CauseId = NO_CAUSE): NftElement | undefined {
  const key: NftValue[] = [];
  let at = 0;
  for (const kind of kinds) {
    if (key.length > 0 && wordAt(tokens, at++) !== ".") return undefined;
    const value = readValue(tokens[at++], kind);
    if (!value) return undefined;
    key.push(value);
  }
  const comment = wordAt(tokens, at) === "comment" && tokens[at + 1]?.quoted ? tokens[at + 1]?.text : undefined;
  if (comment !== undefined) at += 2;
  const head = { key, cause, ...(comment === undefined ? {} : { comment }) };
  if (at === tokens.length) return head;
  if (wordAt(tokens, at) !== ":") return undefined;
  const verdict = readVerdict(tokens, at + 1);
  if (verdict) return verdict.next === tokens.length ? { ...head, verdict: verdict.value } : undefined;
  return {
    ...head,
    data: tokens
      .slice(at + 1)
      .map(({ text }) => text)
      .join(" "),
  };
}
