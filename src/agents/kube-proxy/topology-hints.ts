/**
 * Whether the hints of the EndpointSlices narrow a service's endpoints to this node's zone (or this node itself):
 * pkg/proxy/topology.go (canUseTopology, availableForTopology). KEP-2433, KEP-4444, KEP-3015.
 */
import type { Cluster, ClusterNode } from "../../cluster/cluster.ts";
import type { Labels } from "../../objects/api.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import { isAtLeast } from "./names.ts";

export type Topology = {
  /** The ready endpoints that this node should use; all of them when hints do not apply. */
  readonly filter: (ready: readonly ProxyEndpoint[], annotations: Labels) => readonly ProxyEndpoint[];
};

/** With ServiceTrafficDistribution (on from 1.31) hints alone decide; PreferSameNode hints are read from 1.34. */
export function createTopology(cluster: Cluster, node: ClusterNode): Topology {
  const gates = cluster.kubeProxy.featureGates ?? {};
  const hintsAlone = gateOf(gates, "ServiceTrafficDistribution") ?? isAtLeast(cluster.version, 31);
  const nodeHints = gateOf(gates, "PreferSameTrafficDistribution") ?? isAtLeast(cluster.version, 34);
  const zone = Object.hasOwn(node.labels, ZONE) ? node.labels[ZONE] : undefined;
  return {
    filter: (ready, annotations) => {
      if (ready.length === 0 || !(hintsAlone || isAsked(annotations))) return ready;
      const sameNode = nodeHints ? hinted(ready, ({ endpoint }) => endpoint.forNodes, node.name) : undefined;
      return sameNode ?? (zone ? hinted(ready, ({ endpoint }) => endpoint.forZones, zone) : undefined) ?? ready;
    },
  };
}

const ZONE = "topology.kubernetes.io/zone";

const gateOf = (gates: Readonly<Record<string, boolean>>, name: string): boolean | undefined =>
  Object.hasOwn(gates, name) ? gates[name] : undefined;

/** The older of the two annotations wins. */
function isAsked(annotations: Labels): boolean {
  const name = ["service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"].find((key) =>
    Object.hasOwn(annotations, key),
  );
  const value = name === undefined ? undefined : annotations[name];
  return value !== undefined && value !== "" && value !== "disabled" && value !== "Disabled";
}

/** Hints count only when every ready endpoint has some and at least one names this place. */
function hinted(
  ready: readonly ProxyEndpoint[],
  hintsOf: (endpoint: ProxyEndpoint) => readonly string[] | undefined,
  place: string,
): readonly ProxyEndpoint[] | undefined {
  if (ready.some((endpoint) => (hintsOf(endpoint) ?? []).length === 0)) return undefined;
  const here = ready.filter((endpoint) => hintsOf(endpoint)?.includes(place));
  return here.length > 0 ? here : undefined;
}
