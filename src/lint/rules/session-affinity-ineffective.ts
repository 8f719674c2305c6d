/**
 * KT113: affinity by the client's address where no client's address arrives, or where each connection is dealt anew: behind an
 * ingress proxy, which connects to pods itself; behind a balancer, by way of several nodes that keep their own lists.
 */
import type { Cluster, ClusterService } from "../../cluster/cluster.ts";
import { ingressControllers, ingressesTakenBy } from "../../cluster/ingress-controllers.ts";
import { type Fraction, formatFraction, fraction } from "../../net/fraction.ts";
import { sameShare } from "../../trace/again.ts";
import { webQuestion } from "../../trace/questions.ts";
import type { Trace } from "../../trace/trace.ts";
import { type Answer, ask, isDelivered, question } from "../ask.ts";
import { controllerPods, httpPort, sourceNear } from "../controller-entry.ts";
import type { Finding, Related } from "../finding.ts";
import { backendsOfIngress, NGINX_PREFIX, type PlacedBackend } from "../ingress-parts.ts";
import type { Rule } from "../rule.ts";
import { slicesByService, wireProtocol } from "../service-asks.ts";
import { nameOf, type Subject, serviceRef } from "../subject.ts";

export const KT113: Rule = {
  code: "KT113",
  name: "session-affinity-ineffective",
  severity: "warning",
  needs: "data-plane",
  fix: "no",
  title: "sessionAffinity ClientIP that no client gets",
  why: "kube-proxy remembers the address that a connection comes from, each node for itself. An ingress proxy connects to pods past kube-proxy, or in its own name for everybody; a balancer hands each connection to another node. Clients move between pods all the same, or all share one.",
  bad: {
    manifests: `kind: Namespace
apiVersion: v1
metadata: {name: ingress-nginx}
---
kind: DaemonSet
apiVersion: apps/v1
metadata: {name: controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app: ingress-nginx}}
  template: {metadata: {labels: {app: ingress-nginx}}, spec: {hostNetwork: true, containers: [{name: c, image: x, ports: [{name: http, containerPort: 80}]}]}}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
    topology: "ingressControllers: [{class: nginx, pods: {namespace: ingress-nginx, selector: {app: ingress-nginx}}}]",
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, sessionAffinity: ClientIP, externalTrafficPolicy: Cluster, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
`,
  },
  mutedBy: ["KT101", "KT102", "KT103"],
  check: function* (subject) {
    if (!subject.of("Service").some(({ spec }) => spec?.sessionAffinity === "ClientIP")) return;
    const cluster = subject.cluster();
    const slicesOf = slicesByService(cluster);
    const several = (service: ClusterService): boolean =>
      slicesOf(service).flatMap(({ endpoints }) => endpoints.filter(({ ready }) => ready)).length > 1;
    const sticky = cluster.services.filter((service) => service.sessionAffinity === "ClientIP" && service.origin && several(service));
    const behind = throughIngress(subject, cluster, sticky);
    for (const service of sticky) {
      const found = service.type === "LoadBalancer" ? throughBalancer(subject, cluster, service) : behind(service);
      if (found) yield found;
    }
  },
};

/** The Ingresses of each controller that lead to a Service that has no other door. */
function throughIngress(
  subject: Subject,
  cluster: Cluster,
  sticky: readonly ClusterService[],
): (service: ClusterService) => Finding | undefined {
  const doors = sticky.some(({ type }) => type === "ClusterIP")
    ? ingressControllers(cluster).flatMap((controller) => {
        const [pod] = controllerPods(cluster, controller);
        return pod
          ? ingressesTakenBy(cluster, controller).flatMap((ingress) => backendsOfIngress(ingress).map((backend) => ({ pod, backend })))
          : [];
      })
    : [];
  return (service) => {
    if (service.type !== "ClusterIP") return undefined;
    const door = doors.find(
      ({ backend }) =>
        backend.ingress.metadata.namespace === service.namespace && backend.service.name === service.name && !keepsSession(backend),
    );
    const [address] = door?.pod.ips ?? [];
    if (!door || address === undefined) return undefined;
    const host = (door.backend.host ?? "any.test").replace("*", "www");
    const url = { scheme: "http" as const, host, port: httpPort(door.pod), path: door.backend.path?.path || "/" };
    const answer = askAgain(subject, webQuestion({ from: sourceNear(door.pod), ...url, address }));
    return answer && finding(service, answer, describeProxy(service, answer.trace, door.backend), [ingressRelated(door.backend)]);
  };
}

