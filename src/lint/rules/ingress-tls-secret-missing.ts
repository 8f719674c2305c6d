/** KT409: a certificate that nobody provides (Ingress spec.tls[].secretName; cert-manager makes it from an annotation or a Certificate). */
import type { Ingress } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import { fieldAt, isFields, textAt } from "../../objects/record.ts";
import { namespaceOf } from "../ingress-parts.ts";
import type { Rule } from "../rule.ts";
import { textScalar } from "../scalar.ts";
import { nameOf, refOf, refOfWritten, type Subject } from "../subject.ts";

export const KT409: Rule = {
  code: "KT409",
  name: "ingress-tls-secret-missing",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "an Ingress names a TLS Secret that nothing makes, or one without a key pair",
  why: "The controller serves its own self-made certificate instead: the handshake succeeds, and every client that verifies it gives up (curl: exit status 60).",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, tls: [{hosts: [a.test.com], secretName: a-tls}], rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  good: {
    manifests: `kind: Secret
apiVersion: v1
type: kubernetes.io/tls
metadata: {name: a-tls}
data: {tls.crt: LS0t, tls.key: LS0t}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, tls: [{hosts: [a.test.com], secretName: a-tls}], rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`,
  },
  check: function* (subject) {
    const withTls = subject.of("Ingress").filter(({ spec }) => (spec?.tls ?? []).some(({ secretName }) => secretName));
    if (withTls.length === 0) return;
    const secrets = readSecrets(subject);
    for (const ingress of withTls) yield* judge(ingress, secrets);
  },
};

type Secrets = {
  readonly made: ReadonlySet<string>; // by cert-manager, from a Certificate
  readonly faults: ReadonlyMap<string, string | undefined>; // of each Secret: what is wrong with it
};

function readSecrets(subject: Subject): Secrets {
  const key = (namespace: string | undefined, name: string): string => `${namespace ?? "default"}/${name}`;
  const made = new Set(
    subject.writtenOf("Certificate").map((written) => key(refOfWritten(written).namespace, textAt(written.value, "spec", "secretName"))),
  );
  const faults = new Map(
    subject.writtenOf("Secret").map((written) => {
      const { namespace, name } = refOfWritten(written);
      return [key(namespace, name), faultOf(written.value)];
    }),
  );
  return { made, faults };
}

/** What keeps a Secret from being a key pair. Only its keys are looked at. */
function faultOf(secret: unknown): string | undefined {
  const has = (name: string): boolean =>
    ["data", "stringData"].some((field) => isFields(fieldAt(secret, field)) && fieldAt(secret, field, name) !== undefined);
  const missing = ["tls.crt", "tls.key"].filter((name) => !has(name));
  return missing.length === 0 ? undefined : `it has no ${missing.join(" and no ")}`;
}

const CERT_MANAGER = /^(?:cert-manager\.io\/(?:cluster-)?issuer|kubernetes\.io\/tls-acme|certmanager\.k8s\.io\/(?:cluster-)?issuer)$/;

function* judge(ingress: Ingress, { made, faults }: Secrets) {
  const namespace = namespaceOf(ingress);
  const isMade = Object.keys(ingress.metadata.annotations ?? {}).some((key) => CERT_MANAGER.test(key));
  for (const [i, { secretName, hosts = [] }] of (ingress.spec?.tls ?? []).entries()) {
    const name = `${namespace}/${secretName}`;
    const fault = faults.get(name);
    if (!secretName || isMade || made.has(name) || (faults.has(name) && fault === undefined)) continue;
    const at = { source: ingress.source, field: ["spec", "tls", i, "secretName"] };
    const here = [...faults.keys()].filter((each) => each.startsWith(`${namespace}/`)).map((each) => each.slice(namespace.length + 1));
    const [meant] = nearest(secretName, here, (each) => each);
    const isPartial = faults.size === 0 && made.size === 0; // Secrets are seldom kept beside manifests
    yield {
      message: fault
        ? `Ingress ${nameOf(refOf(ingress))}: Secret ${secretName} is no TLS key pair: ${fault}`
        : `Ingress ${nameOf(refOf(ingress))}: nothing in the input makes the Secret ${secretName} of namespace ${namespace}`,
      at,
      label:
        hosts.length > 0
          ? `${hosts.join(", ")} is served with the controller's own certificate`
          : "the controller serves its own certificate",
      help: meant
        ? `did you mean ${meant}?`
        : fault
          ? "give it tls.crt and tls.key, type kubernetes.io/tls"
          : "add the Secret, a cert-manager Certificate or the annotation cert-manager.io/cluster-issuer",
      about: [refOf(ingress), { kind: "Secret", namespace, name: secretName }],
      ...(meant ? { edits: [{ kind: "value" as const, at, text: textScalar(meant) }] } : {}),
      ...(isPartial ? { severity: "warning" as const } : {}),
    };
  }
}
