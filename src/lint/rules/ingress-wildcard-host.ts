/** KT411: a name that a wildcard host was taken to cover, and does not (Ingress v1: `*` stands for exactly one label). */
import type { Ingress } from "../../objects/api.ts";
import { hostMatches } from "../../objects/ingress-rules.ts";
import { type CalledName, calledNames } from "../called-names.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT411: Rule = {
  code: "KT411",
  name: "ingress-wildcard-host",
  severity: "info",
  needs: "object",
  fix: "no",
  title: "a name is called that a wildcard host does not cover, though it looks as if it did",
  why: "`*.test.com` stands for exactly one more label: neither test.com nor a.b.test.com is meant, and the controller answers 404 for them.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i, annotations: {ktrace.dev/expect: "curl http://a.b.test.com/ => 200"}}
spec: {ingressClassName: nginx, rules: [{host: "*.test.com", http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i, annotations: {ktrace.dev/expect: "curl http://a.b.test.com/ => 200"}}
spec: {ingressClassName: nginx, rules: [{host: "*.b.test.com", http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  check: function* (subject) {
    const ingresses = subject.of("Ingress");
    const hosts = ingresses.flatMap((ingress) =>
      (ingress.spec?.rules ?? []).map(({ host = "" }, i) => ({ ingress, host: host.toLowerCase(), i })),
    );
    const wildcards = hosts.filter(({ host }) => host.startsWith("*."));
    if (wildcards.length === 0) return;
    for (const called of calledNames(subject)) {
      if (hosts.some(({ host }) => hostMatches(host, called.name))) continue;
      const near = wildcards.find(({ host }) => called.name === host.slice(2) || called.name.endsWith(host.slice(1)));
      if (near) yield misread(called, near.ingress, near.host, near.i);
    }
  },
};

function misread({ name, how, at }: CalledName, ingress: Ingress, host: string, i: number) {
  const bare = host.slice(2);
  return {
    message: `Ingress ${nameOf(refOf(ingress))}: ${host} does not cover ${name}, which ${how}`,
    at: { source: ingress.source, field: ["spec", "rules", i, "host"] },
    label: name === bare ? "one more label is needed, not none" : "one label, and no more",
    related: [{ at, label: `${name} is called here` }],
    help: name === bare ? `add a rule for ${name}` : `add a rule for ${name}, or for *.${name.split(".").slice(1).join(".")}`,
    about: [refOf(ingress)],
  };
}
