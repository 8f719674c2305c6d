/** A controller's 503: the Ingress names a Service that is not there, a port that it lacks, or one without endpoints. */
import type { ApiObject, Ingress, IngressBackend } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import type { PathPart } from "../../objects/source.ts";
import { at, type Case, change, type Edit, type Finding } from "../case.ts";
import { listed } from "../entrance.ts";
import { backendAsked, type Found, portAsked } from "./backend.ts";
import { whyEmpty } from "./no-endpoints.ts";

export function ingressNoEndpoints(failed: Case): Finding | undefined {
  const found = backendAsked(failed, failed.leg);
  const name = found?.backend.service?.name;
  if (!found || name === undefined) return undefined;
  const { namespace } = found;
  const service = failed.cluster.services.find((each) => each.namespace === namespace && each.name === name);
  const place = (rest: readonly PathPart[]) => failed.place(found.ingress.source, [...found.field, "service", ...rest]);
  if (!service) {
    const there = failed.cluster.services.filter((each) => each.namespace === namespace);
    const meant = nearest(name, there, (each) => each.name).slice(0, 2);
    const elsewhere = failed.cluster.services.find((each) => each.name === name);
    const else1 = elsewhere ? `; namespace ${elsewhere.namespace} has one, but an Ingress reaches its own namespace only` : "";
    return {
      because: [
        {
          text: `Ingress ${namespace}/${found.ingress.metadata.name} sends to Service ${name}, which namespace ${namespace} does not have${else1}`,
          ...at(place(["name"])),
        },
      ],
      changes: meant.map((each) =>
        change(`service.name: ${each.name}`, place(["name"]), () => editBackend(failed, found, { name: each.name })),
      ),
    };
  }
  const wanted = found.backend.service?.port;
  const port = portAsked(service, found.backend);
  if (port) return whyEmpty(failed, { service, port, how: "cluster-ip" });
  const shown = wanted?.name ?? wanted?.number;
  const pods = service.ports.find((each) => each.targetPort === wanted?.number);
  const has = listed(service.ports.map((each) => `${each.port}${each.name === "" ? "" : ` (${each.name})`}`));
  const hint = pods ? `; ${shown} is its targetPort, the pods' own` : "";
  const offered = pods ? [pods] : service.ports.slice(0, 2);
  return {
    because: [
      { text: `The Ingress asks for port ${shown} of Service ${namespace}/${name}, which has ${has}${hint}`, ...at(place(["port"])) },
    ],
    changes: offered.map((each) =>
      change(`service.port.number: ${each.port}`, place(["port"]), () => editBackend(failed, found, { name, port: { number: each.port } })),
    ),
  };
}

function editBackend({ objects }: Case, { ingress, field }: Found, service: NonNullable<IngressBackend["service"]>): Edit {
  const [, part, r, , , p] = field;
  const port = service.port ?? backendPort(ingress, field);
  const backend: IngressBackend = { service: { name: service.name, ...(port ? { port } : {}) } };
  return {
    objects: objects.map((object): ApiObject => {
      if (object.kind !== "Ingress" || object.source !== ingress.source) return object;
      if (part === "defaultBackend") return { ...object, spec: { ...object.spec, defaultBackend: backend } };
      const rules = (object.spec?.rules ?? []).map((rule, i) =>
        i === r ? { ...rule, http: { paths: (rule.http?.paths ?? []).map((path, j) => (j === p ? { ...path, backend } : path)) } } : rule,
      );
      return { ...object, spec: { ...object.spec, rules } };
    }),
  };
}

function backendPort(ingress: Ingress, [, part, r, , , p]: readonly PathPart[]) {
  if (part === "defaultBackend") return ingress.spec?.defaultBackend?.service?.port;
  return typeof r === "number" && typeof p === "number" ? ingress.spec?.rules?.[r]?.http?.paths?.[p]?.backend.service?.port : undefined;
}
