/** What the writers of ipvs mode share on one node, for one address family. */
import type { Cluster, ClusterNode } from "../../../cluster/cluster.ts";
import type { Match } from "../../../linux/netfilter/rule.ts";
import { type Family, familyOf, type Ip, isLoopback } from "../../../net/address.ts";
import type { CauseId } from "../../../net/cause.ts";
import type { CauseTable } from "../../../objects/cause.ts";
import type { EndpointDecider } from "../endpoints.ts";
import { once } from "../iptables/dispatch.ts";
import { localTraffic, nodePortAddresses } from "../node-addresses.ts";
import { type ServicePort, servicePorts } from "../service-ports.ts";

export type IpvsContext = {
  readonly family: Family;
  readonly cluster: Cluster;
  readonly node: ClusterNode;
  readonly causes: CauseTable;
  readonly fixedCause: CauseId;
  readonly endpoints: EndpointDecider;
  readonly ports: () => readonly ServicePort[];
  /** The node's own addresses, those of CNI devices too, loopback not. */
  readonly ownAddresses: ReadonlySet<Ip>;
  /** Where node ports have virtual servers: all own addresses, or those that nodePortAddresses names. Never loopback. */
  readonly nodePortAddresses: readonly Ip[];
  readonly localTraffic: Match | undefined;
  readonly masqueradeAll: boolean;
  readonly mark: number;
  readonly scheduler: string;
};

export function ipvsContext(
  cluster: Cluster,
  node: ClusterNode,
  causes: CauseTable,
  family: Family,
  endpoints: EndpointDecider,
  localAddresses: readonly Ip[],
): IpvsContext {
  const listed = nodePortAddresses(cluster, node, family, localAddresses);
  const own = [...node.interfaces.flatMap((each) => each.addresses.map(({ ip }) => ip)), ...localAddresses];
  const ownAddresses = new Set(own.filter((ip) => familyOf(ip) === family && !isLoopback(ip)));
  return {
    family,
    cluster,
    node,
    causes,
    fixedCause: causes.add({ role: "kube-proxy" }),
    endpoints,
    ports: once(() => servicePorts(cluster, family)),
    ownAddresses,
    nodePortAddresses: listed.matchAll ? [...ownAddresses] : listed.addresses.filter((ip) => !isLoopback(ip)),
    localTraffic: localTraffic(cluster, node, family),
    masqueradeAll: cluster.kubeProxy.iptables?.masqueradeAll ?? false,
    mark: 2 ** (cluster.kubeProxy.iptables?.masqueradeBit ?? 14),
    scheduler: cluster.kubeProxy.ipvs?.scheduler || "rr",
  };
}

/** Addresses that kube-ipvs0 holds: all that Services answer on, but for those that another device of the node has. */
export const boundAddresses = ({ ports, ownAddresses }: IpvsContext): readonly Ip[] =>
  [...new Set(ports().flatMap(serviceAddresses))].filter((ip) => !ownAddresses.has(ip));

/** The addresses of a service port in the order in which kube-proxy binds them. */
export const serviceAddresses = ({ clusterIP, externalIPs, vips }: ServicePort): readonly Ip[] => [
  clusterIP,
  ...externalIPs.map(({ value }) => value),
  ...vips.map(({ value }) => value),
];
