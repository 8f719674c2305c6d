/** The table from an opaque CauseId to the Kubernetes object, field and role that made a rule, route or socket. */
import { type CauseId, NO_CAUSE } from "../net/cause.ts";
import type { ObjectRef } from "./api.ts";
import type { PathPart, Source } from "./source.ts";

/** What an entry is there for: said beside the object in a trace. */
export type CauseRole =
  | "cluster-ip"
  | "node-port"
  | "external-ip"
  | "load-balancer-ip"
  | "endpoint"
  | "hairpin"
  | "masquerade"
  | "pod"
  | "listen"
  | "interface"
  | "route"
  | "node"
  | "policy"
  | "ingress"
  | "no-endpoints"
  | "no-local-endpoints"
  | "overlay"
  | "cni"
  | "kube-proxy"
  | "own-rule";

export type Cause = {
  readonly role: CauseRole;
  readonly object?: ObjectRef;
  readonly source?: Source; // absent: nothing in the input says it (a default, an agent's fixed part)
  readonly field?: readonly PathPart[]; // within the object, e.g. ["spec","ports",0,"nodePort"]
  readonly note?: string; // a short sentence for people
};

/** Grows while agents program nodes; owned by the front door, one a run. */
export type CauseTable = {
  readonly add: (cause: Cause) => CauseId;
  readonly lookup: (id: CauseId) => Cause | undefined;
};

export function createCauseTable(): CauseTable {
  const causes: (Cause | undefined)[] = [undefined]; // 0 is NO_CAUSE
  return {
    add: (cause) => causes.push(cause) - 1,
    lookup: (id) => (id === NO_CAUSE ? undefined : causes[id]),
  };
}
