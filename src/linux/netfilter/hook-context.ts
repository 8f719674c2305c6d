/** What a rule can ask about the packet at a hook, besides the packet itself. */
import type { Ip } from "../../net/address.ts";
import type { Packet, Port, Protocol } from "../../net/packet.ts";
import type { CtState, Match } from "./rule.ts";

export type HookContext = {
  readonly packet: Packet;
  readonly mark: number;
  readonly in: string | undefined;
  readonly out: string | undefined;
  readonly physIn: string | undefined; // bridge ports, while bridge-netfilter has the packet
  readonly physOut: string | undefined;
  readonly ctStates: () => readonly CtState[];
  readonly isLocal: (ip: Ip) => boolean;
  readonly isBroadcast: (ip: Ip) => boolean;
  /** Splits the walk: true with share 1/k. */
  readonly chooseOneIn: (k: number) => boolean;
  readonly recent: (match: Match & { readonly kind: "recent" }) => boolean;
  readonly inSet: (name: string, flags: readonly ("src" | "dst")[]) => boolean | { readonly undecidable: string };
  /** The virtual server whose connection IPVS sends this packet on for, once it has (skb->ipvs_property). Absent: it has not. */
  readonly virtualServer?: { readonly protocol: Protocol; readonly ip: Ip; readonly port: Port };
};
