/** The network plugins that a topology may name: those that `agents/cni` models, and those that exist besides. */

/** Modelled, in the order of agents/cni. */
export const MODELLED_PLUGINS: readonly string[] = ["flannel", "bridge", "none"];

/** Plugins that exist (github.com/containernetworking/cni README, facts of a dump) and that are known by name only. */
export const EXISTING_PLUGINS: ReadonlySet<string> = new Set(
  "calico canal cilium kindnet weave kube-router kube-ovn ovn-kubernetes antrea aws-vpc-cni azure-cni romana contiv multus ptp macvlan ipvlan".split(
    " ",
  ),
);
