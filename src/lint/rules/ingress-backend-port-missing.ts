/** KT402: an Ingress asks for a port that its Service does not list (Ingress v1 service.port). */
import type { Service } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import { backendsOfIngress, namespaceOf, type PlacedBackend, portOfBackend, portText, servicesByName } from "../ingress-parts.ts";
import { listed } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { textScalar } from "../scalar.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT402: Rule = {
  code: "KT402",
  name: "ingress-backend-port-missing",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "an Ingress names a port that its Service does not have",
  why: "An Ingress names the Service's port, not the pods'. For one that the Service does not list the controller builds no upstream: 503.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 8080}}}}]}}]}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  check: function* (subject) {
    const services = servicesByName(subject);
    for (const ingress of subject.of("Ingress"))
      for (const placed of backendsOfIngress(ingress)) {
        const service = services.get(`${namespaceOf(ingress)}/${placed.service.name}`);
        // A headless Service may list no port, and behind an ExternalName the number is used as it is.
        if (!service?.spec?.ports?.length || service.spec.type === "ExternalName" || !placed.service.port) continue;
        if (!portOfBackend(service, placed.service)) yield missing(placed, service);
      }
  },
};

function missing({ ingress, service: wanted, shown, field }: PlacedBackend, service: Service) {
  const ports = service.spec?.ports ?? [];
  const asked = portText(wanted);
  const byName = wanted.port?.name !== undefined;
  const at = { source: ingress.source, field: [...field, "service", "port", byName ? "name" : "number"] };
  const behind = ports.find(({ targetPort }) => targetPort !== undefined && String(targetPort) === asked);
  const named = byName
    ? nearest(
        asked,
        ports.flatMap(({ name }) => name ?? []),
        (name) => name,
      )[0]
    : undefined;
  const meant = behind ?? ports.find(({ name }) => name !== undefined && name === named) ?? (ports.length === 1 ? ports[0] : undefined);
  const has = listed(ports.map(({ port, name }) => (name === undefined ? String(port) : `${port} (${name})`)));
  // A name where a number has to stand, and the other way round, takes more than one word to mend.
  const text = byName ? meant?.name : meant && String(meant.port);
  return {
    message: `Ingress ${nameOf(refOf(ingress))} sends ${shown} to port ${asked} of Service ${nameOf(refOf(service))}, which has ${has} only`,
    at,
    label: behind ? `${asked} is its targetPort, the pods' own` : `the Service has ${has}`,
    related: [{ at: { source: service.source, field: ["spec", "ports"] }, label: "the ports of the Service" }],
    ...(meant
      ? { help: `write \`${text === undefined ? `port: {number: ${meant.port}}` : `${byName ? "name" : "number"}: ${text}`}\`` }
      : {}),
    ...(text === undefined ? {} : { edits: [{ kind: "value" as const, at, text: byName ? textScalar(text) : text }] }),
    about: [refOf(ingress), refOf(service)],
  };
}
