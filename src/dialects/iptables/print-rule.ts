/**
 * One rule as iptables-save 1.8.9 prints it, either back end: -s -d -i -o -p first, then the matches in their order, then
 * the target. Forms per extension: iptables extensions/libxt_*.c, libipt_*.c, libip6t_*.c (their `save` functions).
 */

import type { Match, Rule, Target } from "../../linux/netfilter/rule.ts";
import { addressBits, type Family, familyOf, formatCidr } from "../../net/address.ts";
import type { Protocol } from "../../net/packet.ts";
import { hex, isAllPorts, printPorts, printProbability } from "./numbers.ts";
import { quoteArgument } from "./tokens.ts";

/** `-A CHAIN …` without a line end. The family decides the mask that `-m recent` shows. */
export function printRule(rule: Rule, chain: string, family: Family = 4): string {
  return ["-A", chain, ...printMatches(rule.matches, family), ...printTarget(rule.target)].join(" ");
}

/** The name of a protocol after -p. */
export const protocolName = (protocol: Protocol | "all"): string => (protocol === "icmpv6" ? "ipv6-icmp" : protocol);

function printMatches(matches: readonly Match[], family: Family): string[] {
  const ordered = [...matches].sort((a, b) => headerRank(a) - headerRank(b));
  return ordered.flatMap((match, at) => {
    const text = printMatch(match, family);
    const previous = ordered[at - 1];
    return previous !== undefined && sharesModule(previous, match) ? text.slice(2) : text;
  });
}

const HEADER = ["src", "dst", "in", "out", "protocol"];

/** Unknown protocols and fragment flags belong to the header too. */
function headerRank(match: Match): number {
  if (match.kind === "unknown" && /^(! )?-[^m]/.test(match.text)) return HEADER.length - 1;
  const rank = HEADER.indexOf(match.kind);
  return rank < 0 ? HEADER.length : rank;
}

/** Options of one loaded module, in the order its `save` writes them, stand under a single -m. */
function sharesModule(a: Match, b: Match): boolean {
  if (a.kind === "addrtype") return b.kind === "addrtype" && a.side === "src" && b.side === "dst" && !a.limitIfaceIn;
  const first = portRank(a);
  const second = portRank(b);
  return first !== undefined && second !== undefined && first < second && transportOf(a) === transportOf(b) && !isBareTransport(a);
}

const isBareTransport = (match: Match): boolean => match.kind === "dport" && match.not !== true && isAllPorts(match.ports);
const transportOf = (match: Match): string => (match.kind === "sport" || match.kind === "dport" ? match.protocol : "tcp");

function portRank(match: Match): number | undefined {
  const rank = ["sport", "dport", "tcp-flags"].indexOf(match.kind);
  return rank < 0 ? undefined : rank;
}

function printMatch(match: Match, family: Family): string[] {
  const not = match.not === true ? ["!"] : [];
  switch (match.kind) {
    case "src":
      return [...not, "-s", formatCidr(match.cidr)];
    case "dst":
      return [...not, "-d", formatCidr(match.cidr)];
    case "in":
      return [...not, "-i", match.name];
    case "out":
      return [...not, "-o", match.name];
    case "protocol":
      return match.protocol === "all" ? [] : [...not, "-p", protocolName(match.protocol)];
    case "dport":
    case "sport":
      return ["-m", match.protocol, ...(isBareTransport(match) ? [] : [...not, `--${match.kind}`, printPorts(match.ports)])];
    case "multiport":
      return ["-m", "multiport", ...not, `--${match.which}`, match.ports.map((ports) => printPorts(ports)).join(",")];
    case "tcp-flags":
      return ["-m", "tcp", ...not, "--tcp-flags", match.mask.join(",") || "NONE", match.set.join(",") || "NONE"];
    case "icmp-type":
      return [...icmpModule(match.v6, not), match.code === undefined ? String(match.type) : `${match.type}/${match.code}`];
    case "comment":
      return ["-m", "comment", "--comment", quoteArgument(match.text)];
    case "mark":
      return ["-m", "mark", ...not, "--mark", match.mask === 0xffffffff ? hex(match.value) : `${hex(match.value)}/${hex(match.mask)}`];
    case "ctstate":
      return match.writtenAs === "state"
        ? ["-m", "state", ...not, "--state", match.states.join(",")]
        : ["-m", "conntrack", ...not, "--ctstate", match.states.join(",")];
    case "addrtype":
      return ["-m", "addrtype", ...not, `--${match.side}-type`, match.type, ...(match.limitIfaceIn ? ["--limit-iface-in"] : [])];
    case "statistic-random":
      return ["-m", "statistic", "--mode", "random", ...not, "--probability", match.writtenAs ?? printProbability(match.inverse)];
    case "statistic-nth":
      return ["-m", "statistic", "--mode", "nth", ...not, "--every", String(match.every), "--packet", String(match.packet)];
    case "recent":
      return printRecent(match, not, family);
    case "set":
      return ["-m", "set", ...not, "--match-set", match.name, match.flags.join(",")];
    case "ipvs":
      return printVirtualServer(match);
    case "physdev":
      return ["-m", "physdev", match.text];
    case "unknown":
      return [match.text];
    default:
      return match satisfies never;
  }
}

