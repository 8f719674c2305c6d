/**
 * The input's objects by kind, one an identity. Two manifests of one object: the later one stands, as with `kubectl apply`
 * (lint reports the pair, KT007). A namespaced object without a namespace is in `default`.
 */
import type { ApiKind, ApiObject, ObjectOf, Workload, WorkloadKind } from "../objects/api.ts";
import { byNamespaceAndName } from "./order.ts";

export type Given = {
  /** Objects of a kind, sorted by namespace and name: the order of files decides nothing. */
  readonly all: <K extends Exclude<ApiKind, WorkloadKind>>(kind: K) => readonly ObjectOf<K>[];
  readonly workloads: (kind: WorkloadKind) => readonly Workload[];
};

const CLUSTER_SCOPED: ReadonlySet<string> = new Set(["Node", "Namespace", "IngressClass"]);

export function sortOut(objects: readonly ApiObject[]): Given {
  const byKind = new Map<string, Map<string, ApiObject>>();
  for (const object of objects) {
    const placed = inNamespace(object);
    const { namespace = "", name, generateName = "" } = placed.metadata;
    const ofKind = byKind.get(object.kind) ?? new Map<string, ApiObject>();
    byKind.set(object.kind, ofKind);
    // An object with generateName is a new one each time.
    ofKind.set(
      name
        ? `${namespace}/${name}`
        : `${namespace}/${generateName}/${object.source.file}/${object.source.offset}/${object.source.path.join()}`,
      placed,
    );
  }
  const sorted = new Map([...byKind].map(([kind, ofKind]) => [kind, [...ofKind.values()].sort(byIdentity)]));
  return {
    all: (kind) => (sorted.get(kind) ?? []).filter((object) => isKind(object, kind)),
    workloads: (kind) => (sorted.get(kind) ?? []).filter((object) => isWorkload(object, kind)),
  };
}

const byIdentity = (a: ApiObject, b: ApiObject): number =>
  byNamespaceAndName(a.metadata, b.metadata) ||
  byNamespaceAndName({ name: a.metadata.generateName ?? "" }, { name: b.metadata.generateName ?? "" });

const isKind = <K extends ApiKind>(object: ApiObject, kind: K): object is ObjectOf<K> => object.kind === kind;

const isWorkload = (object: ApiObject, kind: WorkloadKind): object is Workload => object.kind === kind;

function inNamespace(object: ApiObject): ApiObject {
  if (CLUSTER_SCOPED.has(object.kind) || object.metadata.namespace) return object;
  return { ...object, metadata: { ...object.metadata, namespace: "default" } };
}
