/** Names outside the cluster: the topology's `dns.records` answer; any other is up to a server that is not modelled. */
import type { Cluster } from "../../cluster/cluster.ts";
import { type DnsRecord, type DnsReply, fullName, isInZone, plainName, quoted, replyWith } from "./message.ts";

/** The time to live of records whose zone nobody has shown. */
const ASSUMED_TTL = 300;
/** Resolvers give up on longer chains. */
const MAX_CHAIN = 16;

/** What a resolver outside the model says. */
export function outsideReply(cluster: Cluster, asked: string, type: string): DnsReply {
  return { ...resolve(cluster, asked, type, []), recursion: true };
}

function resolve(cluster: Cluster, asked: string, type: string, chain: readonly string[]): DnsReply {
  const name = plainName(asked);
  if (chain.includes(name) || chain.length > MAX_CHAIN) return replyWith({ rcode: "SERVFAIL", loop: [...chain, name] });
  const known = cluster.dnsRecords.filter((record) => plainName(record.name) === name);
  const alias = known.find((record) => record.type === "CNAME");
  if (alias) {
    const own = recordOf(asked, "CNAME", alias.value);
    if (type === "CNAME") return replyWith({ answers: [own] });
    const next = resolve(cluster, alias.value, type, [...chain, name]);
    return next.loop ? next : { ...next, answers: [own, ...next.answers] };
  }
  if (known.length > 0)
    return replyWith({ answers: known.filter((record) => record.type === type).map((record) => recordOf(asked, type, record.value)) });
  // The root servers know no top-level domain `svc`, nor one of a Service's or a machine's name; `.local` is nobody's (RFC 6762).
  const isNowhere =
    !name.includes(".") || name.endsWith(".svc") || (isInZone(name, plainName(cluster.clusterDomain)) && name.endsWith(".local"));
  if (isNowhere) return replyWith({ rcode: "NXDOMAIN" });
  return replyWith({ unknown: `${name} would be asked of a name server outside the model; add it under dns.records of the topology` });
}

const recordOf = (name: string, type: string, value: string): DnsRecord => ({
  name: fullName(name),
  ttl: ASSUMED_TTL,
  type,
  data: type === "CNAME" || type === "PTR" || type === "NS" ? fullName(value) : type === "TXT" ? quoted(value) : value,
});
