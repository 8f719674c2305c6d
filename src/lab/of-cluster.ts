/** Which network stacks a decided cluster has: what a lab of the whole cluster is made of. */
import { machineNetns } from "../agents/machine.ts";
import { netnsOfPod } from "../agents/network.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { printIptablesSave } from "../dialects/iptables-save.ts";
import type { Netns, NetnsId } from "../linux/netns.ts";
import type { Family } from "../net/address.ts";

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
