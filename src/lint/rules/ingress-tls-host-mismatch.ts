/** KT410: hosts of rules and of certificates that do not meet (Ingress spec.tls[].hosts; SNI; ssl-redirect of ingress-nginx). */
import type { Ingress } from "../../objects/api.ts";
import { hostMatches } from "../../objects/ingress-rules.ts";
import { nearest } from "../../objects/near.ts";
import { expectations } from "../expectations.ts";
import { classesOf, isForNginx, NGINX_PREFIX } from "../ingress-parts.ts";
import { listed } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { textScalar } from "../scalar.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT410: Rule = {
  code: "KT410",
  name: "ingress-tls-host-mismatch",
  severity: "warning",
  needs: "object",
  fix: "suggest",
  title: "the hosts of an Ingress's rules and those of its tls section differ",
  why: "The client's SNI finds no certificate for the host and gets the controller's own one: verification fails. A certificate for a host without a rule serves nobody.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, tls: [{hosts: [test.com], secretName: base-tls}], rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, tls: [{hosts: ["*.test.com"], secretName: base-tls}], rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  check: function* (subject) {
    for (const ingress of subject.of("Ingress")) yield* judge(ingress);
    yield* plainRequests(subject);
  },
};

function* judge(ingress: Ingress) {
  const { tls = [], rules = [] } = ingress.spec ?? {};
  const listedHosts = tls.flatMap(({ hosts = [] }, i) => hosts.map((host, j) => ({ host, field: ["spec", "tls", i, "hosts", j] })));
  const ruleHosts = rules.map(({ host = "" }, i) => ({ host, field: ["spec", "rules", i, "host"] }));
  // A tls entry without hosts is for whatever certificate names; a rule without a host takes every name.
  if (listedHosts.length === 0 || tls.some(({ hosts }) => !hosts?.length)) return;
  const title = `Ingress ${nameOf(refOf(ingress))}`;
  const about = [refOf(ingress)];
  const aliases = (ingress.metadata.annotations?.[`${NGINX_PREFIX}server-alias`] ?? "").split(",").map((each) => each.trim());
  for (const { host, field } of ruleHosts) {
    if (host === "" || listedHosts.some((each) => covers(each.host, host))) continue;
    yield {
      message: `${title}: the tls section has no certificate for ${host}`,
      at: { source: ingress.source, field },
      label: `the certificates are for ${listed(listedHosts.map((each) => each.host))}`,
      related: [{ at: { source: ingress.source, field: ["spec", "tls"] }, label: "the tls section" }],
      help: `add ${host} to spec.tls[].hosts; \`*.x\` covers one label only, and not x itself`,
      about,
    };
  }
  if (ruleHosts.some(({ host }) => host === "")) return;
  for (const { host, field } of listedHosts) {
    if (ruleHosts.some((rule) => covers(host, rule.host) || covers(rule.host, host)) || aliases.includes(host)) continue;
    const at = { source: ingress.source, field };
    const uncovered = ruleHosts.filter((rule) => !listedHosts.some((each) => covers(each.host, rule.host))).map((rule) => rule.host);
    if (uncovered.length > 0 && uncovered.length >= listedHosts.length) continue; // said above, from the rule's side
    const [meant] = nearest(
      host,
      ruleHosts.map((rule) => rule.host),
      (each) => each,
    );
    yield {
      message: `${title}: the tls section names ${host}, and no rule is for it`,
      at,
      label: `the rules are for ${listed(ruleHosts.map((rule) => rule.host))}`,
      help: meant ? `did you mean ${meant}?` : "add a rule for the host, or remove it here",
      about,
      ...(meant ? { edits: [{ kind: "value" as const, at, text: textScalar(meant) }] } : {}),
    };
  }
}

/** A wildcard certificate covers one label, and a wildcard host too. */
const covers = (pattern: string, host: string): boolean => {
  const [a, b] = [pattern.toLowerCase(), host.toLowerCase()];
  return a === b || (a !== "" && !b.startsWith("*.") && hostMatches(a, b));
};

/** Plain HTTP for a host with a certificate: ingress-nginx answers 308 to https. */
function* plainRequests(subject: Subject) {
  const expected = expectations(subject).filter(({ url }) => url.scheme === "http");
  if (expected.length === 0) return;
  const classes = classesOf(subject);
  for (const ingress of subject.of("Ingress")) {
    const annotations = ingress.metadata.annotations ?? {};
    if (!isForNginx(ingress, classes) || annotations[`${NGINX_PREFIX}ssl-redirect`] === "false") continue;
    const hosts = (ingress.spec?.tls ?? []).flatMap((each) => each.hosts ?? []);
    for (const { url, hostHeader, text, expects, at } of expected) {
      const host = (hostHeader ?? url.host).toLowerCase();
      const rules = (ingress.spec?.rules ?? []).filter((rule) => rule.host && hostMatches(rule.host.toLowerCase(), host));
      if (rules.length === 0 || expects === "308" || !hosts.some((each) => covers(each, host))) continue;
      yield {
        message: `${text} is answered with 308 to https: ${host} has a certificate in Ingress ${nameOf(refOf(ingress))}`,
        at,
        label: `expects ${expects}`,
        related: [{ at: { source: ingress.source, field: ["spec", "tls"] }, label: "the tls section" }],
        help: `ask https://${host}${url.path}, or set ${NGINX_PREFIX}ssl-redirect: "false"`,
        about: [refOf(ingress)],
      };
    }
  }
}
