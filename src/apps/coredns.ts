/**
 * CoreDNS: one question through the server block that its Corefile has for the name, plugin by plugin: rewrite, hosts,
 * kubernetes, forward. Facts: coredns/plugin.cfg and the plugins. Not modelled: the cache's ageing of TTLs, autopath.
 */
import type { Cluster, ClusterPod } from "../cluster/cluster.ts";
import { familyOf } from "../net/address.ts";
import type { CauseTable } from "../objects/cause.ts";
import { corefileOf, type HostsPlugin, type Rewrite, type ServerBlock } from "./dns/corefile.ts";
import { answerInZone } from "./dns/kubernetes-zone.ts";
import { type DnsReply, fullName, isInZone, plainName, replyWith } from "./dns/message.ts";
import { outsideReply } from "./dns/outside.ts";

/** A pod that answers DNS: CoreDNS or kube-dns by image, or by the label their Service selects. */
export const isCoreDns = (pod: ClusterPod): boolean =>
  pod.labels["k8s-app"] === "kube-dns" || pod.containers.some((c) => /(^|\/)(coredns|k8s-dns-kube-dns)([:@]|-|$)/.test(c.image ?? ""));

/** A name server process: the answer to one fully qualified name. */
export type NameServer = (name: string, type: string) => DnsReply;

/** The CoreDNS of a cluster; all its replicas say the same. */
export function createCoreDns(cluster: Cluster, causes: CauseTable): NameServer {
  const blocks = corefileOf(cluster);
  const ask = (name: string, type: string, depth: number): DnsReply => {
    const block = blockFor(blocks, plainName(name));
    if (!block) return replyWith({ rcode: "REFUSED" });
    return answerInBlock({ cluster, causes, block, ask: (next, nextType) => deeper(next, nextType, depth) }, name, type);
  };
  // A CNAME out of one zone may lead into another, and back.
  const deeper = (name: string, type: string, depth: number): DnsReply =>
    depth >= MAX_LOOKUPS ? replyWith({ rcode: "SERVFAIL", loop: [plainName(name)] }) : ask(name, type, depth + 1);
  return (name, type) => ask(name, type, 0);
}

const MAX_LOOKUPS = 8;

/** The block of the longest zone that holds the name. */
function blockFor(blocks: readonly ServerBlock[], name: string): ServerBlock | undefined {
  const fit = blocks.flatMap((block) => block.zones.filter((zone) => isInZone(name, zone)).map((zone) => ({ block, zone })));
  return fit.sort((a, b) => b.zone.length - a.zone.length)[0]?.block;
}

type Server = { readonly cluster: Cluster; readonly causes: CauseTable; readonly block: ServerBlock; readonly ask: NameServer };

function answerInBlock(server: Server, asked: string, type: string): DnsReply {
  const rewritten = rewrite(server.block.rewrites, plainName(asked));
  if (rewritten === "unknown") return replyWith({ unknown: `a rewrite rule of the Corefile may match ${plainName(asked)}` });
  if (rewritten === plainName(asked)) return answerPlugins(server, asked, type);
  const reply = answerPlugins(server, rewritten, type);
  const back = (name: string): string => (plainName(name) === rewritten ? fullName(asked) : name);
  return { ...reply, answers: reply.answers.map((record) => ({ ...record, name: back(record.name) })) };
}

function answerPlugins({ cluster, causes, block, ask }: Server, asked: string, type: string): DnsReply {
  const name = plainName(asked);
  const foreign = block.foreign.find(
    ({ zones, plugin }) => zones.some((zone) => isInZone(name, zone)) && (plugin !== "dns64" || type === "AAAA"),
  );
  if (foreign) return replyWith({ unknown: `the plugin ${foreign.plugin} of the Corefile decides about ${name}; it is not modelled` });
  const host = block.hosts && hostsReply(block.hosts, asked, type);
  if (host) return host;
  const { kubernetes } = block;
  const zone = kubernetes?.zones
    .map(plainName)
    .filter((one) => isInZone(name, one))
    .sort((a, b) => b.length - a.length)[0];
  if (kubernetes && zone !== undefined) {
    const reply = answerInZone({ cluster, causes, settings: kubernetes, name: zone }, asked, type, ask);
    if (reply) return reply;
  }
  if (block.forward.some((one) => isInZone(name, one))) return outsideReply(cluster, asked, type);
  return replyWith({ rcode: "SERVFAIL" });
}

/** The hosts plugin answers a name it has; one it has not it passes on only with `fallthrough`, for it has no SOA to say no with. */
function hostsReply({ entries, fallthrough }: HostsPlugin, asked: string, type: string): DnsReply | undefined {
  const mine = entries.filter((entry) => entry.names.includes(plainName(asked)));
  if (mine.length === 0) return fallthrough ? undefined : replyWith({ rcode: "SERVFAIL" });
  const family = type === "A" ? 4 : type === "AAAA" ? 6 : undefined;
  const answers = mine
    .filter((entry) => familyOf(entry.ip) === family)
    .map((entry) => ({ name: fullName(asked), ttl: HOSTS_TTL, type, data: entry.ip }));
  return replyWith({ authoritative: true, answers });
}

/** The hosts plugin's own default. */
const HOSTS_TTL = 3600;

function rewrite(rules: readonly Rewrite[], name: string): string {
  let now = name;
  for (const rule of rules) {
    const next = rewriteOnce(rule, now);
    if (next === undefined) continue;
    if (next === "unknown" || !rule.goOn) return next;
    now = next;
  }
  return now;
}

/** Names carry their last dot while rules match. "unknown": a regular expression that may match. */
function rewriteOnce({ match, from, to }: Rewrite, name: string): string | undefined {
  const full = fullName(name);
  switch (match) {
    case "exact":
      return full === fullName(from) ? plainName(to) : undefined;
    case "prefix":
      return full.startsWith(from) ? plainName(`${to}${full.slice(from.length)}`) : undefined;
    case "suffix":
      return full.endsWith(fullName(from)) ? plainName(`${full.slice(0, -fullName(from).length)}${to}`) : undefined;
    case "substring":
      return full.includes(from) ? plainName(full.replace(from, () => to)) : undefined;
    case "regex":
      return mayMatch(from, full) ? "unknown" : undefined;
    default:
      return match satisfies never;
  }
}

/** A regular expression cannot match a name that lacks one of the literal pieces it demands. Never run: it is foreign text. */
function mayMatch(pattern: string, name: string): boolean {
  if (/[|?*{[]/.test(pattern.replace(/\(\.[*+]\)|\.[*+]|\[[^\]]*\][*+]?/g, " "))) return true;
  const pieces = pattern
    .replace(/\(\.[*+]\)|\.[*+]|\[[^\]]*\][*+]?/g, " ")
    .replace(/\\\./g, "\u0001")
    .split(/[^a-zA-Z0-9_\-\u0001]+/);
  return pieces.every((piece) => name.includes(piece.replaceAll("\u0001", ".").toLowerCase()));
}
