/** Fixes as changes of text. A finding's edits are made all or not at all; of two that overlap the first wins, the next run does the rest. */
import type { FieldEdit, TextChange } from "../manifests/edits.ts";
import type { Place } from "../objects/source.ts";
import type { Edit, Mark } from "./finding.ts";
import type { RuleText } from "./rule.ts";

/** What turns an edit into text: the sources that were read. */
export type Editor = {
  readonly change: (source: Mark["source"], field: Mark["field"], edit: FieldEdit) => TextChange | undefined;
  readonly extentOf: (place: Place) => { readonly start: number; readonly end: number };
  readonly placeAt: (file: string, extent: { readonly start: number; readonly end: number }) => Place;
};
export type FileChange = TextChange & { readonly file: string; readonly at: Place };
export type Fix = { readonly kind: "safe" | "unsafe" | "suggest"; readonly changes: readonly FileChange[] };
export type FixLevel = "safe" | "unsafe";

/** What a finding's edits change; undefined when it has none, or one cannot be made. */
export function fixOf(rule: RuleText, edits: readonly Edit[] | undefined, editor: Editor): Fix | undefined {
  if (rule.fix === "no" || edits === undefined || edits.length === 0) return undefined;
  const changes = edits.map((edit) => changeOf(edit, editor));
  const made = changes.filter((change) => change !== undefined);
  return made.length === changes.length ? { kind: rule.fix, changes: made } : undefined;
}

function changeOf(edit: Edit, editor: Editor): FileChange | undefined {
  const { at } = edit;
  const file = "line" in at ? at.file : at.source.file;
  const text = "text" in edit ? edit.text : "";
  const change = "line" in at ? { ...editor.extentOf(at), text } : editor.change(at.source, at.field, edit);
  return change && { ...change, file, at: editor.placeAt(file, change) };
}

export const isApplied = ({ kind }: Fix, level: FixLevel): boolean => kind === "safe" || kind === level;

export type Plan<F> = {
  readonly changes: ReadonlyMap<string, readonly FileChange[]>;
  readonly fixed: readonly F[];
  readonly later: readonly F[];
};

/** The changes of one run, by file, in the order of the text. */
export function planFixes<F extends { readonly fix?: Fix }>(findings: readonly F[], level: FixLevel): Plan<F> {
  const changes = new Map<string, FileChange[]>();
  const fixed: F[] = [];
  const later: F[] = [];
  for (const found of findings) {
    const { fix } = found;
    if (fix === undefined || !isApplied(fix, level)) continue;
    const added = fix.changes.filter((change) => !(changes.get(change.file) ?? []).some((other) => isSame(change, other)));
    if (added.some((change) => (changes.get(change.file) ?? []).some((other) => overlap(change, other)))) {
      later.push(found);
      continue;
    }
    fixed.push(found);
    for (const change of added) changes.set(change.file, [...(changes.get(change.file) ?? []), change]);
  }
  const ordered = [...changes].map(([file, list]) => [file, [...list].sort((a, b) => a.start - b.start || a.end - b.end)] as const);
  return { changes: new Map(ordered), fixed, later };
}

const isSame = (a: TextChange, b: TextChange): boolean => a.start === b.start && a.end === b.end && a.text === b.text;
const overlap = (a: TextChange, b: TextChange): boolean => a.start === b.start || (a.start < b.end && b.start < a.end);

/** The text with changes that do not overlap, in order. */
export function applyChanges(text: string, changes: readonly TextChange[]): string {
  let at = 0;
  const parts: string[] = [];
  for (const change of changes) {
    parts.push(text.slice(at, change.start), change.text);
    at = change.end;
  }
  return parts.join("") + text.slice(at);
}
