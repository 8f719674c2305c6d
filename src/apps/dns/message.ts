/** A DNS answer as it stands in a message: status, flags, and records in presentation form (RFC 1035 §4.1, §5.1). */
import type { Ip } from "../../net/address.ts";
import { type CauseId, NO_CAUSE } from "../../net/cause.ts";

/** `name` and names in `data` are fully qualified, with their last dot: "10.96.0.1", "0 100 80 web.default.svc.cluster.local." */
export type DnsRecord = { readonly name: string; readonly ttl: number; readonly type: string; readonly data: string };

export type Rcode = "NOERROR" | "NXDOMAIN" | "SERVFAIL" | "REFUSED";

export type DnsReply = {
  readonly rcode: Rcode;
  readonly authoritative: boolean; // aa
  readonly recursion: boolean; // ra
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
  /** The object that made the records. */
  readonly cause: CauseId;
  /** The names of aliases that turn in a circle. */
  readonly loop?: readonly string[];
  /** A server outside the model would decide from here on: what it would be asked. */
  readonly unknown?: string;
  /** Nobody said so; the answer to a later name rests on it. */
  readonly assumed?: boolean;
};

const EMPTY: DnsReply = {
  rcode: "NOERROR",
  authoritative: false,
  recursion: false,
  answers: [],
  authority: [],
  additional: [],
  cause: NO_CAUSE,
};

export const replyWith = (parts: Partial<DnsReply>): DnsReply => ({ ...EMPTY, ...parts });

/** The addresses of one type that a reply gives, without repeats. */
export const addressesIn = (reply: Pick<DnsReply, "answers">, type: string): readonly Ip[] => [
  ...new Set(reply.answers.filter((record) => record.type === type).map((record) => record.data)),
];

/** The last alias of the chain, when there is one. */
export const aliasIn = (reply: Pick<DnsReply, "answers">): string | undefined =>
  reply.answers.findLast((record) => record.type === "CNAME")?.data.replace(/\.$/, "");

/** Lower case, without the last dot: DNS compares names so (RFC 4343). */
export const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, "");

/** With the last dot; the root is a dot alone. */
export const fullName = (name: string): string => (name.endsWith(".") ? name : `${name}.`);

/** Whether a name is the zone's own or below it; both plain. The root "" holds every name. */
export const isInZone = (name: string, zone: string): boolean => zone === "" || name === zone || name.endsWith(`.${zone}`);

/** A TXT string in quotes, as zone files and dig write it. */
export const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;

/** The address that a name under in-addr.arpa or ip6.arpa stands for (RFC 1035 §3.5, RFC 3596 §2.5). */
export function addressOfReverseName(name: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (four) return four.slice(1).reverse().join(".");
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name);
  return six?.[1]?.replaceAll(".", "").split("").reverse().join("").match(/.{4}/g)?.join(":");
}
