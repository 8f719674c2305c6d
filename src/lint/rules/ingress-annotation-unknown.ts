/** KT413: an annotation that the controller reads past (ingress-nginx annotations.md; other controllers have prefixes of their own). */
import type { Ingress } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import type { Finding } from "../finding.ts";
import { type Classes, classesOf, effectiveClass, isForNginx, NGINX_CONTROLLER, NGINX_PREFIX } from "../ingress-parts.ts";
import { NGINX_ANNOTATIONS, NGINX_CURRENT, NGINX_NUMBERS, NGINX_TRUTHS } from "../nginx-annotations.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT413: Rule = {
  code: "KT413",
  name: "ingress-annotation-unknown",
  severity: "warning",
  needs: "object",
  fix: "suggest",
  title: "an Ingress annotation that its controller does not know, or cannot read",
  why: "It is passed over without a word: the timeout, the rewrite or the list of allowed networks that one believes in does not exist.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i, annotations: {nginx.ingress.kubernetes.io/rewrite-targets: /}}
spec: {ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i, annotations: {nginx.ingress.kubernetes.io/rewrite-target: /}}
spec: {ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}}
`,
  },
  check: function* (subject) {
    const classes = classesOf(subject);
    for (const ingress of subject.of("Ingress"))
      for (const [key, value] of Object.entries(ingress.metadata.annotations ?? {})) {
        const finding = key.startsWith(NGINX_PREFIX) ? ofNginx(ingress, key, value, classes) : ofAnother(ingress, key, classes);
        if (finding) yield finding;
      }
  },
};

const markOf = ({ source }: Ingress, key: string) => ({ source, field: ["metadata", "annotations", key] });

function ofNginx(ingress: Ingress, key: string, value: string, classes: Classes): Finding | undefined {
  const name = key.slice(NGINX_PREFIX.length);
  const title = `Ingress ${nameOf(refOf(ingress))}`;
  const about = [refOf(ingress)];
  const owner = controllerOf(ingress, classes);
  if (owner !== undefined && owner !== NGINX_CONTROLLER)
    return {
      message: `${title} is of ${owner}, which does not read ${key}`,
      at: { ...markOf(ingress, key), key: true },
      label: "an annotation of ingress-nginx",
      help: `use ${owner}'s own annotation, or an IngressClass of ingress-nginx`,
      about,
    };
  if (!NGINX_ANNOTATIONS.has(name)) {
    const [meant] = nearest(name, NGINX_CURRENT, (each) => each);
    return {
      message: `${title}: ingress-nginx knows no annotation ${key}`,
      at: { ...markOf(ingress, key), key: true },
      label: "passed over",
      help:
        meant === undefined ? "remove it, or look the name up in the controller's documentation" : `did you mean ${NGINX_PREFIX}${meant}?`,
      about,
      ...(meant === undefined
        ? {}
        : { edits: [{ kind: "key", at: { ...markOf(ingress, key), key: true }, text: `${NGINX_PREFIX}${meant}` }] }),
    };
  }
  if (NGINX_NUMBERS.has(name) && !/^-?\d+$/.test(value))
    return unreadable(ingress, key, value, "a whole number without a unit", /^\d+/.exec(value)?.[0]);
  if (NGINX_TRUTHS.has(name) && !/^(?:1|t|true|0|f|false)$/i.test(value))
    return unreadable(
      ingress,
      key,
      value,
      '"true" or "false"',
      /^(?:yes|on|enabled?)$/i.test(value) ? '"true"' : /^(?:no|off|disabled?)$/i.test(value) ? '"false"' : undefined,
    );
  return undefined;
}

function unreadable(ingress: Ingress, key: string, value: string, wanted: string, meant: string | undefined): Finding {
  const at = markOf(ingress, key);
  const text = meant === undefined || meant.startsWith('"') ? meant : `"${meant}"`;
  return {
    message: `Ingress ${nameOf(refOf(ingress))}: ${key} is ${JSON.stringify(value)}, and ingress-nginx reads ${wanted} there`,
    at,
    label: "passed over, or the Ingress is refused by its webhook",
    ...(text === undefined ? {} : { help: `write ${text}`, edits: [{ kind: "value", at, text }] }),
    about: [refOf(ingress)],
  };
}

/** Prefixes by which other controllers know their annotations, and the controller names of their IngressClasses. */
const OTHERS: readonly (readonly [string, RegExp, string])[] = [
  ["nginx.org/", /nginx\.org/, "F5's NGINX Ingress Controller"],
  ["traefik.ingress.kubernetes.io/", /traefik/, "Traefik"],
  ["haproxy.org/", /haproxy/, "HAProxy's controller"],
  ["haproxy-ingress.github.io/", /haproxy/, "HAProxy Ingress"],
  ["alb.ingress.kubernetes.io/", /alb|aws/, "the AWS load balancer controller"],
  ["konghq.com/", /kong/, "Kong"],
  ["projectcontour.io/", /contour/, "Contour"],
  ["appgw.ingress.kubernetes.io/", /azure|application-gateway/, "Azure's application gateway controller"],
];

/** The controller of the Ingress's class, where an IngressClass of the input says it. */
const controllerOf = (ingress: Ingress, classes: Classes): string | undefined =>
  classes.known.get(effectiveClass(ingress, classes) ?? "")?.controller;

function ofAnother(ingress: Ingress, key: string, classes: Classes): Finding | undefined {
  const other = OTHERS.find(([prefix]) => key.startsWith(prefix));
  if (!other || !isForNginx(ingress, classes) || controllerOf(ingress, classes) === undefined) return undefined;
  return {
    message: `Ingress ${nameOf(refOf(ingress))} is of ingress-nginx, which does not read ${key}`,
    at: { ...markOf(ingress, key), key: true },
    label: `an annotation of ${other[2]}`,
    help: `use an annotation ${NGINX_PREFIX}…, or a class of ${other[2]}`,
    about: [refOf(ingress)],
    severity: "info", // written for a move from one controller to the other, it does no harm
  };
}