/** The proxy remembers the client itself, by a cookie or by a hash of the request. */
const keepsSession = ({ ingress: { metadata } }: PlacedBackend): boolean =>
  [`${NGINX_PREFIX}affinity`, `${NGINX_PREFIX}upstream-hash-by`].some((key) => Object.hasOwn(metadata.annotations ?? {}, key));

const ingressRelated = ({ ingress, field }: PlacedBackend): Related => ({
  at: { source: ingress.source, field: [...field, "service", "name"] },
  label: "this is the way in",
});

/** Past the Service: each request anew. By way of the Service: in the name of the controller's pod. */
function describeProxy({ clusterIPs }: ClusterService, { paths }: Trace, { ingress }: PlacedBackend): string {
  const share = sameShare(paths, 0);
  const bySelf = paths.every(({ legs }) => legs.at(-1)?.to.ip !== undefined && !clusterIPs.includes(legs.at(-1)?.to.ip ?? "None"));
  const name = `Ingress ${ingress.metadata.namespace}/${ingress.metadata.name}`;
  return bySelf
    ? `through ${name} the proxy picks the pod of each request: a client's next one reaches the same in ${percent(share)} of all cases`
    : `through ${name} every client comes as the controller's pod, so all of them share one pod`;
}

const percent = (share: Fraction): string => formatFraction(fraction(share.num, share.den));

function throughBalancer(subject: Subject, cluster: Cluster, service: ClusterService): Finding | undefined {
  const ip = service.loadBalancerIngress.find((each) => each.ip !== undefined)?.ip;
  const [port] = service.ports;
  if (ip === undefined || !port || cluster.hosts.length === 0) return undefined;
  const answer = askAgain(subject, question("external", ip, port.port, wireProtocol(port.protocol)));
  if (!answer) return undefined;
  const proxy = (cluster.loadBalancers ?? []).find((balancer) => balancer.proxy && balancer.fronts.some((front) => front.ip === ip));
  const share = sameShare(answer.trace.paths, 0);
  if (proxy) return finding(service, answer, `the balancer ${proxy.name} connects in its own name: to kube-proxy all clients are one`, []);
  if (share.num === share.den) return undefined;
  return finding(
    service,
    answer,
    `the balancer hands each connection to any node: a client's next one reaches the same pod in ${percent(share)} of all cases`,
    [],
  );
}

/** The request, and the same once more; undefined when it does not always arrive. */
function askAgain(subject: Subject, asked: Parameters<typeof ask>[1]): Answer | undefined {
  const answer = ask(subject, { ...asked, again: 1 });
  if (!answer?.trace.paths.every(isDelivered)) return undefined;
  return { ...answer, packet: { ...answer.packet, command: answer.packet.command.replace(/^ktrace /, "ktrace --again 1 ") } };
}

function finding(service: ClusterService, { packet }: Answer, what: string, related: readonly Related[]): Finding | undefined {
  return (
    service.origin && {
      message: `Service ${nameOf(serviceRef(service))}: sessionAffinity does not do what it says: ${what}`,
      at: { source: service.origin.source, field: ["spec", "sessionAffinity"] },
      label: "not by the client's address",
      related,
      help:
        related.length > 0
          ? "let the proxy keep the session (ingress-nginx: the annotation affinity: cookie), or remove it here"
          : "write `externalTrafficPolicy: Local`, or let the balancer keep the session",
      about: [serviceRef(service)],
      packet,
    }
  );
}
