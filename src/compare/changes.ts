/** What was edited between two inputs: objects added, removed, and fields changed, each of which can be made or undone alone. */
import type { ApiObject, ObjectRef } from "../objects/api.ts";
import { type Fields, isFields } from "../objects/record.ts";
import type { PathPart, Source } from "../objects/source.ts";
import type { Topology } from "../objects/topology.ts";

export type Manifests = { readonly objects: readonly ApiObject[]; readonly topology: Topology };

type Value = { readonly there: boolean; readonly value?: unknown };
/** One field; several when the same edit was made at several places of one object (a label and its selector). */
export type FieldChange = { readonly path: readonly PathPart[]; readonly before: Value; readonly after: Value };
export type Edit =
  | { readonly kind: "added" | "removed"; readonly object: ObjectRef; readonly source: Source }
  | { readonly kind: "changed"; readonly object: ObjectRef; readonly source: Source; readonly fields: readonly FieldChange[] }
  | { readonly kind: "topology"; readonly source?: Source; readonly fields: readonly FieldChange[] };

/** Every edit from one input to the other, in the order of the new input; removed objects first. */
export function editsBetween(old: Manifests, now: Manifests): readonly Edit[] {
  const before = new Map(old.objects.map((object) => [keyOf(object), object]));
  const after = new Map(now.objects.map((object) => [keyOf(object), object]));
  const removed = old.objects.filter((object) => !after.has(keyOf(object)));
  return [
    ...removed.map((object): Edit => ({ kind: "removed", object: refOf(object), source: object.source })),
    ...now.objects.flatMap((object): Edit[] => {
      const earlier = before.get(keyOf(object));
      if (!earlier) return [{ kind: "added", object: refOf(object), source: object.source }];
      const base = { kind: "changed" as const, object: refOf(object), source: object.source };
      return together(fieldChanges(contentOf(earlier), contentOf(object))).map((fields) => ({ ...base, fields }));
    }),
    ...fieldChanges(settingsOf(old.topology), settingsOf(now.topology)).map(
      (field): Edit => ({ kind: "topology", ...sourceOf(now.topology), fields: [field] }),
    ),
  ];
}

/** The input with one edit made. `back`: undone, on the new input. */
export function applyEdit(
  input: Manifests,
  edit: Edit,
  from: { readonly old: Manifests; readonly now: Manifests; readonly back: boolean },
): Manifests {
  const giver = from.back ? from.old : from.now;
  if (edit.kind === "topology") return { ...input, topology: withTopologyFields(input.topology, edit.fields, from.back) };
  const key = keyOfRef(edit.object);
  const others = input.objects.filter((object) => keyOf(object) !== key);
  if (edit.kind !== "changed") {
    const isThere = (edit.kind === "added") !== from.back;
    const made = giver.objects.filter((object) => keyOf(object) === key);
    return { ...input, objects: isThere ? [...others, ...made] : others };
  }
  return {
    ...input,
    objects: input.objects.map((object) => (keyOf(object) === key ? withObjectFields(object, edit.fields, from.back) : object)),
  };
}

/** What a topology says, without where it was read. */
const settingsOf = ({ source: _, name: __, ...settings }: Topology): Fields => settings;
const sourceOf = ({ source }: Topology): { readonly source?: Source } => (source === undefined ? {} : { source });

type ObjectEdit = Extract<Edit, { readonly kind: "changed" }>;

/** The edits, those of each object that is chosen as one. */
export function joinEdits(edits: readonly Edit[], isChosen: (edit: ObjectEdit) => boolean): readonly Edit[] {
  const isJoined = (edit: Edit): edit is ObjectEdit => edit.kind === "changed" && isChosen(edit);
  const fields = new Map<string, FieldChange[]>();
  for (const edit of edits)
    if (isJoined(edit)) fields.set(keyOfRef(edit.object), [...(fields.get(keyOfRef(edit.object)) ?? []), ...edit.fields]);
  return edits.flatMap((edit): Edit[] => {
    if (!isJoined(edit)) return [edit];
    const all = fields.get(keyOfRef(edit.object));
    fields.delete(keyOfRef(edit.object));
    return all ? [{ ...edit, fields: all }] : [];
  });
}

const refOf = ({ kind, metadata: { namespace, name } }: ApiObject): ObjectRef => ({
  kind,
  ...(namespace === undefined ? {} : { namespace }),
  name,
});
const keyOfRef = ({ kind, namespace = "", name }: ObjectRef): string => JSON.stringify([kind, namespace, name]);
const keyOf = (object: ApiObject): string => keyOfRef(refOf(object));

