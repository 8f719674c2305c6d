/** KT009: addresses that two programs read in two ways (KEP-4858, CVE-2021-29923). */
import { NEWEST } from "../../cluster/version.ts";
import { formatCidr, networkOf, parseCidr, parseIp } from "../../net/address.ts";
import type { ApiObject, ObjectRef } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import { formatPath } from "../../objects/violation.ts";
import type { Finding, Mark } from "../finding.ts";
import { markOf, writtenPath } from "../refusal-findings.ts";
import { type Refusal, refusalsOf, targetVersion } from "../refusals.ts";
import type { Rule } from "../rule.ts";
import { nameOf, objectName, refOf, refOfWritten, type Subject } from "../subject.ts";
import { undecoded } from "../undecoded.ts";

export const KT009: Rule = {
  code: "KT009",
  name: "ambiguous-ip-literal",
  severity: "error",
  needs: "object",
  fix: "safe",
  title: "an address that not every program reads alike",
  why: "Go once read 010 as ten where the C library reads eight, and a prefix with host bits is cut by one program and refused by the next: the rule on the node and the packet of the client carry different addresses. New releases refuse them all.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {clusterIP: 10.96.010.10, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {clusterIP: 10.96.10.10, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    for (const { written, violation, diagnostic } of undecoded(subject)) {
      if (diagnostic.code !== "KT009") continue;
      const at = { source: written.source, field: violation.path };
      const ref = refOfWritten(written);
      yield finding(`${ref.kind} ${nameOf(ref)}`, ref, at, violation.path, violation.value, "must not have leading 0s", true);
    }
    for (const { refusal, isRefused } of ambiguous(subject)) {
      const { object, violation } = refusal;
      const at = markOf(refusal);
      yield finding(objectName(object), refOf(object), at, writtenPath(violation), violation.value, violation.detail, isRefused);
    }
  },
};

function finding(
  name: string,
  about: ObjectRef,
  at: Mark,
  path: readonly PathPart[],
  value: unknown,
  detail: string,
  isRefused: boolean,
): Finding {
  const meant = plainForm(value);
  return {
    message: `${name}: ${formatPath(path)} ${JSON.stringify(value)} ${detail}`,
    at,
    label: isRefused ? "the API server refuses it" : "refused from 1.36 on",
    about: [about],
    ...(meant === undefined ? {} : { help: `write ${meant}`, edits: [{ kind: "value", at, text: meant }] }),
    ...(isRefused ? {} : { severity: "warning" }),
  };
}

type Ambiguous = { readonly refusal: Refusal; readonly isRefused: boolean };

/** Those that this release refuses, then those that only a newer one does. */
function ambiguous(subject: Subject): Ambiguous[] {
  const now = subject.refusals().filter(isAmbiguous);
  const seen = new Set(now.map((refusal) => keyOf(refusal)));
  const suspects = targetVersion(subject.topology).minor >= NEWEST.minor ? [] : subject.objects.filter(mayHold);
  const later = refusalsOf(suspects, NEWEST).filter((refusal) => isAmbiguous(refusal) && !seen.has(keyOf(refusal)));
  return [...now.map((refusal) => ({ refusal, isRefused: true })), ...later.map((refusal) => ({ refusal, isRefused: false }))];
}

const isAmbiguous = ({ violation }: Refusal): boolean => violation.code === "KT009";
const keyOf = ({ object: { source }, violation }: Refusal): string =>
  JSON.stringify([source.file, source.offset, source.path, violation.path]);

/** Kinds with a field that only newer releases are strict about: an address in IPv6 form, or a prefix. */
const mayHold = ({ kind }: ApiObject): boolean =>
  kind === "Service" || kind === "Endpoints" || kind === "EndpointSlice" || kind === "NetworkPolicy";

/** The one form that all read alike. */
function plainForm(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const plain = value
    .trim()
    .replace(/^::ffff:(?=[\d.]+(?:\/|$))/i, "")
    .replaceAll(/(^|[./])0+(?=\d)/g, "$1");
  if (!plain.includes("/")) return parseIp(plain) === undefined ? undefined : plain;
  const cidr = parseCidr(plain);
  return cidr === undefined ? undefined : formatCidr(networkOf(cidr));
}
