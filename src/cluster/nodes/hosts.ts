/** The machines outside the cluster. When the topology lists none, one called `client` is put on the node network. */
import { broadcastOf, type Cidr, formatCidr } from "../../net/address.ts";
import type { Topology } from "../../objects/topology.ts";
import type { ClusterNode, OutsideHost } from "../cluster.ts";
import type { Notes } from "../notes.ts";
import { createAddressBook } from "./address-book.ts";
import { readMachine } from "./machine.ts";

export function decideHosts(nodes: readonly ClusterNode[], topology: Topology, notes: Notes): OutsideHost[] {
  const taken = nodes.flatMap((node) => [...node.interfaces.flatMap((each) => each.addresses), ...gatewaysOf(node)]);
  const book = createAddressBook(taken, []);
  const onNodeNetwork = (name: string) => {
    const addresses = nodeNetworks(nodes).flatMap((network) => book.lastFree(network) ?? []);
    notes.assume(`host ${name}`, `interface eth0 with ${addresses.map(formatCidr).join(", ") || "no address"}`, "spec.hosts[].interfaces");
    return addresses;
  };
  if (topology.hosts?.length)
    return topology.hosts.map((host, i) =>
      readMachine(host, { kind: "host", field: ["spec", "hosts", i], topology, notes, book, assumed: () => onNodeNetwork(host.name) }),
    );
  notes.assume("host client", "an outside machine on the node network", "spec.hosts");
  return [readMachine({ name: "client" }, { kind: "host", field: [], topology, notes, book, assumed: () => onNodeNetwork("client") })];
}

/** The first node's first network of each family that has room for more machines. */
function nodeNetworks(nodes: readonly ClusterNode[]): Cidr[] {
  const first = nodes[0]?.interfaces.flatMap((each) => (each.up ? each.addresses : [])) ?? [];
  const v4 = first.find((cidr) => broadcastOf(cidr) !== undefined);
  const v6 = first.find((cidr) => cidr.ip.includes(":") && cidr.length < 127);
  return [...(v4 ? [v4] : []), ...(v6 ? [v6] : [])];
}

const gatewaysOf = (node: ClusterNode): Cidr[] =>
  node.routes.flatMap((route) => (route.via === undefined ? [] : [{ ip: route.via, length: route.via.includes(":") ? 128 : 32 }]));
