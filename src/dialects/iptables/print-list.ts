/**
 * What `iptables -L -n` 1.8.9 says behind the addresses of a rule: the `print` functions of the match and target extensions
 * (extensions/libxt_*.c, libipt_*.c, libip6t_*.c).
 */
import type { Match, PortRange, Target } from "../../linux/netfilter/rule.ts";
import { addressBits, type Cidr, type Family, familyOf, formatCidr } from "../../net/address.ts";
import { hex, isAllPorts, printPorts, printProbability } from "./numbers.ts";
import { fullMask, PROTOCOL_NUMBER, printNatAddress } from "./print-rule.ts";
import { tokenize } from "./tokens.ts";

/** One text a loaded module: ports and flags of one `-m tcp`, and both sides of one addrtype, stand together. */
export function matchTexts(matches: readonly Match[], family: Family): string[] {
  const texts: string[] = [];
  for (const [i, match] of matches.entries()) {
    const text = matchText(match, family);
    if (text === undefined) continue;
    const module = moduleOf(match);
    const shared = module !== undefined && module === moduleOf(matches[i - 1]);
    if (shared) texts.push(`${texts.pop() ?? ""} ${text}`);
    else texts.push(module === undefined ? text : `${module} ${text}`.trimEnd());
  }
  return texts;
}

function moduleOf(match: Match | undefined): string | undefined {
  if (match?.kind === "sport" || match?.kind === "dport") return match.protocol;
  if (match?.kind === "tcp-flags") return "tcp";
  return match?.kind === "addrtype" ? "ADDRTYPE match" : undefined;
}

/** What stands in columns of its own gives no text. */
function matchText(match: Match, family: Family): string | undefined {
  const not = match.not ? "!" : "";
  const apart = match.not ? "! " : "";
  switch (match.kind) {
    case "src":
    case "dst":
    case "in":
    case "out":
    case "protocol":
      return undefined;
    case "sport":
    case "dport":
      return isAllPorts(match.ports) && !match.not
        ? ""
        : `${match.kind[0]}pt${isRange(match.ports) ? "s" : ""}:${not}${printPorts(match.ports)}`;
    case "tcp-flags":
      return `flags:${not}${flagBits(match.mask)}/${flagBits(match.set)}`;
    case "multiport":
      return `multiport ${match.which} ${match.not ? " !" : ""}${match.ports.map((ports) => printPorts(ports)).join(",")}`;
    case "icmp-type": {
      const code = match.code === undefined ? "" : ` code ${match.code}`;
      return `${match.v6 ? "ipv6-icmp" : "icmp"}${match.not ? " !" : ""}type ${match.type}${code}`;
    }
    case "comment":
      return `/* ${match.text} */`;
    case "mark":
      return `mark match ${apart}${match.mask === 0xffffffff ? hex(match.value) : `${hex(match.value)}/${hex(match.mask)}`}`;
    case "ctstate":
      return `${apart}${match.writtenAs ?? "ctstate"} ${match.states.join(",")}`;
    case "addrtype":
      return `${match.side}-type ${not}${match.type}${match.limitIfaceIn ? " limit-in" : ""}`;
    case "statistic-random":
      return `statistic mode random ${apart}probability ${match.writtenAs ?? printProbability(match.inverse)}`;
    case "statistic-nth":
      return `statistic mode nth ${apart}every ${match.every}${match.packet === 0 ? "" : ` packet ${match.packet}`}`;
    case "recent":
      return `${apart}${recentText(match, family)}`;
    case "set":
      return `${apart}match-set ${match.name} ${match.flags.join(",")}`;
    case "ipvs":
      return `vproto ${PROTOCOL_NUMBER[match.vproto]} vaddr ${shortCidr(match.vaddr)} vport ${match.vport}`;
    case "physdev":
      return `PHYSDEV match ${match.text}`;
    case "unknown":
      return /^(! )?-[pf]( |$)/.test(match.text) ? undefined : match.text;
    default:
      return match satisfies never;
  }
}

