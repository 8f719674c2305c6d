/** The backend of an Ingress rule that took a request, and the Service port behind a connection that a proxy opened. */
import type { ClusterService, ClusterServicePort } from "../../cluster/cluster.ts";
import type { Ingress, IngressBackend } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Leg } from "../../trace/trace.ts";
import type { Case } from "../case.ts";
import type { Entrance } from "../entrance.ts";

export type Found = {
  readonly ingress: Ingress;
  readonly namespace: string;
  readonly field: readonly PathPart[];
  readonly backend: IngressBackend;
};

/** From the cause that the proxy's step carries. */
export function backendAsked({ causes, cluster }: Case, leg: Leg): Found | undefined {
  const cause = leg.proxy && causes.lookup(leg.proxy.cause);
  const { object, field } = cause ?? {};
  const ingress = cluster.ingresses.find(
    ({ metadata }) => metadata.name === object?.name && (metadata.namespace ?? "default") === object?.namespace,
  );
  if (!ingress || !field) return undefined;
  const namespace = ingress.metadata.namespace ?? "default";
  const [, part, r, , , p] = field;
  if (part === "defaultBackend" && ingress.spec?.defaultBackend) return { ingress, namespace, field, backend: ingress.spec.defaultBackend };
  if (typeof r !== "number" || typeof p !== "number") return undefined;
  const backend = ingress.spec?.rules?.[r]?.http?.paths?.[p]?.backend;
  return backend && { ingress, namespace, field: [...field, "backend"], backend };
}

/** The Service's port that a backend names, by number or by name. */
export function portAsked(service: ClusterService, { service: asked }: IngressBackend): ClusterServicePort | undefined {
  const wanted = asked?.port;
  return service.ports.find((each) => (wanted?.name === undefined ? each.port === wanted?.number : each.name === wanted.name));
}

/** A proxy that connects to endpoints itself: the Service that it took them from. */
export function proxiedEntrance(failed: Case): Entrance | undefined {
  for (const leg of failed.path.legs) {
    const found = backendAsked(failed, leg);
    const service =
      found && failed.cluster.services.find((each) => each.namespace === found.namespace && each.name === found.backend.service?.name);
    const port = service && portAsked(service, found.backend);
    if (port) return { service, port, how: "cluster-ip" };
  }
  return undefined;
}
