/** KT110: one cluster address for two Services (ipallocator: "provided IP is already allocated"). */
import { formatCidr, nthAddress } from "../../net/address.ts";
import type { Service } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Finding } from "../finding.ts";
import { decidedFaults } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT110: Rule = {
  code: "KT110",
  name: "service-cluster-ip-conflict",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "a cluster address that another Service has",
  why: "The API server gives an address out once and refuses the second Service. If both were there, the first chain that matches would take the packets of both.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: a}
spec: {clusterIP: 10.96.0.77, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
kind: Service
apiVersion: v1
metadata: {name: b}
spec: {clusterIP: 10.96.0.77, selector: {app: web}, ports: [{port: 81, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: a}
spec: {clusterIP: 10.96.0.77, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
kind: Service
apiVersion: v1
metadata: {name: b}
spec: {clusterIP: 10.96.0.78, selector: {app: web}, ports: [{port: 81, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    const asking = subject.of("Service").filter(({ spec }) => addressesOf(spec).length > 0);
    if (asking.length === 0) return;
    for (const { object, field } of decidedFaults(subject.cluster().diagnostics, subject.objects, "KT110"))
      if (object.kind === "Service") yield conflict(subject, object, field);
    yield* dnsAddressTaken(subject, asking);
  },
};

const addressesOf = (spec: Service["spec"]): readonly string[] =>
  [...new Set([...(spec?.clusterIP ? [spec.clusterIP] : []), ...(spec?.clusterIPs ?? [])])].filter((ip) => ip !== "None" && ip !== "");

function conflict(subject: Subject, service: Service, field: readonly PathPart[]): Finding {
  const own = addressesOf(service.spec);
  const owner = subject.of("Service").find((other) => other !== service && addressesOf(other.spec).some((ip) => own.includes(ip)));
  const [cidr] = subject.cluster().serviceCIDRs;
  const ip = owner ? own.find((each) => addressesOf(owner.spec).includes(each)) : own[0];
  const isFirst = cidr !== undefined && ip === nthAddress(cidr, 1n);
  const whose = owner
    ? `Service ${nameOf(refOf(owner))} has`
    : isFirst
      ? `the API server takes for Service default/kubernetes, the first of ${formatCidr(cidr)}`
      : "is given out already";
  return {
    message: `Service ${nameOf(refOf(service))} asks for ${ip}, which ${whose}`,
    at: { source: service.source, field },
    label: "the API server refuses the Service",
    help: "leave it out, and a free one is allocated",
    about: [refOf(service), ...(owner ? [refOf(owner)] : [])],
    ...(owner ? { related: [{ at: { source: owner.source, field: ["spec", "clusterIP"] }, label: "the same address" }] } : {}),
  };
}

/** Every pod's resolv.conf names this address: whoever has it gets the questions. */
function* dnsAddressTaken(subject: Subject, asking: readonly Service[]): Iterable<Finding> {
  const { clusterDNS } = subject.cluster();
  for (const service of asking) {
    const ip = addressesOf(service.spec).find((each) => clusterDNS.includes(each));
    if (ip === undefined || service.metadata.namespace === "kube-system" || service.spec?.ports?.some(({ port }) => port === 53)) continue;
    yield {
      message: `Service ${nameOf(refOf(service))} asks for ${ip}, the address at which pods ask for names`,
      at: { source: service.source, field: ["spec", "clusterIP"] },
      label: "the cluster's DNS address",
      help: "leave it out, and a free one is allocated",
      about: [refOf(service)],
    };
  }
}
