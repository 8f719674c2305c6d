/**
 * Which Service a connection asked, and how: read from the address and port that its first packet was sent to, as every
 * mode of kube-proxy recognises it. And what stands behind that Service.
 */
import type { Cluster, ClusterNode, ClusterPod, ClusterService, ClusterServicePort } from "../cluster/cluster.ts";
import type { Ip } from "../net/address.ts";
import type { Port } from "../net/packet.ts";
import { matchesLabels } from "../objects/selector.ts";
import type { Leg } from "../trace/trace.ts";

export type Entrance = {
  readonly service: ClusterService;
  readonly port: ClusterServicePort;
  readonly how: "cluster-ip" | "node-port" | "external-ip" | "load-balancer-ip";
};
/** Where a connection's first packet was sent to. */
export type Target = { readonly ip: Ip; readonly port: number; readonly protocol: string };

/** Undefined for a ping, and when there is no address. */
export function targetOf(leg: Leg): Target | undefined {
  const first = leg.hops[0]?.packetIn;
  const ip = first?.dst ?? leg.to.ip;
  const port: Port | undefined = leg.to.port ?? first?.dport;
  const protocol = leg.to.protocol;
  return ip === undefined || typeof port !== "number" || protocol.startsWith("icmp") ? undefined : { ip, port, protocol };
}

/** The Service port that takes packets to this address and port. */
export function entranceOf(cluster: Cluster, { ip, port, protocol }: Target): Entrance | undefined {
  const isNode = nodeOf(cluster, ip) !== undefined;
  for (const service of cluster.services) {
    const how = addressKind(service, ip);
    const found = service.ports.find(
      (each) => each.protocol.toLowerCase() === protocol && (how === undefined ? isNode && each.nodePort === port : each.port === port),
    );
    if (found) return { service, port: found, how: how ?? "node-port" };
  }
  return undefined;
}

/** Whether an address is one of the Service's own. */
export function addressKind(service: ClusterService, ip: Ip): Exclude<Entrance["how"], "node-port"> | undefined {
  if (service.clusterIPs.includes(ip)) return "cluster-ip";
  if (service.externalIPs.includes(ip)) return "external-ip";
  return service.loadBalancerIngress.some((each) => each.ip === ip) ? "load-balancer-ip" : undefined;
}

/** The node that has an address. */
export const nodeOf = (cluster: Cluster, ip: Ip): ClusterNode | undefined =>
  cluster.nodes.find((node) => node.internalIPs.includes(ip) || node.interfaces.some((each) => each.addresses.some((a) => a.ip === ip)));

export const podAt = (cluster: Cluster, ip: Ip): ClusterPod | undefined =>
  cluster.pods.find((pod) => !pod.hostNetwork && pod.ips.includes(ip));

/** The pods that a Service's selector picks, in whatever condition. */
export const selectedPods = (cluster: Cluster, service: ClusterService): readonly ClusterPod[] =>
  service.selector === undefined
    ? []
    : cluster.pods.filter((pod) => pod.namespace === service.namespace && matchesLabels(service.selector ?? {}, pod.labels));

export type Backend = { readonly ip: Ip; readonly port: number; readonly node?: string };

/** The ready endpoints of one port of a Service, from its EndpointSlices. */
export function backendsOf(cluster: Cluster, service: ClusterService, port: ClusterServicePort): readonly Backend[] {
  const slices = cluster.slices.filter((each) => each.namespace === service.namespace && each.service === service.name);
  return slices.flatMap((slice) => {
    const found = slice.ports.find((each) => each.name === port.name && each.protocol === port.protocol);
    if (!found) return [];
    return slice.endpoints.flatMap(({ addresses: [ip], ready, nodeName }) =>
      ready && ip !== undefined ? [{ ip, port: found.port, ...(nodeName === undefined ? {} : { node: nodeName }) }] : [],
    );
  });
}

export const nameOf = (object: { readonly namespace: string; readonly name: string }): string => `${object.namespace}/${object.name}`;

/** `a, b and 3 more`: never a page of names. */
export function listed(names: readonly string[], most = 4, last = "and"): string {
  const shown = names.slice(0, most);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${rest} more`;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} ${last} ${shown.at(-1)}`;
}
