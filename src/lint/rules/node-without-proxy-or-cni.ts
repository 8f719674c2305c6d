/** KT609: nodes that the DaemonSet of kube-proxy or of the network plugin does not reach. */
import type { Cluster, ClusterNode } from "../../cluster/cluster.ts";
import { cidrContains, formatCidr, parseCidr } from "../../net/address.ts";
import type { Workload } from "../../objects/api.ts";
import { isScalable } from "../../objects/pod-maker.ts";
import { isFields, textAt } from "../../objects/record.ts";
import type { Finding } from "../finding.ts";
import { knowsNodes, listed } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { objectName, refOf, type Subject } from "../subject.ts";
import { nodeMark, nodeRef } from "../topology-faults.ts";

const daemonSet = (tolerations: string): string => `kind: DaemonSet
apiVersion: apps/v1
metadata: {name: kube-proxy, namespace: kube-system}
spec: {selector: {matchLabels: {k8s-app: kube-proxy}}, template: {metadata: {labels: {k8s-app: kube-proxy}}, spec: {hostNetwork: true, ${tolerations}containers: [{name: c, image: x}]}}}
`;

export const KT609: Rule = {
  code: "KT609",
  name: "node-without-proxy-or-cni",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "a node on which kube-proxy or the network plugin does not run",
  why: "Without kube-proxy a cluster address is an ordinary address: packets to it leave by the default route and are lost. Without the plugin the node's pods get no network at all.",
  bad: { manifests: daemonSet("") },
  good: { manifests: daemonSet("tolerations: [{operator: Exists}], ") },
  check: function* (subject) {
    yield* netConf(subject);
    if (!knowsNodes(subject)) return;
    const sets = subject.objects.flatMap((object) => {
      if (object.kind !== "DaemonSet" || !isScalable(object)) return [];
      const role = ROLES.find(({ name }) => name.test(object.metadata.name));
      return role ? [{ object, role }] : [];
    });
    for (const role of ROLES) {
      const own = sets.filter((each) => each.role === role).map(({ object }) => object);
      const found = own.length === 0 ? undefined : bare(subject.cluster(), own, role);
      if (found) yield found;
    }
  },
};

type Role = { readonly what: string; readonly name: RegExp; readonly without: string };

/** DaemonSets by the names of their projects' own manifests; one of several architectures is one role. */
const ROLES: readonly Role[] = [
  { what: "kube-proxy", name: /^kube-proxy(-[a-z0-9]+)?$/, without: "cluster addresses lead nowhere there" },
  {
    what: "the network plugin",
    name: /^(kube-flannel(-ds)?(-[a-z0-9]+)?|canal|calico-node|cilium|kindnet|weave-net|kube-router|aws-node|antrea-agent)$/,
    without: "its pods get no network",
  },
];

/** Nodes without a pod of these DaemonSets. A node of another operating system has its own. */
function bare({ nodes, pods }: Cluster, sets: readonly Workload[], { what, without }: Role): Finding | undefined {
  const names = new Set(sets.map(({ metadata }) => `${metadata.namespace ?? "default"}/${metadata.name}`));
  const reached = new Set(
    pods.flatMap(({ namespace, workload, node }) =>
      workload?.kind === "DaemonSet" && names.has(`${namespace}/${workload.name}`) && node ? [node] : [],
    ),
  );
  const left = nodes.filter(({ name, labels }) => !reached.has(name) && (labels["kubernetes.io/os"] ?? "linux") === "linux");
  const [first] = left;
  const [set] = sets;
  if (!first || !set) return undefined;
  const taint = first.taints.find(({ effect }) => effect !== "PreferNoSchedule");
  const { nodeSelector } = set.spec?.template?.spec ?? {};
  const field = ["spec", "template", "spec", ...(taint || !nodeSelector ? [] : ["nodeSelector"])];
  const tainted = nodeMark(first, "taints", 0);
  return {
    message: `${listed(sets.map(objectName))} puts no pod on ${listed(left.map(({ name }) => name))}: ${what} is missing there, and ${without}`,
    at: { source: set.source, field },
    label: taint
      ? `does not tolerate ${taint.key}${taint.value ? `=${taint.value}` : ""}:${taint.effect}`
      : `${first.name} is not among its nodes`,
    ...(taint && tainted ? { related: [{ at: tainted, label: `the taint of ${first.name}` }] } : {}),
    help: taint
      ? "add `tolerations: [{operator: Exists}]`, as the project's own manifest has it"
      : "let nodeSelector and affinity take every node",
    about: [refOf(set), ...left.slice(0, 4).map(nodeRef)],
  };
}

/** flannel's own Network, which has to be the pods' range that the controller manager hands out. */
function* netConf(subject: Subject): Iterable<Finding> {
  const stated = (subject.topology.kubernetes?.podCIDRs ?? []).flatMap((text) => parseCidr(text.trim()) ?? []);
  const nodes: readonly ClusterNode[] = stated.length === 0 ? [] : subject.cluster().nodes;
  if (nodes.length === 0) return;
  for (const config of subject.of("ConfigMap")) {
    const text = config.metadata.name === "kube-flannel-cfg" ? config.data?.["net-conf.json"] : undefined;
    const network = text === undefined ? undefined : networkIn(text);
    if (!network || stated.some((range) => network.length <= range.length && cidrContains(network, range.ip))) continue;
    yield {
      message: `${objectName(config)}: flannel's Network ${formatCidr(network)} does not hold the pods' range ${stated.map(formatCidr).join(", ")}`,
      at: { source: config.source, field: ["data", "net-conf.json"] },
      label: "flannel refuses a node whose range lies outside its Network",
      help: `write "Network": "${stated.map(formatCidr)[0] ?? ""}"`,
      about: [refOf(config)],
    };
  }
}

function networkIn(text: string) {
  try {
    const parsed: unknown = JSON.parse(text);
    return isFields(parsed) ? parseCidr(textAt(parsed, "Network")) : undefined;
  } catch {
    return undefined; // KT008's business, if anybody's
  }
}
