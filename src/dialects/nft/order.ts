/**
 * The order in which nft 1.0.6 lists the members of a set, and how many it puts on a line (src/mergesort.c, src/expression.c
 * set_expr_print). A concatenation is compared as one little-endian number, so its last byte counts most.
 */
import type { NftValue } from "../../linux/netfilter/nft.ts";
import { addressBits, familyOf, type Ip, ipToBigInt } from "../../net/address.ts";
import { protocolNumber } from "./words.ts";

/** A copy in nft's order. */
export function inNftOrder<T>(members: readonly T[], keyOf: (member: T) => readonly NftValue[]): readonly T[] {
  const weighed = members.map((member) => ({ member, weight: weightOf(keyOf(member)) }));
  return weighed.sort((a, b) => (a.weight < b.weight ? -1 : a.weight > b.weight ? 1 : 0)).map(({ member }) => member);
}

function weightOf(key: readonly NftValue[]): bigint {
  const [only] = key;
  if (key.length === 1 && only) return only.kind === "word" && isName(only.word) ? littleEndian(bytesOfName(only.word)) : numberOf(only);
  return littleEndian(key.flatMap(bytesOf));
}

const STATES: readonly string[] = ["invalid", "established", "related", "new", "untracked"];

function numberOf(value: NftValue): bigint {
  const text = value.kind === "prefix" ? value.cidr.ip : value.kind === "range" ? value.from : value.word;
  if (isIp(text)) return ipToBigInt(text);
  if (/^(0x[0-9a-f]+|\d+)$/.test(text)) return BigInt(text);
  const state = STATES.indexOf(text);
  return BigInt(state >= 0 ? state : (protocolNumber(text) ?? 0));
}

const isIp = (text: string): text is Ip => /^[0-9a-f.:]+$/.test(text) && /[.:]/.test(text);
const isName = (word: string): boolean => !/^(0x[0-9a-f]+|\d+)$/.test(word) && protocolNumber(word) === undefined && !STATES.includes(word);

/** The bytes of one part of a concatenation, in network order; a part that is no address is a port or a protocol. */
function bytesOf(value: NftValue): readonly number[] {
  const text = value.kind === "prefix" ? value.cidr.ip : value.kind === "range" ? value.from : value.word;
  if (isIp(text)) return bytes(ipToBigInt(text), addressBits(familyOf(text)) / 8);
  if (/^\d+$/.test(text)) return bytes(BigInt(text), 2);
  const protocol = protocolNumber(text);
  return protocol === undefined ? bytesOfName(text) : [protocol];
}

const bytesOfName = (name: string): readonly number[] => [...Buffer.from(name.slice(0, 16).padEnd(16, "\0"))];
const bytes = (value: bigint, length: number): number[] =>
  Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
const littleEndian = (all: readonly number[]): bigint => all.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** How many members of a type stand on one line. */
export function membersPerLine(type: readonly string[]): number {
  if (type.length !== 1) return 1;
  const [only = ""] = type;
  if (only === "inet_service" || only === "inet_proto" || only === "ct_state" || only === "integer") return 5;
  return only === "ipv4_addr" || only === "mark" || only === "icmp_type" || only === "ether_addr" ? 2 : 1;
}
