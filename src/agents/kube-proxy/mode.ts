/**
 * The modes of kube-proxy, by the name that KubeProxyConfiguration gives them. A mode that is not modelled says so; it
 * never passes for one that writes nothing.
 */
import type { Cluster, ClusterNode } from "../../cluster/cluster.ts";
import type { NftTable } from "../../linux/netfilter/nft.ts";
import type { IpSet } from "../../linux/netfilter/table.ts";
import type { Link, ListeningSocket } from "../../linux/netns.ts";
import type { VirtualServers } from "../../linux/virtual-server.ts";
import type { Ip } from "../../net/address.ts";
import type { CauseTable } from "../../objects/cause.ts";
import type { KubeProxyMode } from "../../objects/topology.ts";
import type { RulesetPart } from "../ruleset.ts";
import { heldPorts } from "./held-ports.ts";
import { iptablesSysctls, type ProgramOptions, programIptables } from "./iptables/program.ts";
import { serviceAddresses } from "./ipvs/context.ts";
import { ipvsSysctls, programIpvs } from "./ipvs/program.ts";
import { isAtLeast } from "./names.ts";
import { programNftables } from "./nftables/program.ts";
import { servicePorts } from "./service-ports.ts";
import { programUserspace } from "./userspace/program.ts";
import { proxySockets } from "./userspace/proxied-ports.ts";

export type ProxyProgram = {
  readonly parts: readonly RulesetPart[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly sets?: ReadonlyMap<string, IpSet>;
  readonly nft?: readonly NftTable[];
  readonly links?: readonly Link[];
  readonly ipvs?: VirtualServers;
  readonly sockets?: readonly ListeningSocket[];
  /** Set when what kube-proxy would do is not known: nothing that depends on it may be claimed. */
  readonly notModelled?: string;
};

type ProxyMode = (cluster: Cluster, node: ClusterNode, causes: CauseTable, options: ProgramOptions) => ProxyProgram;

/** What kube-proxy puts on a node. */
export function programKubeProxy(cluster: Cluster, node: ClusterNode, causes: CauseTable, options: ProgramOptions = {}): ProxyProgram {
  return MODES[cluster.kubeProxy.mode](cluster, node, causes, options);
}

/** The sysctls that kube-proxy sets on a node. */
export function kubeProxySysctls(cluster: Cluster, node: ClusterNode): Readonly<Record<string, string>> {
  if (cluster.kubeProxy.mode === "ipvs") return ipvsSysctls(cluster);
  return cluster.kubeProxy.mode === "iptables" ? iptablesSysctls(cluster, node) : {};
}

/** Service addresses that kube-proxy gives to a device of every node, so that they are local to all. */
export const addressesOnEveryNode = (cluster: Cluster): ReadonlySet<Ip> =>
  new Set(
    cluster.kubeProxy.mode === "ipvs" ? ([4, 6] as const).flatMap((family) => servicePorts(cluster, family).flatMap(serviceAddresses)) : [],
  );

const MODES: Readonly<Record<KubeProxyMode, ProxyMode>> = {
  iptables: (cluster, node, causes, options) => ({
    parts: programIptables(cluster, node, causes, options),
    sysctls: iptablesSysctls(cluster, node),
    sockets: heldPorts(cluster, node, causes, options.localAddresses ?? []),
  }),
  nftables: (cluster, node, causes, { localAddresses = [] }) => ({
    parts: [],
    sysctls: {},
    nft: programNftables(cluster, node, causes, localAddresses),
  }),
  ipvs: (cluster, node, causes, { localAddresses = [] }) => ({
    ...programIpvs(cluster, node, causes, localAddresses),
    sockets: heldPorts(cluster, node, causes, localAddresses),
  }),
  userspace: (cluster, node, causes, { localAddresses = [] }) => {
    if (isAtLeast(cluster.version, 26))
      return {
        parts: [],
        sysctls: {},
        notModelled: "kube-proxy has no userspace mode since 1.26: it does not start, and Services are not served",
      };
    const sockets = [...proxySockets(cluster, node, causes), ...heldPorts(cluster, node, causes, localAddresses)];
    return { parts: programUserspace(cluster, node, causes), sysctls: {}, sockets };
  },
  none: () => ({ parts: [], sysctls: {} }),
};
