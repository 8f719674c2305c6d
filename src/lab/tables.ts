/**
 * What the kernel's tables say of a flow: connection entries as `conntrack -o extended` prints them, and the counters of
 * `iptables-save -c`. Not read: timeouts, marks, zones.
 */
import type { NetnsId } from "../linux/netns.ts";
import type { Family, Ip } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";
import { LabError } from "./error.ts";
import type { LabNamespace } from "./plan.ts";
import { runProgram } from "./process.ts";

export type CtTuple = { readonly src: Ip; readonly sport: number; readonly dst: Ip; readonly dport: number };
export type CtEntry = {
  readonly netns: NetnsId;
  readonly protocol: Protocol;
  readonly original: CtTuple;
  readonly reply: CtTuple;
  readonly state: string;
};

/** A rule by its place: the `position`-th `-A` line of its chain, from 0. */
export type RuleHit = {
  readonly netns: NetnsId;
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
  readonly position: number;
  readonly packets: number;
  readonly text: string;
};

/** Reads all counters of one namespace and empties its connection table, so that the next flows begin anew. One shell. */
export async function readCounters(namespace: LabNamespace): Promise<RuleHit[]> {
  if (namespace.families.length === 0) return [];
  const saves = namespace.families.map(
    (family) => `${family === 4 ? "iptables" : "ip6tables"}-${namespace.backend}-save -c; echo '${CUT}'`,
  );
  const script = `${saves.join("\n")}\nconntrack -F >/dev/null 2>&1\n`;
  const { status, stdout, stderr } = await runProgram("nsenter", [`--net=/run/netns/${namespace.name}`, "sh", "-e"], script);
  if (status !== 0) throw new LabError(`${namespace.name}: reading the kernel's tables failed: ${stderr.trim()}`);
  const parts = stdout.split(`${CUT}\n`);
  return namespace.families.flatMap((family, i) => parseCounters(parts[i] ?? "", namespace.id, family));
}

const CUT = "-- ktrace --";

/** `conntrack -L` or `-E`, `-o extended`: `[NEW] ipv4 2 tcp 6 118 SYN_SENT src=… dst=… sport=… dport=… [UNREPLIED] src=… …`. */
export function parseConntrack(text: string, netns: NetnsId): CtEntry[] {
  return text.split("\n").flatMap((line): CtEntry[] => {
    const words = line
      .trim()
      .replace(/^\[[A-Z]+\]\s*/, "")
      .split(/\s+/);
    const protocol = protocolOf(words[2]);
    const tuples = tuplesOf(words);
    const [original, reply] = tuples;
    if (protocol === undefined || !original || !reply) return [];
    return [
      {
        netns,
        protocol,
        original,
        reply,
        state: protocol === "tcp" ? (words[5] ?? "") : line.includes("[UNREPLIED]") ? "UNREPLIED" : "REPLIED",
      },
    ];
  });
}

const protocolOf = (word: string | undefined): Protocol | undefined =>
  word === "tcp" || word === "udp" || word === "icmp" || word === "icmpv6" || word === "sctp" ? word : undefined;

function tuplesOf(words: readonly string[]): CtTuple[] {
  const starts = words.flatMap((word, i) => (word.startsWith("src=") ? [i] : []));
  return starts.map((start, i) => {
    const fields = new Map(
      words.slice(start, starts[i + 1]).flatMap((word) => {
        const cut = word.indexOf("=");
        return cut > 0 ? [[word.slice(0, cut), word.slice(cut + 1)] as const] : [];
      }),
    );
    const id = fields.get("id");
    return {
      src: fields.get("src") ?? "",
      dst: fields.get("dst") ?? "",
      sport: Number(fields.get("sport") ?? id),
      dport: Number(fields.get("dport") ?? id),
    };
  });
}

/** `iptables-save -c`: `[packets:bytes] -A CHAIN …` under `*table`. Rules never hit are left out. */
export function parseCounters(text: string, netns: NetnsId, family: Family): RuleHit[] {
  const positions = new Map<string, number>();
  const hits: RuleHit[] = [];
  let table = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1).trim();
    const found = /^\[(\d+):\d+\] (-A (\S+).*)$/.exec(line);
    if (!found) continue;
    const [, packets, rule, chain] = found;
    const key = `${table} ${chain}`;
    const position = positions.get(key) ?? 0;
    positions.set(key, position + 1);
    if (Number(packets) > 0) hits.push({ netns, family, table, chain: chain ?? "", position, packets: Number(packets), text: rule ?? "" });
  }
  return hits;
}

/** What was hit between two readings. */
export function newHits(before: readonly RuleHit[], after: readonly RuleHit[]): RuleHit[] {
  const earlier = new Map(before.map((hit) => [keyOf(hit), hit.packets]));
  return after.map((hit) => ({ ...hit, packets: hit.packets - (earlier.get(keyOf(hit)) ?? 0) })).filter((hit) => hit.packets > 0);
}
const keyOf = (hit: RuleHit): string => `${hit.netns} ${hit.family} ${hit.table} ${hit.chain} ${hit.position}`;
