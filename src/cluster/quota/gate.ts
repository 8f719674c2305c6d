/**
 * The last gate of the API server, LimitRange and ResourceQuota: an object that does not fit is not created. Who comes first
 * decides, and files do not say when they were applied: what a dump has came first, then what was written, in the order of
 * the input, and bare pods before those that controllers make. Not modelled: quota on storage, Secrets and ConfigMaps.
 */
import type { ApiObject, LimitRange, Workload } from "../../objects/api.ts";
import type { Source } from "../../objects/source.ts";
import type { ClusterQuota, ClusterService } from "../cluster.ts";
import type { Given } from "../given.ts";
import type { Notes } from "../notes.ts";
import { byNamespaceAndName, groupBy } from "../order.ts";
import type { PodPlan } from "../workloads/plan.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { LIMIT_RANGER, limitPod } from "./limit-range.ts";
import { createReports, type Reports } from "./reports.ts";
import { objectUsage, podUsage, serviceUsage } from "./usage.ts";

export type Gate = {
  /** Workloads and Ingresses that exist. */
  readonly objects: (given: Given) => Given;
  /** The Services that exist, of those that are valid. */
  readonly services: (given: Given, valid: () => readonly ClusterService[]) => Given;
  /** The pods that exist, with a LimitRange's defaults. */
  readonly pods: (plans: readonly PodPlan[]) => readonly PodPlan[];
  readonly quotas: () => readonly ClusterQuota[];
};

type Order = (object: { readonly source: Source }) => number;
type Doorkeeper = {
  readonly ledger: Ledger;
  readonly ranges: ReadonlyMap<string, readonly LimitRange[]>;
  readonly order: Order;
  readonly reports: Reports;
};

export function createGate(objects: readonly ApiObject[], given: Given, notes: Notes): Gate {
  const ranks = new Map(objects.map((object, i) => [object.source, i]));
  const order: Order = (object) => ranks.get(object.source) ?? objects.length;
  const ledger = createLedger(given.all("ResourceQuota"));
  const ranges = groupBy(given.all("LimitRange"), (range) => range.metadata.namespace ?? "default");
  const keeper: Doorkeeper = { ledger, ranges, order, reports: createReports(notes) };
  return {
    objects: (all) => letIn(all, keeper),
    services: (all, valid) => letServicesIn(all, valid, keeper),
    pods: (plans) => letPodsIn(plans, keeper),
    quotas: ledger.quotas,
  };
}

