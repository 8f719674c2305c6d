/** KT503: pods that may send something somewhere, and not to the cluster's DNS. */

import { hasAssumedDns } from "../../cluster/assumed-dns.ts";
import type { Cluster, ClusterPod } from "../../cluster/cluster.ts";
import { blockHolds, type Policies } from "../../cluster/policies/policies.ts";
import { type PolicyRule, rulesOf } from "../../cluster/policies/rules.ts";
import type { ApiProtocol, NetworkPolicy } from "../../objects/api.ts";
import { backendsOf } from "../backends.ts";
import type { Finding } from "../finding.ts";
import { groupPods, listed, type PodGroup } from "../pod-groups.ts";
import { BY_THE_API, policiesOf, policyMark, policyName } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, serviceRef } from "../subject.ts";

const DNS_PORT = 53;

export const KT503: Rule = {
  code: "KT503",
  name: "policy-blocks-dns",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "pods that are isolated for egress cannot ask the cluster's DNS",
  why: "Egress is judged after the Service's translation: the packet goes to a CoreDNS pod at port 53, and no rule holds that pod. Every name takes 5 s to fail.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: nginx}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: tomcat6}}}]}]}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: nginx}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: tomcat6}}}]}, {to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}]}
`,
  },
  check: function* (subject) {
    const known = policiesOf(subject);
    if (!known) return;
    const { cluster, policies } = known;
    const dns = dnsPods(cluster);
    if (dns.length === 0 || cluster.pods.some(isNodeLocalDns)) return;
    const said = new Set<string>();
    for (const group of groupPods(cluster.pods.filter(asksClusterDns))) {
      const found = policies.isolating(group.pods[0], "Egress");
      const key = found.map(policyName).join(" ");
      if (said.has(key) || !wantsNames(cluster, found)) continue;
      const wrong = finding(cluster, policies, group, dns, found);
      if (!wrong) continue;
      said.add(key); // one finding for all pods that the same policies guard
      yield wrong;
    }
  },
};

type DnsPod = { readonly pod: ClusterPod; readonly protocol: ApiProtocol; readonly port: number };

/** Where a packet to the kubelet's DNS address ends, after the Service's translation. */
function dnsPods(cluster: Cluster): DnsPod[] {
  const service = cluster.services.find(({ clusterIPs }) => clusterIPs.some((ip) => cluster.clusterDNS.includes(ip)));
  if (!service) return [];
  const backends = backendsOf(cluster);
  return service.ports
    .filter(({ port }) => port === DNS_PORT)
    .flatMap((port) =>
      backends.of(service, port).flatMap((end) => (end.pod ? [{ pod: end.pod, protocol: port.protocol, port: end.port }] : [])),
    );
}

/** A cache on each node takes the questions before the Service does. */
const isNodeLocalDns = ({ labels }: ClusterPod): boolean => labels["k8s-app"] === "node-local-dns";

/** Its resolv.conf names the cluster's DNS. */
const asksClusterDns = ({ spec, hostNetwork, phase }: ClusterPod): boolean =>
  phase === "Running" && !hostNetwork && (spec.dnsPolicy === undefined || spec.dnsPolicy === "ClusterFirst");

/**
 * Who may send nothing needs no names. Peers that are pods are called by name; a port of DNS that stands in a rule shows that
 * somebody thought of it, for another DNS than the one that is only assumed here. So does a block that holds the cluster
 * address: whether such a rule is asked before the translation the API leaves to the plugin (KT509).
 */
function wantsNames(cluster: Cluster, policies: readonly NetworkPolicy[]): boolean {
  const rules = policies.flatMap((policy) => rulesOf(policy, "Egress"));
  const isByPod = rules.some(({ peers }) => peers.some(({ ipBlock }) => !ipBlock));
  const isThought = hasAssumedDns(cluster) && rules.some(namesDns);
  const isByAddress = rules.some(({ peers }) => peers.some(({ ipBlock }) => cluster.clusterDNS.some((ip) => blockHolds(ipBlock, ip))));
  return isByPod && !isThought && !isByAddress;
}

const namesDns = ({ ports }: PolicyRule): boolean =>
  ports.some(({ port }) => port === DNS_PORT || port === 5353 || (typeof port === "string" && port.startsWith("dns")));

function finding(
  cluster: Cluster,
  policies: Policies,
  { pods: [pod], ref, title }: PodGroup,
  dns: readonly DnsPod[],
  isolating: readonly NetworkPolicy[],
): Finding | undefined {
  const isDenied = (protocol: ApiProtocol): boolean => {
    const ends = dns.filter((each) => each.protocol === protocol);
    return (
      ends.length > 0 &&
      ends.every((end) => policies.judge(pod, "Egress", { kind: "pod", pod: end.pod }, { protocol, port: end.port }).verdict === "denied")
    );
  };
  const [udp, tcp] = [isDenied("UDP"), isDenied("TCP")];
  const [first] = isolating;
  const [end] = dns;
  if (!udp || !first || !end) return undefined;
  const name = cluster.services.find(({ clusterIPs }) => clusterIPs.some((ip) => cluster.clusterDNS.includes(ip)));
  const labels = end.pod.labels["k8s-app"] === undefined ? "" : `, podSelector: {matchLabels: {k8s-app: ${end.pod.labels["k8s-app"]}}}`;
  const field = (first.spec?.egress ?? []).length > 0 ? ["spec", "egress"] : ["spec", "policyTypes"];
  return {
    message: `${title} may not ask the DNS: of ${listed(isolating.map(policyName))} no egress rule holds the pods behind ${name ? `Service ${nameOf(serviceRef(name))}` : "it"} at UDP ${end.port}${tcp ? "" : ", though TCP passes"}`,
    at: policyMark(first, ...field),
    label: BY_THE_API,
    related: [
      { at: { source: pod.origin.source, field: [...pod.origin.field, "metadata", "labels"] }, label: `${title} is isolated for egress` },
      ...(end.pod.origin.source.file === ""
        ? []
        : [
            {
              at: { source: end.pod.origin.source, field: [...end.pod.origin.field, "metadata", "labels"] },
              label: "the DNS pods' labels",
            },
          ]),
    ],
    help: `add an egress rule to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${end.pod.namespace}}}${labels}}], ports: [{protocol: UDP, port: ${end.port}}, {protocol: TCP, port: ${end.port}}]`,
    about: [refOf(first), ref],
  };
}
