/**
 * An edit of one value as a change of text: comments, order, quotes and breaks of everything else stay. A value is replaced by
 * text as it is written; in a JSON document the same text is written as JSON.
 */
import type { PathPart } from "../objects/source.ts";
import { parseDocument } from "./yaml/parse.ts";
import type { Extent } from "./yaml/position.ts";
import type { Span, Spans } from "./yaml/spans.ts";

export type TextChange = Extent & { readonly text: string };
/** What to do with a field: its value's new text, its key's, away with both, or `key: value` first in the mapping that it is. */
export type FieldEdit = { readonly kind: "value" | "key" | "insert"; readonly text: string } | { readonly kind: "remove" };

/** The change in the document's text; undefined when it cannot be made without touching anything else. */
export function changeOf(source: string, spans: Spans, path: readonly PathPart[], edit: FieldEdit): TextChange | undefined {
  const span = spans.find(path);
  if (span === undefined) return undefined;
  const isJson = isJsonText(source);
  switch (edit.kind) {
    case "value":
      return span.isAnchored ? undefined : replaceValue(span, isJson ? asJson(edit.text) : edit.text);
    case "key":
      return span.key && { ...span.key, text: isJson ? JSON.stringify(edit.text) : edit.text };
    case "remove":
      return span.isAnchored ? undefined : removeEntry(source, span);
    case "insert":
      return insertEntry(source, span, isJson ? asJson(`{${edit.text}}`).slice(1, -1) : edit.text);
    default:
      return edit satisfies never;
  }
}

function replaceValue({ kind, value }: Span, text: string): TextChange {
  return { ...value, text: kind === "empty" ? ` ${text}` : text };
}

function removeEntry(source: string, { within, key }: Span): TextChange | undefined {
  if (within === undefined) return undefined;
  const { members, index, isFlow, value } = within;
  const [own, before, after] = [members[index], members[index - 1], members[index + 1]];
  if (own === undefined) return undefined;
  if (isFlow) {
    if (after) return { start: own.start, end: after.start, text: "" };
    return before ? { start: before.end, end: own.end, text: "" } : { ...own, text: "" };
  }
  const lead = key === undefined ? (dashBefore(source, own.start) ?? own.start) : own.start; // a member of a list goes with its dash
  if (members.length === 1) return { start: key === undefined ? lead : value.start, end: own.end, text: key === undefined ? "[]" : "{}" };
  const lineStart = source.lastIndexOf("\n", lead - 1) + 1;
  if (source.slice(lineStart, lead).trim() === "") return { start: lineStart, end: endOfLine(source, own.end), text: "" };
  return after ? { start: own.start, end: after.start, text: "" } : undefined; // the first beside a dash: the next takes its place
}

/** The dash of the sequence member that begins here. */
function dashBefore(source: string, start: number): number | undefined {
  const found = /-[ \t]+$/.exec(source.slice(source.lastIndexOf("\n", start - 1) + 1, start));
  return found === null ? undefined : start - found[0].length;
}

/** The start of the next line; a comment behind the value goes with it. */
function endOfLine(source: string, from: number): number {
  const end = source.indexOf("\n", from);
  return end === -1 ? source.length : end + 1;
}

function insertEntry(source: string, { kind, value, isFlow, members }: Span, text: string): TextChange | undefined {
  if (kind === "empty") return { ...value, text: ` {${text}}` };
  if (kind !== "mapping") return undefined;
  const [first] = members;
  if (first === undefined) return { ...value, text: `{${text}}` };
  if (isFlow) return { start: first.start, end: first.start, text: `${text}, ` };
  const column = first.start - (source.lastIndexOf("\n", first.start - 1) + 1);
  const lineBreak = source.includes("\r\n") ? "\r\n" : "\n";
  const indent = `${lineBreak}${" ".repeat(column)}`;
  return { start: first.start, end: first.start, text: `${text.replaceAll("\n", indent)}${indent}` };
}

function isJsonText(source: string): boolean {
  if (!/^\s*\{/.test(source)) return false;
  try {
    JSON.parse(source);
    return true;
  } catch {
    return false;
  }
}

/** A piece of YAML as JSON: `web` becomes `"web"`, `8080` stays. */
function asJson(text: string): string {
  const parsed = parseDocument({ offset: 0, text });
  return JSON.stringify("problem" in parsed ? text : parsed.value);
}
