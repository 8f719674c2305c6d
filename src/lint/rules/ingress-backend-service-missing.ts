/** KT401: an Ingress sends to a Service that is not there (ingress-nginx balancer.lua: 503 without upstream peers). */
import { nearest } from "../../objects/near.ts";
import { backendsOfIngress, namespaceOf, type PlacedBackend, servicesByName } from "../ingress-parts.ts";
import { listed } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { textScalar } from "../scalar.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT401: Rule = {
  code: "KT401",
  name: "ingress-backend-service-missing",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "an Ingress names a Service that its namespace does not have",
  why: "The controller has nobody to hand the request to and answers by itself: 503 from ingress-nginx, 404 from others.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: webb, port: {number: 80}}}}]}}]}
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
      for (const placed of backendsOfIngress(ingress))
        if (!services.has(`${namespaceOf(ingress)}/${placed.service.name}`)) yield missing(subject, placed);
  },
};

function missing(subject: Subject, { ingress, service: { name }, shown, field }: PlacedBackend) {
  const namespace = namespaceOf(ingress);
  const at = { source: ingress.source, field: [...field, "service", "name"] };
  const all = subject.of("Service");
  const here = all.filter((service) => namespaceOf(service) === namespace);
  const [meant] = nearest(name, here, ({ metadata }) => metadata.name);
  const elsewhere = all.find(({ metadata }) => metadata.name === name);
  const label = elsewhere
    ? `namespace ${namespaceOf(elsewhere)} has one, but an Ingress reaches its own namespace only`
    : here.length === 0
      ? `the input has no Service of namespace ${namespace}`
      : `namespace ${namespace} has ${listed(here.map(({ metadata }) => metadata.name).sort())}`;
  return {
    message: `Ingress ${nameOf(refOf(ingress))} sends ${shown} to Service ${name}, which namespace ${namespace} does not have`,
    at,
    label,
    ...(elsewhere
      ? { related: [{ at: { source: elsewhere.source, field: ["metadata", "name"] }, label: "the Service of that name" }] }
      : {}),
    ...(meant
      ? { help: `did you mean ${meant.metadata.name}?`, edits: [{ kind: "value" as const, at, text: textScalar(meant.metadata.name) }] }
      : {}),
    about: [refOf(ingress), { kind: "Service", namespace, name }],
    ...(here.length === 0 && !elsewhere ? { severity: "warning" as const } : {}), // the Services may lie in files that were not given
  };
}
