/**
 * Ingress controllers of the ingress-nginx kind: which rule takes a request, and where its new connection goes.
 * Facts: Ingress v1 host and path rules (networking.k8s.io/v1 API reference), ingress-nginx (endpoints from EndpointSlices,
 * `service-upstream`, 308 for TLS hosts, default server 404). Not modelled: annotations that rewrite paths, canaries, auth.
 */
import type { Cluster, ClusterService } from "../cluster/cluster.ts";
import { type IngressController, ingressesTakenBy } from "../cluster/ingress-controllers.ts";
import type { CauseId } from "../net/cause.ts";
import type { Ingress, IngressBackend } from "../objects/api.ts";
import type { CauseTable } from "../objects/cause.ts";
import { hostMatches, matchRule, rulesOfIngress } from "../objects/ingress-rules.ts";
import type { HttpRequest, ProcessDecision, Upstream } from "./process.ts";

/** nginx tries at most this many upstreams (proxy_next_upstream_tries of ingress-nginx). */
const UPSTREAM_TRIES = 3;
const HTTP_PROXY = { tries: UPSTREAM_TRIES, layer: "http" } as const;

/** What the controller does with one request. */
export function handleRequest(cluster: Cluster, controller: IngressController, request: HttpRequest, causes: CauseTable): ProcessDecision {
  const host = request.host.replace(/:\d+$/, "").toLowerCase();
  const path = request.path.split(/[?#]/)[0] ?? "/";
  const rule = matchRule(ingressesTakenBy(cluster, controller).flatMap(rulesOfIngress), host, path);
  const secured = rule !== undefined && tlsFor(rule.ingress, host);
  const process = controller.process;
  if (request.scheme === "https" && !request.insecure && !secured) {
    return {
      kind: "answer",
      process,
      reason: "tls-failed",
      text: "the controller's own self-signed certificate: no Ingress names one for this host",
      cause: 0,
    };
  }
  if (!rule) return withoutRule(cluster, controller, host, causes);
  const cause = causes.add({ role: "ingress", object: refOf(rule.ingress), source: rule.ingress.source, field: rule.field });
  if (secured && request.scheme === "http") {
    return {
      kind: "answer",
      process,
      status: 308,
      reason: "redirected",
      text: `308 to https: ${host} has a tls section`,
      cause,
      location: `https://${host}${request.path}`,
    };
  }
  return towards(
    cluster,
    controller,
    rule.ingress.metadata.namespace ?? "default",
    rule.path.backend,
    `${rule.host === "" ? "*" : rule.host}${rule.path.path ?? "/"}`,
    cause,
  );
}

const refOf = (ingress: Ingress) => ({ kind: "Ingress", namespace: ingress.metadata.namespace ?? "default", name: ingress.metadata.name });
const tlsFor = (ingress: Ingress, host: string): boolean =>
  (ingress.spec?.tls ?? []).some((tls) => (tls.hosts ?? []).some((h) => hostMatches(h.toLowerCase(), host)));

/** No rule: the default backend of an Ingress that has one, else the controller's own 404. */
function withoutRule(cluster: Cluster, controller: IngressController, host: string, causes: CauseTable): ProcessDecision {
  const fallback = ingressesTakenBy(cluster, controller).find(
    (ingress) =>
      ingress.spec?.defaultBackend !== undefined &&
      !(ingress.spec.rules ?? []).some((r) => hostMatches((r.host ?? "").toLowerCase(), host) && r.host),
  );
  const backend = fallback?.spec?.defaultBackend;
  if (!fallback || !backend)
    return {
      kind: "answer",
      process: controller.process,
      status: 404,
      reason: "ingress-no-match",
      text: "no Ingress rule for this host and path: the default server's 404",
      cause: 0,
    };
  const cause = causes.add({ role: "ingress", object: refOf(fallback), source: fallback.source, field: ["spec", "defaultBackend"] });
  return towards(cluster, controller, fallback.metadata.namespace ?? "default", backend, "default backend", cause);
}

function towards(
  cluster: Cluster,
  controller: IngressController,
  namespace: string,
  backend: IngressBackend,
  rule: string,
  cause: CauseId,
): ProcessDecision {
  const process = controller.process;
  const name = backend.service?.name ?? "";
  const service = cluster.services.find((s) => s.namespace === namespace && s.name === name);
  const wanted = backend.service?.port;
  const port = service?.ports.find((p) => (wanted?.name === undefined ? p.port === wanted?.number : p.name === wanted.name));
  const shown = `${name}:${wanted?.name ?? wanted?.number ?? "?"}`;
  const refuse = (text: string): ProcessDecision => ({ kind: "answer", process, status: 503, reason: "ingress-no-endpoints", text, cause });
  if (!service) return refuse(`Service ${namespace}/${name} does not exist`);
  if (!port) return refuse(`Service ${namespace}/${name} has no port ${wanted?.name ?? wanted?.number ?? ""}`);
  const clusterIp = service.clusterIPs[0];
  if (controller.upstream === "service" && clusterIp !== undefined && clusterIp !== "None") {
    return {
      kind: "forward",
      process,
      ...HTTP_PROXY,
      service: shown,
      rule: `${rule} -> ${shown}`,
      cause,
      upstreams: [{ ip: clusterIp, port: port.port }],
    };
  }
  const upstreams = readyEndpoints(cluster, service, port.name, port.protocol);
  if (upstreams.length === 0) return refuse(`Service ${namespace}/${name} has no ready endpoint`);
  return { kind: "forward", process, ...HTTP_PROXY, service: name, rule: `${rule} -> ${shown}`, cause, upstreams };
}

function readyEndpoints(cluster: Cluster, service: ClusterService, portName: string, protocol: string): Upstream[] {
  const found = new Map<string, Upstream>();
  for (const slice of cluster.slices.filter((s) => s.namespace === service.namespace && s.service === service.name)) {
    const port = slice.ports.find((p) => p.name === portName && p.protocol === protocol);
    if (!port) continue;
    for (const endpoint of slice.endpoints) {
      const ip = endpoint.addresses[0];
      if (endpoint.ready && ip !== undefined) found.set(`${ip}:${port.port}`, { ip, port: port.port });
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, upstream]) => upstream);
}
