/** Machines of the cluster by address. */
import type { ClusterNode } from "../cluster/cluster.ts";
import type { Ip } from "../net/address.ts";

/** The nodes that have an address: several for one that each keeps for itself, as 172.17.0.1 of docker0. */
export const nodeNames = (nodes: readonly ClusterNode[], ip: Ip): string[] =>
  nodes
    .filter(
      ({ internalIPs, interfaces }) =>
        internalIPs.includes(ip) || interfaces.some(({ addresses }) => addresses.some((each) => each.ip === ip)),
    )
    .map(({ name }) => name);
