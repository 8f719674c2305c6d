/** `ip neigh`: the permanent entries that flannel and others write; what ARP learns is not kept (iproute2 ip/ipneigh.c). */
import type { Neighbour, Netns } from "../linux/netns.ts";
import { type Family, familyOf, parseIp } from "../net/address.ts";
import { NO_CAUSE } from "../net/cause.ts";
import { printableWord } from "./printable.ts";
import { isMac, type Parsed, parseLines, valueAfter, wordsOf } from "./words.ts";

export type IpNeighOptions = { readonly dev?: string; readonly family?: Family };

/** `ip neigh show`, with `dev` without repeating it. IPv4 first. */
export function printIpNeigh(netns: Netns, options: IpNeighOptions = {}): string {
  const shown = netns.neighbours.filter(({ dev }) => options.dev === undefined || dev === options.dev);
  return ([4, 6] as const)
    .filter((family) => options.family === undefined || options.family === family)
    .flatMap((family) => shown.filter(({ ip }) => familyOf(ip) === family))
    .map(
      ({ ip, dev, mac }) =>
        `${ip}${options.dev === undefined ? ` dev ${printableWord(dev)}` : ""} lladdr ${printableWord(mac)} PERMANENT \n`,
    )
    .join("");
}

/** Reads the entries that have an address; those of ARP's own making too. `dev` is what `show dev` left out. */
export function parseIpNeigh(text: string, dev?: string): Parsed<Neighbour & { readonly state: string }> {
  return parseLines(text, (line) => {
    const words = wordsOf(line);
    const ip = parseIp(words[0] ?? "");
    const on = valueAfter(words, "dev") ?? dev;
    const mac = valueAfter(words, "lladdr");
    const state = words.at(-1);
    return ip !== undefined && on !== undefined && isMac(mac) && state !== undefined && state !== mac
      ? { ip, dev: on, mac, state, cause: NO_CAUSE }
      : undefined;
  });
}
