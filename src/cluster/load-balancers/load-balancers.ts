/**
 * The load balancers outside the cluster, as their providers would have set them up once every controller had finished: which
 * machine each is, on which addresses and ports it takes traffic, and where it sends that.
 */
import type { ClusterNode, LoadBalancer, OutsideHost } from "../cluster.ts";
import type { Notes } from "../notes.ts";
import type { BalancerDraft } from "./balancers.ts";
import { wireBalancers } from "./machines.ts";
import { frontsOf, type Surroundings } from "./targets.ts";

export type DecidedBalancers = {
  readonly loadBalancers: readonly LoadBalancer[];
  readonly nodes: readonly ClusterNode[]; // with the routes to them
  readonly hosts: readonly OutsideHost[]; // with the balancers' machines
};

export function decideLoadBalancers(drafts: readonly BalancerDraft[], around: Surroundings, notes: Notes): DecidedBalancers {
  const { balancers, nodes, hosts } = wireBalancers(drafts, around.nodes, around.hosts, around.services, notes);
  const loadBalancers = balancers.map(({ draft, machine, sources }): LoadBalancer => {
    const { name, pool, forward, isProxy, healthCheck, address, origin } = draft;
    return {
      name,
      machine: machine.name,
      pool,
      forward,
      ...(isProxy ? { proxy: { sources } } : {}),
      probes: healthCheck && address !== undefined,
      fronts: frontsOf(draft, machine, { ...around, nodes, hosts }, notes),
      ...(origin ? { origin } : {}),
    };
  });
  return { loadBalancers, nodes, hosts };
}
