/**
 * kube-proxy's answers to health checks: healthCheckNodePort of one Service (any path; pkg/proxy/healthcheck/service_health.go)
 * and its own port 10256 (proxy_health.go: /healthz fails while the cluster autoscaler's taint is on the node, /livez does not).
 */
import type { CauseId } from "../net/cause.ts";
import type { ProcessAnswer, ProcessRequest } from "./process.ts";

/** One health check port of a node, as its kube-proxy knows it. */
export type HealthPort =
  | {
      readonly kind: "service";
      readonly port: number;
      readonly namespace: string;
      readonly name: string;
      readonly localEndpoints: number;
      readonly status: 200 | 503;
      readonly cause: CauseId;
    }
  | { readonly kind: "proxy"; readonly port: number; readonly draining: boolean };

/** The health check ports of the node that owns a socket. */
export type HealthPorts = (owner: string) => readonly HealthPort[];

/** What kube-proxy answers, or undefined when the connection is no health check. */
export function answerHealthCheck(ports: HealthPorts, request: ProcessRequest): ProcessAnswer | undefined {
  const { owner, process, port, http } = request;
  if (process !== "kube-proxy" || !http) return undefined;
  const found = ports(owner).find((each) => each.port === port);
  if (!found) return undefined;
  if (found.kind === "proxy") return proxyHealth(found.draining, http.path, process);
  const { namespace, name, localEndpoints, status, cause } = found;
  const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true };
  const answer = { kind: "answer", process, status, cause, text: JSON.stringify(body) } as const;
  return status === 200 ? answer : { ...answer, reason: "no-local-endpoints" };
}

function proxyHealth(draining: boolean, path: string, process: string): ProcessAnswer {
  const answer = (status: number, text: string): ProcessAnswer => ({ kind: "answer", process, status, text, cause: 0 });
  const route = path.split(/[?#]/)[0];
  if (route === "/livez" || (route === "/healthz" && !draining)) return answer(200, "kube-proxy is well");
  if (route === "/healthz") return answer(503, "the node is about to be deleted: kube-proxy asks balancers to leave it");
  return answer(404, `kube-proxy has no ${route}`);
}
