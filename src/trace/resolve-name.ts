/**
 * How a name becomes an address, as the resolver of the source does it: hosts file, then the name server over a traced UDP
 * leg with the search list (resolv.conf(5), getaddrinfo(3)); machines without a name server know the topology's names.
 */

import type { Apps, Who } from "../apps/apps.ts";
import type { NameBook } from "../apps/names.ts";
import { explore } from "../linux/run.ts";
import { type Family, type Ip, parseIp } from "../net/address.ts";
import { NO_CAUSE } from "../net/cause.ts";
import { type Fraction, ONE, sumFractions, timesFraction } from "../net/fraction.ts";
import { type Connection, walkConnection } from "./connection.ts";
import { destinationOf, legOf } from "./leg.ts";
import type { Leg, LegArm, NameStep } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

export type Resolution = {
  readonly share: Fraction;
  readonly legs: readonly Leg[];
  readonly result:
    | { readonly kind: "found"; readonly ip: Ip; readonly name: NameStep }
    | {
        readonly kind: "failed";
        readonly reason: "name-not-found" | "no-address" | "name-loop" | "dns-unreachable";
        readonly text: string;
        readonly name: NameStep;
      }
    | { readonly kind: "unknown"; readonly text: string; readonly name: NameStep };
};

/** Resolves `host` for a source; with random name server replicas there can be several outcomes. */
export function resolveName(net: TraceNet, from: Who, host: string, family: Family, sport: number): Resolution[] {
  const known = withoutAsking(net.apps, from, host, family);
  if (known) return [{ share: ONE, legs: [], result: { kind: "found", ip: known.ip, name: known.name } }];
  const book = net.apps.names(from);
  const machine = book.machines(host, family);
  if (machine && from.kind !== "pod") return [found(host, machine)];
  const asked = book.nameservers.length > 0 ? askAll(net, from, host, family, sport, book, 0) : [withoutServer(net.apps, host, family)];
  // Node names are no DNS names in a cluster; a pod that nothing else answers is told the topology's all the same.
  return machine
    ? asked.map((r) =>
        r.result.kind === "found"
          ? r
          : {
              ...r,
              result: found(host, { ...machine, detail: `${machine.detail}; assumed: in-cluster DNS does not know node names` }).result,
            },
      )
    : asked;
}

/** What dig and nslookup do: only name servers are asked, dig for the name as it stands, nslookup along the search list. */
export function queryName(
  net: TraceNet,
  from: Who,
  host: string,
  type: "A" | "AAAA",
  sport: number,
  options: { readonly search: boolean; readonly server?: Ip },
): Resolution[] {
  const own = net.apps.names(from);
  const servers = options.server === undefined ? own.nameservers : [options.server];
  const book: NameBook = { ...own, nameservers: servers, search: options.search ? own.search : [] };
  const family: Family = type === "A" ? 4 : 6;
  if (servers.length > 0) return askAll(net, from, host, family, sport, book, 0);
  const name: NameStep = { host, how: "dns", detail: "no name server", cause: NO_CAUSE };
  return [
    { share: ONE, legs: [], result: { kind: "failed", reason: "dns-unreachable", text: `${from.name} has no name server to ask`, name } },
  ];
}

