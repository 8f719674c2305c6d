/** What an edit does to the flows, grouped by cause: as text, as Markdown for a review, and as the document of schema/diff.schema.json. */
import { type Edit, type FieldChange, isImmutable } from "../compare/changes.ts";
import { ANYTHING, type Diff, type FlowChange } from "../compare/diff.ts";
import type { View } from "../compare/view.ts";
import type { PathPart, Place, Source } from "../objects/source.ts";
import { formatPlace } from "../objects/source.ts";
import { escapeJson, escapeText } from "./escape.ts";
import { API_VERSION } from "./json.ts";
import type { Paint } from "./paint.ts";

/** Where an edit stands: in the new input, or in the old one for what is gone. */
export type PlaceOf = (source: Source, field: readonly PathPart[], side: "old" | "new") => Place | undefined;
export type DiffLayout = { readonly placeOf: PlaceOf; readonly paint: Paint };

/** One cause, and the flows that change by it. */
type Group = { readonly causes: readonly number[]; readonly flows: readonly FlowChange[] };

function groupsOf({ changes }: Diff): Group[] {
  const groups = new Map<string, { causes: readonly number[]; flows: FlowChange[] }>();
  for (const change of changes) {
    const key = change.causes.join(",");
    const group = groups.get(key) ?? { causes: change.causes, flows: [] };
    group.flows.push(change);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => (a.causes[0] ?? 0) - (b.causes[0] ?? 0) || a.causes.length - b.causes.length);
}

/** Each cause with its flows; sources that fare alike towards one target are said together. */
export function renderDiff(diff: Diff, { placeOf, paint }: DiffLayout): string {
  const blocks = groupsOf(diff).map(({ causes, flows }) => {
    const heads = causes.flatMap((i) => {
      const edit = diff.edits[i];
      return edit ? [paint.bold(editText(edit, placeOf))] : [];
    });
    const lines = alike(flows).map(({ sources, change }) => {
      const head = `  ${mark(change, paint)}  ${sources} -> ${escapeText(change.target)}`;
      return [head, ...reasonLines(change).map((text) => `            ${escapeText(text)}`)].join("\n");
    });
    return [...heads, ...lines, ""].join("\n");
  });
  return [...blocks, ...idleText(diff, placeOf), summaryText(diff), ""].join("\n");
}

/** Edits that no flow depends on. */
function idleText({ edits, changes }: Diff, placeOf: PlaceOf): string[] {
  const causes = new Set(changes.flatMap((change) => change.causes));
  const idle = edits.filter((_, i) => !causes.has(i));
  if (idle.length === 0) return [];
  return [
    "Without effect on any flow:",
    ...idle.slice(0, MOST_IDLE).map((edit) => `  ${editText(edit, placeOf)}`),
    ...(idle.length > MOST_IDLE ? [`  and ${idle.length - MOST_IDLE} more`] : []),
    "",
  ];
}
const MOST_IDLE = 10;

function summaryText(diff: Diff): string {
  const { edits, changes, flows } = diff;
  if (edits.length === 0) return "no difference: both inputs say the same";
  const edited = `${edits.length} ${edits.length === 1 ? "edit" : "edits"}`;
  if (changes.length === 0) return `no difference: ${edited}, and all ${flows} flows go as before`;
  const count = (is: (change: FlowChange) => boolean): number => changes.filter(is).length;
  const parts = [
    [count(({ isBroken }) => isBroken), "broken"],
    [count(({ isMended }) => isMended), "mended"],
    [count(({ losesClient }) => losesClient), "no longer seen with the client's address"],
  ].flatMap(([n, what]) => (n === 0 ? [] : [`${n} ${what}`]));
  return `${changes.length} of ${flows} flows differ after ${edited}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`;
}

const mark = (change: FlowChange, paint: Paint): string => {
  const word = wordOf(change).padEnd(8);
  return change.isBroken ? paint.red(word) : change.isMended ? paint.green(word) : word;
};
const wordOf = ({ isBroken, isMended, aspects }: FlowChange): string =>
  isBroken ? "BROKEN" : isMended ? "mended" : aspects[0] === "new" || aspects[0] === "gone" ? aspects[0] : "changed";

function alike(flows: readonly FlowChange[]): { readonly sources: string; readonly change: FlowChange }[] {
  const groups = new Map<string, { sources: string[]; change: FlowChange }>();
  for (const change of flows) {
    const { source, ...rest } = change;
    const key = JSON.stringify([rest.target, wordOf(change), reasonLines(change)]);
    const group = groups.get(key);
    if (group) group.sources.push(source);
    else groups.set(key, { sources: [source], change });
  }
  return [...groups.values()].map(({ sources, change }) => ({
    sources: escapeText(sources.length <= 2 ? sources.join(", ") : `${sources[0]} and ${sources.length - 1} more`),
    change,
  }));
}

