/** KT005: what still works and is on its way out: API versions, fields and an annotation (types.go, KEP-4974, deprecation guide). */
import type { Version } from "../../cluster/cluster.ts";
import { atLeast } from "../../cluster/version.ts";
import type { Written } from "../../manifests/objects.ts";
import { fieldAt } from "../../objects/record.ts";
import { CURRENT_VERSION, isDeprecated, isRemoved, oldVersion } from "../api-versions.ts";
import { targetVersion } from "../refusals.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOfWritten } from "../subject.ts";

export const KT005: Rule = {
  code: "KT005",
  name: "api-version-deprecated",
  severity: "info",
  needs: "object",
  fix: "no",
  title: "an API version or a field that is deprecated",
  why: "No packet is lost today. A later release stops serving it, and then the object, or what the field asked for, is gone.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: web, annotations: {kubernetes.io/ingress.class: nginx}}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: web}
spec: {ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}}
`,
  },
  check: function* ({ written, topology }) {
    const version = targetVersion(topology);
    for (const each of written) {
      if (fieldAt(each.value, "metadata", "uid") !== undefined) continue; // a server wrote it in this form
      const name = `${each.value.kind} ${nameOf(refOfWritten(each))}`;
      for (const { field, what, help } of deprecationsOf(each, version))
        yield { message: `${name}: ${what}`, at: { source: each.source, field }, label: "deprecated", help, about: [refOfWritten(each)] };
    }
  },
};

type Deprecation = { readonly field: readonly string[]; readonly what: string; readonly help: string };
type KnownDeprecation = Deprecation & { readonly kind: string; readonly since: number; readonly only?: string };

/** `since`: the minor release. `only`: the value that is meant. */
const KNOWN: readonly KnownDeprecation[] = [
  {
    kind: "Endpoints",
    field: ["kind"],
    since: 33,
    what: "Endpoints are deprecated since 1.33, EndpointSlices take their place",
    help: "write an EndpointSlice with the label kubernetes.io/service-name",
  },
  {
    kind: "Service",
    field: ["spec", "loadBalancerIP"],
    since: 24,
    what: "loadBalancerIP is deprecated since 1.24, and each balancer reads it its own way",
    help: "use the annotation of your load balancer's implementation",
  },
  {
    kind: "Service",
    field: ["spec", "externalIPs"],
    since: 36,
    what: "externalIPs is deprecated since 1.36: anyone who may write a Service could take any address with it",
    help: "use type: LoadBalancer with an implementation that hands out addresses, or a Gateway",
  },
  {
    kind: "Ingress",
    field: ["metadata", "annotations", "kubernetes.io/ingress.class"],
    since: 18,
    what: "the annotation kubernetes.io/ingress.class is deprecated since 1.18",
    help: "write spec.ingressClassName, the name of an IngressClass",
  },
  {
    kind: "IngressClass",
    field: ["spec", "controller"],
    since: 0,
    only: "k8s.io/ingress-nginx",
    what: "the ingress-nginx controller is retired: no releases and no security fixes after March 2026",
    help: "plan the move to another controller or to the Gateway API",
  },
];

function deprecationsOf({ value }: Written, version: Version): Deprecation[] {
  const { kind, apiVersion } = value;
  if (typeof kind !== "string" || typeof apiVersion !== "string") return [];
  const old = oldVersion(kind, apiVersion);
  const isOld = old !== undefined && isDeprecated(old, version) && !isRemoved(old, version);
  return [
    ...(isOld
      ? [
          {
            field: ["apiVersion"],
            what: `${apiVersion} is deprecated since 1.${old.deprecated}, and gone in 1.${old.removed}`,
            help: `write \`apiVersion: ${CURRENT_VERSION.get(kind)}\` before the cluster is upgraded`,
          },
        ]
      : []),
    ...KNOWN.filter((known) => {
      const written = known.kind === kind ? fieldAt(value, ...known.field) : undefined;
      const isSet = Array.isArray(written) ? written.length > 0 : written !== undefined && written !== null && written !== "";
      return isSet && atLeast(version, 1, known.since) && (known.only === undefined || known.only === written);
    }),
  ];
}
