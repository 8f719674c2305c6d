/**
 * /etc/hosts of a container (pkg/kubelet/kubelet_pods.go managedHostsFileContent): kubelet writes it for every pod; with
 * hostNetwork it starts from the node's own. Not modelled: setHostnameAsFQDN, hosts files that an image mounts.
 */
import type { Cluster, ClusterPod, Machine } from "../../cluster/cluster.ts";
import type { Ip } from "../../net/address.ts";

export type HostsEntry = { readonly ip: Ip; readonly names: readonly string[] };

const LOCAL: readonly HostsEntry[] = [
  { ip: "127.0.0.1", names: ["localhost"] },
  { ip: "::1", names: ["localhost", "ip6-localhost", "ip6-loopback"] },
  { ip: "fe00::", names: ["ip6-localnet", "ip6-mcastprefix"] },
  { ip: "fe00::1", names: ["ip6-allnodes"] },
  { ip: "fe00::2", names: ["ip6-allrouters"] },
];

/** The entries in the file's order: the first that has a name wins. */
export function hostsFileOf(cluster: Cluster, pod: ClusterPod): HostsEntry[] {
  const node = cluster.nodes.find((each) => each.name === pod.node);
  const aliases = (pod.spec.hostAliases ?? []).map((alias) => ({ ip: alias.ip, names: alias.hostnames ?? [] }));
  if (pod.hostNetwork) return [...(node ? hostsFileOfMachine(node) : LOCAL.slice(0, 2)), ...aliases];
  return [...LOCAL, ...pod.ips.map((ip) => ({ ip, names: ownNames(cluster, pod) })), ...aliases];
}

/** A node's or outside host's own file: localhost and what the topology lists. */
export const hostsFileOfMachine = (machine: Pick<Machine, "hostsFile">): HostsEntry[] => [
  ...LOCAL.slice(0, 2),
  ...machine.hostsFile.map(({ ip, name }) => ({ ip, names: [name] })),
];

/** The file's text. */
export const formatHostsFile = (entries: readonly HostsEntry[]): string =>
  entries.map(({ ip, names }) => `${[ip, ...names].join("\t")}\n`).join("");

/** With a subdomain the pod has a name below its headless Service too. */
function ownNames(cluster: Cluster, pod: ClusterPod): string[] {
  const name = hostnameOf(pod);
  const { subdomain } = pod.spec;
  return subdomain === undefined || subdomain === ""
    ? [name]
    : [`${name}.${subdomain}.${pod.namespace}.svc.${cluster.clusterDomain}`, name];
}

/** The hostname inside the pod: spec.hostname or its name, cut to what the kernel takes; a node's for hostNetwork. */
export const hostnameOf = (pod: ClusterPod): string =>
  pod.hostNetwork ? (pod.node ?? pod.name) : (pod.spec.hostname ?? pod.name).slice(0, 63).replace(/[-.]+$/, "");
