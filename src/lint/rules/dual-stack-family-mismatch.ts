/** KT116: address families that the cluster, or the Service, does not have (KEP-563; storage/alloc.go). */
import { MANAGED_BY, SERVICE_NAME } from "../../cluster/endpoints/slice-object.ts";
import type { IpFamilyName } from "../../objects/api.ts";
import type { Finding } from "../finding.ts";
import { decidedFaults } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { nameOf, objectName, refOf, type Subject, serviceRef } from "../subject.ts";

export const KT116: Rule = {
  code: "KT116",
  name: "dual-stack-family-mismatch",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "an IP family that the cluster or the Service does not have",
  why: "The API server refuses a Service whose families the cluster cannot serve. Endpoints of a family that the Service lacks are never used, and a family without endpoints is rejected: a client that tries it first loses time.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {ipFamilyPolicy: RequireDualStack, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {ipFamilyPolicy: PreferDualStack, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    const mayBreak = subject
      .of("Service")
      .some(({ spec }) => spec?.ipFamilies || spec?.ipFamilyPolicy || spec?.clusterIP || spec?.clusterIPs);
    if (mayBreak) yield* refused(subject);
    yield* unusedSlices(subject);
  },
};

function* refused(subject: Subject): Iterable<Finding> {
  const isStated = subject.topology.kubernetes?.serviceCIDRs !== undefined;
  for (const { object, field, diagnostic } of decidedFaults(subject.cluster().diagnostics, subject.objects, "KT116")) {
    const help = diagnostic.help?.replace(/(?:; )?the API server refuses the \w+, so it is left out$/, "");
    const isOfCluster = /not configured|dual-stack services|to be had/.test(diagnostic.message);
    if (isOfCluster && !isStated && object.metadata.uid !== undefined) continue; // a live one was taken
    yield {
      message: diagnostic.message,
      at: { source: object.source, field },
      label: isOfCluster && !isStated ? "the cluster's families are assumed" : `the API server refuses the ${object.kind}`,
      about: [refOf(object)],
      ...(help ? { help } : {}),
      ...(isOfCluster && !isStated ? { severity: "warning" as const } : {}),
    };
  }
}

/** Slices written by hand for a family that their Service does not have. */
function* unusedSlices(subject: Subject): Iterable<Finding> {
  const slices = subject
    .of("EndpointSlice")
    .filter(({ metadata }) => metadata.uid === undefined && !Object.hasOwn(metadata.labels ?? {}, MANAGED_BY));
  if (slices.length === 0) return;
  const families = new Map(subject.cluster().services.map((service) => [nameOf(serviceRef(service)), service.ipFamilies]));
  for (const slice of slices) {
    const service = `${slice.metadata.namespace ?? "default"}/${slice.metadata.labels?.[SERVICE_NAME] ?? ""}`;
    const known: readonly IpFamilyName[] = families.get(service) ?? [];
    if (slice.addressType === "FQDN" || known.length === 0 || known.includes(slice.addressType)) continue;
    yield {
      message: `${objectName(slice)} lists ${slice.addressType} addresses, but Service ${service} has ${known.join(" and ")} only`,
      at: { source: slice.source, field: ["addressType"] },
      label: "kube-proxy never uses these endpoints",
      help: `list ${known.join(" or ")} addresses, or give the Service the family with ipFamilies`,
      about: [
        refOf(slice),
        { kind: "Service", namespace: slice.metadata.namespace ?? "default", name: service.slice(service.indexOf("/") + 1) },
      ],
    };
  }
}
