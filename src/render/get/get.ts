/**
 * `ktrace get`: the simulated cluster in kubectl's own tables. It prints API objects, as kubectl does; for json and yaml it
 * gives the data, which the caller prints. Ages and times are `<unknown>`: offline there is no clock to compare with.
 */
import { type Fields, labelsAt, textAt } from "../../objects/record.ts";
import { typeName } from "./kinds.ts";
import { type Column, formatLabels, type Resource, type View } from "./resource.ts";
import { type GetRequest, type ObjectSource, type Selection, selectObjects } from "./select.ts";
import { renderTable } from "./table.ts";

export type { GetRequest, ObjectSource } from "./select.ts";
export type TableRequest = GetRequest & {
  readonly output: "table" | "wide" | "name";
  readonly version: View["version"];
  readonly noHeaders?: boolean;
  readonly showLabels?: boolean;
};
/** `text` goes to stdout, `messages` to stderr. `found` is false when a name that was asked for is not there. */
export type GetResult = { readonly text: string; readonly messages: readonly string[]; readonly found: boolean };

/** The tables, or names, that `get` prints. Throws UsageError for words that name no kind. */
export function renderGet(source: ObjectSource, request: TableRequest): GetResult {
  const selection = selectObjects(source, request);
  return { text: request.output === "name" ? namesText(selection) : tablesText(selection, request), ...messagesOf(selection, request) };
}

/** What `-o json` and `-o yaml` print: one object that was asked for by name as itself, anything else as a List. */
export function getObjects(source: ObjectSource, request: GetRequest): { readonly data?: unknown } & Omit<GetResult, "text"> {
  const selection = selectObjects(source, request);
  const objects = selection.groups.flatMap((group) => group.objects);
  const { messages, found } = messagesOf(selection, request);
  if (selection.named && objects.length === 0) return { messages, found };
  const single = selection.named && objects.length === 1 && selection.missing.length === 0;
  const data = single ? objects[0] : { apiVersion: "v1", items: objects, kind: "List", metadata: { resourceVersion: "" } };
  return { data, messages: found ? [] : messages, found };
}

function messagesOf(selection: Selection, request: GetRequest): Omit<GetResult, "text"> {
  const missing = selection.missing.flatMap(({ message, help }) => (help === undefined ? [message] : [message, `help: ${help}`]));
  const isEmpty = selection.missing.length === 0 && selection.groups.every((group) => group.objects.length === 0);
  const scoped = !request.allNamespaces && selection.groups.some((group) => group.resource.namespaced);
  const empty = scoped ? `No resources found in ${request.namespace} namespace.` : "No resources found";
  return { messages: isEmpty ? [empty] : missing, found: missing.length === 0 };
}

const namesText = (selection: Selection): string =>
  selection.groups
    .map(({ resource, objects }) => objects.map((object) => `${typeName(resource)}/${textAt(object, "metadata", "name")}\n`).join(""))
    .join("");

/** One table a kind with a blank line between; with several kinds each name says its own. */
function tablesText(selection: Selection, request: TableRequest): string {
  const isMixed = selection.groups.length > 1;
  const groups = mergeKinds(selection).filter((group) => group.objects.length > 0);
  return groups.map(({ resource, objects }) => tableOf(resource, objects, isMixed, request)).join("\n");
}

/** `get pod/a pod/b` is one table of pods. */
function mergeKinds(selection: Selection): Selection["groups"] {
  const merged = new Map<Resource, Fields[]>();
  for (const { resource, objects } of selection.groups) merged.set(resource, [...(merged.get(resource) ?? []), ...objects]);
  return [...merged].map(([resource, objects]) => ({ resource, objects }));
}

function tableOf(resource: Resource, objects: readonly Fields[], isMixed: boolean, request: TableRequest): string {
  const view: View = { wide: request.output === "wide", version: request.version };
  const columns = [
    ...(request.allNamespaces && resource.namespaced ? [namespaceColumn] : []),
    ...resource.columns
      .filter((column) => isShown(column, view))
      .map((column) => (isMixed && column.header === "NAME" ? typedNameColumn(resource, column) : column)),
    ...(request.showLabels ? [labelsColumn] : []),
  ];
  const rows = objects.map((object) => columns.map((column) => column.cell(object, view)));
  return renderTable(request.noHeaders ? rows : [columns.map((column) => column.header), ...rows]);
}

const isShown = ({ wide, since }: Column, view: View): boolean =>
  (!wide || view.wide) &&
  (since === undefined || view.version.major > since.major || (view.version.major === since.major && view.version.minor >= since.minor));

const namespaceColumn: Column = { header: "NAMESPACE", cell: (object) => textAt(object, "metadata", "namespace") };
const typedNameColumn = (resource: Resource, column: Column): Column => ({
  ...column,
  cell: (object, view) => `${typeName(resource)}/${column.cell(object, view)}`,
});
const labelsColumn: Column = { header: "LABELS", cell: (object) => formatLabels(labelsAt(object, "metadata", "labels")) };
