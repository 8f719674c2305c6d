/** KT701: the Service of the cluster's DNS is not where the kubelet tells pods to ask, or lacks a port of DNS. */
import { hasAssumedDns } from "../../cluster/assumed-dns.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { cidrContains, parseIp } from "../../net/address.ts";
import type { Service } from "../../objects/api.ts";
import type { Finding } from "../finding.ts";
import type { Rule } from "../rule.ts";
import { objectName, refOf, type Subject } from "../subject.ts";

const service = (ip: string): string => `kind: Service
apiVersion: v1
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: ${ip}, selector: {k8s-app: kube-dns}, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]}
`;

export const KT701: Rule = {
  code: "KT701",
  name: "dns-service-mismatch",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "the DNS Service is not at the address that pods ask",
  why: "The kubelet writes one address into every pod's resolv.conf. Where no Service has it no rule knows it, and every name takes 5 s to fail.",
  bad: { manifests: service("10.96.0.53") },
  good: { manifests: service("10.96.0.10") },
  check: function* (subject) {
    const own = subject.of("Service").filter(isDns);
    if (own.length === 0) return;
    const cluster = subject.cluster();
    if (hasAssumedDns(cluster)) return;
    const [first] = own;
    const asked = own.find((each) => ipsOf(each, cluster).some((ip) => cluster.clusterDNS.includes(ip)));
    if (!asked && first) {
      const wrong = elsewhere(subject, cluster, first);
      if (wrong) yield wrong;
    }
    if (asked) yield* missingPorts(asked);
  },
};

const isDns = ({ metadata, spec }: Service): boolean =>
  metadata.namespace === "kube-system" &&
  (metadata.name === "kube-dns" || (metadata.name === "coredns" && spec?.selector?.["k8s-app"] === "kube-dns"));

const ipsOf = ({ metadata }: Service, { services }: Cluster): readonly string[] =>
  services.find(({ namespace, name }) => namespace === metadata.namespace && name === metadata.name)?.clusterIPs ?? [];

/** Told of an address that is written, where the kubelet's is stated too, or follows from the range. */
function elsewhere(subject: Subject, cluster: Cluster, object: Service): Finding | undefined {
  const { kubernetes = {} } = subject.topology;
  const written = parseIp(object.spec?.clusterIP ?? "");
  const isStated = kubernetes.clusterDNS !== undefined;
  if (written === undefined || (object.metadata.uid !== undefined && !isStated)) return undefined; // a live cluster works
  if (!isStated && !cluster.serviceCIDRs.some((cidr) => cidrContains(cidr, written))) return undefined;
  const wanted = cluster.clusterDNS.join(", ");
  const { source } = subject.topology;
  return {
    message: `${objectName(object)} has cluster address ${written}, and pods are told to ask ${wanted}`,
    at: { source: object.source, field: ["spec", "clusterIP"] },
    label: `resolv.conf says ${wanted}`,
    ...(isStated && source
      ? { related: [{ at: { source, field: ["spec", "kubernetes", "clusterDNS"] }, label: "the kubelet's address" }] }
      : {}),
    help: `write \`clusterIP: ${cluster.clusterDNS[0] ?? ""}\`, or give the kubelet this one (clusterDNS; spec.kubernetes.clusterDNS of the topology)`,
    about: [refOf(object)],
  };
}

function* missingPorts(object: Service): Iterable<Finding> {
  const ports = (object.spec?.ports ?? []).filter(({ port }) => port === 53);
  for (const protocol of ["UDP", "TCP"] as const) {
    if (ports.some((each) => (each.protocol ?? "TCP") === protocol)) continue;
    yield {
      message: `${objectName(object)} has no port 53/${protocol}`,
      at: { source: object.source, field: ["spec", "ports"] },
      label: protocol === "UDP" ? "names are asked for by UDP" : "answers that do not fit into a UDP packet are asked for by TCP",
      help: `add \`{name: dns${protocol === "TCP" ? "-tcp" : ""}, port: 53, protocol: ${protocol}}\``,
      about: [refOf(object)],
      ...(protocol === "TCP" ? { severity: "warning" as const } : {}),
    };
  }
}