function withoutAsking(apps: Apps, from: Who, host: string, family: Family): { readonly ip: Ip; readonly name: NameStep } | undefined {
  const literal = parseIp(host.replace(/^\[|\]$/g, ""));
  if (literal !== undefined) return { ip: literal, name: { host, ip: literal, how: "literal", detail: "an address", cause: NO_CAUSE } };
  if (host === "localhost") {
    const ip = family === 4 ? "127.0.0.1" : "::1";
    return { ip, name: { host, ip, how: "localhost", detail: "this machine itself", cause: NO_CAUSE } };
  }
  const entry = apps.names(from).hosts(host, family);
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
function withoutServer(apps: Apps, host: string, family: Family): Resolution {
  const answer = apps.askOutside(host, typeOf(family));
  const name: NameStep = { host, how: "topology-dns", detail: "dns.records of the topology", cause: NO_CAUSE };
  if (answer.kind === "addresses") {
    const ip = answer.ips[0] ?? "";
    return { share: ONE, legs: [], result: { kind: "found", ip, name: { ...name, ip } } };
  }
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

const typeOf = (family: Family): "A" | "AAAA" => (family === 4 ? "A" : "AAAA");

/** Names in the order they are asked: with enough dots the name itself first (ndots), a final dot skips the list. */
export function candidatesOf(host: string, book: Pick<NameBook, "search" | "ndots">): string[] {
  if (host.endsWith(".")) return [host.slice(0, -1)];
  const listed = book.search.map((suffix) => `${host}.${suffix}`);
  return host.split(".").length - 1 >= book.ndots ? [host, ...listed] : [...listed, host];
}

/** Asks one name server; what is not answered goes to the next one (resolv.conf lists up to three). */
function askAll(net: TraceNet, from: Who, host: string, family: Family, sport: number, book: NameBook, index: number): Resolution[] {
  const server = book.nameservers[index];
  if (server === undefined || from.netns === undefined) return [];
  const netns = from.netns;
  const walked = explore((choose) => walkConnection(net.startRun(choose), { from: netns, protocol: "udp", dst: server, dport: 53, sport }));
  const answered = walked.map(({ share, value }) => ({ share, connection: value, answer: askCandidates(net, value, host, family, book) }));
  const groups = new Map<string, typeof answered>();
  for (const one of answered) groups.set(one.answer.key, [...(groups.get(one.answer.key) ?? []), one]);
  return [...groups.values()].flatMap((group): Resolution[] => {
    const first = group[0];
    if (!first) return [];
    const share = sumFractions(group.map((g) => g.share));
    const leg = dnsLeg(net, from, server, group, first, host, typeOf(family));
    const later =
      first.answer.result.kind === "failed" && first.answer.result.reason === "dns-unreachable"
        ? askAll(net, from, host, family, sport, book, index + 1)
        : [];
    if (later.length > 0) return later.map((r) => ({ ...r, share: timesFraction(share, r.share), legs: [leg, ...r.legs] }));
    return [{ share, legs: [leg], result: first.answer.result }];
  });
}

type Answered = {
  readonly share: Fraction;
  readonly connection: Connection;
  readonly answer: { readonly key: string; readonly result: Resolution["result"]; readonly asked: string; readonly said: string };
};

/** One leg for all replicas that say the same; each way there is an arm. */
function dnsLeg(net: TraceNet, from: Who, server: Ip, group: readonly Answered[], first: Answered, host: string, type: string): Leg {
  const leg = legOf(net, "dns", from, { host: server, ip: server, port: 53, protocol: "udp" }, first.connection);
  const arms: LegArm[] = group.map(({ share, connection }) => {
    const destination = destinationOf(net, connection);
    return { share, hops: connection.hops, reply: connection.reply, ...(destination ? { destination } : {}) };
  });
  return {
    ...leg,
    query: { name: first.answer.asked === "" ? host : first.answer.asked, type, answer: first.answer.said },
    ...(arms.length > 1 ? { arms } : {}),
  };
}

/** Asks the server that a query reached for every candidate name in turn. */
function askCandidates(net: TraceNet, connection: Connection, host: string, family: Family, book: NameBook): Answered["answer"] {
  const server = serverOf(net, connection);
  const blank: NameStep = { host, how: "dns", detail: "asked of the name server", cause: NO_CAUSE };
  if (!server) {
    const text = connection.verdict === "delivered" ? "what answers on port 53 there is no name server that ktrace knows" : connection.text;
    return {
      key: `unreachable ${connection.verdict} ${connection.reason ?? ""}`,
      result: { kind: "failed", reason: "dns-unreachable", text: `the query was not answered: ${text}`, name: blank },
      asked: "",
      said: "no answer",
    };
  }
  const tried: { name: string; answer: string }[] = [];
  let sawData = false;
  for (const candidate of candidatesOf(host, book)) {
    const answer = server.ask(candidate, typeOf(family));
    if (answer.kind === "addresses") {
      const ip = answer.ips[0] ?? "";
      const said = answer.ips.join(", ");
      tried.push({ name: candidate, answer: said });
      const detail = `${server.who}${answer.alias === undefined ? "" : `, alias of ${answer.alias}`}`;
      return {
        key: `A ${said}`,
        asked: candidate,
        said,
        result: { kind: "found", ip, name: { host, ip, how: "dns", detail, cause: answer.cause, tried } },
      };
    }
    if (answer.kind === "loop")
      return {
        key: "loop",
        asked: candidate,
        said: "CNAME loop",
        result: {
          kind: "failed",
          reason: "name-loop",
          text: `CNAMEs turn in a circle: ${answer.names.join(" -> ")}`,
          name: { ...blank, tried },
        },
      };
    if (answer.kind === "unknown")
      return {
        key: "unknown",
        asked: candidate,
        said: "asked upstream",
        result: { kind: "unknown", text: answer.text, name: { ...blank, tried } },
      };
    sawData ||= answer.kind === "no-data";
    tried.push({ name: candidate, answer: answer.kind === "no-data" ? "no data" : "NXDOMAIN" });
  }
  const reason = sawData ? "no-address" : "name-not-found";
  const last = tried.at(-1);
  return {
    key: reason,
    asked: tried[0]?.name ?? host,
    said: last?.answer ?? "NXDOMAIN",
    result: {
      kind: "failed",
      reason,
      text: sawData ? `"${host}" has no ${typeOf(family)} record` : `no name server record for "${host}"`,
      name: { ...blank, tried },
    },
  };
}

function serverOf(net: TraceNet, connection: Connection) {
  const owner = connection.socket?.owner;
  if (connection.verdict === "delivered" && owner !== undefined && net.apps.askNameServer(owner, "", "A")) {
    const who = net.apps.who(owner);
    const where = who.node === undefined ? "" : ` on ${who.node}`;
    return {
      who: `${who.kind} ${who.name}${where}`,
      ask: (name: string, type: string) => net.apps.askNameServer(owner, name, type) ?? ({ kind: "nxdomain" } as const),
    };
  }
  // A server outside the model: only what the topology's records say is known of it.
  const outside =
    connection.verdict === "exits" ||
    (connection.reason === "host-unreachable" &&
      net.apps.whoHas(connection.end.kind === "answered" ? connection.end.packet.dst : "").kind === "address" &&
      connection.hops.length === 1);
  return outside
    ? { who: "a name server outside the model", ask: (name: string, type: string) => net.apps.askOutside(name, type) }
    : undefined;
}
