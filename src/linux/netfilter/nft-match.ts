/**
 * What nft's tests say of a packet: the fields they read and the values they compare with. A field that the packet does not
 * have ends the rule (NFT_BREAK), `!=` or not. Facts: net/netfilter/nft_payload.c, nft_meta.c, nft_ct.c, nft_lookup.c, nft_fib.c.
 */
import { cidrContains, familyOf, type Ip, ipToBigInt, isMulticast } from "../../net/address.ts";
import type { Packet, Port } from "../../net/packet.ts";
import type { HookContext } from "./hook-context.ts";
import type { Answer } from "./match.ts";
import type { NftElement, NftField, NftSet, NftTest, NftValue } from "./nft.ts";
import type { CtState } from "./rule.ts";

/** What nft asks beside what iptables asks. */
export type NftContext = HookContext & {
  /** One of n with equal shares: splits the walk once. */
  readonly chooseAmong: (n: number) => number;
  /** Elements that packets added to a dynamic set. */
  readonly remembered: (set: string) => ReadonlySet<string>;
  readonly remember: (set: string, key: string) => void;
};

export type SetOf = (name: string) => NftSet | undefined;

/** The text of a field as sets hold it; undefined: the packet has none. A port may be a symbol ("mport1"). */
export function fieldText(field: NftField, context: HookContext): string | undefined {
  const { packet } = context;
  switch (field) {
    case "ip saddr":
      return packet.family === 4 ? packet.src : undefined;
    case "ip daddr":
      return packet.family === 4 ? packet.dst : undefined;
    case "ip6 saddr":
      return packet.family === 6 ? packet.src : undefined;
    case "ip6 daddr":
      return packet.family === 6 ? packet.dst : undefined;
    case "ip protocol":
      return packet.family === 4 ? protocolText(packet) : undefined;
    case "ip6 nexthdr":
      return packet.family === 6 ? protocolText(packet) : undefined;
    case "meta l4proto":
      return protocolText(packet);
    case "meta nfproto":
      return packet.family === 4 ? "ipv4" : "ipv6";
    case "meta mark":
      return markText(context.mark);
    case "th sport":
      return hasPorts(packet) ? String(packet.sport) : undefined;
    case "th dport":
      return hasPorts(packet) ? String(packet.dport) : undefined;
    case "tcp sport":
    case "udp sport":
    case "sctp sport":
      return field.startsWith(packet.protocol) ? String(packet.sport) : undefined;
    case "tcp dport":
    case "udp dport":
    case "sctp dport":
      return field.startsWith(packet.protocol) ? String(packet.dport) : undefined;
    case "icmp type":
      return packet.protocol === "icmp" ? icmpType(packet) : undefined;
    case "icmpv6 type":
      return packet.protocol === "icmpv6" ? icmpType(packet) : undefined;
    // A packet made here has no input device: the register holds an empty name.
    case "iif":
    case "iifname":
      return context.in ?? "";
    case "oif":
    case "oifname":
      return context.out ?? "";
    case "ct state":
      return stateText(context.ctStates());
    default:
      return field satisfies never;
  }
}

const protocolText = (packet: Packet): string => (packet.protocol === "icmpv6" ? "ipv6-icmp" : packet.protocol);
const hasPorts = ({ protocol }: Packet): boolean => protocol === "tcp" || protocol === "udp" || protocol === "sctp";
export const markText = (mark: number): string => `0x${mark.toString(16).padStart(8, "0")}`;
const stateText = (states: readonly CtState[]): string => states[0]?.toLowerCase() ?? "untracked";

function icmpType({ segment, family }: Packet): string {
  if (segment.kind === "echo-request" || segment.kind === "echo-reply") return segment.kind;
  if (segment.kind !== "icmp-error") return "";
  if (segment.type === (family === 4 ? 11 : 3)) return "time-exceeded";
  return segment.type === (family === 4 ? 3 : 1) ? "destination-unreachable" : String(segment.type);
}

/** Whether a field's text is this literal. A port that the kernel draws is above 1023; more is not known of it. */
export function isValue(value: NftValue, text: string, field?: NftField): Answer {
  switch (value.kind) {
    case "prefix":
      return cidrContains(value.cidr, text);
    case "range":
      if (isSymbol(text, field)) return drawnPort(text, Number(value.from), Number(value.to));
      return inRange(text, value.from, value.to);
    case "word":
      if (isSymbol(text, field)) return drawnPort(text, Number(value.word), Number(value.word));
      return value.word === text || (value.word.endsWith("*") && text.startsWith(value.word.slice(0, -1)));
    default:
      return value satisfies never;
  }
}

