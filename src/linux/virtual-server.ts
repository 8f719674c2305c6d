/** What `ipvsadm` configures in a network stack: virtual servers, and the real servers behind each. Plain data. */
import type { Ip } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import type { Port, Protocol } from "../net/packet.ts";
import type { Reason } from "./reason.ts";

/** Forwarding is always by masquerading. A weight of 0 takes no new connection. */
export type RealServer = { readonly ip: Ip; readonly port: number; readonly weight: number };

export type VirtualServer = {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly ip: Ip;
  readonly port: number;
  readonly scheduler: string; // rr, wrr, lc, wlc, sh, dh, sed, nq, mh…
  readonly schedulerFlags?: readonly string[]; // "mh-port"
  readonly persistentSeconds?: number;
  readonly servers: () => readonly RealServer[]; // in the order of `ipvsadm -Ln`
  /** Why there is no real server, should there be none: named by the writer. */
  readonly emptyReason: Reason;
  readonly note?: string; // what people should know of the choice of servers
  readonly cause: CauseId;
};

export type VirtualServers = {
  readonly lookup: (protocol: Protocol, ip: Ip, port: Port) => VirtualServer | undefined;
  readonly all: () => readonly VirtualServer[];
};
