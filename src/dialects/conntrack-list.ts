/** What `conntrack -L` prints, with or without `-o extended` (conntrack-tools src/conntrack.c, libnetfilter_conntrack snprintf). Read only. */
import { type Ip, parseIp } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";
import { type Parsed, parseLines, wordsOf } from "./words.ts";

export type ListedTuple = { readonly src: Ip; readonly sport: number; readonly dst: Ip; readonly dport: number };
export type ListedConnection = {
  readonly protocol: Protocol;
  readonly state: string; // ESTABLISHED; absent for udp: ""
  readonly original: ListedTuple;
  readonly reply: ListedTuple;
  readonly isUnreplied: boolean;
};

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp", "icmp", "icmpv6"];

/** Connections of the protocols that are modelled; other lines are handed back. */
export const parseConntrackList = (text: string): Parsed<ListedConnection> => parseLines(text, readConnection);

function readConnection(line: string): ListedConnection | undefined {
  const words = wordsOf(line.replace(/^\s*\[[A-Z]+\]/, ""));
  const start = words[0] === "ipv4" || words[0] === "ipv6" ? 2 : 0;
  const protocol = PROTOCOLS.find((known) => known === words[start]);
  const at = words.flatMap((word, i) => (word.startsWith("src=") ? [i] : []));
  const [first, second] = at;
  if (protocol === undefined || first === undefined || second === undefined) return undefined;
  const original = readTuple(words.slice(first, second));
  const reply = readTuple(words.slice(second));
  if (!original || !reply) return undefined;
  const state = words.slice(start + 2, first).find((word) => /^[A-Z][A-Z_0-9]+$/.test(word)) ?? "";
  return { protocol, state, original, reply, isUnreplied: words.includes("[UNREPLIED]") };
}

/** ICMP has an id instead of ports. */
function readTuple(words: readonly string[]): ListedTuple | undefined {
  const value = (key: string): string | undefined => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const [src, dst] = [parseIp(value("src") ?? ""), parseIp(value("dst") ?? "")];
  const port = (key: string): number => Number(value(key) ?? value("id") ?? 0);
  return src === undefined || dst === undefined ? undefined : { src, dst, sport: port("sport"), dport: port("dport") };
}
