/**
 * A machine outside the cluster: its interfaces, routes and processes, and no packet filter.
 * Not modelled: firewalls on the host itself.
 */
import type { OutsideHost } from "../cluster/cluster.ts";
import { NO_NETFILTER } from "../linux/netfilter/table.ts";
import type { Netns } from "../linux/netns.ts";
import type { CauseTable } from "../objects/cause.ts";
import { connectedRoutes } from "./connected-routes.ts";
import { causeAt, machineLinks, machineNetns, machineRef, machineRoutes, machineSockets, speaksIpv6 } from "./machine.ts";
import type { Segments } from "./segments.ts";

/** The network stack of an outside host. */
export function hostNetns(host: OutsideHost, segments: Segments, causes: CauseTable): Netns {
  const id = machineNetns(host);
  const cause = causeAt(causes, "node", machineRef(host), host.origin);
  const ipv6 = speaksIpv6(host.interfaces.flatMap((each) => each.addresses));
  const links = machineLinks(host, { causes, netnsCause: cause, ipv6, segmentOf: (link) => segments.of(id, link) });
  return {
    id,
    hostname: host.name,
    links,
    routes: [...connectedRoutes(links), ...machineRoutes(host, links, causes)],
    neighbours: [],
    fdb: [],
    sysctls: host.sysctls,
    netfilter: NO_NETFILTER,
    sockets: machineSockets(host, causes),
    cause,
  };
}