const WORKLOADS = ["ReplicationController", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"] as const;

function letIn(given: Given, { ledger, order, reports }: Doorkeeper): Given {
  const counted: readonly ApiObject[] = [
    ...WORKLOADS.flatMap((kind) => given.workloads(kind)),
    ...given.all("Ingress"),
    ...given.all("ResourceQuota"),
  ].filter((object) => ledger.hasQuota(object.metadata.namespace ?? "default"));
  const refused = new Set<ApiObject>();
  for (const object of byCreation(counted, order)) {
    const { amounts, resource } = objectUsage(object.kind);
    const refusal = ledger.admit({ namespace: object.metadata.namespace ?? "default", amounts, stated: isStated(object) });
    if (refusal === undefined || object.kind === "ResourceQuota") continue;
    refused.add(object);
    reports.refusedObject(object, resource, refusal);
  }
  return without(given, refused);
}

const isStated = ({ metadata }: Pick<ApiObject, "metadata">): boolean => metadata.uid !== undefined;

/** What a dump has, then what is written in the order of the input. */
const byCreation = <T extends Pick<ApiObject, "metadata" | "source">>(objects: readonly T[], order: Order): T[] =>
  [...objects].sort((a, b) => Number(!isStated(a)) - Number(!isStated(b)) || order(a) - order(b));

function without(given: Given, refused: ReadonlySet<ApiObject>): Given {
  if (refused.size === 0) return given;
  return {
    all: (kind) => given.all(kind).filter((object) => !refused.has(object)),
    workloads: (kind) => given.workloads(kind).filter((object: Workload) => !refused.has(object)),
  };
}

/** `default/kubernetes` has no object and was there before any quota. */
function letServicesIn(given: Given, valid: () => readonly ClusterService[], { ledger, order, reports }: Doorkeeper): Given {
  if (!given.all("ResourceQuota").some(({ metadata }) => ledger.hasQuota(metadata.namespace ?? "default"))) return given;
  const refused = new Set<string>();
  const services = valid().filter(({ namespace }) => ledger.hasQuota(namespace));
  for (const { namespace, object, ...service } of services)
    if (!object) ledger.admit({ namespace, amounts: serviceUsage(service), stated: true });
  const written = services.flatMap((service) => (service.object ? [{ service, ...service.object }] : []));
  for (const { service, ...object } of byCreation(written, order)) {
    const refusal = ledger.admit({ namespace: service.namespace, amounts: serviceUsage(service), stated: isStated(object) });
    if (refusal === undefined) continue;
    refused.add(`${service.namespace}/${service.name}`);
    reports.refusedObject(object, "services", refusal);
  }
  return without(given, new Set(given.all("Service").filter(({ metadata }) => refused.has(`${metadata.namespace}/${metadata.name}`))));
}

function letPodsIn(plans: readonly PodPlan[], keeper: Doorkeeper): readonly PodPlan[] {
  const { ledger, ranges, reports, order } = keeper;
  const isWatched = ({ namespace }: PodPlan): boolean => ledger.hasQuota(namespace) || ranges.has(namespace);
  const watched = plans.filter(isWatched);
  if (watched.length === 0) return plans;
  const admitted = new Map<PodPlan, PodPlan>();
  const stopped = new Set<string>();
  const rank = (plan: PodPlan): number => (plan.object && isStated(plan.object) ? 0 : plan.object ? 1 : 2);
  const places = new Map(watched.map((plan) => [plan, order(plan.origin)]));
  const queue = [...watched].sort((a, b) => rank(a) - rank(b) || (places.get(a) ?? 0) - (places.get(b) ?? 0));
  for (const plan of queue) {
    const owner = plan.object ? undefined : plan.owner && `${plan.namespace}/${plan.owner.kind}/${plan.owner.name}`;
    if (owner !== undefined && stopped.has(owner)) continue; // pods of one template fail alike
    const result = admitPod(plan, keeper);
    if (typeof result !== "string") admitted.set(plan, result);
    else if (owner === undefined) reports.refusedPod(plan, result);
    else {
      stopped.add(owner);
      reports.stoppedOwner(plan, result);
    }
  }
  const kept = plans.flatMap((plan) => (isWatched(plan) ? (admitted.get(plan) ?? []) : plan));
  reports.finish(plans, kept);
  return kept;
}

/** The pod as it is stored, or why it is forbidden. LimitRanger changes pods before quota counts them. */
function admitPod(plan: PodPlan, { ledger, ranges }: Doorkeeper): PodPlan | string {
  const { namespace } = plan;
  const stated = plan.object !== undefined && isStated(plan.object);
  const limited = stated ? { spec: plan.spec } : limitPod(plan.spec, [...(ranges.get(namespace) ?? [])].sort(byRangeName));
  if (limited.refusal !== undefined) return limited.refusal;
  const hasEnded = ["Succeeded", "Failed"].includes(plan.object?.status?.phase ?? "");
  const refusal = ledger.admit({ namespace, amounts: podUsage(limited.spec, hasEnded), pod: limited.spec, stated });
  if (refusal !== undefined) return refusal;
  const annotations = limited.annotation === undefined ? plan.annotations : { ...plan.annotations, [LIMIT_RANGER]: limited.annotation };
  return { ...plan, spec: limited.spec, annotations };
}

const byRangeName = (a: LimitRange, b: LimitRange): number => byNamespaceAndName(a.metadata, b.metadata);