/** Before and after, of what differs. */
function reasonLines({ target, aspects, before, after, losesClient }: FlowChange): string[] {
  const lines = aspects.flatMap((aspect): string[] => {
    switch (aspect) {
      case "verdict":
        return [arrow(before.verdicts, after.verdicts)];
      case "backends":
        return [`backends ${arrow(before.backends, after.backends)}`];
      case "source":
        return [`source seen ${arrow(before.sees, after.sees)}`];
      case "path":
        return changedWays(before, after);
      case "new":
        return target === ANYTHING ? ["a pod of it runs now"] : [textOf(after.verdicts)];
      case "gone":
        return target === ANYTHING ? ["no pod of it runs any more"] : [`${textOf(before.verdicts)} -> there is no such target`];
      default:
        return aspect satisfies never;
    }
  });
  return losesClient ? [...lines, "the client's own address is no longer seen"] : lines;
}

const textOf = (texts: readonly string[]): string => (texts.length === 0 ? "none" : texts.join(" or "));
const arrow = (before: readonly string[], after: readonly string[]): string => `${textOf(before)} -> ${textOf(after)}`;

/** The first way that is not both before and after. */
function changedWays(before: View, after: View): string[] {
  const old = before.ways.find((way) => !after.ways.includes(way));
  const now = after.ways.find((way) => !before.ways.includes(way));
  return [...(old === undefined ? [] : [`no longer by ${old}`]), ...(now === undefined ? [] : [`now by ${now}`])];
}

/** `service.yaml:9:3 Service default/tomcat6 spec.selector.app: "tomcat6" -> "tomcat"` */
function editText(edit: Edit, placeOf: PlaceOf): string {
  const place = placeOfEdit(edit, placeOf);
  const advice = isImmutable(edit) ? " (immutable: delete and re-create)" : "";
  return escapeText(`${place ? `${formatPlace(place)}: ` : ""}${editWords(edit)}${advice}`);
}

function editWords(edit: Edit): string {
  if (edit.kind === "topology") return edit.fields.map((field) => `topology ${fieldWords(field)}`).join("; ");
  const { kind, namespace, name } = edit.object;
  const object = `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
  if (edit.kind !== "changed") return `${object} ${edit.kind}`;
  return `${object} ${edit.fields.map(fieldWords).join("; ")}`;
}

const fieldWords = ({ path, before, after }: FieldChange): string => `${pathText(path)}: ${valueText(before)} -> ${valueText(after)}`;
const pathText = (path: readonly PathPart[]): string =>
  path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");
const LONGEST = 60;
function valueText({ there, value }: FieldChange["before"]): string {
  if (!there) return "unset";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function placeOfEdit(edit: Edit, placeOf: PlaceOf): Place | undefined {
  if (edit.kind === "topology") return edit.source && placeOf(edit.source, ["spec", ...(edit.fields[0]?.path ?? [])], "new");
  const field = edit.kind === "changed" ? (edit.fields[0]?.path ?? []) : ["metadata", "name"];
  return placeOf(edit.source, field, edit.kind === "removed" ? "old" : "new");
}

/** For a comment on a change request. */
export function renderDiffMarkdown(diff: Diff, placeOf: PlaceOf): string {
  const blocks = groupsOf(diff).map(({ causes, flows }) => {
    const heads = causes.flatMap((i) => {
      const edit = diff.edits[i];
      return edit ? [`**${markdown(editText(edit, placeOf))}**`] : [];
    });
    const rows = alike(flows).map(
      ({ sources, change }) =>
        `| ${wordOf(change)} | ${markdown(sources)} | ${markdown(change.target)} | ${markdown(reasonLines(change).join("; "))} |`,
    );
    return [...heads, "", "| | from | to | |", "|---|---|---|---|", ...rows, ""].join("\n");
  });
  return ["### ktrace diff", "", ...blocks, markdown(summaryText(diff)), ""].join("\n");
}

const markdown = (text: string): string => escapeText(text).replace(/[\\`*_{}[\]<>()#+!|~&]/g, (char) => `\\${char}`);

export function renderDiffJson(diff: Diff, placeOf: PlaceOf): string {
  const count = (is: (change: FlowChange) => boolean): number => diff.changes.filter(is).length;
  const document = {
    apiVersion: API_VERSION,
    kind: "Diff",
    summary: {
      edits: diff.edits.length,
      flows: diff.flows,
      differ: diff.changes.length,
      broken: count(({ isBroken }) => isBroken),
      mended: count(({ isMended }) => isMended),
      clientLost: count(({ losesClient }) => losesClient),
    },
    edits: diff.edits.map((edit) => {
      const place = placeOfEdit(edit, placeOf);
      return {
        kind: edit.kind,
        ...(edit.kind === "topology" ? {} : { object: edit.object }),
        ...(place ? { at: formatPlace(place) } : {}),
        ...(isImmutable(edit) ? { immutable: true } : {}),
        ...("fields" in edit
          ? {
              fields: edit.fields.map(({ path, before, after }) => ({
                path: pathText(path),
                ...(before.there ? { before: before.value } : {}),
                ...(after.there ? { after: after.value } : {}),
              })),
            }
          : {}),
      };
    }),
    changes: diff.changes.map(({ source, target, aspects, before, after, isBroken, isMended, losesClient, causes }) => ({
      source,
      target,
      differs: aspects,
      broken: isBroken,
      mended: isMended,
      clientLost: losesClient,
      causes,
      before,
      after,
    })),
  };
  return `${escapeJson(JSON.stringify(document, undefined, 2))}\n`;
}
