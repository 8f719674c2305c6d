/**
 * How it is told that something was not created: a finding for whoever wrote it, and for a controller the event that it
 * leaves (pkg/controller/controller_utils.go, pkg/controller/statefulset), which it repeats until there is room.
 */
import type { ApiObject } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import { type Notes, nameOf } from "../notes.ts";
import type { Owner, PodPlan } from "../workloads/plan.ts";

const CODE = "KT211";

export type Reports = {
  /** An object of somebody's input: kubectl gets the refusal as its answer. */
  readonly refusedObject: (object: Pick<ApiObject, "kind" | "metadata" | "source">, resource: string, refusal: string) => void;
  readonly refusedPod: (plan: PodPlan, refusal: string) => void;
  /** The first pod that a controller could not create. */
  readonly stoppedOwner: (plan: PodPlan, refusal: string) => void;
  /** Says how many pods each controller got, once all are through. */
  readonly finish: (planned: readonly PodPlan[], created: readonly PodPlan[]) => void;
};

type Stopped = { readonly owner: Owner; readonly plan: PodPlan; readonly refusal: string };

export function createReports(notes: Notes): Reports {
  const stopped: Stopped[] = [];
  const namespaces = new Set<string>();
  const refusedObject: Reports["refusedObject"] = (object, resource, refusal) => {
    notes.report({
      code: CODE,
      message: `${nameOf(object)}: ${resource} ${JSON.stringify(object.metadata.name)} is forbidden: ${refusal}`,
      help: `the API server refuses the ${object.kind}, so it is left out; ${adviceFor(refusal)}`,
      source: object.source,
      field: ["metadata", "name"],
    });
    notePrecedence(object.metadata.namespace ?? "default", refusal);
  };
  const notePrecedence = (namespace: string, refusal: string): void => {
    if (namespaces.has(namespace) || !refusal.startsWith("exceeded quota")) return;
    namespaces.add(namespace);
    notes.assume(`namespace ${namespace}`, "objects were created in the order of the input, bare pods before those of controllers");
  };
  return {
    refusedObject,
    refusedPod: ({ object, name, namespace, origin }, refusal) => {
      const { source } = object ?? origin;
      refusedObject({ kind: "Pod", metadata: { ...object?.metadata, name, namespace }, source }, "pods", refusal);
    },
    stoppedOwner: (plan, refusal) => {
      const { owner, namespace, name } = plan;
      if (!owner) return;
      stopped.push({ owner, plan, refusal });
      const forbidden = `pods ${JSON.stringify(name)} is forbidden: ${refusal}`;
      notes.event({
        type: "Warning",
        reason: "FailedCreate",
        object: { kind: owner.kind, namespace, name: owner.name },
        message:
          owner.kind === "StatefulSet"
            ? `create Pod ${name} in StatefulSet ${owner.name} failed error: ${forbidden}`
            : `Error creating: ${forbidden}`,
      });
      notePrecedence(namespace, refusal);
    },
    finish: (planned, created) => {
      for (const { owner, plan, refusal } of stopped) {
        const isOwn = (each: PodPlan): boolean =>
          !each.object && each.namespace === plan.namespace && each.owner?.kind === owner.kind && each.owner.name === owner.name;
        const shown = plan.workload ?? owner;
        notes.report({
          code: CODE,
          message: `${shown.kind} ${plan.namespace}/${shown.name}: ${created.filter(isOwn).length} of ${planned.filter(isOwn).length} pods are created: ${refusal}`,
          help: `its controller tries again for ever; ${adviceFor(refusal)}`,
          source: plan.origin.source,
          field: fieldOf(shown.kind),
        });
      }
    },
  };
}

const REPLICATED: ReadonlySet<string> = new Set(["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"]);
const fieldOf = (kind: string): readonly PathPart[] => (REPLICATED.has(kind) ? ["spec", "replicas"] : ["metadata", "name"]);

function adviceFor(refusal: string): string {
  if (refusal.startsWith("exceeded quota"))
    return "raise spec.hard of the ResourceQuota, or ask for less; who came first is assumed: bare pods, then those of controllers, each in the input's order";
  if (refusal.startsWith("failed quota")) return "write the containers' resources, or give the namespace a LimitRange with defaults";
  return "change the containers' resources, or the bounds of the LimitRange";
}
