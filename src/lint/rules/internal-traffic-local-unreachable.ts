/** KT114: the nodes whose own clients get nothing, because no endpoint is theirs (KEP-2086, internalTrafficPolicy). */
import type { Cluster, ClusterNode, ClusterPod } from "../../cluster/cluster.ts";
import { ask, podSource, question } from "../ask.ts";
import { listed } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { clusterIpOf, isClient, slicesByService, wireProtocol } from "../service-asks.ts";
import { nameOf, serviceRef } from "../subject.ts";

export const KT114: Rule = {
  code: "KT114",
  name: "internal-traffic-local-unreachable",
  severity: "error",
  needs: "data-plane",
  fix: "suggest",
  title: "internalTrafficPolicy Local, and some nodes run no ready pod of the Service",
  why: "On such a node kube-proxy drops what clients of that node send to the Service, and asks no other node: they wait until they give up, while the same client elsewhere works.",
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
spec: {internalTrafficPolicy: Local, selector: {app: solo}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {internalTrafficPolicy: Cluster, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  mutedBy: ["KT101", "KT102", "KT103"],
  check: function* (subject) {
    const cluster = subject.cluster();
    const local = cluster.services.filter(
      (service) =>
        service.internalTrafficPolicy === "Local" &&
        service.origin &&
        service.type !== "ExternalName" &&
        clusterIpOf(service) !== undefined,
    );
    if (local.length === 0) return;
    const slicesOf = slicesByService(cluster);
    const clients = clientsByNode(cluster);
    for (const service of local) {
      const [port] = service.ports;
      const ip = clusterIpOf(service);
      const here = new Set(
        slicesOf(service).flatMap(({ endpoints }) => endpoints.flatMap(({ ready, nodeName }) => (ready ? (nodeName ?? []) : []))),
      );
      const without = cluster.nodes.filter((node) => !here.has(node.name) && (isSchedulable(node) || clients.has(node.name)));
      const [first] = without;
      if (!service.origin || !port || ip === undefined || here.size === 0 || !first) continue;
      const client = clients.get(first.name);
      const answer = ask(subject, question(client ? podSource(client) : `node/${first.name}`, ip, port.port, wireProtocol(port.protocol)));
      if (!answer?.trace.paths.some(({ reason }) => reason === "no-local-endpoints")) continue;
      const at = { source: service.origin.source, field: ["spec", "internalTrafficPolicy"] };
      yield {
        message: `Service ${nameOf(serviceRef(service))}: clients on ${listed(without.map(({ name }) => name))} get no answer`,
        at,
        label: `ready pods run on ${listed([...here].sort())} only`,
        help: "run a pod on every node (a DaemonSet), or write `internalTrafficPolicy: Cluster`; `trafficDistribution: PreferSameNode` prefers the own node and asks others when it must",
        about: [serviceRef(service)],
        packet: answer.packet,
        edits: [{ kind: "value", at, text: "Cluster" }],
      };
    }
  },
};

/** Where an ordinary pod may come to run. */
const isSchedulable = ({ unschedulable, taints }: ClusterNode): boolean =>
  !unschedulable && taints.every(({ effect }) => effect === "PreferNoSchedule");

/** A pod of each node that is there to use the network, not an agent of the node itself. */
function clientsByNode({ pods }: Cluster): ReadonlyMap<string, ClusterPod> {
  const clients = pods.filter((pod) => isClient(pod) && pod.workload?.kind !== "DaemonSet" && pod.namespace !== "kube-system");
  return new Map(clients.flatMap((pod) => (pod.node === undefined ? [] : [[pod.node, pod] as const])));
}
