/**
 * Which processes of the cluster answer in a way of their own: CoreDNS, ingress controllers, outside balancers. They are asked
 * at planning time for all that they could be asked, and the helper of their namespace (agent.mjs) serves the table.
 * Not served: TLS, so port 443 of an ingress controller tells whom it saw; names of the kind SRV and PTR.
 */
import type { Apps } from "../apps/apps.ts";
import { addressesIn, aliasIn, type DnsReply } from "../apps/dns/message.ts";
import type { HttpRequest, ProcessDecision, ProcessRequest } from "../apps/process.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { ListeningSocket } from "../linux/netns.ts";
import type { Ip } from "../net/address.ts";
import type { HttpAction, HttpHost, LabOptions, Serves } from "./plan.ts";

/** Stands for a client, a host and a path that nothing in the input names. */
const ANYBODY = "192.0.2.1";
const NO_HOST = "ktrace-lab.invalid";
const NO_PATH = "/ktrace-lab.invalid";

/** What each listening process does with a connection, for `planLab`. */
export function servesOf(cluster: Cluster, apps: Apps): NonNullable<LabOptions["serves"]> {
  let zone: Serves | undefined;
  return (socket, ip) => {
    if (socket.port === 53 && apps.askNameServer(socket.owner, cluster.clusterDomain, "A")) {
      zone ??= { kind: "dns", domain: cluster.clusterDomain, records: recordsOf(cluster, apps, socket.owner) };
      return zone;
    }
    return proxyOf(cluster, apps, socket, ip);
  };
}

function recordsOf(cluster: Cluster, apps: Apps, owner: string): Extract<Serves, { readonly kind: "dns" }>["records"] {
  const records: [string, { a: readonly Ip[]; aaaa: readonly Ip[]; alias?: string }][] = [];
  for (const name of new Set(namesOf(cluster).map((each) => each.toLowerCase().replace(/\.$/, "")))) {
    const [a, aaaa] = ["A", "AAAA"].map((type) => apps.askNameServer(owner, name, type));
    const found = [a, aaaa].filter((reply) => reply !== undefined && reply.rcode === "NOERROR" && reply.unknown === undefined);
    if (found.length === 0) continue;
    const alias = found.flatMap((reply) => (reply && addressesOf(reply).length > 0 ? (aliasIn(reply) ?? []) : []))[0];
    records.push([name, { a: addressesOf(a), aaaa: addressesOf(aaaa), ...(alias === undefined ? {} : { alias }) }]);
  }
  return Object.fromEntries(records);
}

const addressesOf = (reply: DnsReply | undefined): readonly Ip[] =>
  reply === undefined ? [] : [...addressesIn(reply, "A"), ...addressesIn(reply, "AAAA")];

/** Every name that the cluster's name server could be asked for and know. */
function namesOf({ clusterDomain: domain, services, slices, pods, namespaces, dnsRecords }: Cluster): string[] {
  const dashed = (ip: Ip): string => ip.replace(/[.:]/g, "-");
  return [
    domain,
    `svc.${domain}`,
    `pod.${domain}`,
    ...namespaces.flatMap(({ name }) => [`${name}.svc.${domain}`, `${name}.pod.${domain}`]),
    ...services.map(({ name, namespace }) => `${name}.${namespace}.svc.${domain}`),
    ...slices.flatMap(({ service, namespace, endpoints }) =>
      endpoints.map(({ hostname, addresses }) => `${hostname ?? dashed(addresses[0] ?? "")}.${service}.${namespace}.svc.${domain}`),
    ),
    ...pods.flatMap(({ ips, namespace }) => ips.map((ip) => `${dashed(ip)}.${namespace}.pod.${domain}`)),
    ...dnsRecords.map(({ name }) => name),
  ];
}

function proxyOf(cluster: Cluster, apps: Apps, socket: ListeningSocket, ip: Ip): Serves | undefined {
  const { owner, process, protocol, port } = socket;
  if (port === 443) return undefined;
  const taken: ProcessRequest = { owner, process, protocol, ip, port, client: ANYBODY };
  const plain = apps.askProcess(taken);
  if (plain?.kind === "silence") return { kind: "silence" };
  if (plain) return actionOf(plain);
  const ask = (host: string, path: string): ProcessDecision | undefined => apps.askProcess({ ...taken, http: requestOf(host, path, port) });
  if (protocol !== "tcp" || !ask(NO_HOST, NO_PATH)) return undefined;
  return { kind: "http", hosts: hostsOf(cluster, ask) };
}

const requestOf = (host: string, path: string, port: number): HttpRequest => ({ scheme: "http", host, path, port, insecure: false });

/** The controller's answer for every host and path that an Ingress names; a host alone stands for its other paths. */
function hostsOf(cluster: Cluster, ask: (host: string, path: string) => ProcessDecision | undefined): HttpHost[] {
  const rules = cluster.ingresses.flatMap((ingress) => ingress.spec?.rules ?? []);
  const hosts = new Set(["", ...rules.map((rule) => (rule.host ?? "").toLowerCase())]);
  return [...hosts].map((host): HttpHost => {
    const asked = host === "" ? NO_HOST : host.startsWith("*.") ? `any${host.slice(1)}` : host;
    const paths = rules.filter((rule) => (rule.host ?? "").toLowerCase() === host).flatMap((rule) => rule.http?.paths ?? []);
    return {
      host,
      rules: paths.map((path) => ({
        path: path.path ?? "/",
        type: path.pathType ?? "ImplementationSpecific",
        action: actionOf(ask(asked, path.path ?? "/")),
      })),
      action: actionOf(ask(asked, NO_PATH)),
    };
  });
}

function actionOf(decision: ProcessDecision | undefined): HttpAction {
  if (!decision || decision.kind === "silence") return { kind: "answer", status: 404, text: "no rule" };
  if (decision.kind === "answer") {
    const { status = 200, text, location } = decision;
    return { kind: "answer", status, text, ...(location === undefined ? {} : { location }) };
  }
  const { upstreams, tries, bind } = decision;
  return { kind: "forward", upstreams: upstreams.map(({ ip, port }) => ({ ip, port })), tries, ...(bind === undefined ? {} : { bind }) };
}
