/** KT201: a workload that does not select the pods of its own template (pkg/apis/apps/validation). */
import type { Labels, Workload, WorkloadKind } from "../../objects/api.ts";
import { fieldAt, isFields, labelsAt } from "../../objects/record.ts";
import type { Edit, Finding } from "../finding.ts";
import { labelsText, selectorOf, selectsLabels } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { textEntry, textScalar } from "../scalar.ts";
import { nameOf, refOf, refOfWritten, type Subject } from "../subject.ts";

const KINDS: readonly WorkloadKind[] = ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"];
const LABELS = ["spec", "template", "metadata", "labels"] as const;

export const KT201: Rule = {
  code: "KT201",
  name: "workload-selector-mismatch",
  severity: "error",
  needs: "object",
  fix: "safe",
  title: "a workload's selector does not fit the labels of its own pod template",
  why: "The API server refuses the object, so none of its pods exists and every Service that counts on them has no endpoints: connection refused.",
  bad: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: api}
spec: {selector: {matchLabels: {app: api}}, template: {metadata: {labels: {app: apis}}, spec: {containers: [{name: c, image: x}]}}}
`,
  },
  good: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: api}
spec: {selector: {matchLabels: {app: api}}, template: {metadata: {labels: {app: api}}, spec: {containers: [{name: c, image: x}]}}}
`,
  },
  check: function* (subject) {
    for (const kind of KINDS)
      for (const workload of subject.of(kind)) {
        const finding = mismatch(workload);
        if (finding) yield finding;
      }
    yield* withoutSelector(subject);
  },
};

function mismatch(workload: Workload): Finding | undefined {
  const selector = selectorOf(workload);
  const labels = workload.spec?.template?.metadata?.labels ?? {};
  if (workload.spec?.template === undefined || selector === undefined || selectsLabels(workload, labels)) return undefined;
  const wanted = selector.matchLabels ?? {};
  if (Object.keys(wanted).length + (selector.matchExpressions ?? []).length === 0) return undefined; // another fault: an empty selector
  const wrong = Object.keys(wanted).filter((key) => !Object.hasOwn(labels, key) || labels[key] !== wanted[key]);
  const [first] = wrong;
  const isThere = first !== undefined && Object.hasOwn(labels, first);
  const { source } = workload;
  const inSelector = workload.kind === "ReplicationController" ? ["spec", "selector"] : ["spec", "selector", "matchLabels"];
  const carries = Object.keys(labels).length === 0 ? "no labels" : labelsText(labels);
  return {
    message: `${workload.kind} ${nameOf(refOf(workload))} selects ${labelsText(wanted) || "by expressions"}, and the pods of its template carry ${carries}`,
    at: { source, field: first !== undefined && isThere ? [...LABELS, first] : LABELS },
    ...(first === undefined ? {} : { label: `the selector wants ${first}: ${wanted[first]}` }),
    ...(first === undefined ? {} : { related: [{ at: { source, field: [...inSelector, first] }, label: "the selector" }] }),
    help: first === undefined ? "give the template labels that the expressions match" : `write ${labelsText(pick(wanted, wrong))} there`,
    about: [refOf(workload)],
    edits: editsFor(workload, wanted, wrong),
  };
}

const pick = (labels: Labels, keys: readonly string[]): Labels => Object.fromEntries(keys.map((key) => [key, labels[key] ?? ""]));

/** The selector's labels, in the template: under what is there of the way down to them. */
function editsFor(workload: Workload, wanted: Labels, wrong: readonly string[]): Edit[] {
  const { source } = workload;
  const metadata = workload.spec?.template?.metadata;
  const entries = wrong.map((key) => textEntry(key, wanted[key] ?? "")).join(", ");
  if (wrong.length === 0) return [];
  if (metadata === undefined)
    return [{ kind: "insert", at: { source, field: ["spec", "template"] }, text: `metadata: {labels: {${entries}}}` }];
  if (metadata.labels === undefined) return [{ kind: "insert", at: { source, field: LABELS.slice(0, -1) }, text: `labels: {${entries}}` }];
  const labels = metadata.labels;
  return wrong.map(
    (key): Edit =>
      Object.hasOwn(labels, key)
        ? { kind: "value", at: { source, field: [...LABELS, key] }, text: textScalar(wanted[key] ?? "") }
        : { kind: "insert", at: { source, field: LABELS }, text: textEntry(key, wanted[key] ?? "") },
  );
}

/** apps/v1 has no default for it; the versions before took the template's labels. */
function* withoutSelector(subject: Subject): Iterable<Finding> {
  for (const kind of KINDS)
    for (const written of subject.writtenOf(kind)) {
      const { value, source } = written;
      const labels = labelsAt(value, "spec", "template", "metadata", "labels");
      if (value.apiVersion !== "apps/v1" || !isFields(value.spec) || (fieldAt(value, "spec", "selector") ?? null) !== null) continue;
      const entries = Object.entries(labels).map(([key, label]) => textEntry(key, label));
      yield {
        message: `${kind} ${nameOf(refOfWritten(written))} has no selector, which apps/v1 demands`,
        at: { source, field: ["spec"], key: true },
        ...(entries.length === 0 ? {} : { help: `add \`selector: {matchLabels: {${entries.join(", ")}}}\`, the labels of its template` }),
        about: [refOfWritten(written)],
        ...(entries.length === 0
          ? {}
          : { edits: [{ kind: "insert", at: { source, field: ["spec"] }, text: `selector: {matchLabels: {${entries.join(", ")}}}` }] }),
      };
    }
}
