/** Which network stacks a decided cluster has, and what each is fed: what a lab of the whole cluster is made of. */
import { formatHostsFile, type HostsEntry, hostsFileOf, hostsFileOfMachine } from "../agents/kubelet/hosts-file.ts";
import { formatResolvConf, resolvConfOf, resolvConfOfMachine } from "../agents/kubelet/resolv-conf.ts";
import { machineNetns } from "../agents/machine.ts";
import { netnsOfPod } from "../agents/network.ts";
import type { Apps } from "../apps/apps.ts";
import { addressesIn } from "../apps/dns/message.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { printIptablesSave } from "../dialects/iptables-save.ts";
import { printNftRuleset } from "../dialects/nft.ts";
import type { Netns, NetnsId } from "../linux/netns.ts";
import type { Family } from "../net/address.ts";
import type { NameFiles } from "./plan.ts";

/** Nodes, hosts, and the pods that have a stack of their own. */
export const netnsOfCluster = (cluster: Cluster): NetnsId[] => [
  ...new Set([
    ...cluster.nodes.map(machineNetns),
    ...cluster.hosts.map(machineNetns),
    ...cluster.pods.flatMap((pod) => netnsOfPod(pod) ?? []),
  ]),
];

/** What iptables-restore is fed in a namespace. */
export const restoreText = (netns: Netns, family: Family): string => printIptablesSave(netns.netfilter.tables(family), { family });

/** What `nft -f` is fed in a namespace. */
export function nftText(netns: Netns): string | undefined {
  const tables = [...new Set(([4, 6] as const).flatMap((family) => netns.netfilter.nft?.(family) ?? []))];
  return tables.length === 0 ? undefined : printNftRuleset(tables);
}

/** The files that decide name lookup there; undefined for a stack that is no machine and no pod. */
export function nameFilesOf(cluster: Cluster, apps: Apps, id: NetnsId): NameFiles | undefined {
  const pod = cluster.pods.find((each) => !each.hostNetwork && netnsOfPod(each) === id);
  const machine = [...cluster.nodes, ...cluster.hosts].find((each) => machineNetns(each) === id);
  if (pod) return filesOf(hostsFileOf(cluster, pod), machineNames(cluster, apps, id), formatResolvConf(resolvConfOf(cluster, pod)));
  if (!machine) return undefined;
  const outside = machine.resolvConf ? [] : outsideNames(cluster, apps);
  const others = [...machineNames(cluster, apps, id), ...outside];
  return filesOf(hostsFileOfMachine(machine), others, formatResolvConf(resolvConfOfMachine(machine)));
}

/** A name that the source's own file has is not said again: its entry stands. */
function filesOf(own: readonly HostsEntry[], others: readonly HostsEntry[], resolvConf: string): NameFiles {
  const known = new Set(own.flatMap(({ names }) => names));
  const added = others
    .map(({ ip, names }) => ({ ip, names: names.filter((name) => !known.has(name)) }))
    .filter(({ names }) => names.length > 0);
  return { hosts: formatHostsFile([...own, ...added]), resolvConf };
}

/** The cluster's machines by name and alias, each at the address that this source would use. */
function machineNames(cluster: Cluster, apps: Apps, id: NetnsId): HostsEntry[] {
  const book = apps.names(apps.who(id));
  return [...cluster.nodes, ...cluster.hosts].flatMap(({ name, aliases }) =>
    ([4, 6] as const).flatMap((family) => {
      const ip = book.machines(name, family)?.ip;
      return ip === undefined ? [] : [{ ip, names: [name, ...aliases] }];
    }),
  );
}

/** A machine that asks nobody knows the topology's records. */
const outsideNames = (cluster: Cluster, apps: Apps): HostsEntry[] =>
  cluster.dnsRecords.flatMap(({ name }) =>
    ["A", "AAAA"].flatMap((type) => {
      const [ip] = addressesIn(apps.askOutside(name, type), type);
      return ip === undefined ? [] : [{ ip, names: [name] }];
    }),
  );

/** What people call a stack beside its id: a pod's and a machine's bare name, a machine's aliases. */
export function aliasesOf(cluster: Cluster, id: NetnsId): string[] {
  const machine = [...cluster.nodes, ...cluster.hosts].find((each) => machineNetns(each) === id);
  if (machine) return [machine.name, ...machine.aliases];
  const [kind, namespace = "", name = ""] = id.split("/");
  if (kind !== "pod") return [];
  return namespace === "default" ? [name, `pod/${name}`, `default/${name}`] : [`${namespace}/${name}`];
}
