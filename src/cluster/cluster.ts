/**
 * The decided cluster: what the API server and the nodes would show once every controller had finished.
 * Defaults are filled in, addresses given, endpoints computed. `assumed` lists what the input did not say.
 */

import type { Cidr, Ip } from "../net/address.ts";
import type {
  Node as ApiNode,
  Pod as ApiPod,
  ApiProtocol,
  Service as ApiService,
  ConfigMap,
  Container,
  EndpointSlice,
  Ingress,
  IngressClass,
  IpFamilyName,
  Labels,
  LimitRange,
  LoadBalancerIngress,
  Namespace,
  ObjectMeta,
  PodSpec,
  ResourceQuota,
  ServiceType,
  Taint,
  TrafficPolicy,
  Workload,
} from "../objects/api.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import type { PathPart, Source } from "../objects/source.ts";
import type { CniSettings, IngressControllerSettings, KubeProxySettings, Listen, ResolvConf, TopologyRoute } from "../objects/topology.ts";

/** Where something was written: source and field path; absent when nothing in the input says it. */
export type Origin = { readonly source: Source; readonly field: readonly PathPart[] };

/** A default that ktrace chose because the input is silent, with the key that changes it. */
export type Assumption = { readonly about: string; readonly what: string; readonly key?: string };

export type MachineInterface = {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly addresses: readonly Cidr[];
  readonly origin?: Origin;
};

/** What nodes and outside hosts have in common. */
export type Machine = {
  readonly kind: "node" | "host";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly interfaces: readonly MachineInterface[]; // in creation order; lo not among them
  readonly routes: readonly (TopologyRoute & { readonly origin?: Origin; readonly assumed?: boolean })[];
  readonly resolvConf?: ResolvConf;
  readonly hostsFile: readonly { readonly name: string; readonly ip: Ip; readonly origin?: Origin }[];
  readonly listens: readonly Listen[];
  readonly sysctls: Readonly<Record<string, string>>; // only what differs from the usual of its kind
  readonly ownRules?: { readonly file: string; readonly text: string }; // iptables-save text besides the agents'
  readonly origin?: Origin;
};
export type ClusterNode = Machine & {
  readonly kind: "node";
  readonly internalIPs: readonly Ip[]; // primary first; one a family
  readonly externalIPs?: readonly Ip[]; // ExternalIP addresses of its Node object
  readonly podCIDRs: readonly Cidr[];
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
  readonly ready: boolean;
  /** status.nodeInfo of a dump: kubeletVersion, osImage… Absent facts print `<unknown>`. */
  readonly nodeInfo: Readonly<Record<string, string>>;
  readonly roles: readonly string[];
  readonly object?: ApiNode; // when the input has the Node itself
};
export type OutsideHost = Machine & { readonly kind: "host" };

/** One address and port of a balancer, and where it sends what comes in. */
export type BalancerFront = {
  readonly ip: Ip;
  readonly port: number;
  readonly protocol: ApiProtocol;
  readonly targets: readonly { readonly ip: Ip; readonly port: number; readonly name: string }[];
  readonly leftOut: string; // why others, or all, are no targets; "" when none were left out
  readonly service?: { readonly namespace: string; readonly name: string };
  readonly origin?: Origin;
};
/** A load balancer outside the cluster: a machine among the hosts, and what it does there. */
export type LoadBalancer = {
  readonly name: string;
  readonly machine: string; // the host's name
  readonly pool: readonly Cidr[];
  readonly forward: "vip" | "nodePort" | "pod" | "listed";
  /** It ends connections and opens its own, from these addresses. Empty: from the one its route gives. */
  readonly proxy?: { readonly sources: readonly Ip[] };
  /** Whether it tries each target before it uses it. */
  readonly probes: boolean;
  readonly fronts: readonly BalancerFront[];
  readonly origin?: Origin;
};
/** A packet filter on the wire between the nodes' networks and what is outside. */
export type Firewall = {
  readonly name: string;
  readonly before: readonly Cidr[];
  readonly allow: readonly {
    readonly from?: Cidr;
    readonly to?: Cidr;
    readonly protocol?: "tcp" | "udp" | "sctp" | "icmp";
    readonly ports: readonly { readonly from: number; readonly to: number }[]; // empty: any
    readonly origin?: Origin;
  }[];
  readonly origin?: Origin;
};

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
/** One port a pod listens on, and how that is known. */
export type PodListen = { readonly port: number; readonly protocol: ApiProtocol; readonly origin?: Origin; readonly assumed: boolean };
export type ClusterPod = {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly spec: PodSpec;
  readonly containers: readonly Container[];
  readonly node?: string; // absent while Pending
  readonly ips: readonly Ip[]; // primary first; empty while Pending. hostNetwork: the node's internal IPs
  readonly hostNetwork: boolean;
  readonly phase: PodPhase;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly dead: boolean; // topology: the address is listed, nobody is there
  readonly listens: readonly PodListen[];
  readonly owner?: { readonly kind: string; readonly name: string }; // its controller, the ReplicaSet of a Deployment
  readonly workload?: { readonly kind: string; readonly name: string }; // the topmost owner, the Deployment
  readonly origin: Origin; // the Pod, or the template that made it
  readonly message?: string; // why it is Pending, in the scheduler's words
  readonly restarts: number;
  readonly object?: ApiPod; // when the input has the Pod itself
};

