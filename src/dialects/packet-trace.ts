/**
 * What `xtables-monitor --trace` and `nft monitor trace` print: for each packet, the rules it matched, in order. The one prints
 * rules in iptables' words, the other in nft's; what both say alike is family, table, chain and verdict. Read only.
 * Facts: iptables/xtables-monitor.c 1.8.9 (trace_cb), nftables src/netlink.c (netlink_events_trace_cb).
 */
import { type Ip, parseIp } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";

/** `verdict`: accept, drop, return, continue, jump CHAIN, goto CHAIN; of a base chain's end `policy accept`. */
export type TracedRule = {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly verdict: string;
  readonly text: string;
  readonly line: number;
};
export type TracedPacket = {
  readonly id: string;
  readonly line: number;
  readonly in?: string;
  readonly protocol?: Protocol;
  readonly src?: Ip;
  readonly sport?: number;
  readonly dst?: Ip;
  readonly dport?: number;
  readonly isFirst: boolean; // a SYN, or a protocol without handshake
  readonly rules: readonly TracedRule[];
};

type Head = Omit<TracedPacket, "rules" | "id" | "line">;
type Draft = {
  readonly id: string;
  readonly line: number;
  readonly head: Head | undefined;
  readonly hooks: Set<string>;
  readonly rules: TracedRule[];
};
export type ParsedTrace = { readonly packets: readonly TracedPacket[]; readonly unread: readonly string[] };

/**
 * Reads the output of either program. A packet is shown anew at every chain of a hook; the kernel gives an id to another packet
 * once it is free (it is made from the buffer's address), so one that comes to the same chain again is another packet.
 */
export function parsePacketTrace(text: string): ParsedTrace {
  const drafts: Draft[] = [];
  const current = new Map<string, Draft>();
  const shown = new Map<string, { readonly head: Head; readonly line: number }>();
  const unread: string[] = [];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const read = readXtables(line, i + 1) ?? readNft(line, i + 1);
    if (!read) unread.push(line);
    else if (read.head) shown.set(read.id, { head: read.head, line: i + 1 });
    else if (read.rule) {
      const { id, rule } = read;
      const start = shown.get(id);
      shown.delete(id);
      const hook = `${rule.family} ${rule.table} ${rule.chain}`;
      let draft = current.get(id);
      if (!draft || (start && draft.hooks.has(hook))) {
        draft = { id, line: start?.line ?? i + 1, head: start?.head, hooks: new Set(), rules: [] };
        drafts.push(draft);
        current.set(id, draft);
      }
      if (start) draft.hooks.add(hook);
      draft.rules.push(rule);
    }
  });
  return { packets: drafts.map(({ id, line, head, rules }) => ({ id, line, isFirst: false, ...head, rules })), unread };
}

type Line = { readonly id: string; readonly head?: Head; readonly rule?: TracedRule };

function readXtables(line: string, number: number): Line | undefined {
  const packet = /^\s*PACKET: \d+ ([0-9a-f]+) (.*)$/.exec(line);
  if (packet?.[1] !== undefined) return { id: packet[1], head: headOfXtables(packet[2] ?? "") };
  const trace = /^\s*TRACE: (\d+) ([0-9a-f]+) ([^:\s]+):(\S+?):(rule|return|policy)(?::0x[0-9a-f]+)?:([A-Z]*)(?::(\S+))?\s*(.*)$/.exec(
    line,
  );
  if (!trace) return undefined;
  const [, family, id = "", table = "", chain = "", what, verdict = "", target, text = ""] = trace;
  const word = verdict.toLowerCase();
  const said =
    what === "policy"
      ? `policy ${word}`
      : what === "return"
        ? "return"
        : word === "jump" || word === "goto"
          ? `${word} ${target ?? ""}`
          : word;
  return {
    id,
    rule: { family: family === "10" ? "ip6" : "ip", table, chain, verdict: said, text: text.replace(/^-[46] -t \S+ /, ""), line: number },
  };
}

function headOfXtables(text: string): Head {
  const value = (key: string): string | undefined => new RegExp(`(?:^| )${key}=(\\S+)`).exec(text)?.[1];
  const isTcp = / (SYN|ACK|RST|FIN|PSH)\b/.test(text);
  const protocol = value("PROTO")?.toLowerCase() ?? (isTcp ? "tcp" : value("TYPE") === undefined ? "udp" : "icmp");
  return headOf(
    value("IN"),
    protocol,
    [value("SRC"), value("SPORT") ?? value("SPT")],
    [value("DST"), value("DPORT") ?? value("DPT")],
    !isTcp || (/ SYN\b/.test(text) && !/ ACK\b/.test(text)),
  );
}

function readNft(line: string, number: number): Line | undefined {
  const trace = /^trace id ([0-9a-f]+) (\S+) (\S+) (\S+) (packet:|rule|verdict|policy|unknown)\s?(.*)$/.exec(line.trim());
  if (!trace) return undefined;
  const [, id = "", family = "", table = "", chain = "", what, text = ""] = trace;
  if (what === "packet:") return { id, head: headOfNft(text) };
  const verdict =
    what === "rule"
      ? (/\(verdict ([^)]*)\)\s*$/.exec(text)?.[1] ?? "continue")
      : what === "policy"
        ? `policy ${text.split(" ")[0]}`
        : (text.split(" meta ")[0] ?? "");
  return {
    id,
    rule: { family, table, chain, verdict: verdict.trim(), text: text.replace(/\s*\(verdict [^)]*\)\s*$/, "").trim(), line: number },
  };
}

function headOfNft(text: string): Head {
  const value = (key: string): string | undefined => new RegExp(`(?:^| )${key} "?([^\\s"]+)`).exec(text)?.[1];
  const protocol = /\btcp sport\b/.test(text)
    ? "tcp"
    : /\budp sport\b/.test(text)
      ? "udp"
      : /\bicmp type\b/.test(text)
        ? "icmp"
        : value("ip protocol");
  const isSyn = /tcp flags == (syn|0x2)\b(?! \|)/.test(text);
  const ip = (side: string): string | undefined => value(`ip ${side}`) ?? value(`ip6 ${side}`);
  return headOf(
    value("iif"),
    protocol,
    [ip("saddr"), value(`${protocol} sport`)],
    [ip("daddr"), value(`${protocol} dport`)],
    protocol !== "tcp" || isSyn,
  );
}

type End = readonly [string | undefined, string | undefined];
function headOf(dev: string | undefined, protocol: string | undefined, source: End, target: End, isFirst: boolean): Head {
  const known = (["tcp", "udp", "sctp", "icmp", "icmpv6"] as const).find((each) => each === protocol);
  const [src, dst] = [parseIp(source[0] ?? ""), parseIp(target[0] ?? "")];
  return {
    isFirst,
    ...(dev === undefined || dev === "" ? {} : { in: dev }),
    ...(known === undefined ? {} : { protocol: known }),
    ...(src === undefined ? {} : { src }),
    ...(dst === undefined ? {} : { dst }),
    ...(source[1] === undefined ? {} : { sport: Number(source[1]) }),
    ...(target[1] === undefined ? {} : { dport: Number(target[1]) }),
  };
}
