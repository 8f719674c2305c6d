/** KT301: node ports come from one range (kube-apiserver --service-node-port-range), which must not be the kernel's own as well. */
import type { Service } from "../../objects/api.ts";
import type { Finding } from "../finding.ts";
import { type AskedNodePort, askedNodePorts } from "../node-ports.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT301: Rule = {
  code: "KT301",
  name: "node-port-out-of-range",
  severity: "error",
  needs: "graph", // the range is the cluster's
  fix: "no",
  title: "a node port outside the range of node ports",
  why: "The API server refuses the Service, so there is no rule for any of its addresses: node:port answers with a RST, the cluster name does not resolve.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
`,
  },
  check: function* (subject) {
    for (const service of subject.of("Service")) {
      if (service.metadata.uid !== undefined) continue; // a live cluster took it
      const asked = askedNodePorts(service);
      if (asked.length === 0) continue;
      const { nodePortRange } = subject.cluster();
      const isOutside = ({ port }: AskedNodePort): boolean => port < nodePortRange.from || port > nodePortRange.to;
      yield* asked.filter(isOutside).map((each) => outside(service, each, `${nodePortRange.from}-${nodePortRange.to}`));
    }
    yield* ephemeral(subject);
  },
};

const outside = (service: Service, { port, field }: AskedNodePort, range: string): Finding => ({
  message: `Service ${nameOf(refOf(service))}: node port ${port} lies outside ${range}`,
  at: { source: service.source, field },
  label: `node ports are ${range}`,
  help: "take one of the range, leave it out and one is allocated, or set spec.kubernetes.nodePortRange in the topology",
  about: [refOf(service)],
});

const [FIRST, LAST] = [32768, 60999]; // net.ipv4.ip_local_port_range, Linux's default

/** A range of one's own that reaches into the ports which the nodes' outgoing connections use. */
function* ephemeral({ topology }: Subject): Iterable<Finding> {
  const written = topology.kubernetes?.nodePortRange;
  const [, from, to] = /^(\d+)-(\d+)$/.exec(written ?? "") ?? [];
  if (written === undefined || from === undefined || to === undefined || topology.source === undefined) return;
  for (const node of topology.nodes ?? []) {
    const [, low = FIRST, high = LAST] = /^(\d+)\s+(\d+)$/.exec(String(node.sysctls?.["net.ipv4.ip_local_port_range"] ?? "")) ?? [];
    if (Number(to) < Number(low) || Number(from) > Number(high)) continue;
    yield {
      message: `the node port range ${written} reaches into ${low}-${high}, from which ${node.name} takes the ports of its own connections`,
      at: { source: topology.source, field: ["spec", "kubernetes", "nodePortRange"] },
      label: "answers to the node's own connections go to a Service",
      help: "end it at 32767, or move net.ipv4.ip_local_port_range",
      about: [{ kind: "Topology", name: topology.name ?? "" }],
      severity: "warning",
    };
    return; // the same for every node
  }
}
