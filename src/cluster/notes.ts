/** What is found out beside the cluster itself while deciding it: assumptions, diagnostics, events. One a run, owned by `decideCluster`. */
import type { ApiObject } from "../objects/api.ts";
import type { Diagnostic, Severity } from "../objects/diagnostic.ts";
import type { PathPart, Source } from "../objects/source.ts";
import type { Assumption, ClusterEvent } from "./cluster.ts";

export type Notes = {
  readonly assume: (about: string, what: string, key?: string) => void;
  readonly report: (finding: Finding) => void;
  readonly event: (event: ClusterEvent) => void;
  readonly assumptions: readonly Assumption[];
  readonly diagnostics: readonly Diagnostic[];
  readonly events: readonly ClusterEvent[];
};
export type Finding = {
  readonly code: string;
  readonly severity?: Severity; // an error unless said
  readonly message: string;
  readonly help?: string;
  readonly source?: Source | undefined;
  readonly field?: readonly PathPart[];
};

export function createNotes(): Notes {
  const assumptions: Assumption[] = [];
  const diagnostics: Diagnostic[] = [];
  const events: ClusterEvent[] = [];
  return {
    assume: (about, what, key) => void assumptions.push({ about, what, ...(key === undefined ? {} : { key }) }),
    report: ({ code, severity = "error", message, help, source, field = [] }) =>
      void diagnostics.push({
        code,
        severity,
        message,
        ...(help === undefined ? {} : { help }),
        ...(source ? { at: { source, field } } : {}),
      }),
    event: (event) => void events.push(event),
    assumptions,
    diagnostics,
    events,
  };
}

/** `Service default/tomcat6`: how messages name an object. */
export const nameOf = (object: Pick<ApiObject, "kind" | "metadata">): string =>
  object.metadata.namespace === undefined
    ? `${object.kind} ${object.metadata.name}`
    : `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`;
