/**
 * The netfilter state of one network stack. iptables tables are sets of chains whose built-in ones hang on hooks at fixed
 * priorities (include/uapi/linux/netfilter_ipv4.h); nftables base chains say theirs. One list a hook orders both.
 */
import type { Family, Ip } from "../../net/address.ts";
import type { Packet } from "../../net/packet.ts";
import type { NftTable } from "./nft.ts";
import type { Rule } from "./rule.ts";

export type Hook = "prerouting" | "input" | "forward" | "output" | "postrouting";
export type TableName = "raw" | "mangle" | "nat" | "filter";

export type Chain = {
  readonly name: string;
  /** Built-in chains only. */
  readonly policy?: "accept" | "drop";
  /** All rules in order; made when first asked for. */
  readonly rules: () => readonly Rule[];
  /** The rules that this packet can match, in order, with their positions: a superset. Only long dispatch chains have it. */
  readonly candidates?: (packet: Packet) => readonly { readonly position: number; readonly rule: Rule }[];
};

/** One iptables table of one family. `chain` makes a chain when it is first jumped to; `names` lists all, for iptables-save. */
export type IptablesTable = {
  readonly name: TableName;
  readonly chain: (name: string) => Chain | undefined;
  readonly names: () => readonly string[]; // built-in first in hook order, then the others sorted by code units
};

export type SetSide = "src" | "dst";
export type SetAnswer = boolean | { readonly undecidable: string };

/** An ipset: what `ipset list` shows of it, and whether a packet's parts, taken from these sides, are a member. */
export type IpSet = {
  readonly name: string;
  readonly type: string; // "hash:ip,port"
  readonly family?: Family; // bitmap sets have none
  readonly members: () => readonly string[]; // `ip,proto:port,ip` as the type has it, sorted
  readonly holds: (packet: Packet, sides: readonly SetSide[]) => SetAnswer;
};

export type Netfilter = {
  readonly tables: (family: Family) => readonly IptablesTable[]; // empty: this family has none loaded, no conntrack
  readonly sets?: ReadonlyMap<string, IpSet>;
  /** nftables tables that see packets of the family: its own and `inet` ones, in the order in which they were made. */
  readonly nft?: (family: Family) => readonly NftTable[];
  /** Whether iptables-restore of these uses the legacy or nf_tables back end; only the text differs. */
  readonly backend?: "nft" | "legacy";
};

export const NO_NETFILTER: Netfilter = { tables: () => [] };

/** Order of the iptables tables at each hook, by priority: NF_IP_PRI_RAW -300, MANGLE -150, NAT_DST -100, FILTER 0, NAT_SRC 100. */
export const BUILT_IN: Readonly<Record<TableName, readonly Hook[]>> = {
  raw: ["prerouting", "output"],
  mangle: ["prerouting", "input", "forward", "output", "postrouting"],
  nat: ["prerouting", "input", "output", "postrouting"],
  filter: ["input", "forward", "output"],
};

/** The name of a hook's built-in chain: "prerouting" → "PREROUTING". */
export const chainOf = (hook: Hook): string => hook.toUpperCase();

/** A set of node-local facts that programs outside netfilter ask for by address (fib addrtype). */
export type LocalAddresses = ReadonlySet<Ip>;
