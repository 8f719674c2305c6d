/** KT117: aliases that lead in a circle, or to a name of the cluster that nobody has (CoreDNS' kubernetes plugin answers CNAME). */
import type { Service } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import type { Finding } from "../finding.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT117: Rule = {
  code: "KT117",
  name: "external-name-loop",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "an ExternalName that leads back to itself, or to no Service",
  why: "The name server follows the aliases and ends with SERVFAIL or NXDOMAIN. The client gets no address, so it sends no packet.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: a}
spec: {type: ExternalName, externalName: b.default.svc.cluster.local}
---
kind: Service
apiVersion: v1
metadata: {name: b}
spec: {type: ExternalName, externalName: a.default.svc.cluster.local}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: a}
spec: {type: ExternalName, externalName: b.default.svc.cluster.local}
---
kind: Service
apiVersion: v1
metadata: {name: b}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    const aliases = subject.of("Service").filter(({ spec }) => spec?.type === "ExternalName" && spec.externalName);
    if (aliases.length === 0) return;
    const zone = subject.topology.kubernetes?.clusterDomain ?? "cluster.local";
    const byName = new Map(subject.of("Service").map((service) => [nameOf(refOf(service)), service]));
    const reported = new Set<Service>();
    for (const alias of aliases) {
      const circle = circleOf(alias, byName, zone);
      if (circle.length > 0) {
        if (!circle.some((each) => reported.has(each))) yield loop(circle);
        for (const each of circle) reported.add(each);
      } else yield* lost(alias, byName, subject, zone);
    }
  },
};

const externalName = ({ spec }: Service): string => (spec?.externalName ?? "").toLowerCase().replace(/\.$/, "");

/** `ns/name` that a name of the cluster's zone means; undefined for all other names. */
function serviceMeant(name: string, zone: string): string | undefined {
  if (!name.endsWith(`.svc.${zone}`)) return undefined;
  const [service, namespace] = name.slice(0, -`.svc.${zone}`.length).split(".").slice(-2); // a pod's name may stand before them
  return service === undefined || namespace === undefined ? undefined : `${namespace}/${service}`;
}

/** The Services in the circle that this one is a part of, itself first; empty when it leads elsewhere. */
function circleOf(start: Service, byName: ReadonlyMap<string, Service>, zone: string): Service[] {
  const passed: Service[] = [];
  let at: Service | undefined = start;
  while (at && at.spec?.type === "ExternalName" && !passed.includes(at)) {
    passed.push(at);
    at = byName.get(serviceMeant(externalName(at), zone) ?? "");
  }
  return at === start ? passed : [];
}

function loop(circle: readonly Service[]): Finding {
  const [first, ...others] = circle;
  const names = [...circle, ...circle.slice(0, 1)].map((service) => nameOf(refOf(service)));
  return {
    message: `the aliases lead in a circle: ${names.join(" → ")}`,
    at: { source: first?.source ?? { file: "", offset: 0, path: [] }, field: ["spec", "externalName"] },
    label: others.length === 0 ? "it is its own alias" : "no name server can follow this",
    related: others.map(({ source }) => ({ at: { source, field: ["spec", "externalName"] }, label: "and on from here" })),
    help: "let one of them name a host outside, or be a Service with pods",
    about: circle.map(refOf),
  };
}

function* lost(alias: Service, byName: ReadonlyMap<string, Service>, subject: Subject, zone: string): Iterable<Finding> {
  const name = externalName(alias);
  const at = { source: alias.source, field: ["spec", "externalName"] };
  const about = [refOf(alias)];
  const own = `Service ${nameOf(refOf(alias))}`;
  if (/\.svc$/.test(name)) {
    yield {
      message: `${own}: externalName ${name} is no full name, and none of the search list is tried for an alias`,
      at,
      label: "no such name",
      help: `write ${name}.${zone}`,
      about,
      edits: [{ kind: "value", at, text: `${name}.${zone}` }],
    };
    return;
  }
  const meant = serviceMeant(name, zone);
  if (meant === undefined || meant === "default/kubernetes" || byName.has(meant)) return;
  const namespace = meant.slice(0, meant.indexOf("/"));
  const siblings = [...byName.keys()].flatMap((key) => (key.startsWith(`${namespace}/`) ? [key.slice(namespace.length + 1)] : []));
  const near = nearest(meant.slice(namespace.length + 1), siblings, (each) => each)[0];
  yield {
    message: `${own}: there is no Service ${meant}, which externalName ${name} leads to`,
    at,
    label: near === undefined ? "NXDOMAIN" : `did you mean ${near}?`,
    help: "name a Service that exists, or add it to the input",
    about,
    ...(subject.objects.some(({ metadata }) => metadata.namespace === namespace) ? {} : { severity: "warning" }), // it may be somebody else's
  };
}
