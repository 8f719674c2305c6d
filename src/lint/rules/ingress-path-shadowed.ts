/**
 * KT406: a rule that no request reaches, for another rule of its host takes them all. Requests are made from the rule's own path
 * and put to the controller's order: Exact before the longest Prefix; with regular expressions the longest text first.
 */
import type { Cluster } from "../../cluster/cluster.ts";
import { ingressControllers } from "../../cluster/ingress-controllers.ts";
import { groupBy } from "../../cluster/order.ts";
import { asksForRegex, type IngressRule, matchRule, rulesOfIngress } from "../../objects/ingress-rules.ts";
import { askController, controllerPods } from "../controller-entry.ts";
import { type Classes, classesOf, effectiveClass, isForNginx } from "../ingress-parts.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT406: Rule = {
  code: "KT406",
  name: "ingress-path-shadowed",
  severity: "warning",
  needs: "data-plane",
  fix: "no",
  title: "an Ingress path whose requests another rule of the host takes, all of them",
  why: "Every request that the path was written for goes to the other rule's Service. With regular expressions ingress-nginx tries the longest text first, whichever says more about the request.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i, annotations: {nginx.ingress.kubernetes.io/use-regex: "true"}}
spec: {ingressClassName: nginx, rules: [{host: r.test.com, http: {paths: [{path: /api/.*/v1/.*, pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}, {path: /api/x/v1/a, pathType: ImplementationSpecific, backend: {service: {name: tomcat6, port: {number: 80}}}}]}}]}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, rules: [{host: r.test.com, http: {paths: [{path: /api, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}, {path: /api/x/v1/a, pathType: Exact, backend: {service: {name: tomcat6, port: {number: 80}}}}]}}]}
`,
  },
  mutedBy: ["KT405"], // the same path, word for word
  check: function* (subject) {
    const classes = classesOf(subject);
    const rules = subject
      .of("Ingress")
      .filter((ingress) => isForNginx(ingress, classes))
      .flatMap(rulesOfIngress);
    for (const ofHost of groupBy(rules, (rule) => `${effectiveClass(rule.ingress, classes) ?? ""} ${rule.host}`).values()) {
      const isRegex = ofHost.some(({ ingress }) => asksForRegex(ingress));
      for (const rule of ofHost) {
        const requests = requestsFor(rule, isRegex);
        const takers = requests.map((path) => matchRule(ofHost, askedHost(rule.host), path));
        const [taker] = takers;
        if (!taker || takers.some((each) => each === undefined || each === rule)) continue;
        yield shadowed(subject, classes, rule, taker, requests[0] ?? "/");
      }
    }
  },
};

const askedHost = (host: string): string => (host.startsWith("*.") ? `any${host.slice(1)}` : host === "" ? "any.invalid" : host);

/** Requests that stand for all that a path is for; none where that cannot be said: an expression with more than plain text. */
function requestsFor({ path: { path = "/", pathType } }: IngressRule, isRegex: boolean): string[] {
  if (isRegex) return /^[\w/-]+$/.test(path) ? [path, `${path}/`, `${path}/q7z`, `${path}q7z`] : [];
  if (pathType === "Exact") return [path];
  const bare = path.replace(/\/$/, "");
  if (pathType === "Prefix") return [bare === "" ? "/" : bare, `${bare}/`, `${bare}/q7z`];
  return [path, `${path}q7z`, `${bare}/q7z`];
}

function shadowed(subject: Subject, classes: Classes, rule: IngressRule, taker: IngressRule, request: string) {
  const shown = `${rule.host || "*"}${rule.path.path ?? "/"}`;
  const other = `${taker.path.path ?? "/"} (${taker.path.pathType ?? "ImplementationSpecific"})`;
  const proof = proofOf(subject, subject.cluster(), classes, rule, request);
  return {
    message: `Ingress ${nameOf(refOf(rule.ingress))}: no request reaches ${shown}: ${other}${taker.ingress === rule.ingress ? "" : ` of Ingress ${nameOf(refOf(taker.ingress))}`} takes them all`,
    at: { source: rule.ingress.source, field: [...rule.field, "path"] },
    label: `${request} goes to ${taker.path.backend.service?.name ?? "the other backend"}`,
    related: [{ at: { source: taker.ingress.source, field: [...taker.field, "path"] }, label: "this one takes it" }],
    help:
      asksForRegex(taker.ingress) || asksForRegex(rule.ingress)
        ? "make the text of the path longer than the other's, or give it a host of its own"
        : "change one of the two paths",
    about: [refOf(rule.ingress), refOf(taker.ingress)],
    ...proof,
  };
}

/** The request itself, where a controller runs that takes the Ingress. */
function proofOf(subject: Subject, cluster: Cluster, classes: Classes, { ingress, host }: IngressRule, path: string) {
  const wanted = effectiveClass(ingress, classes);
  for (const controller of ingressControllers(cluster)) {
    const [pod] = controllerPods(cluster, controller);
    if (!pod || (controller.class !== undefined && wanted !== undefined && controller.class !== wanted)) continue;
    const answer = askController(subject, pod, { host: askedHost(host), path });
    if (answer) return { packet: answer.packet };
  }
  return {};
}
