/** KT605: kernel settings of a node, and its own filter rules, that break paths: proved by the packets that die of them. */
import type { Cluster, ClusterNode, ClusterPod } from "../../cluster/cluster.ts";
import { groupBy } from "../../cluster/order.ts";
import type { Reason } from "../../linux/reason.ts";
import type { Path } from "../../trace/trace.ts";
import { type Answer, ask, podSource, question } from "../ask.ts";
import { backendsOf } from "../backends.ts";
import type { Finding } from "../finding.ts";
import type { Rule } from "../rule.ts";
import { clusterIpOf, isClient, wireProtocol } from "../service-asks.ts";
import type { Subject } from "../subject.ts";
import { nodeMark, nodeRef } from "../topology-faults.ts";

export const KT605: Rule = {
  code: "KT605",
  name: "sysctl-breaks-path",
  severity: "error",
  needs: "data-plane",
  fix: "safe",
  title: "a node's kernel settings or own rules drop the cluster's packets",
  why: "Without forwarding nothing leaves or enters the node's pods. Without bridge-nf-call-iptables the answer of a pod on the same bridge goes past the translation, and the client does not know it. Strict rp_filter drops what comes by another way than it would go.",
  bad: { topology: "{nodes: [{name: k8s-node2, sysctls: {net.bridge.bridge-nf-call-iptables: 0}}]}" },
  good: { topology: "{nodes: [{name: k8s-node2, sysctls: {net.bridge.bridge-nf-call-iptables: 1}}]}" },
  check: function* (subject) {
    if (!(subject.topology.nodes ?? []).some(({ sysctls, iptables }) => sysctls || iptables)) return;
    const cluster = subject.cluster();
    for (const node of cluster.nodes) {
      const wrong = suspects(node);
      if (wrong.length === 0) continue;
      const answers = packetsAt(subject, cluster, node);
      for (const suspect of wrong) {
        const proof = answers.find(({ trace }) => trace.paths.some((path) => diesOf(path, suspect.reasons)));
        const found = proof && finding(node, suspect, proof);
        if (found) yield found;
      }
    }
  },
};

type Suspect = {
  readonly key: readonly string[]; // under the node
  readonly shown: string;
  readonly reasons: readonly Reason[];
  readonly right: string | undefined; // the value that works
};

const FORWARDING = ["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.forwarding"];
const BRIDGE = ["net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables"];

function suspects({ sysctls, ownRules }: ClusterNode): Suspect[] {
  const off = (keys: readonly string[], reasons: readonly Reason[]): Suspect[] =>
    keys.flatMap((key) => (sysctls[key] === "0" ? [{ key: ["sysctls", key], shown: `${key} = 0`, reasons, right: "1" }] : []));
  const strict = Object.keys(sysctls).filter((key) => /^net\.ipv4\.conf\..+\.rp_filter$/.test(key) && sysctls[key] === "1");
  return [
    ...off(FORWARDING, ["forwarding-off"]),
    ...off(BRIDGE, ["reply-not-translated"]),
    ...strict.map((key): Suspect => ({ key: ["sysctls", key], shown: `${key} = 1`, reasons: ["spoofed-source"], right: "2" })),
    ...(ownRules
      ? [{ key: ["iptables"], shown: `its own rules (${ownRules.file})`, reasons: ["rule-denied" as const], right: undefined }]
      : []),
  ];
}

/** Packets that go by way of the node: from a pod of its own to Services and to another node's pod, and to its pods. */
function packetsAt(subject: Subject, cluster: Cluster, node: ClusterNode): Answer[] {
  const running = cluster.pods.filter(isClient);
  const [own, others] = [running.filter((pod) => pod.node === node.name), running.filter((pod) => pod.node !== node.name)];
  const byNode = [...groupBy(others, (pod) => pod.node ?? "").values()].flatMap(([first]) => first ?? []);
  const [client] = own;
  const [other] = byNode;
  const toPod = (from: ClusterPod | undefined, to: ClusterPod | undefined): Answer[] => {
    const [ip] = to?.ips ?? [];
    const port = to?.listens.find(({ protocol }) => protocol === "TCP")?.port;
    if (!from || ip === undefined || port === undefined) return [];
    const answer = ask(subject, question(podSource(from), ip, port));
    return answer ? [answer] : [];
  };
  return [...toServices(subject, cluster, node, own), ...toPod(client, other), ...toPod(other, client)];
}

const MOST_SERVICES = 4;

/** Services with an endpoint on the node, asked by another of its pods. */
function toServices(subject: Subject, cluster: Cluster, node: ClusterNode, own: readonly ClusterPod[]): Answer[] {
  const backends = backendsOf(cluster);
  const found = cluster.services.flatMap((service) => {
    const ip = clusterIpOf(service);
    const [port] = service.ports;
    const here = port ? backends.of(service, port).flatMap(({ pod }) => (pod?.node === node.name ? [pod] : [])) : [];
    const client = own.find((pod) => !here.includes(pod));
    if (ip === undefined || !port || here.length === 0 || !client) return [];
    return [question(podSource(client), ip, port.port, wireProtocol(port.protocol))];
  });
  return found.slice(0, MOST_SERVICES).flatMap((asked) => ask(subject, asked) ?? []);
}

const diesOf = ({ reason, legs }: Path, reasons: readonly Reason[]): boolean =>
  (reason !== undefined && reasons.includes(reason)) ||
  legs.some(({ reply }) => reply.reason !== undefined && reasons.includes(reply.reason));

function finding(node: ClusterNode, { key, shown, right }: Suspect, { packet }: Answer): Finding | undefined {
  const at = nodeMark(node, ...key);
  if (!at) return undefined;
  return {
    message: `node ${node.name}: ${shown}, and packets of the cluster die of it`,
    at,
    label: packet.reasons[0] === undefined ? "this breaks the path" : `the packet ends with ${packet.reasons[0]}`,
    help: right === undefined ? "accept the pods' range in FORWARD, before the rule or policy that drops" : `write ${right}`,
    about: [nodeRef(node)],
    packet,
    ...(right === undefined ? {} : { edits: [{ kind: "value" as const, at, text: right }] }),
  };
}
