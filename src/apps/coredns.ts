/**
 * CoreDNS with the kubernetes plugin, as kubeadm sets it up: what a query is answered. Facts: the Kubernetes DNS-based
 * service discovery specification 1.1.0, coredns/plugin/kubernetes. Not modelled: caching, Corefile changes, SRV, PTR.
 */
import type { Cluster, ClusterPod, ClusterService } from "../cluster/cluster.ts";
import { type Family, familyOf, type Ip, parseIp } from "../net/address.ts";
import { type CauseId, NO_CAUSE } from "../net/cause.ts";
import type { CauseTable } from "../objects/cause.ts";

export type DnsAnswer =
  | { readonly kind: "addresses"; readonly ips: readonly Ip[]; readonly cause: CauseId; readonly alias?: string } // alias: through a CNAME
  | { readonly kind: "no-data" } // NOERROR without a record of the type
  | { readonly kind: "nxdomain" }
  | { readonly kind: "loop"; readonly names: readonly string[] }
  | { readonly kind: "unknown"; readonly text: string }; // an upstream outside the model would decide

/** A pod that answers DNS: CoreDNS or kube-dns by image, or by the label their Service selects. */
export const isCoreDns = (pod: ClusterPod): boolean =>
  pod.labels["k8s-app"] === "kube-dns" || pod.containers.some((c) => /(^|\/)(coredns|k8s-dns-kube-dns)([:@]|-|$)/.test(c.image ?? ""));

/** CNAME chains longer than this are loops (RFC 1034 asks to stop; CoreDNS stops at 8). */
const MAX_CHAIN = 8;

/** The answer to one fully qualified name. `name` has no trailing dot. */
export function answerQuery(cluster: Cluster, name: string, type: string, causes: CauseTable): DnsAnswer {
  return answerFor(cluster, name.toLowerCase(), type, causes, []);
}

function answerFor(cluster: Cluster, name: string, type: string, causes: CauseTable, chain: readonly string[]): DnsAnswer {
  if (chain.includes(name) || chain.length > MAX_CHAIN) return { kind: "loop", names: [...chain, name] };
  const zone = `.${cluster.clusterDomain}`;
  if (name !== cluster.clusterDomain && !name.endsWith(zone)) return outsideAnswer(cluster, name, type);
  const labels = name.slice(0, -zone.length).split(".");
  const kind = labels.at(-1);
  if (name === cluster.clusterDomain || kind === undefined) return { kind: "no-data" };
  if (kind === "pod") return podAnswer(cluster, labels, type);
  if (kind !== "svc") return { kind: "nxdomain" };
  const namespace = labels.at(-2);
  if (namespace === undefined) return { kind: "no-data" };
  if (!cluster.namespaces.some((ns) => ns.name === namespace)) return { kind: "nxdomain" };
  if (labels.length === 2) return { kind: "no-data" };
  const service = cluster.services.find((s) => s.namespace === namespace && s.name === labels.at(-3));
  if (!service || labels.length > 4) return { kind: "nxdomain" };
  return serviceAnswer(cluster, service, labels.length === 4 ? labels[0] : undefined, type, causes, [...chain, name]);
}

const familyOfType = (type: string): Family | undefined => (type === "A" ? 4 : type === "AAAA" ? 6 : undefined);
const serviceCause = (service: ClusterService, causes: CauseTable): CauseId =>
  causes.add({
    role: "cluster-ip",
    object: { kind: "Service", namespace: service.namespace, name: service.name },
    ...(service.origin ? { source: service.origin.source, field: service.origin.field } : {}),
  });

function serviceAnswer(
  cluster: Cluster,
  service: ClusterService,
  endpointName: string | undefined,
  type: string,
  causes: CauseTable,
  chain: readonly string[],
): DnsAnswer {
  if (service.type === "ExternalName") {
    if (endpointName !== undefined) return { kind: "nxdomain" };
    const target = (service.externalName ?? "").replace(/\.$/, "");
    const answer = answerFor(cluster, target.toLowerCase(), type, causes, chain);
    return answer.kind === "addresses" ? { ...answer, alias: target } : answer;
  }
  const family = familyOfType(type);
  const headless = service.clusterIPs.includes("None");
  const all = headless ? headlessIps(cluster, service, endpointName) : endpointName === undefined ? service.clusterIPs : [];
  if (all.length === 0) return { kind: "nxdomain" };
  const ips = all.filter((ip) => family !== undefined && familyOf(ip) === family);
  return ips.length === 0 ? { kind: "no-data" } : { kind: "addresses", ips, cause: serviceCause(service, causes) };
}

/** One address per ready endpoint; by an endpoint's hostname, or its dashed address, only that one's. */
function headlessIps(cluster: Cluster, service: ClusterService, endpointName: string | undefined): Ip[] {
  const endpoints = cluster.slices
    .filter((s) => s.namespace === service.namespace && s.service === service.name)
    .flatMap((s) => s.endpoints);
  const ready = endpoints.filter((e) => e.ready || service.publishNotReadyAddresses);
  const named =
    endpointName === undefined ? ready : ready.filter((e) => (e.hostname ?? e.addresses[0]?.replace(/[.:]/g, "-")) === endpointName);
  return [...new Set(named.flatMap((e) => e.addresses))].sort((a, b) => (a < b ? -1 : 1));
}

/** `pods insecure`: an address is read out of the name, whether or not such a pod exists. */
function podAnswer(cluster: Cluster, labels: readonly string[], type: string): DnsAnswer {
  const [dashed, namespace] = labels;
  if (labels.length !== 3 || dashed === undefined || !cluster.namespaces.some((ns) => ns.name === namespace)) return { kind: "nxdomain" };
  const ip = parseIp(dashed.split("-").length === 4 && !dashed.includes("--") ? dashed.replaceAll("-", ".") : dashed.replaceAll("-", ":"));
  if (ip === undefined) return { kind: "nxdomain" };
  return familyOf(ip) === familyOfType(type) ? { kind: "addresses", ips: [ip], cause: NO_CAUSE } : { kind: "no-data" };
}

/** A name outside the cluster: the topology's `dns.records` answer; any other is up to a server that is not modelled. */
export function outsideAnswer(cluster: Cluster, name: string, type: string, chain: readonly string[] = []): DnsAnswer {
  const plain = name.toLowerCase().replace(/\.$/, "");
  if (chain.includes(plain)) return { kind: "loop", names: [...chain, plain] };
  const records = cluster.dnsRecords.filter((record) => record.name.toLowerCase().replace(/\.$/, "") === plain);
  const alias = records.find((record) => record.type === "CNAME");
  if (alias) {
    const answer = outsideAnswer(cluster, alias.value, type, [...chain, plain]);
    return answer.kind === "addresses" ? { ...answer, alias: alias.value } : answer;
  }
  const ips = records.filter((record) => record.type === type).map((record) => record.value);
  if (ips.length > 0) return { kind: "addresses", ips, cause: NO_CAUSE };
  if (records.length > 0) return { kind: "no-data" };
  // A name of one label would be a top-level domain: the root servers know none of a Service's or a machine's name.
  if (!plain.includes(".")) return { kind: "nxdomain" };
  return { kind: "unknown", text: `${plain} would be asked of a name server outside the model; add it under dns.records of the topology` };
}
