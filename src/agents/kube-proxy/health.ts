/**
 * What healthCheckNodePort answers on one node: pkg/proxy/healthcheck/service_health.go. Any path; 200 with at least one
 * local ready endpoint, else 503. Endpoints that terminate do not count, although traffic still goes to them.
 */
import type { Cluster, ClusterNode, ClusterService } from "../../cluster/cluster.ts";
import type { Family } from "../../net/address.ts";
import { createEndpointDecider, type ProxyEndpoint } from "./endpoints.ts";
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
