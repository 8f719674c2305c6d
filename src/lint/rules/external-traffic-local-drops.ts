/** KT304: the nodes that drop what comes to a node port, because no pod of the Service is theirs (KEP-1669). */

import type { ClusterService, ClusterSlice } from "../../cluster/cluster.ts";
import { question } from "../ask.ts";
import type { Rule } from "../rule.ts";
import { nameOf, proofOf, serviceRef } from "../subject.ts";

export const KT304: Rule = {
  code: "KT304",
  name: "external-traffic-local-drops",
  severity: "warning",
  needs: "data-plane",
  fix: "suggest",
  title: "externalTrafficPolicy Local, and some nodes run no ready pod of the Service",
  why: "On a node without a ready pod kube-proxy drops what comes to the node port: clients of that node's address get silence. Fine only when a balancer asks healthCheckNodePort and leaves the node out.",
  bad: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: solo}
spec:
  replicas: 1
  selector: {matchLabels: {app: solo}}
  template: {metadata: {labels: {app: solo}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}}
---
kind: Service
apiVersion: v1
metadata: {name: solo}
spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: solo}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, externalTrafficPolicy: Cluster, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
`,
  },
  mutedBy: ["KT101", "KT102", "KT103"],
  check: function* (subject) {
    const { services, slices, nodes } = subject.cluster();
    for (const service of services) {
      const [port] = service.ports;
      if (service.externalTrafficPolicy !== "Local" || service.type !== "NodePort" || port?.nodePort === undefined || !service.origin)
        continue;
      const here = new Set(endpointNodes(service, slices));
      const without = nodes.filter((node) => !here.has(node.name));
      const [first] = without;
      if (here.size === 0 || !first) continue;
      const asked = question("external", first.name, port.nodePort);
      const trace = subject.trace(asked);
      if (!trace.paths.some(({ reason }) => reason === "no-local-endpoints")) continue;
      yield {
        message: `Service ${nameOf(serviceRef(service))}: ${without.map(({ name }) => name).join(", ")} ${without.length === 1 ? "drops" : "drop"} what comes to node port ${port.nodePort}`,
        at: { source: service.origin.source, field: ["spec", "externalTrafficPolicy"] },
        label: `ready pods run on ${[...here].sort().join(", ")} only`,
        help: "run a pod on every node (a DaemonSet), put a balancer with a health check before them, or write `externalTrafficPolicy: Cluster`",
        about: [serviceRef(service)],
        packet: proofOf(asked, trace),
        edits: [{ kind: "value", at: { source: service.origin.source, field: ["spec", "externalTrafficPolicy"] }, text: "Cluster" }],
      };
    }
  },
};

const endpointNodes = ({ namespace, name }: ClusterService, slices: readonly ClusterSlice[]): string[] =>
  slices
    .filter((slice) => slice.namespace === namespace && slice.service === name)
    .flatMap(({ endpoints }) => endpoints.flatMap(({ ready, nodeName }) => (ready && nodeName !== undefined ? [nodeName] : [])));
