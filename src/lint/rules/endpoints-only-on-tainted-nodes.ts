/** KT204: a Service that lives on nodes which are kept free of pods, or on one node though it has several pods (KEP-166 taints). */
import type { ClusterNode, ClusterPod, ClusterService } from "../../cluster/cluster.ts";
import { indexPods } from "../../cluster/endpoints/selected-pods.ts";
import { fieldAt } from "../../objects/record.ts";
import { ask, question } from "../ask.ts";
import { knowsNodes, listed, originField, refOfPod } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { nameOf, type Subject, serviceRef } from "../subject.ts";

export const KT204: Rule = {
  code: "KT204",
  name: "endpoints-only-on-tainted-nodes",
  severity: "warning",
  needs: "data-plane",
  fix: "suggest",
  title: "all ready pods of a Service sit on nodes that are kept free of pods, or all on one node",
  why: "When that node is drained or fails the Service has no endpoint left, and its clients get connection refused; with a Local policy all other nodes drop what comes to them already.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: adm, labels: {app: adm}}
spec: {nodeName: k8s-node1, tolerations: [{operator: Exists}], containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}
---
kind: Service
apiVersion: v1
metadata: {name: adm}
spec: {selector: {app: adm}, ports: [{port: 8080}]}
`,
  },
  good: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: adm}
spec: {replicas: 2, selector: {matchLabels: {app: adm}}, template: {metadata: {labels: {app: adm}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}}}
---
kind: Service
apiVersion: v1
metadata: {name: adm}
spec: {selector: {app: adm}, ports: [{port: 8080}]}
`,
  },
  mutedBy: ["KT101", "KT102", "KT103", "KT203"],
  check: function* (subject) {
    if (!knowsNodes(subject)) return;
    const { services, pods, nodes } = subject.cluster();
    const select = indexPods(pods.filter(({ ready }) => ready));
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const open = nodes.filter((node) => !keepsPodsAway(node));
    if (open.length === 0) return;
    for (const service of services) {
      if (service.selector === undefined || service.clusterIPs[0] === "None" || !service.origin) continue;
      const here = select(service.namespace, service.selector);
      const [first] = here;
      const on = [...new Set(here.flatMap(({ node }) => node ?? []))].sort();
      if (!first || on.length === 0 || here.some(isMeantForNode)) continue;
      const isKept = on.every((name) => keepsPodsAway(byName.get(name)));
      const isCrowded = here.length > 1 && on.length === 1 && open.length > 1;
      if (!isKept && !isCrowded) continue;
      const [node] = on;
      const why = isKept ? on.map((name) => `${name} (${reasonFor(byName.get(name))})`) : on;
      yield {
        message: `Service ${nameOf(serviceRef(service))}: ${here.length === 1 ? "its only ready pod runs" : `all ${here.length} ready pods run`} on ${listed(why)}`,
        at: placementField(first),
        label: `this puts them on ${listed(on)}`,
        related: [{ at: { source: service.origin.source, field: ["spec", "selector"] }, label: "the Service that selects them" }],
        help: isKept
          ? "let some of them run on the other nodes as well"
          : "keep them apart: podAntiAffinity, or topologySpreadConstraints over kubernetes.io/hostname",
        about: [serviceRef(service), refOfPod(first)],
        ...proof(subject, service, node ?? ""),
      };
    }
  },
};

/** What a plain pod is not put on. */
const keepsPodsAway = (node: ClusterNode | undefined): boolean =>
  node !== undefined && (node.unschedulable || node.taints.some(({ effect }) => effect === "NoSchedule" || effect === "NoExecute"));

function reasonFor(node: ClusterNode | undefined): string {
  const taint = node?.taints.find(({ effect }) => effect !== "PreferNoSchedule");
  return taint ? `taint ${taint.key}:${taint.effect}` : "cordoned";
}

const ROLE = "node-role.kubernetes.io/";

/** Static pods, and pods that are let or asked onto the control plane by its name, belong where they are. */
const isMeantForNode = ({ spec, annotations, owner, hostNetwork }: ClusterPod): boolean =>
  hostNetwork ||
  owner?.kind === "Node" ||
  owner?.kind === "DaemonSet" ||
  Object.hasOwn(annotations, "kubernetes.io/config.mirror") ||
  (spec.tolerations ?? []).some(({ key }) => key?.startsWith(ROLE)) ||
  Object.keys(spec.nodeSelector ?? {}).some((key) => key.startsWith(ROLE));

/** The field that ties the pods to the node. */
function placementField(pod: ClusterPod) {
  const { nodeName, nodeSelector, affinity, tolerations } = pod.spec;
  if (nodeName !== undefined && pod.object?.status === undefined) return originField(pod, "spec", "nodeName");
  if (nodeSelector !== undefined) return originField(pod, "spec", "nodeSelector");
  if (fieldAt(affinity, "nodeAffinity") !== undefined) return originField(pod, "spec", "affinity", "nodeAffinity");
  return tolerations === undefined ? originField(pod, "spec") : originField(pod, "spec", "tolerations");
}

function proof(subject: Subject, service: ClusterService, node: string) {
  const [ip] = service.clusterIPs;
  const [port] = service.ports;
  if (ip === undefined || ip === "None" || port === undefined || port.protocol !== "TCP") return {};
  const answer = ask(subject, question(`node/${node}`, ip, port.port));
  return answer ? { packet: answer.packet } : {};
}
