/**
 * The Corefile of the ConfigMap kube-system/coredns, as far as it decides an answer: server blocks, kubernetes, hosts,
 * rewrite name, forward. Without one, the file that kubeadm installs. Authority: coredns.io/manual, plugin READMEs. Another
 * plugin that answers before kubernetes does is kept by name, so that a trace can say so. Not modelled: snippets, import, ACLs.
 */
import type { Cluster } from "../../cluster/cluster.ts";
import { type Ip, parseIp } from "../../net/address.ts";
import { plainName } from "./message.ts";

export type KubernetesSettings = {
  readonly zones: readonly string[];
  readonly ttl: number;
  readonly pods: "disabled" | "insecure" | "verified";
  /** Zones whose unknown names the next plugin is asked; absent: none. "." is all. */
  readonly fallthrough?: readonly string[];
  readonly ignoreEmptyService: boolean;
  readonly endpointPodNames: boolean;
  /** Absent: all. */
  readonly namespaces?: readonly string[];
};

export type Rewrite = {
  readonly match: "exact" | "prefix" | "suffix" | "substring" | "regex";
  readonly from: string;
  readonly to: string;
  readonly goOn: boolean;
};

export type HostsPlugin = {
  readonly entries: readonly { readonly ip: Ip; readonly names: readonly string[] }[];
  readonly fallthrough: boolean;
};

export type ServerBlock = {
  readonly zones: readonly string[]; // plain; "" is the root
  readonly rewrites: readonly Rewrite[];
  readonly hosts?: HostsPlugin;
  readonly kubernetes?: KubernetesSettings;
  readonly forward: readonly string[]; // the zones that `forward` takes; empty: there is none
  /** Plugins that answer, or change answers, and are not modelled, with their zones. */
  readonly foreign: readonly { readonly plugin: string; readonly zones: readonly string[] }[];
};

/** The plugin's own default; kubeadm's file says 30. */
const DEFAULT_TTL = 5;
const KUBEADM_TTL = 30;
/** They stand before kubernetes in the order that CoreDNS was built with (plugin.cfg), or replace its answers. */
const FOREIGN = ["acl", "alternate", "azure", "clouddns", "dns64", "k8s_external", "k8s_gateway", "route53", "template", "view"];

/** The server blocks in the file's order. */
export function corefileOf(cluster: Cluster): readonly ServerBlock[] {
  const map = cluster.configMaps.find(({ metadata }) => metadata.namespace === "kube-system" && metadata.name === "coredns");
  const text = map?.data && Object.hasOwn(map.data, "Corefile") ? map.data.Corefile : undefined;
  const blocks = text === undefined ? [] : directivesOf(text).map(serverBlock);
  return blocks.length > 0 ? blocks : [kubeadmBlock(cluster.clusterDomain)];
}

const kubeadmBlock = (clusterDomain: string): ServerBlock => ({
  zones: [""],
  rewrites: [],
  kubernetes: {
    zones: [clusterDomain, "in-addr.arpa", "ip6.arpa"],
    ttl: KUBEADM_TTL,
    pods: "insecure",
    fallthrough: ["in-addr.arpa", "ip6.arpa"],
    ignoreEmptyService: false,
    endpointPodNames: false,
  },
  forward: [""],
  foreign: [],
});

/** A line of the file and, in braces after it, its own lines. */
type Directive = { readonly words: readonly string[]; readonly body: readonly Directive[] };