const isSymbol = (text: string, field: NftField | undefined): boolean => field !== undefined && /port$/.test(field) && !/^\d+$/.test(text);

function drawnPort(port: Port, from: number, to: number): Answer {
  if (from <= 1024 && to === 65535) return true;
  return to < 1024 ? false : { undecidable: `the port ${port} is drawn at random` };
}

function inRange(text: string, from: string, to: string): boolean {
  if (!/^\d+$/.test(text)) {
    if (!isAddress(text) || !isAddress(from) || familyOf(text) !== familyOf(from)) return false;
    const value = ipToBigInt(text);
    return value >= ipToBigInt(from) && value <= ipToBigInt(to);
  }
  return Number(text) >= Number(from) && Number(text) <= Number(to);
}

const isAddress = (text: string): boolean => text.includes(".") || text.includes(":");

/** The member of a set that a key matches; undecidable where a drawn port would have to be known. */
export function findElement(elements: readonly NftElement[], key: readonly string[], fields: readonly NftField[]): Found {
  let why: string | undefined;
  for (const element of elements) {
    const answers = element.key.map((value, i) => isValue(value, key[i] ?? "", fields[i]));
    if (answers.includes(false)) continue;
    const open = answers.find((answer) => typeof answer === "object");
    if (open === undefined) return { element };
    if (typeof open === "object") why ??= open.undecidable;
  }
  return why === undefined ? {} : { undecidable: why };
}

export type Found = { readonly element?: NftElement; readonly undecidable?: string };

/** The texts of several fields, undefined when the packet lacks one. */
export function keyOf(fields: readonly NftField[], context: HookContext): readonly string[] | undefined {
  const key: string[] = [];
  for (const field of fields) {
    const text = fieldText(field, context);
    if (text === undefined) return undefined;
    key.push(text);
  }
  return key;
}

/** Looks a packet up in a named set or map. */
export function lookup(set: NftSet, fields: readonly NftField[], context: NftContext): Found | undefined {
  const key = keyOf(fields, context);
  if (key === undefined) return undefined;
  const direct = set.find(key);
  if (direct) return { element: direct };
  if (set.flags.includes("dynamic") && context.remembered(set.name).has(key.join(" . ")))
    return { element: { key: key.map((word) => ({ kind: "word", word })), cause: 0 } };
  return key.some((text, i) => isSymbol(text, fields[i])) ? findElement(set.elements(), key, fields) : {};
}

export type TestAnswer = { readonly holds: Answer; readonly element?: { readonly set: string; readonly element: NftElement } };

/** Evaluates one test. */
export function evaluateTest(test: NftTest, context: NftContext, setOf: SetOf): TestAnswer {
  switch (test.kind) {
    case "compare": {
      const text = fieldText(test.field, context);
      return { holds: text !== undefined && negate(anyOf(test.values.map((value) => isValue(value, text, test.field))), test.not) };
    }
    case "lookup": {
      const set = setOf(test.set);
      if (!set) return { holds: { undecidable: `no set ${test.set}` } };
      const found = lookup(set, test.fields, context);
      if (found === undefined) return { holds: false };
      if (found.undecidable !== undefined) return { holds: { undecidable: found.undecidable } };
      const holds = negate(found.element !== undefined, test.not);
      return { holds, ...(holds === true && found.element ? { element: { set: test.set, element: found.element } } : {}) };
    }
    case "mask":
      return { holds: negate((context.mark & test.mask) >>> 0 === test.value, test.not) };
    case "ct-state":
      return {
        holds: negate(
          context.ctStates().some((state) => test.states.includes(state)),
          test.not,
        ),
      };
    case "ct-status":
      return {
        holds: negate(
          context.ctStates().some((state) => test.status.some((word) => word.toUpperCase() === state)),
          test.not,
        ),
      };
    case "fib":
      return { holds: negate(addressType(test.type, test.side === "saddr" ? context.packet.src : context.packet.dst, context), test.not) };
    case "unknown":
      return { holds: { undecidable: test.text } };
    default:
      return test satisfies never;
  }
}

const negate = (answer: Answer, not: boolean | undefined): Answer => (typeof answer === "boolean" && not === true ? !answer : answer);
const anyOf = (answers: readonly Answer[]): Answer => answers.find((a) => a === true) ?? answers.find((a) => a !== false) ?? false;

function addressType(type: "local" | "broadcast" | "multicast", ip: Ip, context: HookContext): boolean {
  if (type === "local") return context.isLocal(ip);
  return type === "multicast" ? isMulticast(ip) : context.isBroadcast(ip);
}
