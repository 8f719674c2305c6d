/**
 * Who asks: workloads, nodes and outside hosts. Their pods fall into classes towards a target: members of one class stand on
 * nodes that are alike, are inside the same source ranges, and are endpoints of the target or not. The state that a packet
 * meets differs between them in addresses only, so one is walked for all.
 */
import type { Cluster, ClusterNode, ClusterPod, Machine } from "../cluster/cluster.ts";
import { type Cidr, cidrContains, formatCidr, networkOf, parseCidr, parseIp } from "../net/address.ts";
import type { Target } from "./targets.ts";
import { isRunning, podName, workloadName } from "./who.ts";

export type SourceRow = {
  readonly id: string; // "deploy/default/tomcat6", "node/k8s-node1", "host/client"
  readonly kind: "workload" | "namespace" | "node" | "host";
  readonly namespace?: string;
  readonly pods: readonly ClusterPod[]; // that run; empty for a machine
  readonly machine?: Machine;
};
export type SourceClass = {
  readonly from: string; // SOURCE of the one that is walked
  readonly members: readonly string[];
  readonly key: string; // the same for sources of other rows that fare alike towards the same target
};

/** Every workload and bare pod, every namespace (all its pods), node and outside host, in this order. */
export function sourcesOf(cluster: Cluster): readonly SourceRow[] {
  const byOwner = new Map<string, ClusterPod[]>();
  for (const pod of cluster.pods) {
    const id = workloadName(pod);
    const known = byOwner.get(id) ?? [];
    byOwner.set(id, known);
    if (isRunning(pod)) known.push(pod);
  }
  return [
    ...[...byOwner].map(([id, pods]): SourceRow => ({ id, kind: "workload", namespace: id.split("/")[1] ?? "", pods })),
    ...cluster.namespaces.map(
      ({ name }): SourceRow => ({ id: `namespace/${name}`, kind: "namespace", namespace: name, pods: podsIn(cluster, name) }),
    ),
    ...cluster.nodes.map((machine): SourceRow => ({ id: `node/${machine.name}`, kind: "node", pods: [], machine })),
    ...outsideHosts(cluster).map((machine): SourceRow => ({ id: `host/${machine.name}`, kind: "host", pods: [], machine })),
  ];
}

const podsIn = (cluster: Cluster, namespace: string): readonly ClusterPod[] =>
  cluster.pods.filter((pod) => pod.namespace === namespace && isRunning(pod));

/** Balancers answer; they do not ask. */
const outsideHosts = (cluster: Cluster): readonly Machine[] => {
  const balancers = new Set((cluster.loadBalancers ?? []).map(({ machine }) => machine));
  return cluster.hosts.filter(({ name }) => !balancers.has(name));
};

/** Groups the sources of a row towards a target. */
export type Classifier = (row: SourceRow, target: Target) => readonly SourceClass[];

/** What nodes and ranges are is looked up once a cluster. `byNode`: every node is a class of its own. */
export function createClassifier(cluster: Cluster, { byNode }: { readonly byNode: boolean }): Classifier {
  const nodes = new Map(cluster.nodes.map((node) => [node.name, node]));
  const looks = new Map(cluster.nodes.map((node) => [node.name, byNode ? node.name : lookOf(node)]));
  const ranges = rangesOf(cluster);
  const running = new Map<string, string | undefined>(cluster.pods.filter(isRunning).map((pod) => [podName(pod), pod.node]));
  const hosting = new WeakMap<ReadonlySet<string>, ReadonlyMap<string, number>>();

  function hostsOf(behind: ReadonlySet<string>): ReadonlyMap<string, number> {
    const known = hosting.get(behind);
    if (known) return known;
    const counts = new Map<string, number>();
    for (const name of behind) {
      const node = running.get(name);
      if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    hosting.set(behind, counts);
    return counts;
  }

  return (row, target) => {
    if (row.machine) return [{ from: row.id, members: [row.id], key: row.id }];
    const hosts = hostsOf(target.behind);
    const zoned = isZoned(target);
    const groups = new Map<string, { from: string; members: string[]; key: string }>();
    for (const pod of row.pods) {
      const node = nodes.get(pod.node ?? "");
      const name = podName(pod);
      const key = JSON.stringify([
        looks.get(node?.name ?? ""),
        hosts.get(node?.name ?? "") ?? 0,
        pod.hostNetwork,
        target.behind.has(name),
        ranges.concat(target.service?.loadBalancerSourceRanges ?? []).map((range) => pod.ips.some((ip) => cidrContains(range, ip))),
        zoned ? node?.labels["topology.kubernetes.io/zone"] : "",
        pod.spec.dnsPolicy ?? "",
      ]);
      const group = groups.get(key);
      if (group) group.members.push(`pod/${name}`);
      else groups.set(key, { from: `pod/${name}`, members: [`pod/${name}`], key });
    }
    return [...groups.values()];
  };
}

const isZoned = ({ service }: Target): boolean =>
  service !== undefined &&
  (service.trafficDistribution !== undefined || Object.keys(service.annotations).some((key) => key.includes("topology")));

/** What makes two nodes forward alike. */
function lookOf(node: ClusterNode): string {
  const interfaces = node.interfaces.map(({ up, mtu, addresses }) => [up, mtu, addresses.map((each) => formatCidr(networkOf(each)))]);
  return JSON.stringify([
    interfaces,
    node.routes.map(({ to, via, dev, src, metric, type }) => [to, via, dev, src, metric, type]),
    node.sysctls,
    node.ownRules?.text,
    node.ready,
    node.resolvConf,
    node.hostsFile.length,
  ]);
}

/** The address ranges that people wrote into filters. */
function rangesOf(cluster: Cluster): readonly Cidr[] {
  const ofFirewalls = (cluster.firewalls ?? []).flatMap(({ allow }) =>
    allow.flatMap(({ from, to }) => [from, to].flatMap((each) => each ?? [])),
  );
  const texts = [...new Set(cluster.nodes.flatMap(({ ownRules }) => ownRules?.text.match(/(?<=\s)[0-9a-f:.]+(\/\d+)?(?=\s)/gi) ?? []))];
  const ofRules = texts.flatMap((text) => {
    const ip = parseIp(text);
    return parseCidr(ip === undefined ? text : `${text}/${text.includes(":") ? 128 : 32}`) ?? [];
  });
  return [...ofFirewalls, ...ofRules];
}
