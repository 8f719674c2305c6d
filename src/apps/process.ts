/**
 * What a process that took a connection does with it: it answers by itself, or opens a new connection of its own. One shape
 * for ingress controllers, outside balancers, kube-proxy's userspace mode and its health check ports.
 */
import type { Ip } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import type { Protocol } from "../net/packet.ts";

/** What an HTTP client says; `port` is the one of its URL. */
export type HttpRequest = {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly path: string;
  readonly port: number;
  readonly insecure: boolean;
};

/** One accepted connection, as its socket sees it. */
export type ProcessRequest = {
  readonly owner: string; // of the socket: "pod/default/nginx", "node/k8s-node2", "host/lb"
  readonly process: string; // "nginx", "kube-proxy"
  readonly protocol: Protocol;
  readonly ip: Ip; // the address that was connected to
  readonly port: number;
  readonly client: Ip; // the source address seen
  readonly deaf?: CauseId; // why it never accepts
  readonly http?: HttpRequest; // absent when the client speaks no HTTP
};

/** `name` is said in place of the address where there is one. */
export type Upstream = { readonly ip: Ip; readonly port: number; readonly name?: string };

export type ProcessDecision = ProcessAnswer | ProcessForward | ProcessSilence;

/** The kernel takes the connection, and nobody ever reads from it. */
export type ProcessSilence = { readonly kind: "silence"; readonly process: string; readonly text: string; readonly cause: CauseId };

/** It answers itself. Without `reason`, and with a status below 400 or none, the request is delivered. `tls-failed`: the handshake fails before any request. */
export type ProcessAnswer = {
  readonly kind: "answer";
  readonly process: string;
  readonly status?: number;
  readonly reason?: "ingress-no-match" | "ingress-no-endpoints" | "redirected" | "tls-failed" | "no-local-endpoints";
  readonly text: string;
  readonly cause: CauseId;
  readonly location?: string;
};

/** It opens a connection to one of these, picked evenly, and tries the next ones when it fails, `tries` in all. */
export type ProcessForward = {
  readonly kind: "forward";
  readonly process: string;
  readonly upstreams: readonly Upstream[];
  readonly service: string; // what the new connection is said to go to
  readonly rule: string;
  readonly cause: CauseId;
  readonly tries: number;
  readonly protocol?: Protocol; // of the new connection; tcp unless said
  /** `http`: a failed upstream becomes 502 or 504. `transport`: the client's own connection ends as the upstream's did. */
  readonly layer: "http" | "transport";
  /** The source address it binds to. */
  readonly bind?: Ip;
  /** Why there is no upstream, should there be none. Absent: a balancer has no target. */
  readonly emptyReason?: "no-endpoints";
  /** A client under this name goes on to the upstream that it had before. */
  readonly keeps?: string;
  /** Upstreams that accept no connection are left out beforehand. */
  readonly healthCheck?: boolean;
  /** Why others, or all, are no upstreams. */
  readonly leftOut?: string;
  /** Something about the choice that is assumed, with the key that changes it. */
  readonly assumed?: { readonly what: string; readonly key?: string };
};
