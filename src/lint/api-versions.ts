/**
 * The API versions of the kinds that are read: which one is today's, and since which release the older ones were deprecated
 * and no longer served (kubernetes.io/docs/reference/using-api/deprecation-guide).
 */
import type { Version } from "../cluster/cluster.ts";
import { atLeast } from "../cluster/version.ts";

type Minor = number; // of Kubernetes 1.x

/** kind → the apiVersion to write. */
export const CURRENT_VERSION: ReadonlyMap<string, string> = new Map([
  ...["Pod", "ReplicationController", "Service", "Endpoints", "Namespace", "Node"].map((kind): [string, string] => [kind, "v1"]),
  ...["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"].map((kind): [string, string] => [kind, "apps/v1"]),
  ...["Job", "CronJob"].map((kind): [string, string] => [kind, "batch/v1"]),
  ...["Ingress", "IngressClass", "NetworkPolicy"].map((kind): [string, string] => [kind, "networking.k8s.io/v1"]),
  ["EndpointSlice", "discovery.k8s.io/v1"],
]);

export type OldVersion = { readonly deprecated: Minor; readonly removed: Minor };
const APPS: OldVersion = { deprecated: 9, removed: 16 };

const OLD: Readonly<Record<string, Readonly<Record<string, OldVersion>>>> = {
  Ingress: { "extensions/v1beta1": { deprecated: 14, removed: 22 }, "networking.k8s.io/v1beta1": { deprecated: 19, removed: 22 } },
  IngressClass: { "networking.k8s.io/v1beta1": { deprecated: 19, removed: 22 } },
  NetworkPolicy: { "extensions/v1beta1": { deprecated: 9, removed: 16 } },
  Deployment: { "extensions/v1beta1": APPS, "apps/v1beta1": APPS, "apps/v1beta2": APPS },
  ReplicaSet: { "extensions/v1beta1": APPS, "apps/v1beta2": APPS },
  DaemonSet: { "extensions/v1beta1": APPS, "apps/v1beta2": APPS },
  StatefulSet: { "apps/v1beta1": APPS, "apps/v1beta2": APPS },
  CronJob: { "batch/v1beta1": { deprecated: 21, removed: 25 }, "batch/v2alpha1": { deprecated: 8, removed: 21 } },
  EndpointSlice: {
    "discovery.k8s.io/v1beta1": { deprecated: 21, removed: 25 },
    "discovery.k8s.io/v1alpha1": { deprecated: 17, removed: 21 },
  },
};

/** What is known of an apiVersion that is not today's; undefined for today's, and for one that never was. */
export function oldVersion(kind: string, apiVersion: string): OldVersion | undefined {
  const versions = Object.hasOwn(OLD, kind) ? OLD[kind] : undefined;
  return versions !== undefined && Object.hasOwn(versions, apiVersion) ? versions[apiVersion] : undefined;
}

/** Whether a release no longer serves it. */
export const isRemoved = (old: OldVersion, version: Version): boolean => atLeast(version, 1, old.removed);
export const isDeprecated = (old: OldVersion, version: Version): boolean => atLeast(version, 1, old.deprecated);
