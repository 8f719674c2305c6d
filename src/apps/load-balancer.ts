/**
 * An outside load balancer that ends connections and opens its own: haproxy in TCP mode, a cloud's proxying balancer. Every
 * connection goes to one of the targets, evenly; a failed one is not tried elsewhere. Not modelled: HTTP rules, stickiness,
 * PROXY protocol, least-connections.
 */
import type { Cluster } from "../cluster/cluster.ts";
import { familyOf } from "../net/address.ts";
import type { CauseTable } from "../objects/cause.ts";
import type { ProcessForward, ProcessRequest } from "./process.ts";

/** What the balancer on that machine does with a connection; undefined when it is none of its fronts'. */
export function balanceConnection(cluster: Cluster, request: ProcessRequest, causes: CauseTable): ProcessForward | undefined {
  const { owner, ip, port, protocol } = request;
  if (!owner.startsWith("host/")) return undefined;
  const balancers = (cluster.loadBalancers ?? []).filter(({ machine, proxy }) => proxy && owner === `host/${machine}`);
  for (const balancer of balancers) {
    const front = balancer.fronts.find((one) => one.ip === ip && one.port === port && one.protocol.toLowerCase() === protocol);
    if (!front) continue;
    const { service, targets, origin = balancer.origin, leftOut } = front;
    const shown = service ? `${service.namespace}/${service.name}` : balancer.name;
    const bind = balancer.proxy?.sources.find((source) => familyOf(source) === familyOf(targets[0]?.ip ?? ip));
    return {
      kind: "forward",
      process: balancer.name,
      upstreams: targets.map((target) => ({ ...target, name: target.name })),
      service: shown,
      rule: `${shown} port ${port} -> ${targets.length} ${targets.length === 1 ? "target" : "targets"}${leftOut === "" ? "" : ` (${leftOut})`}`,
      cause: causes.add({
        role: "load-balancer-ip",
        object: service ? { kind: "Service", ...service } : { kind: "LoadBalancer", name: balancer.name },
        ...(origin ? { source: origin.source, field: origin.field } : {}),
      }),
      tries: 1,
      layer: "transport",
      protocol,
      ...(bind === undefined ? {} : { bind }),
      ...(balancer.probes && protocol === "tcp" ? { healthCheck: true } : {}),
      ...(leftOut === "" ? {} : { leftOut }),
    };
  }
  return undefined;
}
