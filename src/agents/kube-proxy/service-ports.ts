/**
 * The service ports that kube-proxy works on, of one address family: pkg/proxy/serviceport.go (newBaseServiceInfo) and
 * servicechangetracker.go. Headless, ExternalName and labelled services are none of its business.
 */
import type { Cluster, ClusterService, ClusterServicePort } from "../../cluster/cluster.ts";
import { type Cidr, type Family, familyOf, type Ip } from "../../net/address.ts";
import type { Labels, TrafficPolicy } from "../../objects/api.ts";
import { servicePortText } from "./names.ts";

/** A value with its index in the Service's own list, for its place in the file. */
export type Listed<T> = { readonly value: T; readonly index: number };

export type ServicePort = {
  readonly service: ClusterService;
  readonly port: ClusterServicePort;
  readonly family: Family;
  readonly text: string; // "default/tomcat6:http"
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly clusterIP: Ip;
  readonly externalIPs: readonly Listed<Ip>[];
  /** Load-balancer addresses that the node itself captures: ipMode VIP. */
  readonly vips: readonly Listed<Ip>[];
  readonly sourceRanges: readonly Listed<Cidr>[];
  readonly nodePort: number | undefined;
  readonly healthCheckNodePort: number | undefined;
  readonly externalPolicyLocal: boolean;
  readonly internalPolicyLocal: boolean;
  readonly isExternallyAccessible: boolean;
  readonly affinitySeconds: number | undefined;
};

/** All service ports of one family, ordered by namespace, name and port index (kube-proxy itself walks a hash map). */
export function servicePorts(cluster: Cluster, family: Family): readonly ServicePort[] {
  return cluster.services.filter((service) => !isIgnored(service.labels)).flatMap((service) => portsOf(cluster, service, family));
}

/** Both informers leave out what another proxy owns, and what is labelled headless, whatever the value. */
export const isIgnored = (labels: Labels): boolean =>
  Object.hasOwn(labels, "service.kubernetes.io/service-proxy-name") || Object.hasOwn(labels, "service.kubernetes.io/headless");

const LOWER = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;

function portsOf(cluster: Cluster, service: ClusterService, family: Family): ServicePort[] {
  const clusterIP = service.type === "ExternalName" ? undefined : service.clusterIPs.find((ip) => ip !== "None" && familyOf(ip) === family);
  if (clusterIP === undefined) return [];
  const externalIPs = listed(service.externalIPs, (ip) => (familyOf(ip) === family ? ip : undefined));
  const vips = listed(service.loadBalancerIngress, ({ ip, ipMode }) =>
    ip !== undefined && ipMode !== "Proxy" && familyOf(ip) === family ? ip : undefined,
  );
  const sourceRanges = listed(service.loadBalancerSourceRanges, (range) => (familyOf(range.ip) === family ? range : undefined));
  const externalPolicyLocal = isLocal(service.externalTrafficPolicy) && isExternal(service);
  const healthCheckNodePort = service.type === "LoadBalancer" && externalPolicyLocal ? service.healthCheckNodePort || undefined : undefined;
  return service.ports.map((port) => ({
    service,
    port,
    family,
    text: servicePortText(cluster.version, service.namespace, service.name, port.name),
    protocol: LOWER[port.protocol],
    clusterIP,
    externalIPs,
    vips,
    sourceRanges,
    nodePort: port.nodePort || undefined,
    healthCheckNodePort,
    externalPolicyLocal,
    internalPolicyLocal: isLocal(service.internalTrafficPolicy),
    isExternallyAccessible: Boolean(port.nodePort) || vips.length > 0 || externalIPs.length > 0,
    affinitySeconds: service.sessionAffinity === "ClientIP" ? service.affinityTimeoutSeconds : undefined,
  }));
}

/** What `pick` takes of a list, with each one's index in it. Most lists are empty, and there are many of them. */
function listed<T, U>(values: readonly T[], pick: (value: T) => U | undefined): readonly Listed<U>[] {
  if (values.length === 0) return [];
  return values.flatMap((one, index) => {
    const value = pick(one);
    return value === undefined ? [] : [{ value, index }];
  });
}

const isLocal = (policy: TrafficPolicy | undefined): boolean => policy === "Local";

/** Whether externalTrafficPolicy means anything (pkg/api/v1/service/util.go, ExternallyAccessible). */
const isExternal = (service: ClusterService): boolean =>
  service.type === "LoadBalancer" || service.type === "NodePort" || (service.type === "ClusterIP" && service.externalIPs.length > 0);
