/**
 * The API objects that networking rests on, with the fields that are read, spelled as the Kubernetes API spells them.
 * Every field an author may leave out is optional here; defaults are filled in by `cluster`.
 */
import type { Source } from "./source.ts";

export type Labels = { readonly [key: string]: string };

export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string; // absent for cluster-scoped kinds; `default` filled in by the reader
  readonly generateName?: string;
  readonly uid?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly controller?: boolean }[];
};

type Base<Kind extends string> = {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  readonly source: Source;
};

export type LabelSelector = {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
};

export type ContainerPort = {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: ApiProtocol;
  readonly hostPort?: number;
  readonly hostIP?: string;
};
export type ApiProtocol = "TCP" | "UDP" | "SCTP";

export type Probe = {
  readonly exec?: unknown;
  readonly httpGet?: { readonly port: number | string; readonly path?: string };
  readonly tcpSocket?: { readonly port: number | string };
  readonly grpc?: { readonly port: number };
};

/** Amounts by resource name, as written: `cpu: 500m`, `memory: 1Gi`, `pods: 3`. */
export type ResourceList = { readonly [resource: string]: string | number };

export type Container = {
  readonly name: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly ContainerPort[];
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: ResourceList; readonly limits?: ResourceList };
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
};

export type Toleration = {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
};
export type Taint = { readonly key: string; readonly value?: string; readonly effect: string };

export type PodSpec = {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly nodeName?: string;
  readonly nodeSelector?: Labels;
  readonly affinity?: unknown; // read by cluster/scheduler
  readonly topologySpreadConstraints?: unknown;
  readonly tolerations?: readonly Toleration[];
  readonly hostNetwork?: boolean;
  readonly hostname?: string;
  readonly subdomain?: string;
  readonly dnsPolicy?: string;
  readonly dnsConfig?: {
    readonly nameservers?: readonly string[];
    readonly searches?: readonly string[];
    readonly options?: readonly { readonly name: string; readonly value?: string }[];
  };
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[];
  readonly enableServiceLinks?: boolean;
  readonly restartPolicy?: string;
};

export type Condition = { readonly type: string; readonly status: string };

export type PodStatus = {
  readonly phase?: string;
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly hostIP?: string;
  readonly conditions?: readonly Condition[];
  readonly containerStatuses?: readonly {
    readonly name?: string;
    readonly ready?: boolean;
    readonly restartCount?: number;
    readonly state?: unknown;
  }[];
  readonly startTime?: string;
};
export type PodTemplate = { readonly metadata?: Partial<ObjectMeta>; readonly spec?: PodSpec };

export type Pod = Base<"Pod"> & { readonly spec?: PodSpec; readonly status?: PodStatus };
export type WorkloadKind = "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob";
/** Every kind that makes pods from a template. */
export type Workload = Base<WorkloadKind> & {
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: LabelSelector | Labels; // plain labels for a ReplicationController
    readonly template?: PodTemplate;
    readonly serviceName?: string;
    readonly ordinals?: { readonly start?: number };
    readonly completions?: number;
    readonly parallelism?: number;
    readonly completionMode?: string;
    readonly jobTemplate?: {
      readonly spec?: { readonly template?: PodTemplate; readonly completions?: number; readonly parallelism?: number };
    };
    readonly suspend?: boolean;
  };
  readonly status?: { readonly [field: string]: unknown };
};

export type ServicePort = {
  readonly name?: string;
  readonly protocol?: ApiProtocol;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly nodePort?: number;
  readonly appProtocol?: string;
};
export type ServiceType = "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
export type TrafficPolicy = "Cluster" | "Local";
export type IpFamilyName = "IPv4" | "IPv6";
export type LoadBalancerIngress = { readonly ip?: string; readonly hostname?: string; readonly ipMode?: "VIP" | "Proxy" };
export type ServiceSpec = {
  readonly type?: ServiceType;
  readonly selector?: Labels;
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly ipFamilies?: readonly IpFamilyName[];
  readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack";
  readonly ports?: readonly ServicePort[];
  readonly externalIPs?: readonly string[];
  readonly externalName?: string;
  readonly externalTrafficPolicy?: TrafficPolicy;
  readonly internalTrafficPolicy?: TrafficPolicy;
  readonly sessionAffinity?: "None" | "ClientIP";
  readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } };
  readonly loadBalancerIP?: string;
  readonly loadBalancerClass?: string;
  readonly loadBalancerSourceRanges?: readonly string[];
  readonly allocateLoadBalancerNodePorts?: boolean;
  readonly healthCheckNodePort?: number;
  readonly publishNotReadyAddresses?: boolean;
  readonly trafficDistribution?: string;
};
export type Service = Base<"Service"> & {
  readonly spec?: ServiceSpec;
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerIngress[] } };
};