/** What the API server writes by itself says nothing about an edit. */
const BOOKKEEPING = new Set(["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"]);

function contentOf({ source: _, ...content }: ApiObject): Fields {
  const metadata = Object.fromEntries(Object.entries(content.metadata).filter(([key]) => !BOOKKEEPING.has(key)));
  return { ...content, metadata };
}

/** Fields that the API server does not let an update change (ValidateImmutableField in the validation packages of core, apps, batch, discovery and networking). */
const IMMUTABLE: ReadonlyMap<string, RegExp> = new Map([
  ["Service", /^spec\.(clusterIP|clusterIPs\.0|ipFamilies\.0|healthCheckNodePort|loadBalancerClass)$/],
  ["Deployment", /^spec\.selector\b/],
  ["ReplicaSet", /^spec\.selector\b/],
  ["DaemonSet", /^spec\.selector\b/],
  ["StatefulSet", /^spec\.(selector|serviceName|podManagementPolicy|volumeClaimTemplates)\b/],
  ["Job", /^spec\.(selector|template|completionMode)\b/],
  ["EndpointSlice", /^addressType$/],
  ["IngressClass", /^spec\.controller$/],
]);

/** Whether `kubectl apply` of the edit is refused: the object has to be deleted and made again. */
export function isImmutable(edit: Edit): boolean {
  if (edit.kind !== "changed") return false;
  const pattern = IMMUTABLE.get(edit.object.kind);
  return edit.fields.some(({ path, before, after }) => before.there && after.there && pattern?.test(path.join(".")) === true);
}

/** Down to the values that differ. A list of another length is one value; one of the same length is looked into. */
export function fieldChanges(before: unknown, after: unknown, path: readonly PathPart[] = []): FieldChange[] {
  if (isFields(before) && isFields(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => {
      const [left, right] = [valueAt(before, key), valueAt(after, key)];
      if (left.there && right.there) return fieldChanges(left.value, right.value, [...path, key]);
      return left.value === undefined && right.value === undefined ? [] : [{ path: [...path, key], before: left, after: right }];
    });
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((value: unknown, i) => fieldChanges(value, after[i], [...path, i]));
  if (canonical(before) === canonical(after)) return [];
  return [{ path, before: { there: true, value: before }, after: { there: true, value: after } }];
}

const valueAt = (fields: Fields, key: string): Value =>
  Object.hasOwn(fields, key) && fields[key] !== undefined ? { there: true, value: fields[key] } : { there: false };

/** The same text for the same value, whatever the order of its keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    isFields(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  ) ?? "";

/** The same old and new value at several places is one edit: half of it would be refused. */
function together(changes: readonly FieldChange[]): FieldChange[][] {
  const groups = new Map<string, FieldChange[]>();
  for (const change of changes) {
    const key = canonical([change.before, change.after]);
    const group = groups.get(key);
    if (group) group.push(change);
    else groups.set(key, [change]);
  }
  return [...groups.values()];
}

/** A copy with fields set, or taken away. */
const setAll = (value: unknown, fields: readonly FieldChange[], back: boolean): unknown =>
  fields.reduce((changed, { path, before, after }) => setAt(changed, path, back ? before : after), value);

function setAt(value: unknown, [first, ...rest]: readonly PathPart[], to: Value): unknown {
  if (first === undefined) return to.value;
  if (Array.isArray(value)) return value.map((each: unknown, i) => (i === first ? setAt(each, rest, to) : each));
  if (!isFields(value)) return value;
  if (rest.length === 0 && !to.there) return Object.fromEntries(Object.entries(value).filter(([key]) => key !== first));
  return { ...value, [first]: setAt(value[first], rest, to) };
}

/** Values that were read as an object are put into one: its shape stays what the reader has checked. */
const isObject = (value: unknown): value is ApiObject => isFields(value) && typeof value.kind === "string";
const isTopology = (value: unknown): value is Topology => isFields(value);

function withObjectFields(object: ApiObject, fields: readonly FieldChange[], back: boolean): ApiObject {
  const changed = setAll(object, fields, back);
  return isObject(changed) ? changed : object;
}

function withTopologyFields(topology: Topology, fields: readonly FieldChange[], back: boolean): Topology {
  const changed = setAll(topology, fields, back);
  return isTopology(changed) ? changed : topology;
}
