/**
 * The modes of kube-proxy, by the name that KubeProxyConfiguration gives them. A mode that is not modelled says so; it
 * never passes for one that writes nothing.
 */
import type { Cluster, ClusterNode } from "../../cluster/cluster.ts";
import type { CauseTable } from "../../objects/cause.ts";
import type { KubeProxyMode } from "../../objects/topology.ts";
import type { RulesetPart } from "../ruleset.ts";
import { iptablesSysctls, type ProgramOptions, programIptables } from "./iptables/program.ts";

export type ProxyProgram = {
  readonly parts: readonly RulesetPart[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Set when what kube-proxy would do is not known: nothing that depends on it may be claimed. */
  readonly notModelled?: string;
};

type ProxyMode = (cluster: Cluster, node: ClusterNode, causes: CauseTable, options: ProgramOptions) => ProxyProgram;

/** What kube-proxy puts on a node. */
export function programKubeProxy(cluster: Cluster, node: ClusterNode, causes: CauseTable, options: ProgramOptions = {}): ProxyProgram {
  return MODES[cluster.kubeProxy.mode](cluster, node, causes, options);
}

/** The sysctls that kube-proxy sets on a node. */
export const kubeProxySysctls = (cluster: Cluster, node: ClusterNode): Readonly<Record<string, string>> =>
  cluster.kubeProxy.mode === "iptables" ? iptablesSysctls(cluster, node) : {};

const notModelled =
  (mode: KubeProxyMode): ProxyMode =>
  () => ({ parts: [], sysctls: {}, notModelled: `kube-proxy mode ${mode} is not modelled: Services cannot be followed` });

const MODES: Readonly<Record<KubeProxyMode, ProxyMode>> = {
  iptables: (cluster, node, causes, options) => ({
    parts: programIptables(cluster, node, causes, options),
    sysctls: iptablesSysctls(cluster, node),
  }),
  nftables: notModelled("nftables"),
  ipvs: notModelled("ipvs"),
  userspace: notModelled("userspace"),
  none: () => ({ parts: [], sysctls: {} }),
};
