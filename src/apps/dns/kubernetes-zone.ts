/**
 * Answers out of the cluster's own zones, a record type at a time (coredns/plugin/backend_lookup.go and
 * plugin/kubernetes/handler.go; the Kubernetes DNS-based service discovery specification 1.1.0).
 */
import { NO_CAUSE } from "../../net/cause.ts";
import { type Backend, backendsOf, type Found, nameServers, namesOfAddress, type Zone } from "./kubernetes-records.ts";
import { type DnsRecord, type DnsReply, fullName, isInZone, plainName, quoted, replyWith } from "./message.ts";

/** The version of the specification, which a TXT record tells. */
const DNS_SCHEMA_VERSION = "1.1.0";
const DNS_SCHEMA_TTL = 28800;
/** CNAMEs followed inside of the zone. */
const MAX_CHAIN = 8;
/** The SOA's serial is the time of the last change, which nobody knows here. */
const SOA_SERIAL = 0;

/** Asks the whole server for a name outside of this zone. */
export type Elsewhere = (name: string, type: string) => DnsReply;

/** The answer to a name of the zone; undefined where `fallthrough` hands the question on. */
export function answerInZone(zone: Zone, asked: string, type: string, elsewhere: Elsewhere): DnsReply | undefined {
  const name = plainName(asked);
  const found = find(zone, asked, name, type, elsewhere);
  if (found === "nxdomain")
    return fallsThrough(zone, name)
      ? undefined
      : replyWith({ rcode: "NXDOMAIN", authoritative: true, authority: [soaOf(zone)], cause: NO_CAUSE });
  const { records, cause, extra, loop, unknown } = found;
  return replyWith({
    authoritative: true,
    answers: records,
    authority: records.length === 0 ? [soaOf(zone)] : [],
    additional: extra ?? [],
    cause,
    ...(loop ? { loop } : {}),
    ...(unknown === undefined ? {} : { unknown }),
  });
}

const fallsThrough = ({ settings }: Zone, name: string): boolean =>
  settings.fallthrough?.some((zone) => isInZone(name, plainName(zone))) ?? false;

type Records = {
  readonly records: readonly DnsRecord[];
  readonly cause: number;
  readonly extra?: readonly DnsRecord[];
  readonly loop?: readonly string[];
  readonly unknown?: string;
};
const NO_DATA: Records = { records: [], cause: NO_CAUSE };

function find(zone: Zone, asked: string, name: string, type: string, elsewhere: Elsewhere): Records | "nxdomain" {
  const backends = backendsOf(zone, baseOf(zone, name));
  switch (type) {
    case "A":
    case "AAAA":
      return backends === "nxdomain" ? backends : addresses(zone, asked, type, backends, elsewhere, []);
    case "CNAME":
      return listed(backends, (one) => (one.kind === "alias" ? [record(zone, asked, "CNAME", fullName(one.target))] : []));
    case "SRV":
      return backends === "nxdomain" ? backends : services(zone, asked, backends);
    case "PTR":
      return pointers(zone, asked, name, backends);
    case "TXT":
      if (baseOf(zone, name) === "dns-version")
        return { ...NO_DATA, records: [{ name: fullName(asked), ttl: DNS_SCHEMA_TTL, type, data: quoted(DNS_SCHEMA_VERSION) }] };
      return listed(backends, () => []);
    case "SOA":
      return name === zone.name ? { ...NO_DATA, records: [soaOf(zone)] } : NO_DATA;
    case "NS":
      return name === zone.name ? nameServerRecords(zone, asked) : listed(backends, () => []);
    default:
      return listed(backends, () => []);
  }
}

const baseOf = (zone: Zone, name: string): string => (name === zone.name ? "" : name.slice(0, -zone.name.length - 1));

const record = ({ settings }: Zone, name: string, type: string, data: string): DnsRecord => ({
  name: fullName(name),
  ttl: settings.ttl,
  type,
  data,
});

function listed(backends: Found, recordsOf: (backend: Backend) => readonly DnsRecord[]): Records | "nxdomain" {
  if (backends === "nxdomain") return backends;
  return { records: distinct(backends.flatMap(recordsOf)), cause: backends[0]?.cause ?? NO_CAUSE };
}

