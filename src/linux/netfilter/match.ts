/**
 * Whether one match of a rule holds for a packet. A match that cannot be decided says why; only the chain evaluator looks
 * at that. Facts: iptables-extensions(8), net/netfilter/xt_*.c.
 */
import { cidrContains, type Ip, isMulticast } from "../../net/address.ts";
import type { Port } from "../../net/packet.ts";
import type { HookContext } from "./hook-context.ts";
import type { Match, PortRange } from "./rule.ts";

export type Answer = true | false | { readonly undecidable: string };

/** Evaluates one match, `!` included. `statistic` and `recent` go through the context, for they choose and remember. */
export function evaluateMatch(match: Match, context: HookContext): Answer {
  const answer = holds(match, context);
  if (typeof answer !== "boolean" || match.kind === "recent") return answer;
  return match.not === true ? !answer : answer;
}

function holds(match: Match, context: HookContext): Answer {
  const { packet } = context;
  switch (match.kind) {
    case "src":
      return cidrContains(match.cidr, packet.src);
    case "dst":
      return cidrContains(match.cidr, packet.dst);
    case "in":
      return matchesDevice(match.name, context.in);
    case "out":
      return matchesDevice(match.name, context.out);
    case "protocol":
      return match.protocol === "all" || packet.protocol === match.protocol;
    case "dport":
      return packet.protocol === match.protocol && inRange(packet.dport, match.ports);
    case "sport":
      return packet.protocol === match.protocol && inRange(packet.sport, match.ports);
    case "multiport":
      return anyOf(match.ports.map((range) => multiport(match.which, range, packet.sport, packet.dport)));
    case "tcp-flags":
      return packet.protocol === "tcp" && matchesFlags(match.mask, match.set, context);
    case "icmp-type":
      return matchesIcmp(match, context);
    case "comment":
      return true;
    case "mark":
      return (context.mark & match.mask) >>> 0 === match.value;
    case "ctstate":
      return context.ctStates().some((state) => match.states.includes(state));
    case "addrtype":
      return addressType(match.type, match.side === "src" ? packet.src : packet.dst, context);
    case "statistic-random":
      return match.inverse <= 1 ? match.inverse === 1 : context.chooseOneIn(match.inverse);
    case "statistic-nth":
      return { undecidable: `statistic --mode nth --every ${match.every} counts packets that ktrace has not seen` };
    case "recent":
      return context.recent(match);
    case "set":
      return context.inSet(match.name, match.flags);
    case "ipvs":
      return matchesVirtualServer(match, context);
    case "physdev":
      return matchesPhysdev(match, context);
    case "unknown":
      return { undecidable: match.text };
    default:
      return match satisfies never;
  }
}

/** `cali+` is a prefix; a packet without that device (made here, or ending here) matches no name. */
const matchesDevice = (name: string, device: string | undefined): boolean =>
  name.endsWith("+") ? (device ?? "").startsWith(name.slice(0, -1)) : device === name;

/** A port that the kernel draws at random can only be told from a range that excludes or includes all ephemeral ones. */
function inRange(port: Port, range: PortRange): Answer {
  if (typeof port === "number") return port >= range.from && port <= range.to;
  if (range.from <= 1024 && range.to === 65535) return true;
  if (range.to < 1024) return false;
  return { undecidable: `the source port ${port} is drawn at random` };
}

function multiport(which: "dports" | "sports" | "ports", range: PortRange, sport: Port, dport: Port): Answer {
  if (which === "sports") return inRange(sport, range);
  return which === "dports" ? inRange(dport, range) : anyOf([inRange(sport, range), inRange(dport, range)]);
}

const anyOf = (answers: readonly Answer[]): Answer => answers.find((a) => a === true) ?? answers.find((a) => a !== false) ?? false;

const FLAGS: Readonly<Record<string, readonly string[]>> = {
  syn: ["SYN"],
  "syn-ack": ["SYN", "ACK"],
  third: ["ACK", "PSH"],
  rst: ["RST", "ACK"],
};

function matchesFlags(mask: readonly string[], set: readonly string[], context: HookContext): boolean {
  const flags = FLAGS[context.packet.segment.kind] ?? [];
  const all = mask.includes("ALL") ? ["FIN", "SYN", "RST", "PSH", "ACK", "URG"] : mask;
  return all.every((flag) => flags.includes(flag) === (set.includes("ALL") || set.includes(flag)));
}

function matchesIcmp(match: Match & { kind: "icmp-type" }, context: HookContext): Answer {
  const { packet } = context;
  if (packet.protocol !== (match.v6 ? "icmpv6" : "icmp")) return false;
  const { segment } = packet;
  if (match.type === 255) return true; // "any"
  if (segment.kind === "icmp-error") return segment.type === match.type && (match.code === undefined || segment.code === match.code);
  const type = segment.kind === "echo-request" ? (match.v6 ? 128 : 8) : match.v6 ? 129 : 0;
  return type === match.type && (match.code ?? 0) === 0;
}

function addressType(type: string, ip: Ip, context: HookContext): Answer {
  if (type === "LOCAL") return context.isLocal(ip);
  if (type === "MULTICAST") return isMulticast(ip);
  if (type === "BROADCAST") return context.isBroadcast(ip);
  if (type === "UNICAST") return !context.isLocal(ip) && !isMulticast(ip) && !context.isBroadcast(ip);
  return { undecidable: `addrtype ${type}` };
}

/** net/netfilter/xt_ipvs.c: only packets that IPVS has sent on, told by their connection's virtual side. */
function matchesVirtualServer(match: Match & { kind: "ipvs" }, { virtualServer }: HookContext): boolean {
  if (virtualServer === undefined || virtualServer.protocol !== match.vproto || virtualServer.port !== match.vport) return false;
  return cidrContains(match.vaddr, virtualServer.ip);
}

function matchesPhysdev(match: Match & { kind: "physdev" }, context: HookContext): Answer {
  if (match.in !== undefined && !matchesDevice(match.in, context.physIn)) return false;
  if (match.out !== undefined && !matchesDevice(match.out, context.physOut)) return false;
  if (match.isIn === true && context.physIn === undefined) return false;
  if (match.isOut === true && context.physOut === undefined) return false;
  return match.isBridged !== true || context.physOut !== undefined; // xt_physdev looks at the port that it leaves by
}