/** A workload with the numbers `get` shows. */
export type ClusterWorkload = {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly desired: number;
  readonly current: number;
  readonly ready: number;
  readonly selector: Labels;
  readonly containers: readonly Container[];
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly origin: Origin;
  readonly object?: Workload;
};

export type ClusterServicePort = {
  readonly index: number; // in spec.ports
  readonly name: string; // "" when unnamed
  readonly protocol: ApiProtocol;
  readonly port: number;
  readonly targetPort: number | string;
  readonly nodePort?: number;
};
/** A Service with defaults and allocations. Headless: clusterIPs is ["None"]. ExternalName: clusterIPs is []. */
export type ClusterService = {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly type: ServiceType;
  readonly selector?: Labels;
  readonly clusterIPs: readonly (Ip | "None")[];
  readonly ipFamilies: readonly IpFamilyName[];
  readonly ipFamilyPolicy?: string;
  readonly ports: readonly ClusterServicePort[];
  readonly externalIPs: readonly Ip[];
  readonly externalName?: string;
  readonly externalTrafficPolicy?: TrafficPolicy; // absent where the API leaves it out
  readonly internalTrafficPolicy?: TrafficPolicy;
  readonly sessionAffinity: "None" | "ClientIP";
  readonly affinityTimeoutSeconds: number;
  readonly loadBalancerSourceRanges: readonly Cidr[];
  readonly loadBalancerIngress: readonly LoadBalancerIngress[];
  readonly healthCheckNodePort?: number;
  readonly allocateLoadBalancerNodePorts?: boolean;
  readonly publishNotReadyAddresses: boolean;
  readonly trafficDistribution?: string;
  readonly origin?: Origin; // absent for default/kubernetes when the input has no such object
  readonly object?: ApiService;
};

export type SlicePort = { readonly name: string; readonly protocol: ApiProtocol; readonly port: number };
export type ClusterEndpoint = {
  readonly addresses: readonly Ip[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly hostname?: string;
  readonly forZones?: readonly string[];
  readonly forNodes?: readonly string[];
  readonly pod?: { readonly namespace: string; readonly name: string };
  readonly origin?: Origin;
};
/** One EndpointSlice, written by the controller or by the user: kube-proxy's only source of endpoints. */
export type ClusterSlice = {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly labels: Labels;
  readonly addressType: "IPv4" | "IPv6";
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly ClusterEndpoint[];
  readonly object?: EndpointSlice;
};
/** The Endpoints object as `get endpoints` shows it. */
export type ClusterEndpoints = {
  readonly namespace: string;
  readonly name: string;
  readonly subsets: readonly {
    readonly addresses: readonly {
      readonly ip: Ip;
      readonly nodeName?: string;
      readonly pod?: { readonly namespace: string; readonly name: string };
    }[];
    readonly notReadyAddresses: readonly { readonly ip: Ip }[];
    readonly ports: readonly SlicePort[];
  }[];
};
export type ClusterEvent = {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly message: string;
};

/** A ResourceQuota with what is used of it. A resource that ktrace cannot count, and no dump states, is missing in `used`. */
export type ClusterQuota = {
  readonly namespace: string;
  readonly name: string;
  readonly hard: Readonly<Record<string, string>>; // names sorted
  readonly used: Readonly<Record<string, string>>;
  readonly object: ResourceQuota;
};

export type Version = { readonly major: number; readonly minor: number; readonly text: string };

export type Cluster = {
  readonly version: Version;
  readonly clusterDomain: string;
  readonly podCIDRs: readonly Cidr[];
  readonly serviceCIDRs: readonly Cidr[];
  readonly nodePortRange: { readonly from: number; readonly to: number };
  readonly clusterDNS: readonly Ip[];
  readonly kubeProxy: KubeProxySettings & { readonly mode: NonNullable<KubeProxySettings["mode"]> };
  readonly cni: CniSettings & { readonly plugin: string };
  readonly ingressControllers: readonly IngressControllerSettings[];
  readonly dnsRecords: readonly { readonly name: string; readonly type: string; readonly value: string }[];
  readonly nodes: readonly ClusterNode[]; // in podCIDR order
  readonly hosts: readonly OutsideHost[]; // balancers last
  readonly loadBalancers?: readonly LoadBalancer[];
  readonly firewalls?: readonly Firewall[];
  readonly namespaces: readonly { readonly name: string; readonly labels: Labels; readonly object?: Namespace }[];
  readonly workloads: readonly ClusterWorkload[];
  readonly pods: readonly ClusterPod[]; // sorted by namespace, name
  readonly services: readonly ClusterService[]; // sorted by namespace, name
  readonly slices: readonly ClusterSlice[];
  readonly endpoints: readonly ClusterEndpoints[];
  readonly ingresses: readonly (Ingress & { readonly metadata: ObjectMeta })[];
  readonly ingressClasses: readonly IngressClass[];
  readonly configMaps: readonly ConfigMap[];
  readonly resourceQuotas?: readonly ClusterQuota[];
  readonly limitRanges?: readonly LimitRange[];
  readonly events: readonly ClusterEvent[];
  readonly assumptions: readonly Assumption[];
  readonly diagnostics: readonly Diagnostic[];
};
