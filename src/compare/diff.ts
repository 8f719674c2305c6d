/**
 * What an edit of the input does to the flows: those that end otherwise, and which of the edits is the cause. An edit is a
 * cause of a flow's change when the flow changes again as it alone is undone in the new input, or changes as it alone is
 * made in the old one: found by walking, not by guessing from names.
 */
import { applyEdit, type Edit, editsBetween, joinEdits, type Manifests } from "./changes.ts";
import { type Matrix, matrixOf, type Reachable } from "./matrix.ts";
import { type Opener, openRunning } from "./stay.ts";
import { createViewer, NO_VIEW, seesClient, type View } from "./view.ts";

export type Aspect = "verdict" | "backends" | "source" | "path" | "gone" | "new";
export type FlowChange = {
  readonly source: string;
  readonly target: string;
  readonly aspects: readonly Aspect[];
  readonly before: View;
  readonly after: View;
  readonly isBroken: boolean; // delivered before, and now not
  readonly isMended: boolean;
  readonly losesClient: boolean; // the server saw the client, and now sees another
  readonly causes: readonly number[]; // indices of edits
};
export type Diff = { readonly edits: readonly Edit[]; readonly flows: number; readonly changes: readonly FlowChange[] };
export type DiffOptions = { readonly onlyBroken: boolean; readonly pods: boolean };

export function diffOf(old: Manifests, now: Manifests, open: Opener, options: DiffOptions): Diff {
  const apart = editsBetween(old, now);
  if (apart.length === 0) return { edits: apart, flows: 0, changes: [] };
  const opened = open(old);
  const stay: Opener = (input) => openRunning(open, input, opened);
  const before = lookAt(opened, options);
  const after = lookAt(stay(now), options);
  const keys = [...new Set([...after.keys(), ...before.keys()])];
  const changes = keys.flatMap((key) => changeOf(key, before, after)).filter(({ isBroken }) => isBroken || !options.onlyBroken);
  const wanted = new Set(changes.map(keyOf));
  const { edits, tries } = tryEach(apart, old, now, wanted.size === 0 ? () => undefined : stay);
  const views = tries.map(({ undone, alone }) => ({ undone: lookAt(undone, options, wanted), alone: lookAt(alone, options, wanted) }));
  const causesOf = (change: FlowChange): number[] => {
    const key = keyOf(change);
    const moved = views.flatMap(({ undone, alone }, i) =>
      !same(undone.get(key) ?? NO_VIEW, change.after) || !same(alone.get(key) ?? NO_VIEW, change.before) ? [i] : [],
    );
    return moved.length > 0 ? moved : edits.map((_, i) => i); // only together
  };
  return { edits, flows: keys.length, changes: changes.map((change) => ({ ...change, causes: causesOf(change) })) };
}

type Try = { readonly undone: Reachable | undefined; readonly alone: Reachable | undefined };

/** Each edit undone alone and made alone. Edits of one object that the API server takes only together are one. */
function tryEach(
  apart: readonly Edit[],
  old: Manifests,
  now: Manifests,
  open: Opener,
): { readonly edits: readonly Edit[]; readonly tries: readonly Try[] } {
  const refusals = (opened: Reachable | undefined): number =>
    opened?.cluster.diagnostics.filter(({ severity }) => severity === "error").length ?? 0;
  const usual = Math.max(refusals(open(old)), refusals(open(now)));
  const tryOne = (edit: Edit): Try => ({
    undone: open(applyEdit(now, edit, { old, now, back: true })),
    alone: open(applyEdit(old, edit, { old, now, back: false })),
  });
  const first = apart.map(tryOne);
  const refused = new Set(
    apart.flatMap((edit, i) =>
      edit.kind === "changed" && (refusals(first[i]?.undone) > usual || refusals(first[i]?.alone) > usual)
        ? [JSON.stringify(edit.object)]
        : [],
    ),
  );
  if (refused.size === 0) return { edits: apart, tries: first };
  const edits = joinEdits(apart, ({ object }) => refused.has(JSON.stringify(object)));
  return { edits, tries: edits.map((edit) => first[apart.indexOf(edit)] ?? tryOne(edit)) };
}

type Views = ReadonlyMap<string, View>;

/** More nodes than this are not walked from one by one. */
const MOST_NODES = 20;
/** A source's row of its own: that it is there at all. */
export const ANYTHING = "anything";

/** Every flow that is asked, or those wanted, by source and target. */
function lookAt(opened: Reachable | undefined, { pods }: DiffOptions, wanted?: ReadonlySet<string>): Views {
  if (!opened) return new Map();
  const sources = wanted && new Set([...wanted].map((key) => partsOf(key).source));
  const targets = wanted && new Set([...wanted].map((key) => partsOf(key).target));
  const matrix: Matrix = matrixOf(opened, {
    source: ({ id, kind }) => kind !== "namespace" && (sources?.has(id) ?? true),
    target: ({ id, kind }) => (targets?.has(id) ?? true) && (pods || kind !== "pod"),
    byNode: opened.cluster.nodes.length <= MOST_NODES,
  });
  const view = createViewer(opened.cluster);
  const there = matrix.sources.filter((row) => row.machine !== undefined || row.pods.length > 0);
  return new Map([
    ...there.map(({ id: source }) => [keyOf({ source, target: ANYTHING }), { ...NO_VIEW, verdicts: ["asks"] }] as const),
    ...matrix.cells
      .flat()
      .flatMap(({ source, target, parts }) => (parts.length === 0 ? [] : [[keyOf({ source, target }), view(parts)] as const])),
  ]);
}

const keyOf = ({ source, target }: { readonly source: string; readonly target: string }): string => `${source}\n${target}`;
const partsOf = (key: string): { readonly source: string; readonly target: string } => {
  const [source = "", target = ""] = key.split("\n");
  return { source, target };
};
const same = (a: View, b: View): boolean => JSON.stringify(a) === JSON.stringify(b);
const delivers = ({ verdicts }: View): boolean => verdicts.length > 0 && verdicts.every((verdict) => verdict.startsWith("delivered"));

/** Of a source that is new or gone only that is said, not every target that it asks. */
function changeOf(key: string, old: Views, now: Views): FlowChange[] {
  const { source, target } = partsOf(key);
  const [before, after] = [old.get(key) ?? NO_VIEW, now.get(key) ?? NO_VIEW];
  const row = keyOf({ source, target: ANYTHING });
  if (same(before, after) || (target !== ANYTHING && old.has(row) !== now.has(row))) return [];
  const differs = (pick: (view: View) => readonly string[]): boolean => JSON.stringify(pick(before)) !== JSON.stringify(pick(after));
  const aspects: Aspect[] =
    before.verdicts.length === 0
      ? ["new"]
      : after.verdicts.length === 0
        ? ["gone"]
        : differs(({ verdicts }) => verdicts)
          ? ["verdict"]
          : [
              ...(differs(({ backends }) => backends) ? (["backends"] as const) : []),
              ...(differs(({ sees }) => sees) ? (["source"] as const) : []),
              ...(differs(({ ways }) => ways) ? (["path"] as const) : []),
            ];
  const isDelivered = { before: delivers(before), after: delivers(after) };
  return [
    {
      source,
      target,
      aspects,
      before,
      after,
      isBroken: target !== ANYTHING && isDelivered.before && !isDelivered.after,
      isMended: !isDelivered.before && isDelivered.after && before.verdicts.length > 0,
      losesClient: isDelivered.before && isDelivered.after && seesClient(before) && !seesClient(after),
      causes: [],
    },
  ];
}
