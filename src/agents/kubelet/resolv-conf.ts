/**
 * /etc/resolv.conf of a container (pkg/kubelet/network/dns/dns.go). Not modelled: kubelet's own --resolv-conf and
 * --cluster-dns flags; a node's file is the topology's `resolvConf`.
 */
import type { Cluster, ClusterNode, ClusterPod } from "../../cluster/cluster.ts";
import type { Ip } from "../../net/address.ts";

export type ResolverConfig = {
  readonly nameservers: readonly Ip[];
  readonly search: readonly string[];
  readonly options: readonly string[]; // "ndots:5", "rotate"
};

/** Limits of pkg/apis/core/validation, wider since ExpandedDNSConfig is on by default (1.26). */
const MAX_NAMESERVERS = 3;
const searchLimits = (minor: number): { readonly domains: number; readonly characters: number } =>
  minor >= 26 ? { domains: 32, characters: 2048 } : { domains: 6, characters: 256 };

/** What the pod's resolver reads. A pod without dnsPolicy has ClusterFirst; with hostNetwork that means the node's file. */
export function resolvConfOf(cluster: Cluster, pod: ClusterPod): ResolverConfig {
  const node = cluster.nodes.find((each) => each.name === pod.node);
  const merged = withDnsConfig(baseConfig(cluster, pod, node), pod);
  return {
    nameservers: merged.nameservers.slice(0, MAX_NAMESERVERS),
    search: fitSearch(merged.search, searchLimits(cluster.version.minor)),
    options: merged.options,
  };
}

/** The resolver of a node or an outside host: what the topology says of it. */
export const resolvConfOfMachine = (machine: Pick<ClusterNode, "resolvConf">): ResolverConfig => ({
  nameservers: machine.resolvConf?.nameservers ?? [],
  search: machine.resolvConf?.search ?? [],
  options: machine.resolvConf?.options ?? [],
});

/** The file's text, in kubelet's order. */
export function formatResolvConf(config: ResolverConfig): string {
  const search = config.search.length > 0 ? [`search ${config.search.join(" ")}`] : [];
  const options = config.options.length > 0 ? [`options ${config.options.join(" ")}`] : [];
  return [...search, ...config.nameservers.map((ip) => `nameserver ${ip}`), ...options].map((line) => `${line}\n`).join("");
}

const EMPTY: ResolverConfig = { nameservers: [], search: [], options: [] };

function baseConfig(cluster: Cluster, pod: ClusterPod, node: ClusterNode | undefined): ResolverConfig {
  const host = node ? resolvConfOfMachine(node) : EMPTY;
  const policy = pod.spec.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return EMPTY;
  const clusterFirst = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !pod.hostNetwork);
  if (!clusterFirst || cluster.clusterDNS.length === 0) return host;
  const domain = cluster.clusterDomain;
  const own = [`${pod.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return { nameservers: cluster.clusterDNS, search: unique([...own, ...host.search]), options: ["ndots:5"] };
}

/** dnsConfig adds servers and search domains, and replaces options of the same name. */
function withDnsConfig(base: ResolverConfig, pod: ClusterPod): ResolverConfig {
  const config = pod.spec.dnsConfig;
  if (!config) return base;
  const options = new Map(base.options.map((option) => [optionName(option), option]));
  for (const { name, value } of config.options ?? []) options.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  return {
    nameservers: unique([...base.nameservers, ...(config.nameservers ?? [])]),
    search: unique([...base.search, ...(config.searches ?? [])]),
    options: [...options.values()],
  };
}

const optionName = (option: string): string => option.split(":")[0] ?? option;
const unique = (values: readonly string[]): string[] => [...new Set(values)];

/** kubelet cuts the list where it gets too long, keeping whole names. */
function fitSearch(search: readonly string[], limits: { readonly domains: number; readonly characters: number }): string[] {
  const kept: string[] = [];
  for (const domain of search.slice(0, limits.domains)) {
    if ([...kept, domain].join(" ").length > limits.characters) break;
    kept.push(domain);
  }
  return kept;
}