function directivesOf(text: string): Directive[] {
  const lines = text.split("\n").map((line) => line.replace(/(^|\s)#.*$/, "").trim());
  let next = 0;
  const block = (): Directive[] => {
    const found: Directive[] = [];
    while (next < lines.length) {
      const words = wordsOf(lines[next++] ?? "");
      if (words.length === 0) continue;
      if (words[0] === "}") return found;
      const opens = words.at(-1) === "{";
      found.push({ words: opens ? words.slice(0, -1) : words, body: opens && next < MAX_LINES ? block() : [] });
    }
    return found;
  };
  return block();
}

/** A real file has dozens of lines; past this many nothing is nested deeper. */
const MAX_LINES = 5000;
const wordsOf = (line: string): string[] => (line.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, "$1"));

function serverBlock({ words, body }: Directive): ServerBlock {
  const zones = words
    .flatMap((word) => word.split(","))
    .filter((word) => word !== "")
    .map(zoneOf);
  const named = (plugin: string) => body.filter((one) => one.words[0] === plugin);
  const [kubernetes] = named("kubernetes");
  const [hosts] = named("hosts");
  return {
    zones,
    rewrites: named("rewrite").flatMap(rewriteOf),
    ...(hosts ? { hosts: hostsOf(hosts) } : {}),
    ...(kubernetes ? { kubernetes: kubernetesOf(kubernetes, zones) } : {}),
    forward: named("forward").map(({ words: [, zone = "."] }) => plainName(zone)),
    foreign: body
      .filter(({ words: [plugin = ""] }) => FOREIGN.includes(plugin))
      .map(({ words: [plugin = "", ...rest] }) => ({ plugin, zones: zonesOf(rest.slice(plugin === "template" ? 2 : 0), zones) })),
  };
}

/** `dns://example.org:53` is the zone example.org; a port alone is the root. */
const zoneOf = (key: string): string => plainName(key.replace(/^[a-z]+:\/\//, "").replace(/:\d+$/, ""));
const zonesOf = (words: readonly string[], otherwise: readonly string[]): readonly string[] =>
  words.length > 0 ? words.map(zoneOf) : otherwise;

function kubernetesOf({ words: [, ...args], body }: Directive, zones: readonly string[]): KubernetesSettings {
  const option = (name: string) => body.find((one) => one.words[0] === name)?.words.slice(1);
  const [pods] = option("pods") ?? ["disabled"];
  const fallthrough = option("fallthrough");
  const namespaces = option("namespaces");
  return {
    zones: zonesOf(args, zones),
    ttl: numberOr(option("ttl")?.[0], DEFAULT_TTL),
    pods: pods === "insecure" || pods === "verified" ? pods : "disabled",
    ...(fallthrough ? { fallthrough: fallthrough.length > 0 ? fallthrough : ["."] } : {}),
    ignoreEmptyService: option("ignore")?.[0] === "empty_service",
    endpointPodNames: option("endpoint_pod_names") !== undefined,
    ...(namespaces && namespaces.length > 0 ? { namespaces } : {}),
  };
}

const numberOr = (text: string | undefined, otherwise: number): number =>
  text !== undefined && /^\d{1,4}$/.test(text) && Number(text) <= 3600 ? Number(text) : otherwise;

/** Lines written in the file; a hosts file that is named lies in the image. */
function hostsOf({ body }: Directive): HostsPlugin {
  return {
    entries: body.flatMap(({ words: [first = "", ...names] }) => {
      const ip = parseIp(first);
      return ip === undefined ? [] : [{ ip, names: names.map(plainName) }];
    }),
    fallthrough: body.some(({ words: [first] }) => first === "fallthrough"),
  };
}

function rewriteOf({ words: [, ...args], body }: Directive): Rewrite[] {
  const goOn = args[0] === "continue";
  const rest = goOn || args[0] === "stop" ? args.slice(1) : args;
  if (rest.length === 0) return body.flatMap((inner) => rewriteOf({ words: ["rewrite", ...inner.words], body: [] }));
  const [field, ...words] = rest;
  if (field !== "name") return [];
  const match = (["exact", "prefix", "suffix", "substring", "regex"] as const).find((known) => known === words[0]);
  const [from, to] = match ? words.slice(1) : words;
  if (from === undefined || to === undefined) return [];
  return [{ match: match ?? "exact", from: match === "regex" ? from : from.toLowerCase(), to, goOn }];
}
