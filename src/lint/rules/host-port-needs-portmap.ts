/** KT206: a port of the node that never leads to the pod which declares it (CNI plugin portmap, KUBE-NODEPORTS before the sockets). */
import type { ClusterNode, ClusterPod, ClusterService } from "../../cluster/cluster.ts";
import type { Trace } from "../../trace/trace.ts";
import { ask, question } from "../ask.ts";
import type { Finding } from "../finding.ts";
import { type AskedHostPort, askedHostPorts } from "../host-ports.ts";
import { groupPods, originField, type PodGroup } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { nameOf, type Subject, serviceRef } from "../subject.ts";

export const KT206: Rule = {
  code: "KT206",
  name: "host-port-needs-portmap",
  severity: "warning",
  needs: "data-plane",
  fix: "no",
  title: "a pod's host port leads elsewhere: no portmap plugin, or a node port of the same number",
  why: "hostPort is a DNAT rule of the CNI plugin portmap; without the plugin nothing on the node listens there and the client gets a RST. A node port of the same number is translated first, on every node, so its Service gets the packets.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31160}]}
---
kind: Pod
apiVersion: v1
metadata: {name: h, labels: {app: h}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080, hostPort: 31160}]}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31160}]}
---
kind: Pod
apiVersion: v1
metadata: {name: h, labels: {app: h}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080, hostPort: 8088}]}]}
`,
  },
  check: function* (subject) {
    const { pods, services, nodes, cni } = subject.cluster();
    const nodePorts = new Map<string, ClusterService>();
    for (const service of services)
      for (const { nodePort, protocol } of service.ports) if (nodePort !== undefined) nodePorts.set(`${protocol} ${nodePort}`, service);
    const running = pods.filter(({ node, ips }) => node !== undefined && ips.length > 0);
    for (const group of groupPods(running)) {
      const [pod] = group.pods;
      for (const asked of askedHostPorts(pod)) {
        const service = nodePorts.get(`${asked.protocol} ${asked.port}`);
        if (!service && (pod.hostNetwork || cni.portmap !== false)) continue;
        const node = nodes.find(({ name }) => name === pod.node);
        const finding = node && misled(subject, { group, pod, asked, node }, service);
        if (finding) yield finding;
      }
    }
  },
};

type Aim = { readonly group: PodGroup; readonly pod: ClusterPod; readonly asked: AskedHostPort; readonly node: ClusterNode };

function misled(subject: Subject, { group, pod, asked, node }: Aim, service: ClusterService | undefined): Finding | undefined {
  const protocol = asked.protocol === "UDP" ? "udp" : "tcp";
  const answer = asked.protocol === "SCTP" ? undefined : ask(subject, question("external", node.name, asked.port, protocol));
  if (!answer || reaches(answer.trace, pod)) return undefined;
  const where = `port ${asked.port} of ${node.name}`;
  const from = service?.origin;
  const index = service?.ports.find(({ nodePort, protocol: own }) => nodePort === asked.port && own === asked.protocol)?.index ?? 0;
  return {
    message: service
      ? `${group.title} asks for ${where}, which is a node port of Service ${nameOf(serviceRef(service))}: the Service gets the packets`
      : `${group.title} asks for ${where}, and no portmap plugin leads it to the pod`,
    at: originField(pod, ...asked.field),
    label: service ? `node port of ${nameOf(serviceRef(service))}` : "the topology says cni.portmap: false",
    ...(from === undefined
      ? {}
      : { related: [{ at: { source: from.source, field: ["spec", "ports", index, "nodePort"] }, label: "the node port" }] }),
    help: service
      ? "take a port outside the node port range"
      : "add portmap to the CNI configuration, set hostNetwork, or use a Service of type NodePort",
    about: service ? [group.ref, serviceRef(service)] : [group.ref],
    packet: answer.packet,
  };
}

const reaches = ({ paths }: Trace, pod: ClusterPod): boolean =>
  paths.some(
    ({ destination }) =>
      destination !== undefined &&
      ((destination.kind === "pod" && destination.namespace === pod.namespace && destination.name === pod.name) ||
        (pod.hostNetwork && destination.kind === "node" && destination.name === pod.node)),
  );
