/**
 * The answer: every course the request can take, with its exact share, as legs of hops of steps. `render/json.ts` prints
 * it as the contract says (DESIGN, Trace JSON); `render/text.ts` for people.
 */

import type { NetnsId } from "../linux/netns.ts";
import type { Reason } from "../linux/reason.ts";
import type { Hop, Journey } from "../linux/step.ts";
import type { Ip } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import type { Fraction } from "../net/fraction.ts";
import type { Packet, Port, Protocol } from "../net/packet.ts";

export type Verdict = "delivered" | "rejected" | "dropped" | "unresolved" | "http-error" | "unanswered" | "looped" | "exits" | "unknown";

/** What the client program itself would print and return. */
export type ClientSees = { readonly exitCode: number; readonly message: string };

export type Party = {
  readonly kind: "pod" | "node" | "host" | "address";
  readonly namespace?: string;
  readonly name: string;
  readonly netns?: NetnsId;
  readonly ip?: Ip;
};

export type Request = {
  readonly command: string; // as typed: "curl node2:31160"
  readonly program: "curl" | "nc" | "ping" | "trace" | "dig" | "nslookup";
  readonly from: Party;
  readonly to: { readonly host: string; readonly ip?: Ip; readonly port?: number; readonly protocol: Protocol };
  readonly url?: string;
};

/** How a name became an address: a step of the leg that uses it. */
export type NameStep = {
  readonly host: string;
  readonly ip?: Ip;
  readonly how: "literal" | "hosts-file" | "node-name" | "dns" | "resolve-flag" | "pod-name" | "topology-dns" | "localhost";
  readonly detail: string; // "hosts file of client", "node k8s-node2, eth1: your network"
  readonly cause: CauseId;
  /** Every name of the search list that was asked, with its answer. */
  readonly tried?: readonly { readonly name: string; readonly answer: string }[];
};

/** What a proxy process did with the request: a step between two legs. */
export type ProxyStep = {
  readonly process: string; // "nginx"
  readonly netns: NetnsId;
  readonly host?: string; // absent when it does not read HTTP
  readonly path?: string;
  readonly status?: number; // when it answers itself
  readonly rule?: string; // "www.test.com/ -> tomcat6:80"
  readonly text: string;
  readonly cause: CauseId;
  readonly location?: string; // of a redirect
};

/** How the answer fared. `third`: the client's next packet after the handshake, where it dies though the answer came. */
export type Reply = {
  readonly verdict: "delivered" | "dropped" | "rejected" | "looped" | "exits" | "unknown" | "none";
  readonly reason?: Reason;
  readonly hops: readonly Hop[];
  /** The answer as the client's socket gets it, after the last rewrite. */
  readonly arrived?: Packet;
  readonly text?: string;
  readonly third?: Journey;
};

export type LegArm = { readonly share: Fraction; readonly destination?: Destination; readonly hops: readonly Hop[]; readonly reply: Reply };

export type Leg = {
  readonly kind: "dns" | "transport";
  readonly from: Party;
  readonly to: { readonly host: string; readonly ip?: Ip; readonly port?: number; readonly protocol: Protocol };
  readonly name?: NameStep;
  readonly hops: readonly Hop[];
  readonly reply: Reply;
  readonly destination?: Destination;
  /** What the process at the end did, when it is a proxy. */
  readonly proxy?: ProxyStep;
  /** dns: question and answer. */
  readonly query?: { readonly name: string; readonly type: string; readonly answer: string };
  /** Alternatives of this leg that all lead to the same next request; `hops` and `reply` are the first one's. */
  readonly arms?: readonly LegArm[];
};

export type Destination = {
  readonly kind: "pod" | "node" | "host" | "gateway" | "address";
  readonly namespace?: string;
  readonly name: string;
  readonly node?: string;
  readonly ip: Ip;
  readonly port?: Port;
  readonly process?: string;
  readonly clientIPSeen?: Ip;
  readonly ttl?: number;
  readonly assumed?: boolean; // that it listens
};

/** How one repetition of the request can end. */
export type RoundOutcome = {
  readonly share: Fraction;
  readonly verdict: Verdict;
  readonly reason?: Reason;
  readonly destination?: Destination;
};
/** The request repeated (`--again`), given that the path was taken first. */
export type Round = {
  readonly connection: number; // 2 for the first repetition
  readonly same: Fraction; // share that ends where the path did
  readonly outcomes: readonly RoundOutcome[];
};

export type Path = {
  readonly share: Fraction;
  readonly verdict: Verdict;
  readonly reason?: Reason;
  /** One sentence of what happened at the end, with the real names. */
  readonly text: string;
  readonly destination?: Destination;
  readonly legs: readonly Leg[];
  readonly clientSees: ClientSees;
  readonly status?: number; // HTTP status, when one is known
  readonly again?: readonly Round[];
};

export type Trace = {
  readonly request: Request;
  readonly verdict: Verdict | "mixed";
  readonly clientSees?: ClientSees; // when all paths agree
  readonly paths: readonly Path[];
  readonly pathsTotal: number;
  readonly warnings: readonly string[];
  readonly assumed: readonly { readonly what: string; readonly key?: string }[];
};

/** The packet that entered a journey's last hop: what its receiver saw. */
export const arrivalOf = (hops: readonly Hop[]): Packet | undefined => hops.at(-1)?.packetIn;
