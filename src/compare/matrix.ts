/** Who reaches what: each source against each target, one walk a class of sources that fare alike. */
import type { Cluster } from "../cluster/cluster.ts";
import type { Reason } from "../linux/reason.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { Question } from "../trace/question.ts";
import type { Trace, Verdict } from "../trace/trace.ts";
import { type Asked, questionOf } from "./ask.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { createClassifier, type SourceClass, type SourceRow, sourcesOf } from "./sources.ts";
import { type Target, targetsOf } from "./targets.ts";

/** One class of a row's sources, and how its request ended. */
export type CellPart = { readonly asked: Asked; readonly members: readonly string[]; readonly outcome: Outcome };
export type Cell = {
  readonly source: string;
  readonly target: string;
  readonly verdict: Verdict | "mixed" | "none"; // none: nothing asks (no pod runs), or it cannot be asked from there
  readonly reasons: readonly Reason[];
  readonly parts: readonly CellPart[];
};
export type Matrix = {
  readonly sources: readonly SourceRow[];
  readonly targets: readonly Target[];
  readonly cells: readonly (readonly Cell[])[]; // a row a source
  readonly walks: number;
};
export type Reachable = { readonly cluster: Cluster; readonly trace: (question: Question) => Trace };
export type MatrixScope = {
  readonly source?: (row: SourceRow) => boolean;
  readonly target?: (target: Target) => boolean;
  /** Walk from every node, also where nodes are alike: then the ways are those that each source's packets take. */
  readonly byNode?: boolean;
};

/** One walk for all sources of a class. */
type Walk = (target: Target, key: string, asked: Asked) => Outcome;

/** The whole table, or the part in scope. */
export function matrixOf({ cluster, trace }: Reachable, scope: MatrixScope = {}): Matrix {
  const sources = sourcesOf(cluster).filter(scope.source ?? (() => true));
  const targets = targetsOf(cluster).filter(scope.target ?? (() => true));
  const classify = createClassifier(cluster, { byNode: scope.byNode ?? false });
  const outcomes = new Map<string, Outcome>();
  const walk: Walk = (target, key, asked) => {
    const id = JSON.stringify([target.id, key]);
    const known = outcomes.get(id) ?? outcomeOf(trace(questionOf(asked, "default")));
    outcomes.set(id, known);
    return known;
  };
  const cells = sources.map((row) => targets.map((target) => cellOf(row, target, classify(row, target), walk)));
  return { sources, targets, cells, walks: outcomes.size };
}

function cellOf(row: SourceRow, target: Target, classes: readonly SourceClass[], walk: Walk): Cell {
  const isAsked = target.from === "both" || (target.from === "outside") === (row.kind === "host");
  const parts = (isAsked ? classes : []).flatMap(({ from, members, key }): CellPart[] => {
    const at = target.at(row.machine);
    if (at === undefined) return [];
    const asked = { from, ...at };
    return [{ asked, members, outcome: walk(target, key, asked) }];
  });
  const verdicts = [...new Set(parts.map(({ outcome }) => outcome.verdict))];
  const [only] = verdicts;
  return {
    source: row.id,
    target: target.id,
    verdict: only === undefined ? "none" : verdicts.length === 1 ? only : "mixed",
    reasons: [...new Set(parts.flatMap(({ outcome }) => outcome.reasons))].sort(),
    parts,
  };
}

/** The row of a name as `matrix` prints it, or as --from takes it without its kind or namespace. */
export function findById<T extends { readonly id: string }>(what: string, all: readonly T[], text: string): T {
  const exact = all.find(({ id }) => id === text);
  const near = exact ? [exact] : all.filter(({ id }) => id.endsWith(`/${text}`) || id.includes(`/${text}:`) || id.startsWith(text));
  const [first, second] = near;
  if (first && second === undefined) return first;
  const names = (near.length > 0 ? near : all).slice(0, 8).map(({ id }) => id);
  throw new UsageError(
    `${near.length === 0 ? `no ${what}` : `more than one ${what}`} ${JSON.stringify(text)}`,
    `there ${names.length === 1 ? "is" : "are"} ${names.join(", ")}`,
  );
}
