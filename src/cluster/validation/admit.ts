/**
 * The gate of the API server: an object that it refuses does not exist, so it is reported and left out. An object of a live
 * dump has passed the gate, of the release it was written under. Services pass later, in services/admission.ts, for what
 * they may have depends on the cluster's ranges and on each other.
 */
import type { ApiKind, ApiObject, WorkloadKind } from "../../objects/api.ts";
import { mendingOf, type Violation, violationText } from "../../objects/violation.ts";
import type { Version } from "../cluster.ts";
import type { Given } from "../given.ts";
import { type Notes, nameOf } from "../notes.ts";
import { validateObject } from "./validate.ts";

const KINDS: readonly Exclude<ApiKind, WorkloadKind | "Service">[] = [
  "Namespace",
  "Node",
  "ConfigMap",
  "Pod",
  "Endpoints",
  "EndpointSlice",
  "IngressClass",
  "Ingress",
  "NetworkPolicy",
  "ResourceQuota",
  "LimitRange",
];
const WORKLOADS: readonly WorkloadKind[] = [
  "Deployment",
  "ReplicaSet",
  "ReplicationController",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "CronJob",
];

/** What is given, without what is refused. */
export function admitObjects(given: Given, version: Version, notes: Notes): Given {
  const refused = new Set<ApiObject>();
  const context = { version, families: [] }; // only Services ask for the families
  for (const object of [...KINDS.flatMap((kind) => given.all(kind)), ...WORKLOADS.flatMap((kind) => given.workloads(kind))]) {
    if (object.metadata.uid !== undefined) continue;
    const violations = validateObject(object, context);
    if (violations.length > 0) refused.add(object);
    for (const violation of violations) reportViolation(object, violation, true, notes);
  }
  if (refused.size === 0) return given;
  return {
    all: (kind) => given.all(kind).filter((object) => !refused.has(object)),
    workloads: (kind) => given.workloads(kind).filter((object) => !refused.has(object)),
  };
}

const LONGEST_NAME = 300; // kind, namespace and name of an object that may be taken
const cut = (text: string): string => (text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text);

/** As a finding: the server's sentence, how to mend it, and what follows. */
export function reportViolation(object: ApiObject, violation: Violation, isLeftOut: boolean, notes: Notes): void {
  const consequence = isLeftOut ? `the API server refuses the ${object.kind}, so it is left out` : undefined;
  const said = [mendingOf(violation), consequence].filter((part) => part !== undefined).join("; ");
  notes.report({
    code: violation.code,
    message: `${cut(nameOf(object))}: ${violationText(violation)}`,
    ...(said === "" ? {} : { help: said }),
    source: object.source,
    field: violation.written ?? violation.path,
  });
}
