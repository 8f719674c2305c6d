/**
 * A decided cluster as a topology file: with it the same manifests give the same network on another day. Machines, ranges,
 * settings, where pods run, what Services were given. What was assumed about machines stays out and so stays assumed.
 */
import { formatCidr } from "../net/address.ts";
import type { Labels } from "../objects/api.ts";
import type { Topology, TopologyInterface, TopologyNode, TopologyPod } from "../objects/topology.ts";
import { hasAssumedDns } from "./assumed-dns.ts";
import type { Cluster, ClusterNode, ClusterPod, ClusterService } from "./cluster.ts";
import { servicePin } from "./service-pins.ts";

/** `namespace`: pins of its pods and Services only, and of the system's. `topology`: the one that the cluster was decided with. */
export function topologyOf(cluster: Cluster, topology: Topology, namespace?: string): object {
  const isMeant = (of: string): boolean => namespace === undefined || of === namespace || of === "kube-system";
  const isOurs = (of: string, name: string): boolean =>
    !(hasAssumedDns(cluster) && of === "kube-system" && /^(coredns-|kube-dns$)/.test(name));
  const { from, to } = cluster.nodePortRange;
  const pods = cluster.pods.filter((pod) => isMeant(pod.namespace) && isOurs(pod.namespace, pod.name)).flatMap(podPin);
  const services = cluster.services
    .filter(
      (service) =>
        isMeant(service.namespace) && isOurs(service.namespace, service.name) && service.object !== undefined && !isKubernetes(service),
    )
    .flatMap((service) => servicePin(service) ?? []);
  return {
    apiVersion: "ktrace.dev/v1alpha1",
    kind: "Topology",
    ...(topology.name === undefined ? {} : { metadata: { name: topology.name } }),
    spec: {
      kubernetes: {
        version: cluster.version.text,
        clusterDomain: cluster.clusterDomain,
        podCIDRs: cluster.podCIDRs.map(formatCidr),
        serviceCIDRs: cluster.serviceCIDRs.map(formatCidr),
        nodePortRange: `${from}-${to}`,
        clusterDNS: cluster.clusterDNS,
      },
      kubeProxy: Object.fromEntries(PROXY_KEYS.flatMap((key) => (isSaid(cluster.kubeProxy[key]) ? [[key, cluster.kubeProxy[key]]] : []))),
      cni: cluster.cni,
      nodes: cluster.nodes.map((node) => nodeOf(node, topology)),
      ...(topology.hosts ? { hosts: topology.hosts } : {}),
      ...(topology.dns ? { dns: topology.dns } : {}),
      ...(pods.length > 0 ? { pods } : {}),
      ...(services.length > 0 ? { services } : {}),
      ...(topology.loadBalancers ? { loadBalancers: topology.loadBalancers } : {}),
      ...(topology.firewalls ? { firewalls: topology.firewalls } : {}),
      ...(topology.ingressControllers ? { ingressControllers: topology.ingressControllers } : {}),
    },
  };
}

/** The API server makes it, at the range's first address. */
const isKubernetes = ({ namespace, name }: ClusterService): boolean => namespace === "default" && name === "kubernetes";

/** Of KubeProxyConfiguration only what decides about packets: the rest may name files of a node. */
const PROXY_KEYS = [
  "mode",
  "clusterCIDR",
  "detectLocalMode",
  "detectLocal",
  "nodePortAddresses",
  "iptables",
  "nftables",
  "ipvs",
  "featureGates",
  "conntrack",
  "portRange",
  "hostnameOverride",
] as const;

const isSaid = (value: unknown): boolean =>
  value !== undefined && !(typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** What a topology's own entry says beyond a Node object is kept as it is written. */
function nodeOf(node: ClusterNode, topology: Topology): TopologyNode {
  const written = topology.nodes?.find(({ name }) => name === node.name);
  const labels = ownLabels(node);
  const [internalIP] = node.internalIPs;
  return {
    ...(written ?? { name: node.name }),
    interfaces: written?.interfaces ?? node.interfaces.map(interfaceOf),
    ...(internalIP === undefined ? {} : { internalIP }),
    podCIDRs: node.podCIDRs.map(formatCidr),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(node.taints.length > 0
      ? { taints: node.taints.map(({ key, value, effect }) => ({ key, ...(value === undefined ? {} : { value }), effect })) }
      : {}),
  };
}

const ETHERNET_MTU = 1500;

function interfaceOf({ name, addresses, mac, mtu, up }: ClusterNode["interfaces"][number]): TopologyInterface {
  return {
    name,
    ...(addresses.length > 0 ? { addresses: addresses.map(formatCidr) } : { mac }),
    ...(mtu === ETHERNET_MTU ? {} : { mtu }),
    ...(up ? {} : { state: "down" as const }),
  };
}

/** Those that a kubelet puts on its Node by itself are known. */
const ownLabels = ({ name, labels }: ClusterNode): Labels =>
  Object.fromEntries(
    Object.entries(labels).filter(
      ([key, value]) =>
        !(/^(beta\.)?kubernetes\.io\/(os|arch)$/.test(key) && /^(linux|amd64)$/.test(value)) &&
        !(key === "kubernetes.io/hostname" && value === name),
    ),
  );

/** A pod that runs nowhere has nothing to pin, nor has a daemon on its node's own network. */
function podPin({ namespace, name, node, ips, hostNetwork, ready, phase, dead, owner }: ClusterPod): TopologyPod[] {
  const [ip] = ips;
  if (hostNetwork && ready && (owner?.kind === "DaemonSet" || owner?.kind === "Node")) return [];
  if (node === undefined || phase === "Succeeded" || phase === "Failed") return [];
  return [
    {
      name: `${namespace}/${name}`,
      ...(hostNetwork || ip === undefined ? {} : { ip }),
      node,
      ...(ready ? {} : { ready: false }),
      ...(dead ? { dead } : {}),
    },
  ];
}
