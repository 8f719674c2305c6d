/** Small words of nft's language: protocol names, durations, marks, hook priorities (src/datatype.c, src/rule.c of nft 1.0.6). */
import type { Hook } from "../../linux/netfilter/table.ts";

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["icmp", 1],
  ["igmp", 2],
  ["ipencap", 4],
  ["tcp", 6],
  ["udp", 17],
  ["gre", 47],
  ["esp", 50],
  ["ah", 51],
  ["ipv6-icmp", 58],
  ["sctp", 132],
  ["udplite", 136],
]);

export const protocolNumber = (name: string): number | undefined => PROTOCOLS.get(name);
/** 6 or tcp as "tcp"; undefined: no protocol that is known. */
export function protocolName(word: string): string | undefined {
  if (PROTOCOLS.has(word)) return word;
  if (word === "icmpv6") return "ipv6-icmp";
  for (const [name, number] of PROTOCOLS) if (String(number) === word) return name;
  return undefined;
}

export const printMark = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/** A 32-bit number, decimal or hexadecimal. */
export function readNumber(word: string | undefined): number | undefined {
  if (word === undefined || !/^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(word)) return undefined;
  const value = Number(word);
  return value <= 0xffffffff ? value : undefined;
}

const UNITS = [
  ["d", 86400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
] as const;

/** 10800 as "3h", 90061 as "1d1h1m1s". */
export function printDuration(seconds: number): string {
  let rest = seconds;
  const parts = UNITS.flatMap(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? [`${count}${unit}`] : [];
  });
  return parts.length > 0 ? parts.join("") : "0s";
}

export function readDuration(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  if (/^\d{1,9}$/.test(word)) return Number(word);
  const found = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$/.exec(word);
  if (!found || word === "") return undefined;
  return UNITS.reduce((sum, [, size], i) => sum + size * Number(found[i + 1] ?? 0), 0);
}

/** Named priorities; `dstnat` and `srcnat` only where nft 1.0.6 takes them (std_prios, std_prio_family_hook_compat). */
const PRIORITIES: readonly { readonly name: string; readonly value: number; readonly hook?: Hook }[] = [
  { name: "raw", value: -300 },
  { name: "mangle", value: -150 },
  { name: "dstnat", value: -100, hook: "prerouting" },
  { name: "filter", value: 0 },
  { name: "security", value: 50 },
  { name: "srcnat", value: 100, hook: "postrouting" },
];
/** How far from a named priority a number is still told by its name. */
const NEAR = 10;

/** -110 at prerouting as "dstnat - 10", elsewhere as "-110". */
export function printPriority(priority: number, hook: Hook): string {
  const near = PRIORITIES.find((one) => (one.hook ?? hook) === hook && Math.abs(priority - one.value) <= NEAR);
  if (!near) return String(priority);
  const offset = priority - near.value;
  if (offset === 0) return near.name;
  return `${near.name} ${offset > 0 ? "+" : "-"} ${Math.abs(offset)}`;
}

/** "dstnat - 10", "-110", "filter". */
export function readPriority(words: readonly string[]): number | undefined {
  const text = words.join("");
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  const found = /^([a-z]+)(?:([+-])(\d{1,9}))?$/.exec(text);
  const named = PRIORITIES.find(({ name }) => name === found?.[1]);
  if (!named) return undefined;
  return named.value + (found?.[2] === "-" ? -1 : 1) * Number(found?.[3] ?? 0);
}
