/**
 * How a name becomes an address, as the resolver of the source does it: hosts file, then the name servers with the search
 * list (resolv.conf(5), getaddrinfo(3)); machines without a name server know the topology's names. Not modelled: musl's
 * resolver, which ends at the first NODATA and asks all servers at once; nscd; rule 9 of RFC 6724 (longest common prefix).
 */
import type { Apps, Who } from "../apps/apps.ts";
import { addressesIn, aliasIn, type DnsReply } from "../apps/dns/message.ts";
import type { NameBook } from "../apps/names.ts";
import { connectSource } from "../linux/kernel.ts";
import { type Family, familyOf, type Ip, parseIp } from "../net/address.ts";
import { NO_CAUSE } from "../net/cause.ts";
import { type Fraction, fraction, ONE, timesFraction } from "../net/fraction.ts";
import { type Consulted, consult, hasData, type NameReply, triedOf } from "./ask-name-servers.ts";
import type { Leg, NameStep } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

export type Resolution = {
  readonly share: Fraction;
  readonly legs: readonly Leg[];
  readonly result:
    | {
        readonly kind: "found";
        readonly ip: Ip;
        readonly name: NameStep;
        /** The other addresses, by family, in the order in which a client that fails goes on to them. */
        readonly rest?: readonly (readonly Ip[])[];
      }
    | {
        readonly kind: "failed";
        readonly reason: "name-not-found" | "no-address" | "name-loop" | "dns-unreachable";
        readonly text: string;
        readonly name: NameStep;
      }
    | { readonly kind: "unknown"; readonly text: string; readonly name: NameStep };
};

/**
 * Resolves `host` for a source. Without a family both are asked for, and the one that can be reached is used, IPv6 first
 * (RFC 6724). Of several addresses any may stand first: servers shuffle them (coredns/plugin/loadbalance).
 */
export function resolveName(net: TraceNet, from: Who, host: string, family: Family | undefined, sport: number): Resolution[] {
  const families: readonly Family[] = family === undefined ? [4, 6] : [family];
  const known = withoutAsking(net.apps, from, host, families);
  if (known) return [{ share: ONE, legs: [], result: { kind: "found", ip: known.ip, name: known.name } }];
  const book = net.apps.names(from);
  const machine = families.map((one) => book.machines(host, one)).find((one) => one !== undefined);
  if (machine && from.kind !== "pod") return [found(host, machine)];
  const asked = book.nameservers.length > 0 ? askBook(net, from, host, families, sport, book) : [withoutServer(net.apps, host, families)];
  // Node names are no DNS names in a cluster; a pod that nothing else answers is told the topology's all the same.
  return machine
    ? asked.map((one) =>
        one.result.kind === "found"
          ? one
          : {
              ...one,
              result: found(host, { ...machine, detail: `${machine.detail}; assumed: in-cluster DNS does not know node names` }).result,
            },
      )
    : asked;
}

function withoutAsking(
  apps: Apps,
  from: Who,
  host: string,
  families: readonly Family[],
): { readonly ip: Ip; readonly name: NameStep } | undefined {
  const literal = parseIp(host.replace(/^\[|\]$/g, ""));
  if (literal !== undefined) return { ip: literal, name: { host, ip: literal, how: "literal", detail: "an address", cause: NO_CAUSE } };
  if (host === "localhost") {
    const ip = families.includes(4) ? "127.0.0.1" : "::1";
    return { ip, name: { host, ip, how: "localhost", detail: "this machine itself", cause: NO_CAUSE } };
  }
  const book = apps.names(from);
  const entry = families.map((family) => book.hosts(host, family)).find((one) => one !== undefined);
  return entry && { ip: entry.ip, name: { host, ip: entry.ip, how: "hosts-file", detail: entry.detail, cause: entry.cause } };
}

const found = (
  host: string,
  known: { readonly ip: Ip; readonly how: NameStep["how"]; readonly detail: string; readonly cause: number },
): Resolution => ({
  share: ONE,
  legs: [],
  result: { kind: "found", ip: known.ip, name: { host, ip: known.ip, how: known.how, detail: known.detail, cause: known.cause } },
});

/** A machine without a name server: the topology's records are all there is. */
function withoutServer(apps: Apps, host: string, families: readonly Family[]): Resolution {
  const [ip] = families.map(typeOf).flatMap((type) => addressesIn(apps.askOutside(host, type), type));
  const name: NameStep = { host, how: "topology-dns", detail: "dns.records of the topology", cause: NO_CAUSE };
  if (ip !== undefined) return { share: ONE, legs: [], result: { kind: "found", ip, name: { ...name, ip } } };
  return {
    share: ONE,
    legs: [],
    result: {
      kind: "failed",
      reason: "name-not-found",
      text: `"${host}" is in no hosts file, is no machine's name, and no name server is asked`,
      name: { host, how: "dns", detail: "no name server", cause: NO_CAUSE },
    },
  };
}