const distinct = (records: readonly DnsRecord[]): DnsRecord[] => [
  ...new Map(records.map((one) => [`${one.name} ${one.type} ${one.data}`, one])).values(),
];

/** Addresses, through aliases inside of the zone too. One that leads to no address inside of it is left out altogether. */
function addresses(
  zone: Zone,
  asked: string,
  type: "A" | "AAAA",
  backends: readonly Backend[],
  elsewhere: Elsewhere,
  chain: readonly string[],
): Records {
  const first = backends[0];
  if (first?.kind === "alias") return { ...throughAlias(zone, asked, type, first.target, elsewhere, chain), cause: first.cause };
  const family = type === "A" ? 4 : 6;
  const ips = backends.flatMap((one) => (one.kind === "address" && one.family === family ? [record(zone, asked, type, one.ip)] : []));
  return { records: distinct(ips).sort((a, b) => (a.data < b.data ? -1 : 1)), cause: first?.cause ?? NO_CAUSE };
}

function throughAlias(
  zone: Zone,
  asked: string,
  type: "A" | "AAAA",
  target: string,
  elsewhere: Elsewhere,
  chain: readonly string[],
): Records {
  const seen = [...chain, plainName(asked)];
  const plain = plainName(target);
  if (seen.includes(plain) || seen.length > MAX_CHAIN) return { ...NO_DATA, loop: [...seen, plain] };
  const alias = record(zone, asked, "CNAME", fullName(target));
  if (!isInZone(plain, zone.name)) {
    const { answers, loop, unknown } = elsewhere(target, type);
    return { ...NO_DATA, records: [alias, ...answers], ...(loop ? { loop } : {}), ...(unknown === undefined ? {} : { unknown }) };
  }
  const backends = backendsOf(zone, baseOf(zone, plain));
  if (backends === "nxdomain") return NO_DATA;
  const next = addresses(zone, target, type, backends, elsewhere, seen);
  return next.records.length === 0 ? next : { ...next, records: [alias, ...next.records] };
}

/** One record a port and target; the weights of one name share 100. External names have none. */
function services(zone: Zone, asked: string, backends: readonly Backend[]): Records {
  const own = backends.filter((one) => one.kind === "address");
  const weight = Math.max(1, Math.floor(100 / Math.max(1, own.length)));
  const ported = own.filter((one) => one.port !== undefined);
  return {
    records: distinct(ported.map((one) => record(zone, asked, "SRV", `0 ${weight} ${one.port} ${fullName(one.name)}`))),
    extra: distinct(ported.map((one) => record(zone, one.name, one.family === 4 ? "A" : "AAAA", one.ip))),
    cause: own[0]?.cause ?? NO_CAUSE,
  };
}

function pointers(zone: Zone, asked: string, name: string, backends: Found): Records | "nxdomain" {
  if (!/\.(in-addr|ip6)\.arpa$/.test(name)) return listed(backends, () => []);
  const primary = zone.settings.zones.find((one) => !/(^|\.)(in-addr|ip6)\.arpa$/.test(one)) ?? zone.name;
  const names = namesOfAddress({ ...zone, name: plainName(primary) }, name);
  if (names.length === 0) return "nxdomain";
  return {
    records: distinct(names.map((one) => record(zone, asked, "PTR", fullName(one.name)))),
    cause: names[0]?.cause ?? NO_CAUSE,
  };
}

function nameServerRecords(zone: Zone, asked: string): Records {
  const servers = nameServers(zone).filter((one) => one.kind === "address");
  return {
    records: distinct(servers.map((one) => record(zone, asked, "NS", fullName(one.name)))),
    extra: distinct(servers.map((one) => record(zone, one.name, one.family === 4 ? "A" : "AAAA", one.ip))),
    cause: servers[0]?.cause ?? NO_CAUSE,
  };
}

/** What a negative answer carries; its last number is how long it may be remembered. */
const soaOf = (zone: Zone): DnsRecord => ({
  name: fullName(zone.name),
  ttl: Math.min(300, zone.settings.ttl),
  type: "SOA",
  data: `ns.dns.${fullName(zone.name)} hostmaster.${fullName(zone.name)} ${SOA_SERIAL} 7200 1800 86400 ${zone.settings.ttl}`,
});
