/** KT307: an external IP for which nobody answers ARP: kube-proxy has rules for it, the packet never comes to a node. */
import { familyOf } from "../../net/address.ts";
import { ask, isDead, question } from "../ask.ts";
import { nodeNames } from "../machines.ts";
import type { Rule } from "../rule.ts";
import { nameOf, serviceRef } from "../subject.ts";

export const KT307: Rule = {
  code: "KT307",
  name: "external-ip-not-routed",
  severity: "warning",
  needs: "data-plane",
  fix: "no",
  title: "an external IP that no machine has and no route leads to",
  why: "kube-proxy installs its rules on every node, but the network never hands the packet to one: nobody answers the ARP request for the address, and the client gives up after seconds.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {externalIPs: [192.168.56.240], selector: {app: web}, ports: [{port: 8000, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {externalIPs: [192.168.56.101], selector: {app: web}, ports: [{port: 8000, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    const { services, hosts, nodes } = subject.cluster();
    if ((subject.topology.nodes ?? []).length === 0) return; // the networks are then ktrace's own invention
    for (const service of services) {
      const [port] = service.ports;
      if (!port || port.protocol === "SCTP" || !service.origin) continue;
      for (const [i, ip] of service.externalIPs.entries()) {
        if (nodeNames(nodes, ip).length > 0) continue;
        const protocol = port.protocol === "UDP" ? "udp" : "tcp";
        for (const host of hosts) {
          const answer = ask(subject, question(`host/${host.name}`, ip, port.port, protocol));
          // no-route: this host is not the one to call it; beyond the topology's own networks a router may know the way
          if (!answer?.trace.paths.every((path) => isDead(path) && path.reason === "host-unreachable")) continue;
          yield {
            message: `Service ${nameOf(serviceRef(service))}: nobody has the external IP ${ip}, so ${host.name} never gets a packet for it to a node`,
            at: { source: service.origin.source, field: ["spec", "externalIPs", i] },
            label: familyOf(ip) === 4 ? "ARP for it goes unanswered" : "neighbour discovery for it goes unanswered",
            help: "use an address of a node, or let a load balancer or a virtual IP daemon announce it and list it in the topology",
            about: [serviceRef(service)],
            packet: answer.packet,
          };
          break;
        }
      }
    }
  },
};
