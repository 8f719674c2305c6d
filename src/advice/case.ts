/**
 * What a rule of advice is given, and what it gives back: a failed path in its cluster, and the changes that may mend it.
 * A change is data; whether it helps is found out by walking it (advice.ts), never claimed.
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { Reason } from "../linux/reason.ts";
import type { ApiObject } from "../objects/api.ts";
import type { CauseTable } from "../objects/cause.ts";
import type { PathPart, Source } from "../objects/source.ts";
import type { Topology } from "../objects/topology.ts";
import type { Question } from "../trace/question.ts";
import type { Leg, Path, Trace } from "../trace/trace.ts";

/** A question and its answer, with all that led to it; the front door makes it. */
export type Setting = {
  readonly cluster: Cluster;
  readonly objects: readonly ApiObject[];
  readonly topology: Topology;
  readonly question: Question;
  readonly trace: Trace;
  readonly causes: Pick<CauseTable, "lookup">;
  /** "service.yaml:12:7"; undefined when nothing in the input says it. */
  readonly place: (source: Source | undefined, field: readonly PathPart[]) => string | undefined;
  /** The same with something changed, decided, programmed and asked again. Undefined: the question means nothing there. */
  readonly walk: (edit: Edit) => Setting | undefined;
};

/** What is changed; what is left out stays. */
export type Edit = { readonly objects?: readonly ApiObject[]; readonly topology?: Topology; readonly question?: Question };

/** One path that failed: `leg` is where, `reason` why there, which for a proxy's 502 is more than the path's own reason. */
export type Case = Setting & { readonly path: Path; readonly leg: Leg; readonly reason: Reason };

/** A fact, without its full stop, and where it is written. */
export type Sentence = { readonly text: string; readonly place?: string };

export type Try = { readonly name: string; readonly edit: () => Edit };
export type Change = {
  /** Or made from the names of those tries that delivered: "ask node2 or node3". */
  readonly text: string | ((names: readonly string[]) => string);
  readonly place?: string;
  /** Each is walked, and only what then delivers is offered. Absent: it cannot be walked, and `outcome` says so. */
  readonly tries?: readonly Try[];
  readonly outcome?: string;
};
export type Finding = { readonly because: readonly Sentence[]; readonly changes: readonly Change[] };
/** Undefined: nothing more is known than the reason's general advice. */
export type Rule = (failed: Case) => Finding | undefined;

/** One thing the reader could change. `outcome`: what the same request then gave, when it was walked. */
export type Advice = { readonly text: string; readonly place?: string; readonly outcome?: string; readonly walked: boolean };
export type Counsel = { readonly because: readonly Sentence[]; readonly advice: readonly Advice[] };

/** A place as an optional property. */
export const at = (place: string | undefined): { readonly place?: string } => (place === undefined ? {} : { place });

/** One change with one edit. */
export const change = (text: string, place: string | undefined, edit: () => Edit): Change => ({
  text,
  ...at(place),
  tries: [{ name: "", edit }],
});
