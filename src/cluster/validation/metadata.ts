/** The part that all objects share (apimachinery/pkg/api/validation/objectmeta.go), and label selectors (meta/v1/validation). */
import type { ApiObject, LabelSelector, Labels, ObjectMeta } from "../../objects/api.ts";
import { forbidden, invalid, required, tooLong, type Violation } from "../../objects/violation.ts";
import { atLeast } from "../version.ts";
import { each, faulty, misnamed, type Path, type ValidationContext } from "./context.ts";
import { label1035Faults, labelFaults, labelValueFaults, qualifiedNameFaults, subdomainFaults } from "./names.ts";

const MOST_OF_ANNOTATIONS = 262_144; // bytes, keys and values together
const MOST_IN_CRON_JOB = 52; // so that a Job's name fits: 11 characters of time follow

/** Kinds whose names are one label; the others may have dots. */
const LABEL_NAMES: ReadonlySet<string> = new Set(["Service", "Namespace"]);

/** Name, namespace, labels and annotations. */
export function metadataViolations({ kind, metadata }: ApiObject, context: ValidationContext): Violation[] {
  const { name, namespace } = metadata;
  return [
    ...(name ? misnamed(["metadata", "name"], name, nameFaults(kind, name, context), !LABEL_NAMES.has(kind)) : []),
    ...(namespace ? misnamed(["metadata", "namespace"], namespace, labelFaults(namespace)) : []),
    ...labelsViolations(metadata.labels, ["metadata", "labels"]),
    ...annotationsViolations(metadata, ["metadata", "annotations"]),
  ];
}

/** Each kind has its form of name (pkg/apis/*\/validation: Validate…Name). */
export function nameFaults(kind: string, name: string, context: ValidationContext): string[] {
  switch (kind) {
    case "Service":
      return serviceNameFaults(name, context);
    case "Namespace":
      return labelFaults(name);
    case "CronJob":
      return [...subdomainFaults(name), ...(name.length > MOST_IN_CRON_JOB ? [`must be no more than ${MOST_IN_CRON_JOB} characters`] : [])];
    default:
      return subdomainFaults(name);
  }
}

/** A Service's name begins with a letter; from 1.36 it need not (RelaxedServiceNameValidation, KEP-5311). */
export const serviceNameFaults = (name: string, { version }: ValidationContext): string[] =>
  atLeast(version, 1, 36) ? labelFaults(name) : label1035Faults(name);

/** Keys and values of labels, and of selectors made of them: ValidateLabels. */
export function labelsViolations(labels: Labels | undefined, path: Path): Violation[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...faulty([...path, key], key, qualifiedNameFaults(key), { help: "write letters, digits, '-', '_' and '.'; one `/` after a DNS name" }),
    ...faulty([...path, key], value, labelValueFaults(value), { help: "write letters, digits, '-', '_' and '.', or use an annotation" }),
  ]);
}

function annotationsViolations({ annotations = {} }: ObjectMeta, path: Path): Violation[] {
  const entries = Object.entries(annotations);
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return [
    ...entries.flatMap(([key]) => faulty([...path, key], key, qualifiedNameFaults(key.toLowerCase()))),
    ...(bytes > MOST_OF_ANNOTATIONS ? [tooLong(path, MOST_OF_ANNOTATIONS)] : []),
  ];
}

/** matchLabels and matchExpressions: ValidateLabelSelector. */
export function selectorViolations(selector: LabelSelector | undefined, path: Path): Violation[] {
  return [
    ...labelsViolations(selector?.matchLabels, [...path, "matchLabels"]),
    ...each(selector?.matchExpressions, ({ key, operator, values = [] }, i) => {
      const at = [...path, "matchExpressions", i];
      const list = [...at, "values"];
      return [
        ...valueCountViolations(operator, values, at),
        ...faulty([...at, "key"], key, qualifiedNameFaults(key)),
        ...each(values, (value, j) => faulty([...list, j], value, labelValueFaults(value))),
      ];
    }),
  ];
}

function valueCountViolations(operator: string, values: readonly string[], at: Path): Violation[] {
  switch (operator) {
    case "In":
    case "NotIn":
      return values.length > 0 ? [] : [required([...at, "values"], "must be specified when `operator` is 'In' or 'NotIn'")];
    case "Exists":
    case "DoesNotExist":
      return values.length === 0
        ? []
        : [forbidden([...at, "values"], "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    default:
      return [invalid([...at, "operator"], operator, "not a valid selector operator", { help: "write In, NotIn, Exists or DoesNotExist" })];
  }
}
