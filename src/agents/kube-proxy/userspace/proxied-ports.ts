/**
 * kube-proxy's own listening ports in userspace mode, one a service port: pkg/proxy/userspace of 1.20 (proxier.go,
 * proxysocket.go, roundrobin.go). The real one lets the kernel draw them; here they are counted from the start of the
 * ephemeral range. Traffic policies, source ranges and topology mean nothing to it. One address family: that of the node.
 */
import type { Cluster, ClusterNode } from "../../../cluster/cluster.ts";
import type { ListeningSocket } from "../../../linux/netns.ts";
import { type Family, familyOf, type Ip } from "../../../net/address.ts";
import type { CauseId } from "../../../net/cause.ts";
import type { Port, Protocol } from "../../../net/packet.ts";
import type { CauseTable } from "../../../objects/cause.ts";
import { machineNetns } from "../../machine.ts";
import { createEndpointDecider, type EndpointDecider } from "../endpoints.ts";
import { portField, serviceCause } from "../iptables/context.ts";
import { once } from "../iptables/dispatch.ts";
import { type ServicePort, servicePorts } from "../service-ports.ts";

/** net.ipv4.ip_local_port_range begins here. Node ports end one below. */
const FIRST_PROXY_PORT = 32768;
const PORTS_UP_TO_61000 = 61000 - FIRST_PROXY_PORT;

export const proxiedFamily = (node: ClusterNode): Family => familyOf(node.internalIPs[0] ?? "0.0.0.0");

/** What the proxier carries: TCP and UDP. An SCTP port gets "unknown protocol" and nothing else. */
export const proxiedPorts = (cluster: Cluster, family: Family): readonly ServicePort[] =>
  servicePorts(cluster, family).filter(({ protocol }) => protocol !== "sctp");

export const proxyPortAt = (index: number): number => FIRST_PROXY_PORT + (index % PORTS_UP_TO_61000);

/** The sockets behind the portal rules, on all addresses. */
export function proxySockets(cluster: Cluster, node: ClusterNode, causes: CauseTable): ListeningSocket[] {
  return proxiedPorts(cluster, proxiedFamily(node)).map((port, index) => ({
    protocol: port.protocol,
    ip: "*",
    port: proxyPortAt(index),
    process: "kube-proxy",
    owner: machineNetns(node),
    cause: serviceCause({ causes }, port, "listen", portField(port, "port"), `kube-proxy's own port for ${port.text}, drawn at random`),
  }));
}

/** Whom kube-proxy connects to for what it took on one of its own ports. */
export type ProxiedPort = {
  readonly service: string;
  readonly endpoints: readonly { readonly ip: Ip; readonly port: number }[];
  readonly cause: CauseId;
  readonly hasAffinity: boolean; // sessionAffinity ClientIP
};

/** Looks up a port of a node's kube-proxy. Undefined where the cluster's kube-proxy is in another mode. */
export function proxiedPortLookup(
  cluster: Cluster,
  causes: CauseTable,
): (nodeName: string, protocol: Protocol, port: Port) => ProxiedPort | undefined {
  if (cluster.kubeProxy.mode !== "userspace") return () => undefined;
  const nodes = new Map(cluster.nodes.map((node) => [node.name, once(() => portsOfNode(cluster, node, causes))]));
  return (nodeName, protocol, port) => nodes.get(nodeName)?.().get(`${protocol} ${port}`)?.();
}

function portsOfNode(cluster: Cluster, node: ClusterNode, causes: CauseTable): ReadonlyMap<string, () => ProxiedPort> {
  const endpoints = createEndpointDecider(cluster, node);
  return new Map(
    proxiedPorts(cluster, proxiedFamily(node)).map((port, index) => [
      `${port.protocol} ${proxyPortAt(index)}`,
      once(() => proxiedPort(port, endpoints, causes)),
    ]),
  );
}

/** LoadBalancerRR: every ready endpoint in turn, from a shuffled list. */
function proxiedPort(port: ServicePort, endpoints: EndpointDecider, causes: CauseTable): ProxiedPort {
  const ready = endpoints.all(port).filter(({ endpoint }) => endpoint.ready);
  return {
    service: port.text.replace(/:$/, ""),
    endpoints: ready.map((endpoint) => ({ ip: endpoint.ip, port: endpoint.port })),
    cause: serviceCause({ causes }, port, "endpoint", ["spec", "selector"]),
    hasAffinity: port.affinitySeconds !== undefined,
  };
}
