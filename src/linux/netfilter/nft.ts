/**
 * nftables state as structure: tables with base and plain chains, sets and verdict maps; the closed grammar that kube-proxy's
 * nftables mode needs and that foreign rule sets are read into. Text is made and read in dialects/nft.ts. An expression
 * outside the grammar is `unknown`. Source of the forms: nft(8), nft 1.0.6.
 */
import type { Cidr, Ip } from "../../net/address.ts";
import type { CauseId } from "../../net/cause.ts";
import type { Packet, Port } from "../../net/packet.ts";
import type { Reason } from "../reason.ts";
import type { CtState } from "./rule.ts";
import type { Hook } from "./table.ts";

/** What an expression reads of the packet: `ip saddr`, `ip daddr`, `meta l4proto`, `th sport`, `th dport`. */
export type NftField = "saddr" | "daddr" | "l4proto" | "sport" | "dport";

/** A literal to compare with: an address or prefix, a protocol, a port or port range. */
export type NftValue =
  | { readonly kind: "cidr"; readonly cidr: Cidr }
  | { readonly kind: "range"; readonly from: string; readonly to: string }
  | { readonly kind: "word"; readonly word: string };

export type NftVerdict =
  | { readonly kind: "accept" | "drop" | "return" | "continue" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

export type NftTarget = { readonly ip: Ip; readonly port?: number };

/** One expression of a rule, in order: tests first, then statements. A test that says no ends the rule. */
export type NftExpression =
  | {
      readonly kind: "compare";
      readonly field: NftField;
      readonly not?: boolean;
      readonly values: readonly NftValue[];
      readonly text: string;
    }
  | { readonly kind: "lookup"; readonly fields: readonly NftField[]; readonly not?: boolean; readonly set: string; readonly text: string }
  | { readonly kind: "ct-state"; readonly not?: boolean; readonly states: readonly CtState[]; readonly text: string }
  | { readonly kind: "ct-status"; readonly status: "dnat" | "snat"; readonly text: string }
  | { readonly kind: "fib"; readonly side: "saddr" | "daddr"; readonly type: "local"; readonly not?: boolean; readonly text: string }
  | { readonly kind: "interface"; readonly which: "in" | "out"; readonly not?: boolean; readonly name: string; readonly text: string }
  | { readonly kind: "mark"; readonly mask: number; readonly not?: boolean; readonly value: number; readonly text: string }
  | { readonly kind: "verdict"; readonly verdict: NftVerdict }
  | { readonly kind: "vmap"; readonly fields: readonly NftField[]; readonly map: string; readonly text: string }
  | { readonly kind: "numgen-vmap"; readonly mod: number; readonly verdicts: readonly NftVerdict[]; readonly text: string }
  | { readonly kind: "set-mark"; readonly op: "or" | "xor" | "set"; readonly value: number; readonly text: string }
  | { readonly kind: "dnat"; readonly to: NftTarget; readonly text: string }
  | { readonly kind: "numgen-dnat"; readonly mod: number; readonly targets: readonly NftTarget[]; readonly text: string }
  | { readonly kind: "masquerade"; readonly fullyRandom: boolean }
  | { readonly kind: "redirect"; readonly port?: number }
  | { readonly kind: "reject"; readonly with?: string } // default: icmp port-unreachable, icmpv6 port-unreachable
  | { readonly kind: "update"; readonly set: string; readonly field: "saddr"; readonly text: string }
  | { readonly kind: "counter" | "log"; readonly text: string }
  | { readonly kind: "unknown"; readonly text: string };

export type NftRule = {
  readonly expressions: readonly NftExpression[];
  readonly comment?: string;
  readonly cause: CauseId;
  readonly reason?: Reason;
};

export type NftChain = {
  readonly name: string;
  readonly comment?: string;
  /** Base chains only. */
  readonly base?: {
    readonly type: "filter" | "nat" | "route";
    readonly hook: Hook;
    readonly priority: number;
    readonly priorityText: string;
    readonly policy: "accept" | "drop";
  };
  readonly rules: () => readonly NftRule[];
};

export type NftElement = {
  readonly key: readonly string[];
  readonly verdict?: NftVerdict;
  readonly comment?: string;
  readonly cause: CauseId;
  readonly reason?: Reason;
};

/** A named set, or a verdict map. `find` answers the element a packet's key has; keys are the field texts, prefixes match. */
export type NftSet = {
  readonly name: string;
  readonly isMap: boolean;
  readonly type: string; // "ipv4_addr . inet_proto . inet_service"
  readonly comment?: string;
  readonly flags?: readonly string[];
  readonly timeoutSeconds?: number;
  readonly size?: number;
  readonly elements: () => readonly NftElement[];
  readonly find: (key: readonly string[]) => NftElement | undefined;
};

export type NftTable = {
  readonly family: "ip" | "ip6" | "inet";
  readonly name: string;
  readonly comment?: string;
  readonly baseChains: readonly NftChain[];
  readonly chain: (name: string) => NftChain | undefined;
  readonly chainNames: () => readonly string[];
  readonly sets: () => readonly NftSet[];
  readonly set: (name: string) => NftSet | undefined;
};

/** Where an nft rule stands: enough to print it. `element` when a map's element decided. */
export type NftRuleRef = {
  readonly nft: true;
  readonly family: NftTable["family"];
  readonly table: string;
  readonly chain: string;
  readonly position: number;
  readonly rule: NftRule;
  readonly element?: NftElement;
};

/** The text of a packet's field, as sets and maps hold it. */
export function fieldText(packet: Packet, field: NftField): string {
  const port = (value: Port): string => String(value);
  switch (field) {
    case "saddr":
      return packet.src;
    case "daddr":
      return packet.dst;
    case "l4proto":
      return packet.protocol === "icmpv6" ? "ipv6-icmp" : packet.protocol;
    case "sport":
      return port(packet.sport);
    case "dport":
      return port(packet.dport);
    default:
      return field satisfies never;
  }
}
