/** KT608: kube-proxy takes pods for outsiders, because its clusterCIDR does not hold their addresses (proxy/util/localdetector.go). */
import { cidrContains, familyOf, formatCidr, parseCidr } from "../../net/address.ts";
import type { Path } from "../../trace/trace.ts";
import { ask, podSource, question } from "../ask.ts";
import { backendsOf } from "../backends.ts";
import type { Mark } from "../finding.ts";
import type { Rule } from "../rule.ts";
import { clusterIpOf, isClient, wireProtocol } from "../service-asks.ts";
import type { Subject } from "../subject.ts";
import { topologyMark, topologyRef } from "../topology-faults.ts";

export const KT608: Rule = {
  code: "KT608",
  name: "kube-proxy-cluster-cidr",
  severity: "warning",
  needs: "data-plane",
  fix: "suggest",
  title: "kube-proxy's clusterCIDR does not hold the pods' addresses",
  why: "A source outside clusterCIDR is an outsider to kube-proxy: pods that call a Service get their node's address instead of their own, and with externalTrafficPolicy Local they are dropped.",
  bad: {
    manifests: `kind: KubeProxyConfiguration
apiVersion: kubeproxy.config.k8s.io/v1alpha1
clusterCIDR: 10.200.0.0/16
`,
  },
  good: {
    manifests: `kind: KubeProxyConfiguration
apiVersion: kubeproxy.config.k8s.io/v1alpha1
clusterCIDR: 10.244.0.0/16
`,
  },
  check: function* (subject) {
    const { clusterCIDR, detectLocalMode } = subject.topology.kubeProxy ?? {};
    const at = clusterCidrMark(subject);
    if (!clusterCIDR || !at || (detectLocalMode !== undefined && detectLocalMode !== "ClusterCIDR")) return;
    const local = clusterCIDR.split(",").flatMap((text) => parseCidr(text.trim()) ?? []);
    const cluster = subject.cluster();
    const strangers = cluster.pods.filter(
      (pod) =>
        isClient(pod) &&
        pod.ips.some((ip) => local.some(({ ip: own }) => familyOf(own) === familyOf(ip)) && !local.some((cidr) => cidrContains(cidr, ip))),
    );
    const backends = backendsOf(cluster);
    for (const pod of strangers.slice(0, MOST_ASKED)) {
      const service = cluster.services.find((each) => {
        const [port] = each.ports;
        return (
          clusterIpOf(each) !== undefined &&
          port !== undefined &&
          backends.of(each, port).some((end) => end.pod && end.pod !== pod && !end.pod.hostNetwork)
        );
      });
      const ip = service && clusterIpOf(service);
      const [port] = service?.ports ?? [];
      const answer =
        ip !== undefined && port ? ask(subject, question(podSource(pod), ip, port.port, wireProtocol(port.protocol))) : undefined;
      if (!answer?.trace.paths.some((path) => losesSource(path, pod.ips))) continue;
      const ranges = cluster.podCIDRs.map(formatCidr).join(",");
      yield {
        message: `kube-proxy takes pods for outsiders: clusterCIDR ${clusterCIDR} does not hold ${pod.ips.join(", ")} of Pod ${pod.namespace}/${pod.name}${strangers.length > 1 ? ` and ${strangers.length - 1} more` : ""}`,
        at,
        label: "their own address is lost on the way to a Service",
        help: `write \`clusterCIDR: ${ranges}\``,
        about: [topologyRef(subject)],
        packet: answer.packet,
        ...(at.field.includes("data") ? {} : { edits: [{ kind: "value" as const, at, text: ranges }] }),
      };
      return;
    }
  },
};

const MOST_ASKED = 3;

/** The pod at the end saw another address than the client's. */
const losesSource = ({ destination }: Path, ips: readonly string[]): boolean =>
  destination?.clientIPSeen !== undefined && !ips.includes(destination.clientIPSeen);

function clusterCidrMark(subject: Subject): Mark | undefined {
  const { kubeProxySource: from } = subject.topology;
  if (!from) return topologyMark(subject, "kubeProxy", "clusterCIDR");
  return from.field.length > 0 ? from : { source: from.source, field: ["clusterCIDR"] };
}
