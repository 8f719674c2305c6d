/** KT203: pods that no node takes, with the scheduler's own count (pkg/scheduler/framework/types.go, FitError). */
import type { ClusterNode, ClusterPod } from "../../cluster/cluster.ts";
import { tolerates } from "../../cluster/scheduler/node-fit.ts";
import { nearest } from "../../objects/near.ts";
import { fieldAt } from "../../objects/record.ts";
import type { Edit, Finding, Mark } from "../finding.ts";
import { groupPods, knowsNodes, listed, originField, type PodGroup } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { textScalar } from "../scalar.ts";
import type { Subject } from "../subject.ts";

export const KT203: Rule = {
  code: "KT203",
  name: "pod-unschedulable",
  severity: "error",
  needs: "data-plane",
  fix: "suggest",
  title: "pods that no node of the topology can take",
  why: "Such a pod stays Pending: it has no address and is no endpoint of any Service, so no packet ever reaches it.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {nodeSelector: {disktype: ssd}, containers: [{name: c, image: x}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {nodeSelector: {kubernetes.io/hostname: k8s-node2}, containers: [{name: c, image: x}]}
`,
  },
  mutedBy: ["KT205"], // every node's port is taken: that is the cause
  check: function* (subject) {
    const { pods, nodes } = subject.cluster();
    if (!knowsNodes(subject)) return;
    const waiting = pods.filter(({ phase, node, message }) => phase === "Pending" && node === undefined && message !== undefined);
    const counts = new Map(groupPods(pods).map((group) => [group.title, group.pods.length]));
    for (const group of groupPods(waiting)) yield finding(group, counts.get(group.title) ?? 0, nodes, describesLabels(subject));
  },
};

/** A topology that gives no node a label may just not speak of labels. */
const describesLabels = (subject: Subject): boolean =>
  subject.of("Node").length > 0 || (subject.topology.nodes ?? []).some(({ labels }) => Object.keys(labels ?? {}).length > 0);

function finding({ title, ref, pods }: PodGroup, all: number, nodes: readonly ClusterNode[], labelled: boolean): Finding {
  const [pod] = pods;
  const message = (pod.message ?? "").replace(/ preemption: .*$/, "").replace(/\.$/, "");
  const who = pods.length === all ? (all === 1 ? title : `${title}: its ${all} pods`) : `${title}: ${pods.length} of its ${all} pods`;
  const hint = hintFor(pod, nodes);
  return {
    message: `${who} ${pods.length === 1 ? "stays" : "stay"} Pending: ${message}`,
    about: [ref],
    ...hint,
    ...(labelled || !message.includes("node affinity/selector") ? {} : { severity: "warning" as const }),
  };
}

type Hint = { readonly at: Mark; readonly label?: string; readonly help?: string; readonly edits?: readonly Edit[] };

/** The field that keeps the nodes away, the first that does for certain. */
function hintFor(pod: ClusterPod, nodes: readonly ClusterNode[]): Hint {
  const { nodeName, nodeSelector = {}, tolerations } = pod.spec;
  if (nodeName !== undefined && !nodes.some(({ name }) => name === nodeName)) return unknownNode(pod, nodeName, nodes);
  const wrong = Object.entries(nodeSelector).find(([key, value]) => !nodes.some(({ labels }) => labels[key] === value));
  if (wrong) return unknownLabel(pod, wrong, nodes);
  const taints = nodes.flatMap((node) =>
    node.taints.filter((taint) => taint.effect !== "PreferNoSchedule" && !tolerates(tolerations, taint)),
  );
  const [taint] = taints;
  if (taint && nodes.every((node) => node.taints.some((each) => taints.includes(each)))) {
    const help = `tolerate ${taint.key} (\`tolerations: [{key: ${taint.key}, operator: Exists, effect: ${taint.effect}}]\`), or add a node without the taint`;
    return { at: originField(pod, "spec", "tolerations"), label: `not tolerated: ${taint.key}:${taint.effect}`, help };
  }
  if (/affinity rules/.test(pod.message ?? ""))
    return {
      at: originField(pod, "spec", "affinity"),
      help: "run no more pods than there are nodes to keep them apart on, or write preferredDuringSchedulingIgnoredDuringExecution",
    };
  if (fieldAt(pod.spec.affinity, "nodeAffinity") !== undefined) return { at: originField(pod, "spec", "affinity", "nodeAffinity") };
  return { at: originField(pod, "spec") };
}

function unknownNode(pod: ClusterPod, nodeName: string, nodes: readonly ClusterNode[]): Hint {
  const at = originField(pod, "spec", "nodeName");
  const [meant] = nearest(nodeName, nodes, ({ name }) => name);
  const names = listed(nodes.map(({ name }) => name));
  if (!meant) return { at, label: `the nodes are ${names}`, help: "leave nodeName out, and the scheduler chooses" };
  return {
    at,
    label: `the nodes are ${names}`,
    help: `did you mean ${meant.name}?`,
    edits: [{ kind: "value", at, text: textScalar(meant.name) }],
  };
}

function unknownLabel(pod: ClusterPod, [key, value]: readonly [string, string], nodes: readonly ClusterNode[]): Hint {
  const at = originField(pod, "spec", "nodeSelector", key);
  const values = [...new Set(nodes.flatMap(({ labels }) => (Object.hasOwn(labels, key) ? [labels[key] ?? ""] : [])))].sort();
  if (values.length > 0) {
    const [meant] = nearest(value, values, (each) => each);
    const label = `the nodes have ${key}: ${listed(values)}`;
    return {
      at,
      label,
      ...(meant === undefined ? {} : { help: `did you mean ${meant}?`, edits: [{ kind: "value", at, text: textScalar(meant) }] }),
    };
  }
  const keys = [...new Set(nodes.flatMap(({ labels }) => Object.keys(labels)))].sort();
  const [meant] = nearest(key, keys, (each) => each);
  const help =
    meant === undefined
      ? `label a node ${key}=${value}, or list the label under spec.nodes[].labels of the topology`
      : `did you mean ${meant}?`;
  return { at, label: `no node has a label ${key}`, help, ...(meant === undefined ? {} : { edits: [{ kind: "key", at, text: meant }] }) };
}
