/**
 * What the kernel reports of a packet's way: hops (one network stack entered), the steps in each, and how it ended.
 * The only output of `linux`; `trace` adds what processes do.
 */
import type { Ip } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import type { Fraction } from "../net/fraction.ts";
import type { Packet, Port } from "../net/packet.ts";
import type { NftRuleRef } from "./netfilter/nft.ts";
import type { CtState, Rule } from "./netfilter/rule.ts";
import type { Hook, TableName } from "./netfilter/table.ts";
import type { FdbEntry, ListeningSocket, Neighbour, NetnsId, Route } from "./netns.ts";
import type { Reason } from "./reason.ts";

/** Where a rule of iptables or nftables stands: enough to print it. */
export type RuleRef = IptablesRuleRef | NftRuleRef;

export type IptablesRuleRef = {
  readonly nft?: undefined;
  readonly family: 4 | 6;
  readonly table: TableName;
  readonly chain: string;
  readonly position: number;
  readonly rule: Rule;
};

/** One rule looked at, and which of its matches said no. Kept only when evidence is asked for (-v). */
export type RuleVisit = RuleRef & { readonly matched: boolean; readonly failedMatch?: number };

export type Address = { readonly ip: Ip; readonly port: Port };

export type Step =
  /** A local process or the kernel itself sends; `origin` says which. */
  | { readonly kind: "send"; readonly packet: Packet; readonly origin: "process" | "kernel" }
  | { readonly kind: "conntrack"; readonly state: CtState }
  /** A chain was entered and left. `visits` only with evidence; `skipped`: rules of a dispatch chain for other destinations. */
  | {
      readonly kind: "chain";
      readonly hook: Hook;
      readonly table: string;
      readonly chain: string;
      readonly verdict: "accept" | "drop" | "return" | "policy-accept" | "policy-drop";
      readonly visits: readonly RuleVisit[];
      readonly skipped: number;
      readonly base?: boolean; // a base chain of nftables; iptables' are known by their names
    }
  /** A rule matched. `nat`: it stands in a chain that is asked for a translation. */
  | { readonly kind: "rule"; readonly hook: Hook; readonly ref: RuleRef; readonly nat?: boolean }
  /** A choice was split: this path took one arm, with this share. `assumed`: what was taken to be so, where that cannot be known. */
  | { readonly kind: "choice"; readonly hook: Hook; readonly ref?: RuleRef; readonly share: Fraction; readonly assumed?: string }
  /** An address was rewritten. `because` are the rules that led there in packet order, empty when a conntrack entry did it. */
  | {
      readonly kind: "nat";
      readonly hook: Hook;
      readonly manip: "src" | "dst";
      readonly before: Address;
      readonly after: Address;
      readonly because: readonly RuleRef[];
      readonly cause: CauseId;
      readonly reverse: boolean;
    }
  | { readonly kind: "mark"; readonly hook: Hook; readonly mark: number; readonly ref: RuleRef }
  /** A routing decision. `why`: which lookup it was. */
  | {
      readonly kind: "route";
      readonly why: "forward" | "input" | "output" | "reroute";
      readonly dst: Ip;
      readonly route: Route;
      readonly source?: Ip;
      readonly local: boolean;
    }
  | { readonly kind: "ttl"; readonly before: number; readonly after: number }
  | { readonly kind: "neighbour"; readonly ip: Ip; readonly mac: string; readonly dev: string; readonly entry?: Neighbour } // without entry: ARP answered
  | {
      readonly kind: "bridge";
      readonly bridge: string;
      readonly in: string;
      readonly out: string;
      readonly why: "bridged" | "dnat-bridged" | "up" | "down";
    }
  | { readonly kind: "encap"; readonly dev: string; readonly vni: number; readonly outer: Packet; readonly fdb: FdbEntry }
  | { readonly kind: "decap"; readonly dev: string }
  | { readonly kind: "accept"; readonly socket: ListeningSocket }
  /** The kernel answers the packet itself: RST, ICMP error, echo reply. */
  | { readonly kind: "answer"; readonly packet: Packet; readonly because?: RuleRef }
  | { readonly kind: "drop"; readonly reason: Reason; readonly because?: RuleRef; readonly text: string }
  | { readonly kind: "note"; readonly text: string };

/** The packet as a capture on one device of the netns would show it (`tcpdump -i any`). */
export type Seen = { readonly dev: string; readonly direction: "in" | "out"; readonly packet: Packet; readonly outer?: Packet };

/** One network stack entered. */
export type Hop = {
  readonly netns: NetnsId;
  readonly in?: string; // absent where the packet was made
  readonly out?: string; // absent where it ended
  readonly packetIn: Packet;
  readonly packetOut?: Packet;
  /** The VXLAN packet around it while it left. */
  readonly outer?: Packet;
  readonly steps: readonly Step[];
  readonly seen: readonly Seen[];
};

/** What a routing decision without a way answers (fib_props, __mkroute_output). */
export type RouteErrno = "ENETUNREACH" | "EHOSTUNREACH" | "EACCES" | "EINVAL";

/** How one packet's way ended. */
export type End =
  | { readonly kind: "socket"; readonly netns: NetnsId; readonly packet: Packet; readonly socket: ListeningSocket }
  /** Reached the sender of the flow's first packet, or the flow's server: an answer or a later packet. */
  | { readonly kind: "peer"; readonly netns: NetnsId; readonly packet: Packet }
  /** The kernel answers: with an RST, an ICMP error or an echo reply, on its way from `netns`. `reason` undefined for an echo reply. */
  | {
      readonly kind: "answered";
      readonly netns: NetnsId;
      readonly packet: Packet;
      readonly answer: Packet;
      readonly reason?: Reason;
      readonly delaySeconds?: number;
      readonly because?: RuleRef;
      readonly hook?: Hook; // where a rule refused it
    }
  /** The sender's own kernel refused at once, without any packet: errno of connect() or send(). */
  | {
      readonly kind: "errno";
      readonly netns: NetnsId;
      readonly errno: RouteErrno | "ECONNREFUSED";
      readonly reason: Reason;
      readonly delaySeconds?: number;
    }
  | {
      readonly kind: "dropped";
      readonly netns: NetnsId;
      readonly packet: Packet;
      readonly reason: Reason;
      /** Dropped on its way out of its sender's stack with this errno, which send() of a datagram is told (NF_DROP_ERR). */
      readonly errno?: RouteErrno;
      readonly because?: RuleRef;
      readonly text: string;
      readonly hook?: Hook; // where a rule dropped it
    }
  | { readonly kind: "exits"; readonly netns: NetnsId; readonly packet: Packet; readonly via: Ip }
  | { readonly kind: "unknown"; readonly netns: NetnsId; readonly packet: Packet; readonly text: string };

/** One packet's whole way. */
export type Journey = { readonly hops: readonly Hop[]; readonly end: End };
