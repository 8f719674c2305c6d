/**
 * iptables rules as structure: the closed grammar of matches and targets that ktrace's own agents write and that foreign
 * rules are read into. Text is made and read in dialects/iptables-save.ts. A form outside the grammar is `unknown`.
 * Source of the forms: iptables-extensions(8), iptables 1.8.9.
 */
import type { Cidr, Ip } from "../../net/address.ts";
import type { CauseId } from "../../net/cause.ts";
import type { Protocol } from "../../net/packet.ts";
import type { Reason } from "../reason.ts";

export type CtState = "NEW" | "ESTABLISHED" | "RELATED" | "INVALID" | "UNTRACKED" | "DNAT" | "SNAT";
export type AddrType = "LOCAL" | "UNICAST" | "BROADCAST" | "MULTICAST" | "ANYCAST" | "BLACKHOLE" | "UNREACHABLE" | "PROHIBIT";
export type PortRange = { readonly from: number; readonly to: number };

/** `not` is iptables' `!`. Matches of one rule stand in the order they are written after -s -d -i -o -p. */
export type Match = { readonly not?: boolean } & (
  | { readonly kind: "src" | "dst"; readonly cidr: Cidr }
  | { readonly kind: "in" | "out"; readonly name: string } // trailing + is a prefix wildcard
  | { readonly kind: "protocol"; readonly protocol: Protocol | "all" }
  | { readonly kind: "dport" | "sport"; readonly protocol: "tcp" | "udp" | "sctp"; readonly ports: PortRange } // -m tcp --dport
  | { readonly kind: "multiport"; readonly which: "dports" | "sports" | "ports"; readonly ports: readonly PortRange[] }
  | { readonly kind: "tcp-flags"; readonly mask: readonly string[]; readonly set: readonly string[] } // --syn is SYN,RST,ACK,FIN SYN
  | { readonly kind: "icmp-type"; readonly type: number; readonly code?: number; readonly v6: boolean }
  | { readonly kind: "comment"; readonly text: string }
  | { readonly kind: "mark"; readonly value: number; readonly mask: number }
  | { readonly kind: "ctstate"; readonly states: readonly CtState[]; readonly writtenAs?: "state" } // -m state --state, the older module
  | { readonly kind: "addrtype"; readonly side: "src" | "dst"; readonly type: AddrType; readonly limitIfaceIn?: boolean }
  // 1/inverse: the exact k behind the printed probability; 0 never, 1 always. `writtenAs`: text that 1/inverse does not print as
  | { readonly kind: "statistic-random"; readonly inverse: number; readonly writtenAs?: string }
  | { readonly kind: "statistic-nth"; readonly every: number; readonly packet: number }
  | {
      readonly kind: "recent";
      readonly command: "set" | "rcheck" | "update" | "remove";
      readonly name: string;
      readonly seconds?: number;
      readonly reap?: boolean;
      readonly side: "rsource" | "rdest";
    }
  | { readonly kind: "set"; readonly name: string; readonly flags: readonly ("src" | "dst")[] }
  // -m ipvs: only what kube-proxy writes; the packet belongs to a connection of this virtual server
  | { readonly kind: "ipvs"; readonly vaddr: Cidr; readonly vproto: "tcp" | "udp" | "sctp"; readonly vport: number }
  | {
      readonly kind: "physdev";
      readonly text: string;
      readonly in?: string;
      readonly out?: string;
      readonly isIn?: boolean;
      readonly isOut?: boolean;
      readonly isBridged?: boolean;
    }
  | { readonly kind: "unknown"; readonly text: string }
);

export type Target =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "notrack"; readonly writtenAs?: "CT --notrack" }
  | { readonly kind: "none" } // no -j: counts, or carries a comment
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  | { readonly kind: "reject"; readonly with: string } // icmp-port-unreachable, tcp-reset…
  | { readonly kind: "mark"; readonly value: number; readonly mask: number } // --set-xmark value/mask: mark = (mark & ~mask) ^ value
  | {
      readonly kind: "dnat" | "snat";
      readonly ip?: Ip;
      readonly ports?: PortRange;
      readonly ipTo?: Ip;
      readonly random?: boolean;
      readonly randomFully?: boolean; // SNAT only
      readonly persistent?: boolean;
    }
  | { readonly kind: "masquerade"; readonly randomFully: boolean }
  | { readonly kind: "redirect"; readonly ports?: PortRange }
  | { readonly kind: "log"; readonly text: string } // LOG, NFLOG, TRACE: the packet goes on
  | { readonly kind: "unknown"; readonly text: string };

export type Rule = {
  readonly matches: readonly Match[];
  readonly target: Target;
  readonly cause: CauseId;
  /** What this rule's DROP or REJECT stands for, named by its writer. Absent: `rule-denied`. */
  readonly reason?: Reason;
};
