/** KT601: ranges of addresses that hold each other (what deciding the nodes found), docker's bridge among them. */
import { cidrsOverlap, formatCidr, networkOf } from "../../net/address.ts";
import type { Finding } from "../finding.ts";
import type { Rule } from "../rule.ts";
import type { Subject } from "../subject.ts";
import { clusterFaults, nodeMark, nodeRef, topologyRef } from "../topology-faults.ts";

export const KT601: Rule = {
  code: "KT601",
  name: "cidr-overlap",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "the ranges of pods, Services and machines overlap",
  why: "The longest prefix takes the packets of the other network, or kube-proxy's rules translate addresses that belong to machines: they arrive somewhere else.",
  bad: { topology: "{kubernetes: {serviceCIDRs: [10.244.0.0/16], podCIDRs: [10.244.0.0/16]}}" },
  good: { topology: "{kubernetes: {serviceCIDRs: [10.96.0.0/12], podCIDRs: [10.244.0.0/16]}}" },
  check: function* (subject) {
    yield* clusterFaults(subject, subject.cluster(), "KT601");
    yield* dockerBridges(subject);
  },
};

/** docker0 is nobody's network in the cluster, but its route is there all the same. */
function* dockerBridges(subject: Subject): Iterable<Finding> {
  const { nodes, podCIDRs, serviceCIDRs } = subject.cluster();
  const ranges = [
    ...podCIDRs.map((cidr) => ({ cidr, what: "pods" })),
    ...serviceCIDRs.map((cidr) => ({ cidr, what: "cluster addresses" })),
  ];
  for (const node of nodes)
    for (const [i, { name, addresses }] of node.interfaces.entries()) {
      if (name !== "docker0") continue;
      for (const [j, address] of addresses.entries()) {
        const range = ranges.find(({ cidr }) => cidrsOverlap(cidr, address));
        const at = nodeMark(node, "interfaces", i, "addresses", j);
        if (!range || !at) continue;
        yield {
          message: `node ${node.name}: docker0 has ${formatCidr(networkOf(address))}, which overlaps the range of ${range.what} ${formatCidr(range.cidr)}`,
          at,
          label: "packets for a part of the range end at this bridge",
          help: "give docker another range (bip in /etc/docker/daemon.json), or move the cluster's",
          about: [nodeRef(node), topologyRef(subject)],
        };
        return; // the same bridge on every node is one mistake
      }
    }
}
