/** `kubectl describe` of a namespace and of what bounds it: describeNamespace, DescribeResourceQuotas, DescribeLimitRanges. Not shown: what each scope means. */
import { type Fields, fieldAt, isFields, labelsAt, listAt, textAt, textsAt } from "../../objects/record.ts";
import { UNKNOWN } from "../get/resource.ts";
import { annotationLines, type Describe, labelLines, named, namespaceOf, shown } from "./parts.ts";

export const describeNamespace: Describe = (namespace, source) => {
  const name = textAt(namespace, "metadata", "name");
  const within = (kind: string) => source(kind).filter((object) => namespaceOf(object) === name);
  return [
    `Name:\t${named(namespace)}`,
    ...labelLines("Labels", labelsAt(namespace, "metadata", "labels")),
    ...annotationLines(namespace),
    `Status:\t${shown(textAt(namespace, "status", "phase"))}`,
    "",
    ...quotaSection(within("ResourceQuota")),
    "",
    ...limitSection(within("LimitRange")),
  ];
};

export const describeQuota: Describe = (quota) => [
  `Name:\t${named(quota)}`,
  `Namespace:\t${shown(namespaceOf(quota))}`,
  ...scopeLines(quota),
  "Resource\tUsed\tHard",
  "--------\t----\t----",
  ...amountLines(quota),
];

export const describeLimitRange: Describe = (range) => [
  `Name:\t${named(range)}`,
  `Namespace:\t${shown(namespaceOf(range))}`,
  LIMIT_TITLES.join("\t"),
  LIMIT_TITLES.map((title) => "-".repeat(title.length)).join("\t"),
  ...limitLines(range),
];

function quotaSection(quotas: readonly Fields[]): string[] {
  if (quotas.length === 0) return ["No resource quota."];
  const sections = quotas.flatMap((quota) => [
    `  Name:\t${named(quota)}`,
    ...scopeLines(quota).map((line) => `  ${line}`),
    "  Resource\tUsed\tHard",
    "  --------\t---\t---",
    ...amountLines(quota).map((line) => `  ${line}`),
  ]);
  return ["Resource Quotas", ...sections];
}

function limitSection(ranges: readonly Fields[]): string[] {
  if (ranges.length === 0) return ["No LimitRange resource."];
  return [
    "Resource Limits",
    ` ${LIMIT_TITLES.join("\t")}`,
    ` ${LIMIT_TITLES.map((title) => "-".repeat(title.length)).join("\t")}`,
    ...ranges.flatMap(limitLines).map((line) => ` ${line}`),
  ];
}

function scopeLines(quota: Fields): string[] {
  const scopes = textsAt(quota, "spec", "scopes").sort();
  return scopes.length === 0 ? [] : [`Scopes:\t${shown(scopes.join(", "))}`];
}

function amountLines(quota: Fields): string[] {
  const [used, hard] = [labelsAt(quota, "status", "used"), labelsAt(quota, "status", "hard")];
  return Object.keys(hard)
    .sort()
    .map((resource) => `${shown(resource)}\t${shown(used[resource] ?? UNKNOWN)}\t${shown(hard[resource] ?? "")}`);
}

const LIMIT_TITLES = ["Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio"];
const BOUNDS = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];

/** One line a resource that an item says something of. */
const limitLines = (range: Fields): string[] =>
  listAt(range, "spec", "limits").flatMap((item) => {
    const resources = new Set(BOUNDS.flatMap((bound) => keysAt(item, bound)));
    return [...resources]
      .sort()
      .map((resource) => [textAt(item, "type"), resource, ...BOUNDS.map((bound) => amountAt(item, bound, resource))].map(shown).join("\t"));
  });

const keysAt = (item: unknown, bound: string): string[] => {
  const amounts = fieldAt(item, bound);
  return isFields(amounts) ? Object.keys(amounts) : [];
};
const amountAt = (item: unknown, bound: string, resource: string): string => {
  const amount = fieldAt(item, bound, resource);
  return typeof amount === "string" || typeof amount === "number" ? String(amount) : "-";
};
