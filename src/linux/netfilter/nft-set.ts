/** Named sets and maps whose members are all there: exact members by index, prefixes, ranges and wildcards one by one. */
import { addressBits, familyOf } from "../../net/address.ts";
import type { NftElement, NftSet, NftValue } from "./nft.ts";
import { isValue } from "./nft-match.ts";

/** A set from its members. */
export function nftSetOf(head: Omit<NftSet, "elements" | "find">, elements: readonly NftElement[]): NftSet {
  const exact = new Map<string, NftElement>();
  const others: NftElement[] = [];
  for (const element of elements) {
    const key = exactKey(element.key);
    if (key === undefined) others.push(element);
    else if (!exact.has(key)) exact.set(key, element);
  }
  return {
    ...head,
    elements: () => elements,
    find: (key) =>
      exact.get(key.join(" . ")) ?? others.find((element) => element.key.every((value, i) => isValue(value, key[i] ?? "") === true)),
  };
}

/** The one text that a value stands for; undefined when it stands for several. */
export function exactText(value: NftValue): string | undefined {
  switch (value.kind) {
    case "prefix":
      return value.cidr.length === addressBits(familyOf(value.cidr.ip)) ? value.cidr.ip : undefined;
    case "word":
      return value.word.endsWith("*") ? undefined : value.word;
    case "range":
      return undefined;
    default:
      return value satisfies never;
  }
}

function exactKey(key: readonly NftValue[]): string | undefined {
  const texts = key.map(exactText);
  return texts.includes(undefined) ? undefined : texts.join(" . ");
}
