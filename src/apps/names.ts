/**
 * What a source knows of names before it asks a name server: its hosts file, the names of the cluster's machines, and
 * whom it asks with which search list. Facts: pkg/kubelet/network/dns, pkg/kubelet/util hosts file, resolv.conf(5).
 */
import type { Cluster, ClusterNode, ClusterPod, Machine, OutsideHost } from "../cluster/cluster.ts";
import { cidrContains, type Family, familyOf, type Ip, parseIp } from "../net/address.ts";
import { type CauseId, NO_CAUSE } from "../net/cause.ts";
import type { CauseTable } from "../objects/cause.ts";
import type { Who } from "./apps.ts";

export type KnownName = {
  readonly ip: Ip;
  readonly how: "hosts-file" | "node-name" | "topology-dns";
  readonly detail: string;
  readonly cause: CauseId;
};

/** What kubelet writes into a pod: agents/kubelet makes it, the front door hands it over. */
export type PodFiles = {
  readonly resolvConf: (pod: ClusterPod) => {
    readonly nameservers: readonly string[];
    readonly search: readonly string[];
    readonly options: readonly string[];
  };
  readonly hostsFile: (pod: ClusterPod) => readonly { readonly ip: Ip; readonly names: readonly string[] }[];
};

export type NameBook = {
  /** The answer of the source's own hosts file. */
  readonly hosts: (name: string, family: Family) => KnownName | undefined;
  /** A node or host of the topology, by name or alias: its first address on a network that the source is attached to. */
  readonly machines: (name: string, family: Family) => KnownName | undefined;
  /** Empty: nobody is asked. */
  readonly nameservers: readonly Ip[];
  readonly search: readonly string[];
  readonly ndots: number;
  /** How often each server is asked. */
  readonly attempts: number;
};

/** The name book of a source. */
export function knownNames(cluster: Cluster, from: Who, files: PodFiles, causes: CauseTable): NameBook {
  const pod = from.kind === "pod" ? cluster.pods.find((p) => p.namespace === from.namespace && p.name === from.name) : undefined;
  const machineName = pod ? pod.node : from.name;
  const machine: Machine | undefined =
    from.kind === "host" ? cluster.hosts.find((h) => h.name === from.name) : cluster.nodes.find((n) => n.name === machineName);
  const conf = resolverOf(pod ? files.resolvConf(pod) : (machine?.resolvConf ?? {}));
  return {
    hosts: (name, family) =>
      pod && !pod.hostNetwork ? podHosts(pod, files, name, family, causes) : machineHosts(machine, name, family, causes),
    machines: (name, family) => machineEntry(cluster, pod ? undefined : machine, name, family, causes),
    nameservers: conf.nameservers,
    search: conf.search,
    ndots: conf.ndots,
    attempts: conf.attempts,
  };
}

/** resolv.conf(5): ndots is 1 and attempts are 2 unless an option says otherwise; both have a cap, the last option counts. */
function resolverOf(conf: {
  readonly nameservers?: readonly string[];
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}) {
  const numberOf = (name: string): number | undefined => {
    const text = conf.options?.findLast((option) => option.startsWith(`${name}:`))?.slice(name.length + 1);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  return {
    nameservers: (conf.nameservers ?? []).flatMap((ip) => parseIp(ip) ?? []).slice(0, MAX_NAMESERVERS),
    search: conf.search ?? [],
    ndots: Math.min(numberOf("ndots") ?? 1, 15),
    attempts: Math.min(numberOf("attempts") ?? 2, 5),
  };
}

/** MAXNS of resolv.h: further lines are ignored. */
const MAX_NAMESERVERS = 3;

/** kubelet writes a pod's /etc/hosts: localhost, its own name, hostAliases. */
function podHosts(pod: ClusterPod, files: PodFiles, name: string, family: Family, causes: CauseTable): KnownName | undefined {
  const entry = files.hostsFile(pod).find((e) => e.names.includes(name) && familyOf(e.ip) === family);
  if (!entry) return undefined;
  const isAlias = pod.spec.hostAliases?.some((alias) => alias.ip === entry.ip && alias.hostnames?.includes(name)) === true;
  const cause = isAlias
    ? causes.add({ role: "pod", source: pod.origin.source, field: [...pod.origin.field, "spec", "hostAliases"] })
    : NO_CAUSE;
  return { ip: entry.ip, how: "hosts-file", detail: `/etc/hosts of pod ${pod.name}`, cause };
}

function machineHosts(machine: Machine | undefined, name: string, family: Family, causes: CauseTable): KnownName | undefined {
  const entry = machine?.hostsFile.find((e) => e.name === name && familyOf(e.ip) === family);
  if (!machine || !entry) return undefined;
  const cause = entry.origin ? causes.add({ role: "interface", source: entry.origin.source, field: entry.origin.field }) : NO_CAUSE;
  return { ip: entry.ip, how: "hosts-file", detail: `hosts file of ${machine.name}`, cause };
}

function machineEntry(
  cluster: Cluster,
  source: Machine | undefined,
  name: string,
  family: Family,
  causes: CauseTable,
): KnownName | undefined {
  const machine = [...cluster.nodes, ...cluster.hosts].find((m) => m.name === name || m.aliases.includes(name));
  if (!machine) return undefined;
  const near = nearAddress(source, machine, family);
  const ip = near?.ip ?? internalAddress(machine, family);
  if (ip === undefined) return undefined;
  const where = near ? `${near.dev}: ${near.network}` : "its internal IP";
  const cause = machine.origin ? causes.add({ role: "interface", source: machine.origin.source, field: machine.origin.field }) : NO_CAUSE;
  return { ip, how: "node-name", detail: `${machine.kind} ${machine.name}, ${where}`, cause };
}

/** The machine's first address on a network that the source has an interface in. */
function nearAddress(source: Machine | undefined, machine: Machine, family: Family) {
  const mine = (source?.interfaces ?? []).flatMap((i) => i.addresses);
  for (const link of machine.interfaces) {
    if (!link.up) continue;
    for (const { ip } of link.addresses) {
      if (familyOf(ip) === family && mine.some((cidr) => cidrContains(cidr, ip)))
        return { ip, dev: link.name, network: source === machine ? "itself" : "your network" };
    }
  }
  return undefined;
}

const internalAddress = (machine: Machine | ClusterNode | OutsideHost, family: Family): Ip | undefined =>
  "internalIPs" in machine
    ? machine.internalIPs.find((ip) => familyOf(ip) === family)
    : machine.interfaces.flatMap((i) => i.addresses).find((cidr) => familyOf(cidr.ip) === family)?.ip;
