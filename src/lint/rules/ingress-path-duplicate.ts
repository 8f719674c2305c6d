/** KT405: one host and path, claimed twice (ingress-nginx: the oldest object keeps it). */
import type { IngressBackend } from "../../objects/api.ts";
import { type IngressRule, rulesOfIngress } from "../../objects/ingress-rules.ts";
import { classesOf, effectiveClass, NGINX_PREFIX } from "../ingress-parts.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT405: Rule = {
  code: "KT405",
  name: "ingress-path-duplicate",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "two rules claim one host and path for different Services",
  why: "A controller gives a path to one backend only. ingress-nginx keeps the oldest object's, so all requests go there and the other rule is dead.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i1}
spec: {ingressClassName: nginx, rules: [{host: www.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web-old, port: {number: 80}}}}]}}]}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i2}
spec: {ingressClassName: nginx, rules: [{host: www.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i1}
spec: {ingressClassName: nginx, rules: [{host: www.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web-old, port: {number: 80}}}}]}}]}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i2}
spec: {ingressClassName: nginx, rules: [{host: www.test.com, http: {paths: [{path: /web, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  check: function* (subject) {
    const ingresses = subject.of("Ingress").filter(({ metadata }) => metadata.annotations?.[`${NGINX_PREFIX}canary`] !== "true");
    const classes = classesOf(subject);
    const only = classes.known.size === 1 ? [...classes.known.keys()][0] : undefined; // takes what has no class, if anything does
    const first = new Map<string, IngressRule>();
    for (const rule of ingresses.flatMap(rulesOfIngress)) {
      const { ingress, host, path } = rule;
      const kind = path.pathType === "Exact" ? "Exact" : "Prefix"; // to ingress-nginx the other two are one `location`
      const key = JSON.stringify([effectiveClass(ingress, classes) ?? only ?? "", host, path.path ?? "/", kind]);
      const other = first.get(key);
      if (!other) first.set(key, rule);
      else yield duplicate(rule, other);
    }
  },
};

function duplicate(rule: IngressRule, other: IngressRule) {
  const [later, earlier] = isOlder(rule, other) ? [other, rule] : [rule, other];
  const isSame = backendText(later, later.path.backend) === backendText(earlier, earlier.path.backend);
  const shown = `${later.host || "*"}${later.path.path ?? "/"}`;
  const [mine, theirs] = [later, earlier].map(({ ingress }) => `Ingress ${nameOf(refOf(ingress))}`);
  const who = mine === theirs ? "an earlier rule of the same Ingress" : theirs;
  return {
    message: `${mine} claims ${shown}, which ${who} sends to ${backendText(earlier, earlier.path.backend)} already`,
    at: { source: later.ingress.source, field: [...later.field, "path"] },
    label: isSame ? "the same backend, said twice" : `never reaches ${backendText(later, later.path.backend)}`,
    related: [{ at: { source: earlier.ingress.source, field: [...earlier.field, "path"] }, label: `${theirs} has it` }],
    help: isSame ? "remove one of the two" : "give one of them another host or path; for a part of the requests use a canary Ingress",
    about: [refOf(later.ingress), refOf(earlier.ingress)],
    ...(isSame ? { severity: "warning" as const } : {}),
  };
}

/** By creation, where both say so; else the order of the input stands for it. */
function isOlder({ ingress: a }: IngressRule, { ingress: b }: IngressRule): boolean {
  const [mine, theirs] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  return mine !== undefined && theirs !== undefined && mine < theirs;
}

/** `Service default/web:80` */
function backendText({ ingress }: IngressRule, { service, resource }: IngressBackend): string {
  if (!service) return `${resource?.kind ?? "resource"} ${resource?.name ?? ""}`;
  return `Service ${ingress.metadata.namespace ?? "default"}/${service.name}:${service.port?.name ?? service.port?.number ?? "?"}`;
}
