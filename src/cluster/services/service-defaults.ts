/**
 * What the API server fills into a Service before it allocates anything (pkg/apis/core/v1/defaults.go,
 * pkg/registry/core/service/storage/alloc.go), and what it drops because the type does not take it.
 */
import { familyOf, type Ip, parseCidr, parseIp } from "../../net/address.ts";
import type { IpFamilyName, Labels, Service, ServiceSpec, ServiceType } from "../../objects/api.ts";
import type { ClusterService, ClusterServicePort } from "../cluster.ts";

/** A Service with defaults, before cluster addresses and node ports. */
export type DraftService = Omit<ClusterService, "clusterIPs"> & { readonly asked: readonly (Ip | "None")[]; readonly object: Service };

const AFFINITY_TIMEOUT_SECONDS = 10800;

export function draftService(object: Service, families: readonly IpFamilyName[]): DraftService {
  const spec = object.spec ?? {};
  const type = spec.type ?? "ClusterIP";
  const selector = selectorOf(spec);
  const asked = type === "ExternalName" ? [] : askedAddresses(object);
  const externalIPs = readList(spec.externalIPs, parseIp);
  return {
    namespace: object.metadata.namespace ?? "default",
    name: object.metadata.name,
    labels: object.metadata.labels ?? {},
    annotations: object.metadata.annotations ?? {},
    type,
    ...(selector ? { selector } : {}),
    asked,
    ...familiesOf(spec, type, asked, families, selector === undefined),
    ports: portsOf(spec, type),
    externalIPs,
    ...(type === "ExternalName" && spec.externalName !== undefined ? { externalName: spec.externalName } : {}),
    ...policiesOf(spec, type, externalIPs.length > 0),
    sessionAffinity: spec.sessionAffinity ?? "None",
    affinityTimeoutSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_TIMEOUT_SECONDS,
    loadBalancerSourceRanges: type === "LoadBalancer" ? readList(spec.loadBalancerSourceRanges, (text) => parseCidr(text.trim())) : [],
    loadBalancerIngress: type === "LoadBalancer" ? (object.status?.loadBalancer?.ingress ?? []).map(withIpMode) : [],
    ...(type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: spec.allocateLoadBalancerNodePorts ?? true } : {}),
    publishNotReadyAddresses: spec.publishNotReadyAddresses ?? false,
    ...(spec.trafficDistribution === undefined ? {} : { trafficDistribution: spec.trafficDistribution }),
    origin: { source: object.source, field: [] },
    object,
  };
}

/** An empty selector is stored as none. */
function selectorOf(spec: ServiceSpec): Labels | undefined {
  return spec.selector && Object.keys(spec.selector).length > 0 ? spec.selector : undefined;
}

function askedAddresses(object: Service): (Ip | "None")[] {
  const { clusterIP, clusterIPs } = object.spec ?? {};
  const written = clusterIPs?.length ? clusterIPs : clusterIP ? [clusterIP] : [];
  return written.flatMap((text) => (text === "None" ? [text] : (parseIp(text) ?? [])));
}

/** The cluster's first family, unless addresses or families are asked for; a headless Service without selector takes both. */
function familiesOf(
  spec: ServiceSpec,
  type: ServiceType,
  asked: readonly (Ip | "None")[],
  cluster: readonly IpFamilyName[],
  selectorless: boolean,
): Pick<ClusterService, "ipFamilies" | "ipFamilyPolicy"> {
  if (type === "ExternalName") return { ipFamilies: [] };
  const addresses = asked.flatMap((each) => (each === "None" ? [] : [familyName(each)]));
  const wanted = [...new Set([...(spec.ipFamilies ?? []), ...addresses])];
  const headlessManual = asked[0] === "None" && selectorless && spec.ipFamilyPolicy === undefined && wanted.length === 0;
  const policy = spec.ipFamilyPolicy ?? (wanted.length > 1 || (headlessManual && cluster.length > 1) ? "RequireDualStack" : "SingleStack");
  const first = wanted[0] ?? cluster[0] ?? "IPv4";
  const both = [first, ...[...wanted, ...cluster].filter((family) => family !== first)];
  const count = policy === "SingleStack" ? Math.max(1, wanted.length) : Math.max(wanted.length, headlessManual ? 2 : cluster.length);
  return { ipFamilies: [...new Set(both)].slice(0, count), ipFamilyPolicy: policy };
}

export const familyName = (ip: Ip): IpFamilyName => (familyOf(ip) === 4 ? "IPv4" : "IPv6");

/** targetPort defaults to port; a nodePort is kept only by types that have node ports. */
function portsOf(spec: ServiceSpec, type: ServiceType): ClusterServicePort[] {
  const takesNodePorts = type === "NodePort" || type === "LoadBalancer";
  return (spec.ports ?? []).flatMap((each, index): ClusterServicePort[] => {
    if (!Number.isInteger(each.port)) return [];
    const nodePort = takesNodePorts && each.nodePort ? { nodePort: each.nodePort } : {};
    return [
      {
        index,
        name: each.name ?? "",
        protocol: each.protocol ?? "TCP",
        port: each.port,
        targetPort: each.targetPort || each.port,
        ...nodePort,
      },
    ];
  });
}

/** externalTrafficPolicy exists only where traffic from outside does: node ports, balancers, external IPs. */
function policiesOf(
  spec: ServiceSpec,
  type: ServiceType,
  hasExternalIPs: boolean,
): Pick<ClusterService, "externalTrafficPolicy" | "internalTrafficPolicy"> {
  if (type === "ExternalName") return {};
  const fromOutside = type !== "ClusterIP" || hasExternalIPs;
  return {
    ...(fromOutside ? { externalTrafficPolicy: spec.externalTrafficPolicy ?? "Cluster" } : {}),
    internalTrafficPolicy: spec.internalTrafficPolicy ?? "Cluster",
  };
}

const withIpMode = (ingress: ClusterService["loadBalancerIngress"][number]) =>
  ingress.ip === undefined ? ingress : { ...ingress, ipMode: ingress.ipMode ?? ("VIP" as const) };

const readList = <T>(texts: readonly string[] = [], read: (text: string) => T | undefined): T[] =>
  texts.flatMap((text) => read(text) ?? []);
