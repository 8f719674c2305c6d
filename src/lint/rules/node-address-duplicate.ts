/** KT603: nodes that cannot be told apart: one internal IP, one tunnel address, one MAC (VirtualBox gives every VM 10.0.2.15). */
import type { ClusterNode, MachineInterface } from "../../cluster/cluster.ts";
import type { Ip } from "../../net/address.ts";
import type { Finding } from "../finding.ts";
import type { Rule } from "../rule.ts";
import type { Subject } from "../subject.ts";
import { clusterFaults, nodeMark, nodeRef, topologyMark, topologyRef } from "../topology-faults.ts";

export const KT603: Rule = {
  code: "KT603",
  name: "node-address-duplicate",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "two nodes with one address or MAC",
  why: "Packets to the other node go to the node itself: tunnels end where they begin, and pods of two nodes never reach each other.",
  bad: {
    topology: `cni: {plugin: flannel, iface: eth0}
nodes:
- {name: a, interfaces: [{name: eth0, addresses: [10.0.2.15/24]}, {name: eth1, addresses: [192.168.56.100/24]}]}
- {name: b, interfaces: [{name: eth0, addresses: [10.0.2.15/24]}, {name: eth1, addresses: [192.168.56.101/24]}]}
`,
  },
  good: {
    topology: `cni: {plugin: flannel, iface: eth1}
nodes:
- {name: a, internalIP: 192.168.56.100, interfaces: [{name: eth0, addresses: [10.0.2.15/24]}, {name: eth1, addresses: [192.168.56.100/24]}]}
- {name: b, internalIP: 192.168.56.101, interfaces: [{name: eth0, addresses: [10.0.2.15/24]}, {name: eth1, addresses: [192.168.56.101/24]}]}
`,
  },
  check: function* (subject) {
    const cluster = subject.cluster();
    const found = clusterFaults(subject, cluster, "KT603");
    yield* found;
    if (found.length === 0) yield* tunnelEnds(subject, cluster.nodes, cluster.cni.iface);
    yield* oneMac(subject, cluster.nodes);
  },
};

/** What `--iface` names has to tell the nodes apart too. */
function* tunnelEnds(subject: Subject, nodes: readonly ClusterNode[], iface: string | undefined): Iterable<Finding> {
  if (iface === undefined) return;
  const owners = new Map<Ip, ClusterNode>();
  for (const node of nodes)
    for (const { name, addresses } of node.interfaces)
      for (const { ip } of name === iface ? addresses : []) {
        const owner = owners.get(ip);
        if (owner === undefined) owners.set(ip, node);
        const at = topologyMark(subject, "cni", "iface");
        if (owner === undefined || owner === node || !at) continue;
        const others = [...new Set(node.interfaces.map((each) => each.name))].filter(
          (each) => each !== iface && /^(eth|en|ens|enp)/.test(each),
        );
        yield {
          message: `${iface} of nodes ${owner.name} and ${node.name} has one address, ${ip}: the tunnel of each leads to itself`,
          at,
          label: "every node has this address here",
          help: `name the interface by which the nodes reach each other${others.length > 0 ? `: ${others.join(", ")}` : ""}`,
          about: [topologyRef(subject), nodeRef(owner), nodeRef(node)],
        };
        return;
      }
}

/** Only written MACs: others are made from the node's name. */
function* oneMac(subject: Subject, nodes: readonly ClusterNode[]): Iterable<Finding> {
  const owners = new Map<string, { readonly node: ClusterNode; readonly link: MachineInterface }>();
  const written = new Set(
    (subject.topology.nodes ?? []).flatMap(({ interfaces = [] }) => interfaces.flatMap(({ mac }) => mac?.toLowerCase() ?? [])),
  );
  for (const node of nodes)
    for (const [i, link] of node.interfaces.entries()) {
      const mac = link.mac.toLowerCase();
      const owner = owners.get(mac);
      if (owner === undefined) owners.set(mac, { node, link });
      const at = nodeMark(node, "interfaces", i, "mac");
      if (owner === undefined || owner.node === node || !written.has(mac) || link.name !== owner.link.name || !at) continue;
      yield {
        message: `${link.name} of nodes ${owner.node.name} and ${node.name} has one MAC, ${link.mac}: the network delivers the frames of both to one of them`,
        at,
        label: `${owner.node.name} has it too`,
        help: "give each machine a MAC of its own (cloned VMs keep the first one's)",
        about: [nodeRef(node), nodeRef(owner.node)],
      };
    }
}
