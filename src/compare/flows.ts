/**
 * The flows that a comparison asks when none is given: every Service port at each of its entrances, from a pod, from one of its
 * own pods, from nodes with and without a pod of it, and from outside; and what no Service has: a wrong port, a free address.
 */
import type { Cluster, ClusterPod, ClusterService } from "../cluster/cluster.ts";
import { cidrSize, familyOf, type Ip, nthAddress } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";
import { endpointPods, isRunning, podName } from "./who.ts";

export type Flow = {
  readonly from: string; // SOURCE
  readonly host: string;
  readonly port?: number; // absent for a ping
  readonly protocol: Protocol;
  readonly about: string; // "default/tomcat6:80 cluster IP"
};

/** The grid. `from` narrows it to one source. */
export function gridOf(cluster: Cluster, from?: string): Flow[] {
  const flows = cluster.services.flatMap((service) => {
    const sources = from === undefined ? sourcesFor(cluster, service) : [from];
    return entrancesOf(cluster, service).flatMap((entrance) => sources.map((source) => ({ from: source, ...entrance })));
  });
  const strangers = from === undefined ? generalSources(cluster) : [from];
  const free = unallocated(cluster).flatMap((host) =>
    strangers.map((source) => ({ from: source, host, port: 80, protocol: "tcp" as const, about: "an address of no Service" })),
  );
  return withoutRepeats([...flows, ...free]);
}

type Entrance = Omit<Flow, "from">;

function withoutRepeats(flows: readonly Flow[]): Flow[] {
  const seen = new Set<string>();
  return flows.filter(({ from, host, port, protocol }) => {
    const key = `${from} ${host} ${port} ${protocol}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const podSource = (pod: ClusterPod): string => `pod/${podName(pod)}`;

/** A pod, a node and the first outside host. */
function generalSources(cluster: Cluster): string[] {
  const pod = cluster.pods.find((each) => isRunning(each) && !each.hostNetwork);
  const [node] = cluster.nodes;
  const [host] = cluster.hosts;
  return [...(pod ? [podSource(pod)] : []), ...(node ? [`node/${node.name}`] : []), ...(host ? [`host/${host.name}`] : [])];
}

function sourcesFor(cluster: Cluster, service: ClusterService): string[] {
  const endpoints = endpointPods(cluster, service);
  const networked = cluster.pods.filter((pod) => isRunning(pod) && !pod.hostNetwork);
  const other = networked.find((pod) => !endpoints.has(podName(pod)));
  const own = networked.find((pod) => endpoints.has(podName(pod)));
  const hosting = new Set(networked.filter((pod) => endpoints.has(podName(pod))).map((pod) => pod.node));
  const near = cluster.nodes.find((node) => hosting.has(node.name));
  const far = cluster.nodes.find((node) => !hosting.has(node.name));
  const [host] = cluster.hosts;
  return [
    ...[other, own].flatMap((pod) => (pod ? [podSource(pod)] : [])),
    ...[near, far].flatMap((node) => (node ? [`node/${node.name}`] : [])),
    ...(host ? [`host/${host.name}`] : []),
  ];
}

function entrancesOf(cluster: Cluster, service: ClusterService): Entrance[] {
  const name = `${service.namespace}/${service.name}`;
  const clusterIPs = service.clusterIPs.filter((ip) => ip !== "None");
  const vips = service.loadBalancerIngress.flatMap(({ ip }) => ip ?? []);
  const ofPorts = service.ports.flatMap((port) => {
    const protocol = transportOf(port.protocol);
    const at = (host: Ip, number: number, what: string): Entrance => ({
      host,
      port: number,
      protocol,
      about: `${name}:${port.port} ${what}`,
    });
    const { nodePort } = port;
    return [
      ...clusterIPs.map((ip) => at(ip, port.port, "cluster IP")),
      ...service.externalIPs.map((ip) => at(ip, port.port, "external IP")),
      ...vips.map((ip) => at(ip, port.port, "load balancer IP")),
      ...(nodePort === undefined ? [] : nodeAddresses(cluster, service).map((ip) => at(ip, nodePort, "node port"))),
    ];
  });
  const wrong = unusedPort(service);
  return [
    ...ofPorts,
    ...clusterIPs.map((host): Entrance => ({ host, port: wrong, protocol: "tcp", about: `${name} a port it does not have` })),
    ...clusterIPs.map((host): Entrance => ({ host, protocol: familyOf(host) === 4 ? "icmp" : "icmpv6", about: `${name} ping` })),
  ];
}

const transportOf = (protocol: "TCP" | "UDP" | "SCTP"): Protocol => (protocol === "TCP" ? "tcp" : protocol === "UDP" ? "udp" : "sctp");

function unusedPort({ ports }: ClusterService): number {
  const taken = new Set(ports.map(({ port }) => port));
  let port = 81;
  while (taken.has(port)) port += 1;
  return port;
}

/** Every address of a node with a pod of the Service and of one without; and loopback. */
function nodeAddresses(cluster: Cluster, service: ClusterService): Ip[] {
  const endpoints = endpointPods(cluster, service);
  const hosting = new Set(cluster.pods.filter((pod) => endpoints.has(podName(pod))).map((pod) => pod.node));
  const picked = [cluster.nodes.find(({ name }) => hosting.has(name)), cluster.nodes.find(({ name }) => !hosting.has(name))];
  const families = new Set(service.ipFamilies);
  const own = picked.flatMap((node) => node?.interfaces.flatMap((each) => (each.up ? each.addresses.map(({ ip }) => ip) : [])) ?? []);
  const loopback = ["127.0.0.1", "::1"];
  return [...new Set([...own, ...loopback])].filter((ip) => families.has(familyOf(ip) === 4 ? "IPv4" : "IPv6"));
}

/** The last address that a Service could have and none has, of each range. */
function unallocated(cluster: Cluster): Ip[] {
  const taken = new Set<string>(cluster.services.flatMap(({ clusterIPs }) => clusterIPs));
  return cluster.serviceCIDRs.flatMap((cidr) => {
    for (let n = cidrSize(cidr) - 2n; n > 0n && n > cidrSize(cidr) - 1000n; n--) {
      const ip = nthAddress(cidr, n);
      if (!taken.has(ip)) return [ip];
    }
    return [];
  });
}
