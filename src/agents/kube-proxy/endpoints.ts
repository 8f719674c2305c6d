/**
 * Which endpoints a service port uses on one node, decided once for all modes: pkg/proxy/topology.go (CategorizeEndpoints)
 * and endpointslicecache.go. Endpoints come from EndpointSlices alone; a pod is never looked at.
 */
import type { Cluster, ClusterEndpoint, ClusterNode, ClusterSlice } from "../../cluster/cluster.ts";
import { familyOf, type Ip } from "../../net/address.ts";
import { endpointText, isAtLeast } from "./names.ts";
import { isIgnored, type ServicePort } from "./service-ports.ts";
import { createTopology, type Topology } from "./topology-hints.ts";

export type ProxyEndpoint = {
  readonly ip: Ip;
  readonly port: number;
  readonly text: string; // "10.244.1.11:8080"
  readonly isLocal: boolean;
  readonly slice: ClusterSlice;
  readonly endpoint: ClusterEndpoint;
};

export type EndpointDecision = {
  /** For traffic under policy Cluster, sorted by text. Empty when no traffic of this port is. */
  readonly cluster: readonly ProxyEndpoint[];
  /** For traffic under policy Local, sorted by text. Empty when no traffic of this port is. */
  readonly local: readonly ProxyEndpoint[];
  /** Both together, each once. */
  readonly reachable: readonly ProxyEndpoint[];
  readonly hasEndpoints: boolean; // anywhere
  readonly hasInternal: boolean; // for the cluster IP
  readonly hasExternal: boolean; // for node port, external and load-balancer addresses
};

export type EndpointDecider = {
  readonly decide: (port: ServicePort) => EndpointDecision;
  /** Every endpoint of the port in whatever condition, sorted by text. */
  readonly all: (port: ServicePort) => readonly ProxyEndpoint[];
};

/** Looks at a service's slices when it is first asked about it. */
export function createEndpointDecider(cluster: Cluster, machine: ClusterNode): EndpointDecider {
  const node = nodeNamed(cluster, machine);
  const context: Context = { topology: createTopology(cluster, node), usesTerminating: isAtLeast(cluster.version, 26) };
  const decided = new Map<ServicePort, EndpointDecision>();
  let slices: ReadonlyMap<string, readonly ClusterSlice[]> | undefined;
  const all = (port: ServicePort): readonly ProxyEndpoint[] => {
    slices ??= slicesByService(cluster.slices);
    return endpointsOf(slices.get(serviceKey(port.service.namespace, port.service.name)) ?? [], port, node.name);
  };
  const decide = (port: ServicePort): EndpointDecision => {
    const known = decided.get(port) ?? categorize(all(port), port, context);
    decided.set(port, known);
    return known;
  };
  return { decide, all };
}

/** The node that kube-proxy takes itself for. */
function nodeNamed(cluster: Cluster, machine: ClusterNode): ClusterNode {
  const name = cluster.kubeProxy.hostnameOverride;
  if (name === undefined) return machine;
  return cluster.nodes.find((node) => node.name === name) ?? { ...machine, name, labels: {} };
}

type Context = { readonly topology: Topology; readonly usesTerminating: boolean };

const serviceKey = (namespace: string, name: string): string => `${namespace}/${name}`;

function slicesByService(slices: readonly ClusterSlice[]): ReadonlyMap<string, readonly ClusterSlice[]> {
  const index = new Map<string, ClusterSlice[]>();
  for (const slice of slices) {
    if (isIgnored(slice.labels)) continue;
    const key = serviceKey(slice.namespace, slice.service);
    const siblings = index.get(key);
    if (siblings) siblings.push(slice);
    else index.set(key, [slice]);
  }
  return index;
}

/** Slice ports join by name and protocol; only the first address counts; the same address and port twice is one endpoint. */
function endpointsOf(slices: readonly ClusterSlice[], { port, family }: ServicePort, nodeName: string): readonly ProxyEndpoint[] {
  const byText = new Map<string, ProxyEndpoint>();
  for (const slice of slices) {
    for (const slicePort of slice.ports) {
      if (slicePort.name !== port.name || slicePort.protocol !== port.protocol) continue;
      for (const endpoint of slice.endpoints) {
        const ip = endpoint.addresses[0];
        if (ip === undefined || familyOf(ip) !== family) continue;
        const text = endpointText(ip, slicePort.port);
        if (!byText.has(text))
          byText.set(text, { ip, port: slicePort.port, text, isLocal: endpoint.nodeName === nodeName, slice, endpoint });
      }
    }
  }
  return [...byText.values()].sort(byEndpointText);
}

const byEndpointText = (a: ProxyEndpoint, b: ProxyEndpoint): number => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0);

function categorize(endpoints: readonly ProxyEndpoint[], port: ServicePort, { topology, usesTerminating }: Context): EndpointDecision {
  const usesCluster = !port.internalPolicyLocal || port.isExternallyAccessible;
  const usesLocal = port.internalPolicyLocal || (port.externalPolicyLocal && port.isExternallyAccessible);
  const ready = endpoints.filter(({ endpoint }) => endpoint.ready);
  const terminating = usesTerminating ? endpoints.filter(({ endpoint: e }) => !e.ready && e.serving && e.terminating) : [];
  const nearby = topology.filter(ready, port.service.annotations);
  const cluster = usesCluster ? firstNonEmpty(nearby, terminating) : [];
  const local = usesLocal ? firstNonEmpty(ready.filter(isOnNode), terminating.filter(isOnNode)) : [];
  const hasEndpoints = ready.length > 0 || terminating.length > 0;
  return {
    cluster,
    local,
    reachable: [...new Set([...cluster, ...local])].sort(byEndpointText),
    hasEndpoints,
    hasInternal: hasEndpoints && (!port.internalPolicyLocal || local.length > 0),
    hasExternal: hasEndpoints && (!port.externalPolicyLocal || local.length > 0),
  };
}

const isOnNode = (endpoint: ProxyEndpoint): boolean => endpoint.isLocal;
const firstNonEmpty = <T>(first: readonly T[], second: readonly T[]): readonly T[] => (first.length > 0 ? first : second);