export type EndpointAddress = {
  readonly ip: string;
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
};
export type Endpoints = Base<"Endpoints"> & {
  readonly subsets?: readonly {
    readonly addresses?: readonly EndpointAddress[];
    readonly notReadyAddresses?: readonly EndpointAddress[];
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: ApiProtocol }[];
  }[];
};
export type SliceEndpoint = {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly hints?: { readonly forZones?: readonly { readonly name: string }[]; readonly forNodes?: readonly { readonly name: string }[] };
  readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
};
export type EndpointSlice = Base<"EndpointSlice"> & {
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly endpoints?: readonly SliceEndpoint[];
  readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: ApiProtocol }[];
};

/** A backend in today's form; the reader of `extensions/v1beta1` and `networking.k8s.io/v1beta1` rewrites theirs to it. */
export type IngressBackend = {
  readonly service?: { readonly name: string; readonly port?: { readonly number?: number; readonly name?: string } };
  readonly resource?: { readonly kind: string; readonly name: string };
};
export type IngressPath = {
  readonly path?: string;
  readonly pathType?: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly backend: IngressBackend;
};
export type Ingress = Base<"Ingress"> & {
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly defaultBackend?: IngressBackend;
    readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
    readonly rules?: readonly { readonly host?: string; readonly http?: { readonly paths?: readonly IngressPath[] } }[];
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerIngress[] } };
};
export type IngressClass = Base<"IngressClass"> & {
  readonly spec?: { readonly controller?: string; readonly parameters?: { readonly kind?: string; readonly name?: string } };
};
export type NetworkPolicyPort = { readonly protocol?: ApiProtocol; readonly port?: number | string; readonly endPort?: number };
export type NetworkPolicyPeer = {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
};
export type NetworkPolicy = Base<"NetworkPolicy"> & {
  readonly spec?: {
    readonly podSelector?: LabelSelector;
    readonly policyTypes?: readonly ("Ingress" | "Egress")[];
    readonly ingress?: readonly { readonly from?: readonly NetworkPolicyPeer[]; readonly ports?: readonly NetworkPolicyPort[] }[];
    readonly egress?: readonly { readonly to?: readonly NetworkPolicyPeer[]; readonly ports?: readonly NetworkPolicyPort[] }[];
  };
};
export type Namespace = Base<"Namespace"> & { readonly status?: { readonly phase?: string } };
export type Node = Base<"Node"> & {
  readonly spec?: {
    readonly podCIDR?: string;
    readonly podCIDRs?: readonly string[];
    readonly taints?: readonly Taint[];
    readonly unschedulable?: boolean;
  };
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly conditions?: readonly Condition[];
    readonly nodeInfo?: { readonly [field: string]: unknown };
    readonly allocatable?: ResourceList;
  };
};
export type ConfigMap = Base<"ConfigMap"> & { readonly data?: Labels };
export type ScopeExpression = { readonly scopeName: string; readonly operator: string; readonly values?: readonly string[] };
export type ResourceQuota = Base<"ResourceQuota"> & {
  readonly spec?: {
    readonly hard?: ResourceList;
    readonly scopes?: readonly string[];
    readonly scopeSelector?: { readonly matchExpressions?: readonly ScopeExpression[] };
  };
  readonly status?: { readonly hard?: ResourceList; readonly used?: ResourceList };
};
export type LimitRangeItem = {
  readonly type: string; // Container, Pod, PersistentVolumeClaim
  readonly default?: ResourceList;
  readonly defaultRequest?: ResourceList;
  readonly min?: ResourceList;
  readonly max?: ResourceList;
  readonly maxLimitRequestRatio?: ResourceList;
};
export type LimitRange = Base<"LimitRange"> & { readonly spec?: { readonly limits?: readonly LimitRangeItem[] } };

export type ApiObject =
  | Pod
  | Workload
  | Service
  | Endpoints
  | EndpointSlice
  | Ingress
  | IngressClass
  | NetworkPolicy
  | Namespace
  | Node
  | ConfigMap
  | ResourceQuota
  | LimitRange;
export type ApiKind = ApiObject["kind"];
export type ObjectOf<K extends ApiKind> = Extract<ApiObject, { readonly kind: K }>;

/** Who an object is, without its content: what a cause, a step and an event point to. */
export type ObjectRef = { readonly kind: string; readonly namespace?: string; readonly name: string };
