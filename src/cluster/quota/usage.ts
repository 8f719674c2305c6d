/**
 * What objects use of a ResourceQuota (pkg/quota/v1/evaluator/core, apiserver/pkg/quota/v1/generic): compute resources of
 * pods, numbers of Services and their node ports, and `count/` of the kinds that ktrace reads.
 */
import type { PodSpec } from "../../objects/api.ts";
import type { ClusterService } from "../cluster.ts";
import { type Quantity, wholeQuantity } from "./quantity.ts";
import { type Amounts, containerResources, podResources, type Resources, sumAmounts } from "./resources.ts";

const ONE = wholeQuantity(1);

/** A pod's, from creation to its end; one that has ended is still an object. */
export function podUsage(spec: PodSpec, hasEnded: boolean): Amounts {
  const object = new Map([["count/pods", ONE]]);
  return hasEnded ? object : sumAmounts([object, new Map([["pods", ONE]]), computeUsage(podResources(spec))]);
}

/** `cpu` is another name of `requests.cpu`; extended resources are counted as requests only. */
function computeUsage({ requests, limits }: Resources): Amounts {
  const used = new Map<string, Quantity>();
  for (const [name, quantity] of requests) {
    if (BOTH_NAMES.has(name) || name.startsWith("hugepages-")) used.set(name, quantity);
    used.set(`requests.${name}`, quantity);
  }
  for (const [name, quantity] of limits) if (BOTH_NAMES.has(name)) used.set(`limits.${name}`, quantity);
  return used;
}
const BOTH_NAMES: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);

/** Under a quota of CPU or memory every container has to say what it takes; the names of those that do not, by resource. */
export function missingFor(spec: PodSpec, hard: readonly string[]): string | undefined {
  const required = hard.filter((name) => MUST_BE_STATED.has(name)).sort();
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const missing = required.flatMap((name) => {
    const silent = containers.filter((container) => !computeUsage(containerResources(container)).has(name)).map((each) => each.name);
    return silent.length === 0 ? [] : [`${name} for: ${[...new Set(silent)].sort().join(",")}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join("; ")}`;
}
const MUST_BE_STATED: ReadonlySet<string> = new Set(["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]);

/** A balancer without allocated node ports uses those that are asked for by number. */
export function serviceUsage(service: Pick<ClusterService, "type" | "ports" | "allocateLoadBalancerNodePorts">): Amounts {
  const { type, ports, allocateLoadBalancerNodePorts } = service;
  const asked = allocateLoadBalancerNodePorts === false ? ports.filter((port) => port.nodePort !== undefined) : ports;
  const nodePorts = type === "NodePort" ? ports.length : type === "LoadBalancer" ? asked.length : undefined;
  return new Map([
    ["count/services", ONE],
    ["services", ONE],
    ...(nodePorts === undefined ? [] : [["services.nodeports", wholeQuantity(nodePorts)] as const]),
    ...(type === "LoadBalancer" ? [["services.loadbalancers", ONE] as const] : []),
  ]);
}

/** Kinds whose objects a quota can count, as `count/<resource>.<group>`. */
const RESOURCES: ReadonlyMap<string, string> = new Map([
  ["ReplicationController", "replicationcontrollers"],
  ["Deployment", "deployments.apps"],
  ["ReplicaSet", "replicasets.apps"],
  ["StatefulSet", "statefulsets.apps"],
  ["DaemonSet", "daemonsets.apps"],
  ["Job", "jobs.batch"],
  ["CronJob", "cronjobs.batch"],
  ["Ingress", "ingresses.networking.k8s.io"],
  ["ResourceQuota", "resourcequotas"],
]);
/** Counted under their bare names since before there was `count/`. */
const BARE: ReadonlySet<string> = new Set(["replicationcontrollers", "resourcequotas"]);

/** One more object of a kind; the plural name is how the API server speaks of it. */
export function objectUsage(kind: string): { readonly resource: string; readonly amounts: Amounts } {
  const resource = RESOURCES.get(kind) ?? kind.toLowerCase();
  const names = [`count/${resource}`, ...(BARE.has(resource) ? [resource] : [])];
  return { resource, amounts: new Map(names.map((name) => [name, ONE])) };
}

/** Whether the use of a quota's resource can be told from what ktrace reads: not that of Secrets, ConfigMaps or volumes. */
export const isCounted = (name: string): boolean =>
  COUNTED.has(name) || /^(?:requests|limits)\.(?!storage$)/.test(name) || name.startsWith("hugepages-");
const COUNTED: ReadonlySet<string> = new Set([
  "pods",
  "count/pods",
  "cpu",
  "memory",
  "ephemeral-storage",
  "services",
  "count/services",
  "services.nodeports",
  "services.loadbalancers",
  ...BARE,
  ...[...RESOURCES.values()].map((resource) => `count/${resource}`),
]);
