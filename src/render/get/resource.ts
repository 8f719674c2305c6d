/** What kubectl knows of a kind: its names on the command line and the columns of its table (pkg/printers/internalversion/printers.go). */
import { type Fields, fieldAt, labelsAt, listAt, textAt } from "../../objects/record.ts";

export type Column = {
  readonly header: string;
  readonly wide?: true; // only with -o wide
  readonly cell: (object: Fields, view: View) => string;
  /** Releases that show it; all when absent. */
  readonly since?: { readonly major: number; readonly minor: number };
};
export type View = { readonly wide: boolean; readonly version: { readonly major: number; readonly minor: number } };
export type Resource = {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly short: readonly string[];
  readonly group: string; // "" for the core group
  readonly namespaced: boolean;
  readonly columns: readonly Column[];
};

export const NONE = "<none>";
export const UNKNOWN = "<unknown>";

export const name: Column = { header: "NAME", cell: (object) => textAt(object, "metadata", "name") };
/** Nobody knows the time offline: kubectl prints the same for an object without creationTimestamp. */
export const age: Column = { header: "AGE", cell: () => UNKNOWN };

/** A column with the text at a path of keys, or a word for its absence. */
export const textColumn = (header: string, path: readonly string[], absent = NONE): Column => ({
  header,
  cell: (object) => textAt(object, ...path) || absent,
});
export const countColumn = (header: string, ...path: readonly string[]): Column => ({
  header,
  cell: (object) => String(countAt(object, ...path)),
});
export const wide = (column: Column): Column => ({ ...column, wide: true });

export const countAt = (object: Fields, ...path: readonly string[]): number => {
  const value = fieldAt(object, ...path);
  return typeof value === "number" ? value : 0;
};

/** `app=web,tier=front`, keys sorted, as labels.Set prints. */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key]}`);
  return pairs.join(",") || NONE;
}

/** A label selector with expressions, as metav1.FormatLabelSelector prints. */
export function formatSelector(selector: unknown): string {
  const labels = labelsAt(selector, "matchLabels");
  const equal = Object.keys(labels).map((key) => ({ key, text: `${key}=${labels[key]}` }));
  const expressions = listAt(selector, "matchExpressions").map((each) => ({ key: textAt(each, "key"), text: formatExpression(each) }));
  const all = [...equal, ...expressions].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return all.map((each) => each.text).join(",") || NONE;
}

function formatExpression(expression: unknown): string {
  const key = textAt(expression, "key");
  const values = listAt(expression, "values").map(String).sort().join(",");
  switch (textAt(expression, "operator")) {
    case "In":
      return `${key} in (${values})`;
    case "NotIn":
      return `${key} notin (${values})`;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return key;
  }
}

/** `a,b,c + 2 more...`: the first three of a list. */
export function firstThree(list: readonly string[], none: string): string {
  if (list.length === 0) return none;
  return list.length > 3 ? `${list.slice(0, 3).join(",")} + ${list.length - 3} more...` : list.join(",");
}

const LOAD_BALANCER_WIDTH = 16;
/** status.loadBalancer.ingress: addresses or names, sorted; cut to 16 characters unless the output is wide. */
export function loadBalancerText(object: Fields, view: View): string {
  const entries = listAt(object, "status", "loadBalancer", "ingress").map((each) => textAt(each, "ip") || textAt(each, "hostname"));
  const text = [...new Set(entries.filter((each) => each !== ""))].sort().join(",");
  return !view.wide && text.length > LOAD_BALANCER_WIDTH ? `${text.slice(0, LOAD_BALANCER_WIDTH - 3)}...` : text;
}

/** CONTAINERS, IMAGES of a pod template. */
export const templateColumns: readonly Column[] = [
  { header: "CONTAINERS", wide: true, cell: (object) => containers(object, "name") },
  { header: "IMAGES", wide: true, cell: (object) => containers(object, "image") },
];
const containers = (object: Fields, field: string): string => {
  const template = fieldAt(object, "spec", "jobTemplate", "spec", "template") ?? fieldAt(object, "spec", "template");
  return listAt(template, "spec", "containers")
    .map((each) => textAt(each, field))
    .join(",");
};
export const selectorColumn: Column = {
  header: "SELECTOR",
  wide: true,
  cell: (object) => formatSelector(fieldAt(object, "spec", "selector")),
};
