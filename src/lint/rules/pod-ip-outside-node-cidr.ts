/** KT602: a pod's address that belongs to another node, to the node's own bridge or tunnel, or to another pod. */
import type { Cluster, ClusterNode, ClusterPod } from "../../cluster/cluster.ts";
import { type Cidr, cidrContains, familyOf, formatCidr, type Ip, networkOf, nthAddress } from "../../net/address.ts";
import { type Answer, ask, isDead, podSource, question } from "../ask.ts";
import type { Finding, Mark } from "../finding.ts";
import { refOfPod } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { isClient } from "../service-asks.ts";
import { nameOf, type Subject } from "../subject.ts";
import { nodeMark } from "../topology-faults.ts";

export const KT602: Rule = {
  code: "KT602",
  name: "pod-ip-outside-node-cidr",
  severity: "error",
  needs: "data-plane",
  fix: "no",
  title: "a pod has an address that is not its node's to give",
  why: "The other nodes send a pod's packets to the node whose range holds the address. There the pod is not: ARP finds nobody, and the client times out.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: p, labels: {app: p}}
spec: {nodeName: k8s-node2, containers: [{name: c, image: x}]}
status: {podIP: 10.244.2.50}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: p, labels: {app: p}}
spec: {nodeName: k8s-node2, containers: [{name: c, image: x}]}
status: {podIP: 10.244.1.50}
`,
  },
  check: function* (subject) {
    const pinned = pinnedAddresses(subject);
    if (pinned.size === 0) return;
    const cluster = subject.cluster();
    if (!["flannel", "bridge"].includes(cluster.cni.plugin)) return; // others hand out addresses in their own way
    const owners = new Map<Ip, ClusterPod>();
    for (const pod of cluster.pods) {
      const node = cluster.nodes.find(({ name }) => name === pod.node);
      if (pod.hostNetwork || !node) continue;
      for (const ip of pod.ips) {
        const owner = owners.get(ip);
        if (owner === undefined) owners.set(ip, pod);
        const at = pinned.get(`${pod.namespace}/${pod.name}`) ?? pinned.get(ip);
        const what = at && (owner ? `is the address of Pod ${owner.namespace}/${owner.name} too` : wrongness(cluster, node, ip));
        if (what) yield finding(subject, cluster, pod, node, ip, what, at);
      }
    }
  },
};

/** Addresses that the input states, by the pod's name: in a Pod's status, or in the topology. */
function pinnedAddresses(subject: Subject): ReadonlyMap<string, Mark> {
  const ofObjects = subject
    .of("Pod")
    .flatMap(({ metadata, status, source }): [string, Mark][] =>
      status?.podIP === undefined ? [] : [[`${metadata.namespace ?? "default"}/${metadata.name}`, { source, field: ["status", "podIP"] }]],
    );
  const { source, pods = [] } = subject.topology;
  const ofTopology = pods.flatMap(({ name, ip }, i): [string, Mark][] =>
    source === undefined || ip === undefined ? [] : [[name, { source, field: ["spec", "pods", i, "ip"] }]],
  );
  return new Map([...ofObjects, ...ofTopology]);
}

/** Why the node cannot have given this address; undefined when it can. Only ranges that the input states count. */
function wrongness(cluster: Cluster, node: ClusterNode, ip: Ip): string | undefined {
  const ranges = node.podCIDRs.filter((cidr) => familyOf(cidr.ip) === familyOf(ip));
  if (ranges.length === 0 || !isStated(node)) return undefined;
  const holder = ranges.find((cidr) => cidrContains(cidr, ip));
  if (holder && familyOf(ip) === 4) return ownAddress(networkOf(holder), ip, node, cluster);
  if (holder) return undefined;
  const other = cluster.nodes.find((each) => each.podCIDRs.some((cidr) => cidrContains(cidr, ip)));
  return `lies outside the node's ${ranges.map(formatCidr).join(", ")}${other ? `, in the range of ${other.name}` : ""}`;
}

const isStated = ({ object, origin }: ClusterNode): boolean =>
  object?.spec?.podCIDR !== undefined || (object?.spec?.podCIDRs ?? []).length > 0 || origin !== undefined;

function ownAddress(range: Cidr, ip: Ip, { name }: ClusterNode, { cni }: Cluster): string | undefined {
  if (ip === nthAddress(range, 0n))
    return cni.plugin === "flannel" ? `is the address of flannel's tunnel on ${name}` : `is the network ${formatCidr(range)} itself`;
  return ip === nthAddress(range, 1n) ? `is the address of the bridge on ${name}` : undefined;
}

function finding(subject: Subject, cluster: Cluster, pod: ClusterPod, node: ClusterNode, ip: Ip, what: string, at: Mark): Finding {
  const range = nodeMark(node, "podCIDRs", 0);
  const answer = proof(subject, cluster, pod, ip);
  return {
    message: `Pod ${pod.namespace}/${pod.name} on ${node.name}: its address ${ip} ${what}`,
    at,
    label: "not an address of this pod's node",
    ...(range ? { related: [{ at: range, label: `the addresses of ${node.name}` }] } : {}),
    help: "a pod's address comes from its node's range: correct the one or the other, or leave it out",
    about: [{ kind: "Pod", namespace: pod.namespace, name: pod.name }, refOfPod(pod)],
    ...(answer?.trace.paths.some(isDead) ? { packet: answer.packet } : {}),
  };
}

/** A packet from a pod of another node. */
function proof(subject: Subject, { pods }: Cluster, pod: ClusterPod, ip: Ip): Answer | undefined {
  const client = pods.find((each) => isClient(each) && each.node !== pod.node && nameOf(refOfPod(each)) !== nameOf(refOfPod(pod)));
  return client && ask(subject, question(podSource(client), ip, pod.listens[0]?.port ?? 80));
}
