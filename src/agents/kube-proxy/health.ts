/**
 * What healthCheckNodePort answers on one node: pkg/proxy/healthcheck/service_health.go. Any path; 200 with at least one
 * local ready endpoint, else 503. Endpoints that terminate do not count, although traffic still goes to them.
 */
import type { Cluster, ClusterNode, ClusterService } from "../../cluster/cluster.ts";
import type { Family } from "../../net/address.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { createEndpointDecider, type ProxyEndpoint } from "./endpoints.ts";
import { isAtLeast } from "./names.ts";
import { servicePorts } from "./service-ports.ts";

export type HealthCheck = {
  readonly service: ClusterService;
  readonly family: Family;
  readonly port: number;
  readonly localEndpoints: number; // distinct addresses of ready pods on the node
  readonly status: 200 | 503;
};

/** The health check ports that kube-proxy listens on: one a Service and family, for each family has a proxier of its own. */
export function healthChecks(cluster: Cluster, node: ClusterNode): readonly HealthCheck[] {
  const endpoints = createEndpointDecider(cluster, node);
  return ([4, 6] as const).flatMap((family) => {
    const byService = new Map<ClusterService, ProxyEndpoint[]>();
    for (const port of servicePorts(cluster, family)) {
      if (port.healthCheckNodePort === undefined) continue;
      byService.set(port.service, [...(byService.get(port.service) ?? []), ...endpoints.all(port)]);
    }
    return [...byService].map(([service, all]) => {
      const { size } = new Set(all.filter(({ isLocal, endpoint }) => isLocal && endpoint.ready).map(({ ip }) => ip));
      return { service, family, port: service.healthCheckNodePort ?? 0, localEndpoints: size, status: size > 0 ? 200 : 503 } as const;
    });
  });
}

/** The health check ports that kube-proxy answers on a node, by the node's name: those of Services, and its own. */
export function healthPortLookup(cluster: Cluster, causes: CauseTable) {
  const nodes = new Map(cluster.nodes.map((node) => [node.name, node]));
  return (owner: string) => {
    const node = owner.startsWith("node/") ? nodes.get(owner.slice("node/".length)) : undefined;
    if (!node || cluster.kubeProxy.mode === "none") return [];
    const draining = node.taints.some(({ key }) => key === "ToBeDeletedByClusterAutoscaler") && isAtLeast(cluster.version, 30);
    return [
      ...healthChecks(cluster, node).map(({ service, port, localEndpoints, status }) => {
        const { namespace, name, origin } = service;
        const at = origin && { source: origin.source, field: [...origin.field, "spec", "healthCheckNodePort"] };
        const cause = causes.add({ role: "listen", object: { kind: "Service", namespace, name }, ...at, note: "health check node port" });
        return { kind: "service" as const, port, namespace, name, localEndpoints, status, cause };
      }),
      { kind: "proxy" as const, port: HEALTHZ_PORT, draining },
    ];
  };
}

/** pkg/cluster/ports: ProxyHealthzPort. */
const HEALTHZ_PORT = 10256;
