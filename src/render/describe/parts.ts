/** What several kinds have in common in `kubectl describe`: labels, annotations, tolerations, events (pkg/describe/describe.go). */
import { type Fields, fieldAt, isFields, labelsAt, listAt, textAt } from "../../objects/record.ts";
import { escapeText } from "../escape.ts";
import { NONE, UNKNOWN } from "../get/resource.ts";
import type { ObjectSource } from "../get/select.ts";

/** One kind's description: lines with tabs, no line ends. */
export type Describe = (object: Fields, source: ObjectSource) => string[];

/** Text from the input: what could steer a terminal, and the tabs and line ends that lay lines out, are escaped. */
export const shown = (text: string): string => escapeText(text).replace(/\t/g, "\\t").replace(/\n/g, "\\n");

export const named = (object: Fields): string => shown(textAt(object, "metadata", "name"));
export const namespaceOf = (object: unknown): string => textAt(object, "metadata", "namespace");

/** `Labels:\ta=b` and the others below, sorted by key. */
export function labelLines(title: string, labels: Readonly<Record<string, string>>): string[] {
  return multiline(
    title,
    Object.keys(labels)
      .sort()
      .map((key) => shown(`${key}=${labels[key]}`)),
  );
}

export function multiline(title: string, values: readonly string[]): string[] {
  const [first, ...more] = values;
  return first === undefined ? [`${title}:\t${NONE}`] : [`${title}:\t${first}`, ...more.map((value) => `\t${value}`)];
}

const LONGEST_ANNOTATION = 140;
const APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Without what `kubectl apply` keeps; a long value begins on a line of its own and is cut. */
export function annotationLines(object: unknown, title = "Annotations"): string[] {
  const annotations = labelsAt(object, "metadata", "annotations");
  const keys = Object.keys(annotations)
    .filter((key) => key !== APPLIED)
    .sort();
  const values = keys.flatMap((key) => {
    const value = (annotations[key] ?? "").replace(/\n$/, "");
    if (!value.includes("\n") && key.length + value.length + 2 <= LONGEST_ANNOTATION) return [shown(`${key}: ${value}`)];
    return [shown(`${key}:`), ...value.split("\n").map((line) => `  ${shown(shorten(line))}`)];
  });
  return multiline(title, values);
}

const shorten = (line: string): string => (line.length > LONGEST_ANNOTATION - 2 ? `${line.slice(0, LONGEST_ANNOTATION - 2)}...` : line);

/** `key=value:Effect op=Exists for 300s`, sorted by key. */
export function tolerationLines(title: string, tolerations: readonly unknown[]): string[] {
  const sorted = [...tolerations].sort((a, b) => (textAt(a, "key") < textAt(b, "key") ? -1 : textAt(a, "key") > textAt(b, "key") ? 1 : 0));
  return multiline(title, sorted.map(tolerationText).map(shown));
}

function tolerationText(toleration: unknown): string {
  const [key, value, effect] = [textAt(toleration, "key"), textAt(toleration, "value"), textAt(toleration, "effect")];
  const seconds = fieldAt(toleration, "tolerationSeconds");
  const exists = textAt(toleration, "operator") === "Exists" && value === "";
  const head = `${key}${value === "" ? "" : `=${value}`}${effect === "" ? "" : `:${effect}`}`;
  return [head, ...(exists ? ["op=Exists"] : []), ...(typeof seconds === "number" ? [`for ${seconds}s`] : [])]
    .filter((part) => part !== "")
    .join(" ");
}

/** The events about an object; nobody knows their age offline. */
export function eventLines(object: Fields, source: ObjectSource): string[] {
  const [kind, name, namespace] = [textAt(object, "kind"), textAt(object, "metadata", "name"), namespaceOf(object)];
  const about = source("Event").filter((event) => {
    const involved = fieldAt(event, "involvedObject");
    const there = textAt(involved, "namespace");
    return textAt(involved, "kind") === kind && textAt(involved, "name") === name && (there === namespace || there === "");
  });
  if (about.length === 0) return [`Events:\t${NONE}`];
  const rows = about.map((event) => {
    const from = shown(textAt(event, "source", "component")) || UNKNOWN;
    return ["  ", shown(textAt(event, "type")), shown(textAt(event, "reason")), UNKNOWN, from, shown(textAt(event, "message"))];
  });
  return ["Events:", "  Type\tReason\tAge\tFrom\tMessage", "  ----\t------\t----\t----\t-------"].concat(
    rows.map(([indent, ...cells]) => `${indent}${cells.join("\t")}`),
  );
}

/** The owner that controls an object: `ReplicaSet/web-5f7c`. */
export function controllerOf(object: Fields): string | undefined {
  const owner = listAt(object, "metadata", "ownerReferences").find((each) => fieldAt(each, "controller") === true);
  return isFields(owner) ? shown(`${textAt(owner, "kind")}/${textAt(owner, "name")}`) : undefined;
}

/** `Title:\ttext`, or nothing where there is no text. */
export const lineIf = (title: string, text: string): string[] => (text === "" ? [] : [`${title}:\t${shown(text)}`]);