const isRange = ({ from, to }: PortRange): boolean => from !== to;

const RECENT = { set: "SET", rcheck: "CHECK", update: "UPDATE", remove: "REMOVE" } as const;

function recentText(match: Extract<Match, { readonly kind: "recent" }>, family: Family): string {
  const seconds = match.seconds === undefined ? "" : ` seconds: ${match.seconds}`;
  const side = match.side === "rsource" ? "source" : "dest";
  return `recent: ${RECENT[match.command]}${seconds}${match.reap ? " reap" : ""} name: ${match.name} side: ${side} mask: ${fullMask(family)}`;
}

const FLAGS: readonly string[] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];

/** The bits of a TCP header's flags, as libxt_tcp prints them with -n. */
const flagBits = (names: readonly string[]): string =>
  `0x${FLAGS.reduce((bits, name, i) => bits + (names.includes(name) ? 2 ** i : 0), 0)
    .toString(16)
    .toUpperCase()
    .padStart(2, "0")}`;

/** What a target extension says of its own options. */
export function targetTexts(target: Target): string[] {
  switch (target.kind) {
    case "accept":
    case "drop":
    case "return":
    case "none":
    case "jump":
    case "goto":
      return [];
    case "notrack":
      return [target.writtenAs === undefined ? "NOTRACK" : "CT notrack"];
    case "reject":
      return [`reject-with ${target.with}`];
    case "mark":
      return [`MARK ${markText(target)}`];
    case "dnat":
    case "snat": {
      const flags = [target.random ? " random" : "", target.randomFully ? " random-fully" : "", target.persistent ? " persistent" : ""];
      return [`to:${printNatAddress(target)}${flags.join("")}`];
    }
    case "masquerade":
      return target.randomFully ? ["random-fully"] : [];
    case "redirect":
      return target.ports ? [`redir ports ${printPorts(target.ports, "-")}`] : [];
    case "log":
      return logTexts(target.text);
    case "unknown":
      return target.text.includes(" ") ? [target.text.slice(target.text.indexOf(" ") + 1)] : [];
    default:
      return target satisfies never;
  }
}

/** libxt_MARK's four short forms of `--set-xmark VALUE/MASK`, and the general one. */
function markText({ value, mask }: Extract<Target, { readonly kind: "mark" }>): string {
  if (value === 0) return `and ${hex(~mask >>> 0)}`;
  if (value === mask) return `or ${hex(value)}`;
  if (mask === 0) return `xor ${hex(value)}`;
  return mask === 0xffffffff ? `set ${hex(value)}` : `xset ${hex(value)}/${hex(mask)}`;
}

/** XT_LOG's flag bits (linux/netfilter/xt_LOG.h). */
const LOG_FLAGS = new Map([
  ["--log-tcp-sequence", 1],
  ["--log-tcp-options", 2],
  ["--log-ip-options", 4],
  ["--log-uid", 8],
  ["--log-macdecode", 32],
]);

function logTexts(text: string): string[] {
  const [name, ...words] = (tokenize(text) ?? []).map((token) => token.text);
  const after = (option: string): string | undefined => (words.includes(option) ? words[words.indexOf(option) + 1] : undefined);
  if (name === "NFLOG") {
    const prefix = after("--nflog-prefix");
    const group = after("--nflog-group");
    return [...(prefix === undefined ? [] : [`nflog-prefix "${prefix}"`]), ...(group === undefined ? [] : [`nflog-group ${group}`])];
  }
  if (name !== "LOG") return [];
  const bits = words.reduce((sum, word) => sum + (LOG_FLAGS.get(word) ?? 0), 0);
  const prefix = after("--log-prefix");
  return [`LOG flags ${bits} level ${after("--log-level") ?? "4"}`, ...(prefix === undefined ? [] : [`prefix "${prefix}"`])];
}

/** A single address without its mask. */
export const shortCidr = (cidr: Cidr): string => (cidr.length === addressBits(familyOf(cidr.ip)) ? cidr.ip : formatCidr(cidr));
