/**
 * `bridge fdb show`: VXLAN forwarding entries (iproute2 bridge/fdb.c). Not modelled, so left out: the entries for multicast
 * groups and for the bridge ports' own addresses.
 */
import type { FdbEntry, Netns } from "../linux/netns.ts";
import { parseIp } from "../net/address.ts";
import { NO_CAUSE } from "../net/cause.ts";
import { printableWord } from "./printable.ts";
import { isMac, type Parsed, parseLines, valueAfter, wordsOf } from "./words.ts";

/** `bridge fdb show`, with `dev` without repeating it. */
export const printBridgeFdb = (netns: Netns, options: { readonly dev?: string } = {}): string =>
  netns.fdb
    .filter(({ dev }) => options.dev === undefined || dev === options.dev)
    .map(
      ({ mac, dev, dst }) =>
        `${printableWord(mac)}${options.dev === undefined ? ` dev ${printableWord(dev)}` : ""} dst ${dst} self permanent\n`,
    )
    .join("");

/** Reads the entries that name a tunnel end; all others are handed back unread. */
export function parseBridgeFdb(text: string, dev?: string): Parsed<FdbEntry> {
  return parseLines(text, (line) => {
    const words = wordsOf(line);
    const mac = words[0];
    const dst = parseIp(valueAfter(words, "dst") ?? "");
    const on = valueAfter(words, "dev") ?? dev;
    return isMac(mac) && dst !== undefined && on !== undefined ? { mac, dst, dev: on, cause: NO_CAUSE } : undefined;
  });
}
