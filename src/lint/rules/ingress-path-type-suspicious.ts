/** KT408: a path that its pathType reads otherwise than it was meant (Ingress v1 pathType; ingress-nginx use-regex, rewrite-target). */
import type { Ingress } from "../../objects/api.ts";
import { asksForRegex, type IngressRule, rulesOfIngress } from "../../objects/ingress-rules.ts";
import { isFields, listAt, textAt } from "../../objects/record.ts";
import type { Finding } from "../finding.ts";
import { classesOf, isForNginx, NGINX_PREFIX } from "../ingress-parts.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, refOfWritten, type Subject } from "../subject.ts";

export const KT408: Rule = {
  code: "KT408",
  name: "ingress-path-type-suspicious",
  severity: "warning",
  needs: "object",
  fix: "safe",
  title: "an Ingress path whose pathType reads it otherwise than it looks",
  why: "Prefix and Exact compare text: a regular expression, or a `*` at the end, then matches only itself, and every real request gets 404. A rewrite to a group that the path does not have sends each request to /.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i, annotations: {nginx.ingress.kubernetes.io/rewrite-target: /$2}}
spec: {ingressClassName: nginx, rules: [{host: a.test.com, http: {paths: [{path: /app, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i, annotations: {nginx.ingress.kubernetes.io/use-regex: "true", nginx.ingress.kubernetes.io/rewrite-target: /$2}}
spec: {ingressClassName: nginx, rules: [{host: a.test.com, http: {paths: [{path: "/app(/|$)(.*)", pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  check: function* (subject) {
    yield* withoutType(subject);
    const classes = classesOf(subject);
    const ingresses = subject.of("Ingress");
    const nginx = new Set(ingresses.filter((ingress) => isForNginx(ingress, classes)));
    // One Ingress of a host that asks for expressions makes all of that host's paths ones.
    const hosts = new Set([...nginx].filter(asksForRegex).flatMap((ingress) => rulesOfIngress(ingress).map(({ host }) => host)));
    for (const ingress of ingresses)
      for (const rule of rulesOfIngress(ingress)) {
        const isNginx = nginx.has(ingress);
        const finding = judge(ingress, rule, isNginx, isNginx && hosts.has(rule.host));
        if (finding) yield finding;
      }
  },
};

/** networking.k8s.io/v1 has no default for it, so such an Ingress is refused before it is an object. */
function* withoutType(subject: Subject): Iterable<Finding> {
  for (const written of subject.writtenOf("Ingress")) {
    const { value, source } = written;
    if (value.apiVersion !== "networking.k8s.io/v1") continue;
    for (const [r, rule] of listAt(value, "spec", "rules").entries())
      for (const [p, path] of listAt(rule, "http", "paths").entries()) {
        if (!isFields(path) || (path.pathType ?? null) !== null) continue;
        const at = { source, field: ["spec", "rules", r, "http", "paths", p] };
        yield {
          message: `Ingress ${nameOf(refOfWritten(written))}: the path ${textAt(path, "path") || "/"} has no pathType, which networking.k8s.io/v1 demands`,
          at,
          label: "the API server refuses the Ingress",
          help: "add `pathType: ImplementationSpecific`, what a path meant before v1, or Prefix",
          about: [refOfWritten(written)],
          severity: "error",
          edits: [{ kind: "insert", at, text: "pathType: ImplementationSpecific" }],
        };
      }
  }
}

const REGEX = /[()[\]|^$\\+]|\.\*|\{\d/;

function judge(ingress: Ingress, rule: IngressRule, isNginx: boolean, isRegex: boolean): Finding | undefined {
  const {
    path: { path = "/", pathType },
    field,
  } = rule;
  const { source } = ingress;
  const title = `Ingress ${nameOf(refOf(ingress))}`;
  const at = { source, field: [...field, "path"] };
  const about = [refOf(ingress)];
  const toSpecific = { kind: "value" as const, at: { source, field: [...field, "pathType"] }, text: "ImplementationSpecific" };
  if (pathType === undefined) return undefined; // refused: see below
  const isLiteral = pathType !== "ImplementationSpecific";
  if (isRegex)
    return (
      badRewrite(ingress, rule, title) ??
      (isLiteral && REGEX.test(path) ? literalType(title, path, pathType, about, toSpecific) : undefined)
    );
  if (REGEX.test(path) && (isLiteral || isNginx))
    return {
      message: `${title}: ${path} looks like a regular expression, and ${isLiteral ? `pathType ${pathType}` : "ingress-nginx without use-regex"} reads it as plain text`,
      at,
      label: "matches these very characters only",
      help: isNginx
        ? `set ${NGINX_PREFIX}use-regex: "true"${isLiteral ? " and pathType: ImplementationSpecific" : ""}`
        : "write pathType: ImplementationSpecific, if your controller knows expressions",
      about,
    };
  if (path.endsWith("*") && (isLiteral || isNginx)) {
    const bare = path.replace(/\/?\*$/, "") || "/";
    return {
      message: `${title}: ${path} ends in a *, which ${isLiteral ? `pathType ${pathType}` : "ingress-nginx"} takes for a character of the path`,
      at,
      label: "no wildcard here",
      help: `write \`path: ${bare}\` with pathType: Prefix`,
      about,
    };
  }
  return undefined;
}

const literalType = (
  title: string,
  path: string,
  pathType: string,
  about: Finding["about"],
  edit: NonNullable<Finding["edits"]>[number],
): Finding => ({
  message: `${title}: ${path} is read as a regular expression on this host, and pathType ${pathType} says plain text`,
  at: edit.at,
  label: "an Ingress of the host asks for expressions",
  help: "write `pathType: ImplementationSpecific`; newer ingress-nginx refuses such characters under Prefix and Exact (strict-validate-path-type)",
  about,
  edits: [edit],
});

/** `/$2` needs a second group; nginx puts nothing in its place. */
function badRewrite(ingress: Ingress, { path: { path = "/" }, field }: IngressRule, title: string): Finding | undefined {
  const key = `${NGINX_PREFIX}rewrite-target`;
  const target = ingress.metadata.annotations?.[key] ?? "";
  const wanted = Math.max(0, ...[...target.matchAll(/\$(\d)/g)].map(([, digit]) => Number(digit)));
  const groups = [...path.matchAll(/(?<!\\)\((?!\?)/g)].length;
  if (wanted <= groups) return undefined;
  return {
    message: `${title}: rewrite-target ${target} puts in group ${wanted} of the path, and ${path} has ${groups === 0 ? "none" : `only ${groups}`}`,
    at: { source: ingress.source, field: [...field, "path"] },
    label: `every request below it becomes ${target.replace(/\$\d/g, "")}`,
    related: [{ at: { source: ingress.source, field: ["metadata", "annotations", key] }, label: "the rewrite" }],
    help: `write \`path: ${path.replace(/\/$/, "")}(/|$)(.*)\` with pathType: ImplementationSpecific, and rewrite to /$2`,
    about: [refOf(ingress)],
  };
}
