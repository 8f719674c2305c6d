/** What is asked: one request of one client program, as its command line was understood. Names are not resolved yet. */
import type { Family, Ip } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";
import type { Request } from "./trace.ts";

/** curl's `--resolve HOST:PORT:ADDR`: the address used instead of asking for the name. */
export type ResolveOverride = { readonly host: string; readonly port: number; readonly addresses: readonly Ip[] };

/** curl's `--connect-to HOST1:PORT1:HOST2:PORT2`; an absent half matches any, or keeps what it was. */
export type ConnectTo = {
  readonly host?: string;
  readonly port?: number;
  readonly toHost?: string;
  readonly toPort?: number;
};

/** The part of a question that only an HTTP proxy or server reads. */
export type HttpQuestion = {
  readonly scheme: "http" | "https";
  readonly path: string; // with the query, from the first `/`
  readonly method: string;
  readonly hostHeader?: string; // when it is not the URL's own host
  readonly insecure: boolean; // -k
  readonly head: boolean; // -I
  readonly follow: boolean; // -L
  readonly fail: boolean; // -f: an HTTP error is exit status 22
  readonly resolve: readonly ResolveOverride[];
  readonly connectTo: readonly ConnectTo[];
};

export type Question = {
  readonly command: string; // as typed, without ktrace's own flags: "curl node2:31160"
  readonly program: Request["program"];
  readonly from: string | undefined; // SOURCE as typed; undefined: the topology's first outside host
  readonly namespace: string;
  readonly to: { readonly host: string; readonly port?: number; readonly protocol: Protocol };
  readonly http?: HttpQuestion;
  readonly family?: Family; // -4, -6
  readonly localPort?: number;
  readonly sourceAddress?: string; // an address or a device name
  readonly evidence: boolean; // keep the rules looked at, for -v
  readonly ttl?: number;
  readonly type?: string; // of a DNS question
  readonly server?: string; // dig @SERVER
  readonly lookup?: LookupOptions;
  readonly again?: number; // how often the same is asked once more
};

/** What dig and nslookup were told besides name, type and server. */
export type LookupOptions = {
  readonly search: boolean; // take the search list
  readonly ndots?: number;
  readonly tcp: boolean;
  readonly attempts?: number;
  readonly short: boolean; // dig +short
  readonly show: readonly DigPart[];
};
/** The parts of dig's output, each with its own `+[no]` flag. */
export const DIG_PARTS = ["cmd", "comments", "question", "answer", "authority", "additional", "stats"] as const;
export type DigPart = (typeof DIG_PARTS)[number];
