/**
 * nftables state as structure: tables with base and plain chains, sets and maps; the closed grammar that kube-proxy's
 * nftables mode needs and that foreign rule sets are read into. Text is made and read in dialects/nft.ts. An expression
 * outside the grammar is `unknown`. Source of the forms: nft(8), nft 1.0.6.
 */
import type { Cidr, Ip } from "../../net/address.ts";
import type { CauseId } from "../../net/cause.ts";
import type { Reason } from "../reason.ts";
import type { CtState } from "./rule.ts";
import type { Hook } from "./table.ts";

/** What an expression reads of the packet, in nft's own words. */
export const NFT_FIELDS = [
  "ip saddr",
  "ip daddr",
  "ip6 saddr",
  "ip6 daddr",
  "ip protocol",
  "ip6 nexthdr",
  "meta l4proto",
  "meta nfproto",
  "meta mark",
  "th sport",
  "th dport",
  "tcp sport",
  "tcp dport",
  "udp sport",
  "udp dport",
  "sctp sport",
  "sctp dport",
  "icmp type",
  "icmpv6 type",
  "iif",
  "oif",
  "iifname",
  "oifname",
  "ct state",
] as const;
export type NftField = (typeof NFT_FIELDS)[number];

/** A literal to compare with. A word is a protocol, port, device (`cali*` is a prefix), state or number. */
export type NftValue =
  | { readonly kind: "prefix"; readonly cidr: Cidr }
  | { readonly kind: "range"; readonly from: string; readonly to: string }
  | { readonly kind: "word"; readonly word: string };

