/**
 * A pod asks the cluster's DNS (clusterDNS of the kubelet's configuration), and no Service of the input has that address:
 * manifests of one's own application seldom bring kube-dns along.
 */
import { ask } from "../ask.ts";
import { type Case, type Change, change, type Finding } from "../case.ts";

const READ_IT = "kubectl -n kube-system get service/kube-dns deployment/coredns configmap/coredns -o yaml";

export function dnsUnreachable(failed: Case): Finding | undefined {
  const { cluster, leg } = failed;
  const server = leg.to.ip;
  if (leg.kind !== "dns" || server === undefined || !cluster.clusterDNS.includes(server)) return undefined;
  if (cluster.services.some((service) => service.clusterIPs.includes(server))) return undefined;
  return {
    because: [{ text: `No Service has ${server}, where pods ask for names: the cluster's DNS is not in the input` }],
    changes: [...byAddress(failed), { text: `read the cluster's DNS too: ${READ_IT}`, outcome: "then its names are known" }],
  };
}

/** The Service that was meant needs no name server when it is asked by its address. */
function byAddress(failed: Case): Change[] {
  const { host } = failed.question.to;
  const from = failed.trace.request.from.namespace ?? failed.question.namespace;
  const [name = "", namespace = from] = host.split(".");
  const service = failed.cluster.services.find((each) => each.name === name && each.namespace === namespace);
  const [ip] = service?.clusterIPs ?? [];
  if (ip === undefined || ip === "None") return [];
  return [change(`ask ${name} by its address: ${ip}`, undefined, () => ask(failed, { host: ip }))];
}
