/**
 * The topology file as read: what manifests cannot say about the machines. Shape of `kind: Topology`,
 * apiVersion ktrace.dev/v1alpha1; `schema/topology.schema.json` is the published form. Every key is optional.
 */
import type { ApiProtocol, Labels, LoadBalancerIngress, Taint } from "./api.ts";
import type { PathPart, Source } from "./source.ts";

export type Listen = { readonly port: number; readonly protocol?: ApiProtocol; readonly to?: number };
export type TopologyInterface = {
  readonly name: string;
  readonly addresses?: readonly string[]; // CIDRs
  readonly mac?: string;
  readonly mtu?: number;
  readonly state?: "up" | "down";
};
export type TopologyRoute = {
  readonly to: string;
  readonly via?: string;
  readonly dev?: string;
  readonly src?: string;
  readonly metric?: number;
  readonly type?: "unicast" | "blackhole" | "unreachable" | "prohibit";
};
export type ResolvConf = {
  readonly nameservers?: readonly string[];
  readonly search?: readonly string[];
  readonly options?: readonly string[];
};

type Machine = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly interfaces?: readonly TopologyInterface[];
  readonly routes?: readonly TopologyRoute[];
  readonly resolvConf?: ResolvConf;
  readonly hostsFile?: Labels;
  readonly listens?: readonly Listen[];
  readonly sysctls?: { readonly [key: string]: string | number };
  readonly iptables?: string; // path of a rules file, relative to the topology file
};
export type TopologyNode = Machine & {
  readonly internalIP?: string;
  readonly podCIDRs?: readonly string[];
  readonly labels?: Labels;
  readonly taints?: readonly Taint[];
};
export type TopologyHost = Machine;

export type TopologyPod = {
  readonly name: string; // NAMESPACE/NAME, or a pattern with `*`
  readonly ip?: string;
  readonly node?: string;
  readonly listens?: readonly Listen[];
  readonly dead?: boolean;
  readonly ready?: boolean;
};

/** What a Service was given that its manifest leaves to the API server. */
export type TopologyService = {
  readonly name: string; // NAMESPACE/NAME
  readonly clusterIPs?: readonly string[];
  readonly nodePorts?: readonly number[]; // one for each of spec.ports; 0: none
  readonly healthCheckNodePort?: number;
  readonly loadBalancer?: readonly LoadBalancerIngress[]; // status.loadBalancer.ingress
};

export type KubeProxyMode = "iptables" | "nftables" | "ipvs" | "userspace" | "none";
/** The keys of KubeProxyConfiguration v1alpha1 that decide what is programmed. */
export type KubeProxySettings = {
  readonly mode?: KubeProxyMode;
  readonly clusterCIDR?: string;
  readonly detectLocalMode?: "ClusterCIDR" | "NodeCIDR" | "BridgeInterface" | "InterfaceNamePrefix";
  readonly detectLocal?: { readonly bridgeInterface?: string; readonly interfaceNamePrefix?: string };
  readonly nodePortAddresses?: readonly string[];
  readonly iptables?: { readonly masqueradeAll?: boolean; readonly masqueradeBit?: number; readonly localhostNodePorts?: boolean };
  readonly nftables?: { readonly masqueradeAll?: boolean; readonly masqueradeBit?: number };
  readonly ipvs?: { readonly scheduler?: string; readonly strictARP?: boolean; readonly excludeCIDRs?: readonly string[] };
  readonly featureGates?: { readonly [gate: string]: boolean };
  readonly conntrack?: { readonly tcpBeLiberal?: boolean };
  readonly portRange?: string; // of the userspace mode's own ports
  /** The node that every kube-proxy takes itself for; absent: each its own. */
  readonly hostnameOverride?: string;
};

export type CniSettings = {
  readonly plugin?: string; // flannel | … | none
  readonly backend?: string;
  readonly mtu?: number;
  readonly hairpinMode?: boolean;
  readonly bridge?: string;
  readonly portmap?: boolean;
  readonly iface?: string;
  readonly DirectRouting?: boolean;
  readonly [pluginKey: string]: unknown;
};

export type IngressControllerSettings = {
  readonly class?: string;
  readonly pods?: { readonly namespace?: string; readonly selector?: Labels };
  readonly service?: string; // NS/NAME
  readonly upstream?: "endpoints" | "service";
};

/** With `pool` it serves Services of type LoadBalancer, with `address` it stands alone. */
export type TopologyLoadBalancer = {
  readonly name: string;
  readonly pool?: readonly string[];
  readonly class?: string; // matches spec.loadBalancerClass
  readonly forward?: "vip" | "nodePort" | "pod";
  readonly sources?: readonly string[]; // set: a proxy, which connects from these
  readonly healthCheck?: boolean;
  readonly address?: string;
  readonly listens?: readonly Listen[];
  readonly targets?: readonly string[];
};

/** A packet filter outside the nodes. What is not allowed is dropped; answers pass. */
export type TopologyFirewall = {
  readonly name: string;
  readonly before?: readonly string[];
  readonly allow?: readonly {
    readonly from?: string;
    readonly to?: string;
    readonly protocol?: ApiProtocol | "ICMP";
    readonly ports?: readonly (number | string)[];
  }[];
};

export type Topology = {
  readonly name?: string;
  readonly kubernetes?: {
    readonly version?: string;
    readonly clusterDomain?: string;
    readonly podCIDRs?: readonly string[];
    readonly serviceCIDRs?: readonly string[];
    readonly nodePortRange?: string;
    readonly clusterDNS?: readonly string[];
  };
  readonly kubeProxy?: KubeProxySettings;
  /** Where settings come from that the topology file does not have: a KubeProxyConfiguration among the input. */
  readonly kubeProxySource?: { readonly source: Source; readonly field: readonly PathPart[] };
  readonly cni?: CniSettings;
  readonly nodes?: readonly TopologyNode[];
  readonly hosts?: readonly TopologyHost[];
  readonly dns?: { readonly records?: readonly { readonly name: string; readonly type?: string; readonly value: string }[] };
  readonly pods?: readonly TopologyPod[];
  readonly services?: readonly TopologyService[];
  readonly loadBalancers?: readonly TopologyLoadBalancer[];
  readonly firewalls?: readonly TopologyFirewall[];
  readonly ingressControllers?: readonly IngressControllerSettings[];
  /** Absent when there is no topology file. */
  readonly source?: Source;
  /** Node rule files named by `iptables:`, read: node name → text. */
  readonly ruleFiles?: { readonly [node: string]: { readonly file: string; readonly text: string } };
};

/** A topology field's path from the document's root, for a place: ["spec","nodes",1,"interfaces",0]. */
export type TopologyField = readonly PathPart[];