/** libxt_ipvs.c: the protocol as a number, an address without a full mask. */
function printVirtualServer({ vaddr, vproto, vport }: Extract<Match, { readonly kind: "ipvs" }>): string[] {
  const isHost = vaddr.length === addressBits(familyOf(vaddr.ip));
  const address = isHost ? vaddr.ip : formatCidr(vaddr);
  return ["-m", "ipvs", "--vproto", String(PROTOCOL_NUMBER[vproto]), "--vaddr", address, "--vport", String(vport)];
}

/** RFC 790 and followers, as in /etc/protocols. */
export const PROTOCOL_NUMBER = { tcp: 6, udp: 17, sctp: 132 } as const;

const icmpModule = (v6: boolean, not: readonly string[]): string[] =>
  v6 ? ["-m", "icmp6", ...not, "--icmpv6-type"] : ["-m", "icmp", ...not, "--icmp-type"];

function printRecent(match: Extract<Match, { readonly kind: "recent" }>, not: readonly string[], family: Family): string[] {
  const seconds = match.seconds === undefined ? [] : ["--seconds", String(match.seconds)];
  const reap = match.reap === true ? ["--reap"] : [];
  return [
    "-m",
    "recent",
    ...not,
    `--${match.command}`,
    ...seconds,
    ...reap,
    "--name",
    match.name,
    "--mask",
    fullMask(family),
    `--${match.side}`,
  ];
}

/** The mask of one address, which `-m recent` prints in full. */
export const fullMask = (family: Family): string => (family === 4 ? "255.255.255.255" : "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

function printTarget(target: Target): string[] {
  switch (target.kind) {
    case "none":
      return [];
    case "accept":
    case "drop":
    case "return":
      return ["-j", target.kind.toUpperCase()];
    case "notrack":
      return ["-j", target.writtenAs ?? "NOTRACK"];
    case "jump":
      return ["-j", target.chain];
    case "goto":
      return ["-g", target.chain];
    case "reject":
      return ["-j", "REJECT", "--reject-with", target.with];
    case "mark":
      return ["-j", "MARK", "--set-xmark", `${hex(target.value)}/${hex(target.mask)}`];
    case "dnat":
      return ["-j", "DNAT", "--to-destination", printNatAddress(target), ...natFlags(target)];
    case "snat":
      return ["-j", "SNAT", "--to-source", printNatAddress(target), ...natFlags(target)];
    case "masquerade":
      return ["-j", "MASQUERADE", ...(target.randomFully ? ["--random-fully"] : [])];
    case "redirect":
      return ["-j", "REDIRECT", ...(target.ports ? ["--to-ports", printPorts(target.ports, "-")] : [])];
    case "log":
    case "unknown":
      return ["-j", target.text];
    default:
      return target satisfies never;
  }
}

type Nat = Extract<Target, { readonly kind: "dnat" | "snat" }>;

/** `1.2.3.4-1.2.3.9:80-90`, with brackets around an IPv6 address that a port follows. */
export function printNatAddress(target: Nat): string {
  const address = target.ip === undefined ? "" : target.ipTo === undefined ? target.ip : `${target.ip}-${target.ipTo}`;
  if (target.ports === undefined) return address;
  const isV6 = target.ip !== undefined && familyOf(target.ip) === 6;
  return `${isV6 ? `[${address}]` : address}:${printPorts(target.ports, "-")}`;
}

const natFlags = (target: Nat): string[] => [
  ...(target.random ? ["--random"] : []),
  ...(target.randomFully ? ["--random-fully"] : []),
  ...(target.persistent ? ["--persistent"] : []),
];
