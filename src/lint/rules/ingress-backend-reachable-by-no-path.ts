/**
 * KT407: a request that the controller takes and cannot hand on: every way from its pods to the endpoints is walked, until one
 * is open. Endpoints that the network cannot tell from one that was reached are not asked for again.
 */
import type { ClusterPod, ClusterService, ClusterServicePort } from "../../cluster/cluster.ts";
import { type IngressController, ingressControllers, ingressesTakenBy } from "../../cluster/ingress-controllers.ts";
import type { ObjectRef } from "../../objects/api.ts";
import { type Answer, ask, isDead, isDelivered, podSource, question } from "../ask.ts";
import { type Backend, type Backends, backendsOf, isolationOf, isServed } from "../backends.ts";
import { controllerPods } from "../controller-entry.ts";
import { backendsOfIngress, namespaceOf, type PlacedBackend } from "../ingress-parts.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, type Subject, serviceRef } from "../subject.ts";

export const KT407: Rule = {
  code: "KT407",
  name: "ingress-backend-reachable-by-no-path",
  severity: "error",
  needs: "data-plane",
  fix: "no",
  title: "an Ingress path behind which every way to the pods is dead",
  why: "The proxy takes the request, but each connection from its pods to an endpoint is dropped or refused: by a policy, by a closed port, for want of a route. The client gets 502 or 504.",
  bad: {
    manifests: `kind: DaemonSet
apiVersion: apps/v1
metadata: {name: ingress-nginx}
spec: {selector: {matchLabels: {app: ingress-nginx}}, template: {metadata: {labels: {app: ingress-nginx}}, spec: {hostNetwork: true, containers: [{name: controller, image: ingress-nginx/controller, ports: [{containerPort: 80}]}]}}}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
    topology: `ingressControllers: [{class: nginx, pods: {selector: {app: ingress-nginx}}, upstream: endpoints}]
`,
  },
  good: {
    manifests: `kind: DaemonSet
apiVersion: apps/v1
metadata: {name: ingress-nginx}
spec: {selector: {matchLabels: {app: ingress-nginx}}, template: {metadata: {labels: {app: ingress-nginx}}, spec: {hostNetwork: true, containers: [{name: controller, image: ingress-nginx/controller, ports: [{containerPort: 80}]}]}}}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
    topology: `ingressControllers: [{class: nginx, pods: {selector: {app: ingress-nginx}}, upstream: endpoints}]
`,
  },
  mutedBy: ["KT101", "KT102", "KT103", "KT105", "KT106", "KT107", "KT201", "KT202", "KT203", "KT205", "KT211", "KT401", "KT402", "KT412"],
  check: function* (subject) {
    if (subject.of("Ingress").length === 0) return;
    const cluster = subject.cluster();
    const backends = backendsOf(cluster);
    const isolation = isolationOf(subject);
    const services = new Map(cluster.services.map((service) => [`${service.namespace}/${service.name}`, service]));
    for (const controller of ingressControllers(cluster)) {
      const pods = controllerPods(cluster, controller);
      const doors =
        pods.length === 0
          ? []
          : ingressesTakenBy(cluster, controller).flatMap((ingress) =>
              backendsOfIngress(ingress).flatMap((placed) => doorOf(placed, services, backends)),
            );
      const alive = new Set<string>();
      for (const door of doors) {
        if (door.behind.some((backend) => alive.has(kindOf(backend, isolation)))) continue;
        const found = walk(subject, controller, pods, door);
        for (const backend of found.alive) alive.add(kindOf(backend, isolation));
        if (found.dead) yield finding(door, found.dead, pods.length, backends.makers(door.service));
      }
    }
  },
};

type Door = {
  readonly placed: PlacedBackend;
  readonly service: ClusterService;
  readonly port: ClusterServicePort;
  readonly behind: readonly Backend[];
};

/** A backend that has endpoints to try. */
function doorOf(placed: PlacedBackend, services: ReadonlyMap<string, ClusterService>, backends: Backends): Door[] {
  const service = services.get(`${namespaceOf(placed.ingress)}/${placed.service.name}`);
  const wanted = placed.service.port;
  const port = service?.ports.find((each) => (wanted?.name === undefined ? each.port === wanted?.number : each.name === wanted.name));
  const behind = service && port && port.protocol === "TCP" ? backends.of(service, port) : [];
  return service && port && behind.length > 0 ? [{ placed, service, port, behind }] : [];
}

type Isolation = ReturnType<typeof isolationOf>;

/** What decides whether an endpoint can be reached: where it runs, whether it listens, and who may call it. */
const kindOf = (backend: Backend, isolation: Isolation): string =>
  JSON.stringify([
    backend.node,
    backend.pod === undefined ? backend.ip : backend.pod.hostNetwork,
    isServed(backend, "TCP"),
    isolation(backend.pod),
  ]);

/** `dead`: the first answer, when no packet of any controller pod gets to any endpoint. `alive`: endpoints that one did get to. */
type Walked = { readonly dead?: Answer; readonly alive: readonly Backend[] };

function walk(subject: Subject, { upstream }: IngressController, pods: readonly ClusterPod[], { service, port, behind }: Door): Walked {
  const [clusterIp] = service.clusterIPs;
  const targets = upstream === "service" && clusterIp !== undefined && clusterIp !== "None" ? [{ ip: clusterIp, port: port.port }] : behind;
  let first: Answer | undefined;
  for (const pod of pods)
    for (const { ip, port: number } of targets) {
      const answer = ask(subject, question(podSource(pod), ip, number));
      if (!answer?.trace.paths.every(isDead)) {
        const reached = new Set(answer?.trace.paths.filter(isDelivered).flatMap(({ destination }) => destination?.ip ?? []));
        return { alive: behind.filter((backend) => reached.has(backend.ip)) };
      }
      first ??= answer;
    }
  return first ? { dead: first, alive: [] } : { alive: [] };
}

function finding({ placed, service, port, behind }: Door, { packet }: Answer, pods: number, makers: readonly ObjectRef[]) {
  const { ingress, shown, field } = placed;
  return {
    message: `Ingress ${nameOf(refOf(ingress))}: ${shown} leads nowhere: all ways from ${pods} controller ${pods === 1 ? "pod" : "pods"} to the ${behind.length} ${behind.length === 1 ? "endpoint" : "endpoints"} of Service ${nameOf(serviceRef(service))}:${port.port} are ${packet.verdict} (${packet.reasons.join(", ")})`,
    at: { source: ingress.source, field: [...field, "service", "name"] },
    label: packet.text,
    ...(service.origin
      ? { related: [{ at: { source: service.origin.source, field: ["spec", "ports", port.index] }, label: "the port of the Service" }] }
      : {}),
    help: `see why: ${packet.command}`,
    about: [refOf(ingress), serviceRef(service), ...makers],
    packet,
  };
}
