/** KT404: a name leads to a node on which no controller listens (hostNetwork and hostPort controllers serve their own nodes only). */
import type { Cluster, ClusterNode, ClusterPod } from "../../cluster/cluster.ts";
import { ingressControllers } from "../../cluster/ingress-controllers.ts";
import { hostMatches } from "../../objects/ingress-rules.ts";
import { webQuestion } from "../../trace/questions.ts";
import { type Answer, ask, isDead } from "../ask.ts";
import { type CalledName, calledNames } from "../called-names.ts";
import { controllerPods } from "../controller-entry.ts";
import { askedHostPorts } from "../host-ports.ts";
import { nodeNames } from "../machines.ts";
import { listed, refOfPod } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import type { Subject } from "../subject.ts";

const CONTROLLER = `kind: DaemonSet
apiVersion: apps/v1
metadata: {name: ingress-nginx}
spec: {selector: {matchLabels: {app: ingress-nginx}}, template: {metadata: {labels: {app: ingress-nginx}}, spec: {hostNetwork: true, containers: [{name: controller, image: ingress-nginx/controller, ports: [{containerPort: 80}]}]}}}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, rules: [{host: www.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
`;
const TOPOLOGY = "ingressControllers: [{class: nginx, pods: {selector: {app: ingress-nginx}}}]\n";

export const KT404: Rule = {
  code: "KT404",
  name: "ingress-controller-not-on-node",
  severity: "warning",
  needs: "data-plane",
  fix: "suggest",
  title: "a host name leads to a node where no ingress controller listens",
  why: "A controller on its nodes' own network listens only where one of its pods runs: on any other node port 80 is closed, and the client gets a RST.",
  bad: {
    manifests: `${CONTROLLER}kind: ConfigMap
apiVersion: v1
metadata: {name: probe, annotations: {ktrace.dev/expect: "curl --resolve www.test.com:80:192.168.56.100 http://www.test.com/ => 200"}}
`,
    topology: TOPOLOGY,
  },
  good: {
    manifests: `${CONTROLLER}kind: ConfigMap
apiVersion: v1
metadata: {name: probe, annotations: {ktrace.dev/expect: "curl --resolve www.test.com:80:192.168.56.101 http://www.test.com/ => 200"}}
`,
    topology: TOPOLOGY,
  },
  check: function* (subject) {
    if (subject.of("Ingress").length === 0) return;
    const cluster = subject.cluster();
    const hosts = cluster.ingresses.flatMap(({ spec }) => (spec?.rules ?? []).flatMap(({ host }) => (host ? [host.toLowerCase()] : [])));
    const pods = ingressControllers(cluster)
      .flatMap((controller) => controllerPods(cluster, controller))
      .filter(servesNode);
    if (pods.length === 0) return;
    for (const called of calledNames(subject)) {
      const [name] = called.ip === undefined ? [] : nodeNames(cluster.nodes, called.ip);
      const node = cluster.nodes.find((each) => each.name === name);
      if (!node || pods.some((pod) => pod.node === node.name) || !hosts.some((host) => hostMatches(host, called.name))) continue;
      const answer = call(subject, called);
      if (answer?.trace.paths.every(isDead)) yield finding(cluster, called, node, pods, answer);
    }
  },
};

/** It listens on its node: by hostNetwork, or by a host port. */
const servesNode = (pod: ClusterPod): boolean => pod.hostNetwork || askedHostPorts(pod).length > 0;

const call = (subject: Subject, { name, ip, from, url }: CalledName): Answer | undefined =>
  ask(
    subject,
    webQuestion({
      from: from === "external" ? undefined : from,
      scheme: url?.scheme ?? "http",
      host: name,
      port: url?.port ?? 80,
      path: url?.path ?? "/",
      ...(ip === undefined ? {} : { address: ip }),
    }),
  );

function finding(cluster: Cluster, { name, ip, at }: CalledName, node: ClusterNode, pods: readonly ClusterPod[], { packet }: Answer) {
  const serving = cluster.nodes.filter((each) => pods.some((pod) => pod.node === each.name));
  const [pod] = pods;
  const taint = node.taints.find(({ effect }) => effect !== "PreferNoSchedule");
  return {
    message: `${name} leads to ${node.name} (${ip}), where no ingress controller listens: it runs on ${listed(serving.map((each) => each.name))} only`,
    at,
    label: `nothing listens on ${node.name}${taint ? `; its taint ${taint.key} keeps the controller away` : ""}`,
    ...(pod ? { related: [{ at: pod.origin, label: `the controller, ${refOfPod(pod).kind} ${refOfPod(pod).name}` }] } : {}),
    help: `let ${name} lead to ${listed(
      serving.map((each) => addressNear(each, ip ?? "")),
      3,
    )}, or let the controller run on ${node.name}`,
    about: [pod ? refOfPod(pod) : { kind: "Node", name: node.name }],
    packet,
  };
}

/** The node's address beside the one that was called: that of the same interface. */
function addressNear({ interfaces, internalIPs }: ClusterNode, called: string): string {
  const prefix = called.slice(0, called.lastIndexOf("."));
  const all = interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
  return all.find((ip) => ip.startsWith(`${prefix}.`)) ?? internalIPs[0] ?? "";
}
