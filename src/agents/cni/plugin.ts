/**
 * What every CNI plugin answers: what it puts into a node's network stack and into a pod's. To add one: a file here and a
 * line in PLUGINS.
 */
import type { Cluster, ClusterNode, ClusterPod } from "../../cluster/cluster.ts";
import type { FdbEntry, Link, ListeningSocket, Neighbour, Route } from "../../linux/netns.ts";
import type { Ip } from "../../net/address.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { RulesetPart } from "../ruleset.ts";
import { bridge } from "./bridge.ts";
import { flannel } from "./flannel.ts";
import { none } from "./none.ts";
import { notModelledText, unmodelled } from "./unmodelled.ts";

/** What a plugin adds to a node. Routes that follow from the links' addresses are the kernel's and not listed. */
export type CniNodeState = {
  readonly links: readonly Link[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly fdb: readonly FdbEntry[];
  readonly sockets: readonly ListeningSocket[];
  /** Rules of the daemon that runs on the node, and of the plugin binary that kubelet calls for each pod. */
  readonly parts: readonly RulesetPart[];
  readonly sysctls: Readonly<Record<string, string>>;
};

/** What a plugin puts into a pod's netns besides lo. */
export type CniPodState = {
  readonly links: readonly Link[];
  readonly routes: readonly Route[];
  readonly parts?: readonly RulesetPart[];
};

/** A node as its CNI daemon finds it: the machine's links and routes are there, and these pods were started, in this order. */
export type CniSite = {
  readonly node: ClusterNode;
  readonly links: readonly Link[];
  readonly routes: readonly Route[];
  readonly pods: readonly ClusterPod[]; // living, with a netns of their own
  readonly hadPods: boolean; // some pod once ran here, alive or not
};

/** A plugin at work in one cluster. */
export type CniNetwork = {
  readonly node: (site: CniSite) => CniNodeState;
  readonly pod: (node: ClusterNode, pod: ClusterPod) => CniPodState;
  /** Addresses that `node` will give the node's own devices, without building them. */
  readonly addresses: (node: ClusterNode) => readonly Ip[];
  /** Devices that the plugin makes on nodes: an interface of this name in the topology only pins the MAC. */
  readonly makes: (link: string) => boolean;
};

export type CniPlugin = { readonly name: string; readonly start: (cluster: Cluster, causes: CauseTable) => CniNetwork };

const PLUGINS: readonly CniPlugin[] = [flannel, bridge, none];

export const cniPluginNames: readonly string[] = PLUGINS.map((plugin) => plugin.name);

/** The cluster's plugin; one that exists and is not modelled leaves its packets undecided; any other word is a UsageError. */
export function startCni(cluster: Cluster, causes: CauseTable): CniNetwork {
  const text = notModelledText(cluster.cni, cniPluginNames);
  if (text !== undefined) return unmodelled(cluster, text, causes);
  const plugin = PLUGINS.find((each) => each.name === cluster.cni.plugin);
  if (!plugin)
    throw new UsageError(`cni.plugin ${JSON.stringify(cluster.cni.plugin)} is not modelled`, `use one of ${cniPluginNames.join(", ")}`);
  return plugin.start(cluster, causes);
}