export type NftVerdict =
  | { readonly kind: "accept" | "drop" | "return" | "continue" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

export type NftTarget = { readonly ip: Ip; readonly port?: number };
export type NatFlag = "random" | "fully-random" | "persistent";

/** Tests first, then statements, as written. A test that says no ends the rule. */
export type NftExpression = NftTest | NftStatement;

export type NftTest =
  /** Several values, or one with `braces`, are an anonymous set. */
  | {
      readonly kind: "compare";
      readonly field: NftField;
      readonly not?: boolean;
      readonly values: readonly NftValue[];
      readonly braces?: boolean;
    }
  | { readonly kind: "mask"; readonly mask: number; readonly not?: boolean; readonly value: number } // meta mark & mask == value
  | { readonly kind: "lookup"; readonly fields: readonly NftField[]; readonly not?: boolean; readonly set: string }
  | { readonly kind: "ct-state"; readonly not?: boolean; readonly states: readonly CtState[] }
  | { readonly kind: "ct-status"; readonly not?: boolean; readonly status: readonly ("dnat" | "snat")[] }
  | { readonly kind: "fib"; readonly side: "saddr" | "daddr"; readonly not?: boolean; readonly type: "local" | "broadcast" | "multicast" }
  | { readonly kind: "unknown"; readonly text: string };

export type NftStatement =
  | { readonly kind: "verdict"; readonly verdict: NftVerdict }
  | { readonly kind: "vmap"; readonly fields: readonly NftField[]; readonly map: string | readonly NftElement[] }
  | { readonly kind: "numgen-vmap"; readonly mode: "random" | "inc"; readonly mod: number; readonly arms: readonly NftArm<NftVerdict>[] }
  | { readonly kind: "set-mark"; readonly op: "|" | "&" | "^" | "="; readonly value: number }
  /** `family` as `dnat ip to …` has it, where the table or the map makes it needed. */
  | {
      readonly kind: "dnat" | "snat";
      readonly family?: "ip" | "ip6";
      readonly to: Partial<NftTarget>;
      readonly flags: readonly NatFlag[];
    }
  | {
      readonly kind: "numgen-dnat";
      readonly family: "ip" | "ip6";
      readonly mode: "random" | "inc";
      readonly mod: number;
      readonly arms: readonly NftArm<NftTarget>[];
    }
  | { readonly kind: "masquerade"; readonly flags: readonly NatFlag[] }
  | { readonly kind: "redirect"; readonly port?: number; readonly flags: readonly NatFlag[] }
  | { readonly kind: "reject"; readonly with?: string } // default: port unreachable of the packet's family
  | { readonly kind: "update"; readonly set: string; readonly field: NftField } // update @set { field }
  | { readonly kind: "notrack" }
  | { readonly kind: "note"; readonly text: string }; // counter, log…: no effect on the packet's course

/** The expressions that can say no to a packet. */
export type NftAsking = NftTest | Extract<NftStatement, { readonly kind: "vmap" | "numgen-vmap" | "numgen-dnat" | "reject" | "update" }>;

/** One arm of a `numgen` map: the key it stands under, and what it leads to. */
export type NftArm<T> = { readonly key: number; readonly value: T; readonly cause: CauseId };

export type NftRule = {
  readonly expressions: readonly NftExpression[];
  readonly comment?: string;
  readonly cause: CauseId;
  readonly reason?: Reason;
};

export type NftChainType = "filter" | "nat" | "route";

export type NftChain = {
  readonly name: string;
  readonly comment?: string;
  /** Base chains only. */
  readonly base?: {
    readonly type: NftChainType;
    readonly hook: Hook;
    readonly priority: number;
    readonly policy: "accept" | "drop";
  };
  readonly rules: () => readonly NftRule[];
};

export type NftElement = {
  readonly key: readonly NftValue[];
  readonly verdict?: NftVerdict;
  /** What a map that holds no verdicts leads to, as text. */
  readonly data?: string;
  readonly comment?: string;
  readonly cause: CauseId;
  readonly reason?: Reason;
};

/** A named set or verdict map. `find`: the element that a key of field texts has; made when first asked for. */
export type NftSet = {
  readonly name: string;
  readonly kind: "set" | "map";
  readonly type: readonly string[]; // ["ipv4_addr", "inet_proto", "inet_service"]
  readonly data?: string; // maps: "verdict"
  readonly comment?: string;
  readonly flags: readonly string[];
  readonly timeoutSeconds?: number;
  readonly size?: number;
  readonly elements: () => readonly NftElement[];
  readonly find: (key: readonly string[]) => NftElement | undefined;
};

export type NftFamily = "ip" | "ip6" | "inet";

export type NftTable = {
  readonly family: NftFamily;
  readonly name: string;
  readonly comment?: string;
  readonly baseChains: readonly NftChain[];
  /** Any chain by name, base chains too; made when first jumped to. */
  readonly chain: (name: string) => NftChain | undefined;
  /** All chains in the order in which they were made. */
  readonly chainNames: () => readonly string[];
  readonly sets: () => readonly NftSet[];
  readonly set: (name: string) => NftSet | undefined;
};

/** Where an nft rule stands: enough to print it. `element`: the member of a set or map that decided; the rule then has its cause. */
export type NftRuleRef = {
  readonly nft: true;
  readonly family: NftFamily;
  readonly table: string;
  readonly chain: string;
  readonly position: number;
  readonly rule: NftRule;
  readonly element?: { readonly set: string; readonly element: NftElement };
};

/** A table whose chains and sets are all there. */
export function nftTableOf(
  family: NftFamily,
  name: string,
  sets: readonly NftSet[],
  chains: readonly NftChain[],
  comment?: string,
): NftTable {
  const chainByName = new Map(chains.map((chain) => [chain.name, chain]));
  const setByName = new Map(sets.map((set) => [set.name, set]));
  return {
    family,
    name,
    ...(comment === undefined ? {} : { comment }),
    baseChains: chains.filter((chain) => chain.base !== undefined),
    chain: (wanted) => chainByName.get(wanted),
    chainNames: () => [...chainByName.keys()],
    sets: () => [...setByName.values()],
    set: (wanted) => setByName.get(wanted),
  };
}
