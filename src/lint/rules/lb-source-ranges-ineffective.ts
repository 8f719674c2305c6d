/** KT309: loadBalancerSourceRanges guard the balancer's address only; the node port beside it stays open (KUBE-FW chains). */

import type { Cluster, ClusterService } from "../../cluster/cluster.ts";
import { cidrContains, formatCidr, type Ip } from "../../net/address.ts";
import { ask, isDelivered, question } from "../ask.ts";
import { listed } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { nameOf, serviceRef } from "../subject.ts";

export const KT309: Rule = {
  code: "KT309",
  name: "lb-source-ranges-ineffective",
  severity: "warning",
  needs: "data-plane",
  fix: "no",
  title: "source ranges of a load balancer, and a node port that lets everybody past them",
  why: "kube-proxy filters by source only what comes to the balancer's own address. The node port of the same Service is translated without a look at the source, so a client who may not use the balancer uses a node.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24], selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, loadBalancerSourceRanges: [203.0.113.0/24], selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    const cluster = subject.cluster();
    for (const service of cluster.services) {
      const port = service.ports.find(({ nodePort, protocol }) => nodePort !== undefined && protocol !== "SCTP");
      if (service.loadBalancerSourceRanges.length === 0 || port?.nodePort === undefined || !service.origin) continue;
      const client = outsider(cluster, service);
      if (!client) continue;
      for (const node of cluster.nodes) {
        const protocol = port.protocol === "UDP" ? "udp" : "tcp";
        const answer = ask(subject, question(`host/${client.name}`, node.name, port.nodePort, protocol));
        if (!answer?.trace.paths.some(isDelivered)) continue;
        yield {
          message: `Service ${nameOf(serviceRef(service))}: ${client.name} (${client.ip}) is outside ${listed(service.loadBalancerSourceRanges.map(formatCidr))}, and node port ${port.nodePort} of ${node.name} lets it in`,
          at: { source: service.origin.source, field: ["spec", "loadBalancerSourceRanges"] },
          label: "guards the load balancer's address only",
          help: "add `allocateLoadBalancerNodePorts: false` where the balancer does not need them, or close the node ports by a firewall",
          about: [serviceRef(service)],
          packet: answer.packet,
        };
        break;
      }
    }
  },
};

/** A machine outside that none of the ranges lets in. */
function outsider(
  { hosts, loadBalancers = [] }: Cluster,
  { loadBalancerSourceRanges: ranges }: ClusterService,
): { name: string; ip: Ip } | undefined {
  const balancers = new Set(loadBalancers.map(({ machine }) => machine));
  for (const { name, interfaces } of hosts) {
    const ips = interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
    const [ip] = ips;
    if (ip !== undefined && !balancers.has(name) && !ips.some((each) => ranges.some((range) => cidrContains(range, each))))
      return { name, ip };
  }
  return undefined;
}
