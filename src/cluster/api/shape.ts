/** An API object as `kubectl get -o json` would print it: the input's own fields, with what was decided filled in. */
import type { Labels, ObjectMeta } from "../../objects/api.ts";
import type { Fields } from "../../objects/record.ts";

export type ApiShape = Fields & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Fields & { readonly name: string };
};

/** The object's own fields without the place it was written at. */
export function ownFields(object: object | undefined): Fields {
  if (!object) return {};
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== "source"));
}

type Identity = { readonly namespace?: string; readonly name: string; readonly labels?: Labels; readonly annotations?: Labels };

/** What was decided of an object's identity, over what the input says besides (uid, creationTimestamp…). */
export function metadataOf(identity: Identity, written: ObjectMeta | undefined, owner?: Fields): Fields & { readonly name: string } {
  const { namespace, name, labels = {}, annotations = {} } = identity;
  return {
    ...ownFields(written),
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    ...(owner && !written?.ownerReferences ? { ownerReferences: [owner] } : {}),
  };
}

/** The reference that a controller leaves on what it owns. */
export const ownerReference = (owner: { readonly kind: string; readonly name: string } | undefined): Fields | undefined =>
  owner && { apiVersion: API_VERSIONS[owner.kind] ?? "v1", kind: owner.kind, name: owner.name, controller: true, blockOwnerDeletion: true };

/** Today's version of each kind. */
export const API_VERSIONS: Readonly<Record<string, string>> = {
  Deployment: "apps/v1",
  ReplicaSet: "apps/v1",
  StatefulSet: "apps/v1",
  DaemonSet: "apps/v1",
  Job: "batch/v1",
  CronJob: "batch/v1",
  EndpointSlice: "discovery.k8s.io/v1",
  Ingress: "networking.k8s.io/v1",
  IngressClass: "networking.k8s.io/v1",
};
