/**
 * What makes pods from a template: its selector against the template's labels, and the template itself
 * (pkg/apis/apps/validation, pkg/apis/batch/validation, ValidateReplicationController).
 */
import type { LabelSelector, Labels, PodTemplate, Workload } from "../../objects/api.ts";
import { labelsAt } from "../../objects/record.ts";
import { matchesLabels, matchesSelector } from "../../objects/selector.ts";
import { invalid, notSupported, required, type Violation } from "../../objects/violation.ts";
import type { Path, ValidationContext } from "./context.ts";
import { labelsViolations, selectorViolations } from "./metadata.ts";
import { podSpecViolations } from "./pod.ts";

/** All that is wrong with its spec. A Job's selector is the controller's own. */
export function workloadViolations(workload: Workload, context: ValidationContext): Violation[] {
  const { kind, spec = {} } = workload;
  const at = kind === "CronJob" ? ["spec", "jobTemplate", "spec", "template"] : ["spec", "template"];
  const template = kind === "CronJob" ? spec.jobTemplate?.spec?.template : spec.template;
  if (template === undefined) return [required(at)];
  return [
    ...(kind === "Job" || kind === "CronJob" ? [] : ownSelectorViolations(workload, template)),
    ...templateViolations(template, at, context),
    ...restartViolations(workload, template, at),
  ];
}

function templateViolations({ metadata, spec }: PodTemplate, at: Path, context: ValidationContext): Violation[] {
  return [
    ...labelsViolations(metadata?.labels, [...at, "metadata", "labels"]),
    ...(spec === undefined ? [required([...at, "spec", "containers"])] : podSpecViolations(spec, [...at, "spec"], context)),
  ];
}

const KT201 = "KT201";

function ownSelectorViolations({ kind, apiVersion, spec = {} }: Workload, template: PodTemplate): Violation[] {
  const path = ["spec", "selector"];
  const labels = template.metadata?.labels ?? {};
  const help = `an empty selector is none: give ${kind === "ReplicationController" ? "it" : "matchLabels"} the labels of the pod template`;
  if (kind === "ReplicationController") {
    const selector = spec.selector === undefined ? labels : labelsAt(spec.selector); // it is defaulted to the labels
    if (Object.keys(selector).length === 0) return [required(path, "", { help })];
    return [...labelsViolations(selector, path), ...mismatch(matchesLabels(selector, labels), labels, selector)];
  }
  if (spec.selector === undefined) return apiVersion === "apps/v1" ? [required(path, "", { help })] : [];
  const selector = asLabelSelector(spec.selector);
  if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0)
    return [invalid(path, spec.selector, `empty selector is invalid for ${kind.toLowerCase()}`, { help })];
  return [...selectorViolations(selector, path), ...mismatch(matchesSelector(selector, labels), labels, selector.matchLabels ?? {})];
}

/** matchLabels and matchExpressions of what the reader has checked to hold them. */
function asLabelSelector(selector: LabelSelector | Labels): LabelSelector {
  const { matchLabels, matchExpressions } = selector;
  return {
    ...(typeof matchLabels === "object" && !Array.isArray(matchLabels) ? { matchLabels } : {}),
    ...(Array.isArray(matchExpressions) ? { matchExpressions } : {}),
  };
}

function mismatch(isMatch: boolean, labels: Labels, selector: Labels): Violation[] {
  if (isMatch) return [];
  const wanted = Object.entries(selector).find(([key, value]) => labels[key] !== value);
  return [
    invalid(["spec", "template", "metadata", "labels"], labels, "`selector` does not match template `labels`", {
      code: KT201,
      ...(wanted === undefined ? {} : { help: `give the template the label ${wanted[0]}: ${wanted[1]}, or change spec.selector` }),
    }),
  ];
}

/** Pods of a set restart always; those of a Job must not. */
function restartViolations({ kind }: Workload, { spec = {} }: PodTemplate, at: Path): Violation[] {
  const path = [...at, "spec", "restartPolicy"];
  const { restartPolicy } = spec;
  if (kind === "Job" || kind === "CronJob") {
    const supported = ["OnFailure", "Never"];
    if (restartPolicy === undefined) return [required(path, 'valid values: "OnFailure", "Never"', { help: "write restartPolicy: Never" })];
    return supported.includes(restartPolicy) ? [] : [notSupported(path, restartPolicy, supported, { help: "write restartPolicy: Never" })];
  }
  return restartPolicy === undefined || restartPolicy === "Always"
    ? []
    : [notSupported(path, restartPolicy, ["Always"], { help: "remove it" })];
}