export const typeOf = (family: Family): "A" | "AAAA" => (family === 4 ? "A" : "AAAA");

/** Names in the order they are asked: with enough dots the name itself first (ndots), a final dot skips the list. */
export function candidatesOf(host: string, book: Pick<NameBook, "search" | "ndots">): string[] {
  if (host.endsWith(".")) return [host.slice(0, -1)];
  const listed = book.search.map((suffix) => (suffix === "." ? host : `${host}.${suffix.replace(/\.$/, "")}`));
  const all = host.split(".").length - 1 >= book.ndots ? [host, ...listed] : [...listed, host];
  return [...new Set(all)];
}

function askBook(net: TraceNet, from: Who, host: string, families: readonly Family[], sport: number, book: NameBook): Resolution[] {
  const plan = {
    host,
    candidates: candidatesOf(host, book),
    types: families.map(typeOf),
    servers: book.nameservers,
    attempts: book.attempts,
    port: 53,
    protocol: "udp",
    sport,
    until: "records",
  } as const;
  return consult(net, from, plan).flatMap((one) => resolutionsOf(net, from, host, plan.types, one));
}

function resolutionsOf(
  net: TraceNet,
  from: Who,
  host: string,
  types: readonly string[],
  { share, legs, outcome }: Consulted,
): Resolution[] {
  const detail = outcome.kind === "answered" ? outcome.who : "asked of the name server";
  const name: NameStep = { host, how: "dns", detail, cause: NO_CAUSE };
  if (outcome.kind === "unreachable" && outcome.undecided) return [{ share, legs, result: { kind: "unknown", text: outcome.text, name } }];
  if (outcome.kind === "unreachable")
    return [
      {
        share,
        legs,
        result: { kind: "failed", reason: "dns-unreachable", text: `the query was not answered: ${outcome.text}`, name },
      },
    ];
  const told: NameStep = { ...name, tried: triedOf(outcome.replies) };
  const [ips = [], ...others] = preferred(net, from, addressesOf(outcome.last));
  if (ips.length > 0) {
    const [reply] = outcome.last.filter(hasData);
    const alias = reply && aliasIn(reply.reply);
    const step = { ...told, cause: reply?.reply.cause ?? NO_CAUSE, detail: alias === undefined ? detail : `${detail}, alias of ${alias}` };
    const each = fraction(1n, BigInt(ips.length));
    return ips.map((ip) => {
      const rest = [ips.filter((one) => one !== ip), ...others].filter((group) => group.length > 0);
      const name = { ...step, ip };
      return { share: timesFraction(share, each), legs, result: { kind: "found", ip, name, ...(rest.length > 0 ? { rest } : {}) } };
    });
  }
  return [{ share, legs, result: failureOf(host, types, outcome.replies, told) }];
}

const addressesOf = (replies: readonly NameReply[]): Ip[] => replies.flatMap(({ type, reply }) => addressesIn(reply, type));

/** The family first whose addresses the source has a way to, of two IPv6 (RFC 6724, rules 1 and 6). */
function preferred(net: TraceNet, from: Who, ips: readonly Ip[]): readonly (readonly Ip[])[] {
  const stack = from.netns === undefined ? undefined : net.world.netns(from.netns);
  const hasWay = (ip: Ip): boolean => stack !== undefined && connectSource(stack, ip) !== undefined;
  const six = ips.filter((ip) => familyOf(ip) === 6);
  const four = ips.filter((ip) => familyOf(ip) === 4);
  const order = six.some(hasWay) || !four.some(hasWay) ? [six, four] : [four, six];
  return order.filter((group) => group.length > 0);
}

/** Why names without an address have none. */
export function failureOf(
  host: string,
  types: readonly string[],
  replies: readonly NameReply[],
  name: NameStep,
): Exclude<Resolution["result"], { kind: "found" }> {
  const all: readonly DnsReply[] = replies.map(({ reply }) => reply);
  const unknown = all.find((reply) => reply.unknown !== undefined)?.unknown;
  if (unknown !== undefined) return { kind: "unknown", text: unknown, name };
  const loop = all.find((reply) => reply.loop)?.loop;
  if (loop) return { kind: "failed", reason: "name-loop", text: `CNAMEs turn in a circle: ${loop.join(" -> ")}`, name };
  if (all.some((reply) => reply.rcode === "NOERROR"))
    return { kind: "failed", reason: "no-address", text: `"${host}" has no ${types.join(" or ")} record`, name };
  return { kind: "failed", reason: "name-not-found", text: `no name server record for "${host}"`, name };
}
