/**
 * What people wrote to silence a rule: `# ktrace-ignore KT402 -- reason` at the end of a line or alone above it,
 * `# ktrace-ignore-file KT5 -- reason`, the annotations ktrace.dev/ignore (with ktrace.dev/ignore-reason) and
 * ignore.ktrace.dev/RULE-NAME. Annotations survive Helm and kustomize, comments do not.
 */
import type { Written } from "../manifests/objects.ts";
import { quote } from "../manifests/words.ts";
import { type Comment, commentsWith } from "../manifests/yaml/comments.ts";
import { isFields } from "../objects/record.ts";
import type { Place, Source } from "../objects/source.ts";
import type { Topology } from "../objects/topology.ts";
import type { Edit, Finding, Mark } from "./finding.ts";
import type { RuleText } from "./rule.ts";
import { lookupRules, nearestRule } from "./select.ts";
import { refOfWritten } from "./subject.ts";

/** One rule, or prefix, that somebody wants to hear nothing of. */
export type Suppression = {
  readonly word: string;
  readonly codes: ReadonlySet<string>; // empty: no rule is called so
  readonly reason?: string;
  readonly covers: Covers;
  readonly at: Place | Mark;
  /** Takes the word away, and the whole comment with its last word. */
  readonly edits: readonly Edit[];
};
export type Covers =
  | { readonly kind: "line"; readonly file: string; readonly line: number }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "object"; readonly source: Source; readonly key: string };

export type SuppressionInput = {
  readonly files: readonly string[];
  readonly textOf: (file: string) => string | undefined;
  readonly written: readonly Written[];
  readonly topology: Topology; // comments in its file count too
  readonly rules: readonly RuleText[];
};
export type Suppressions = { readonly list: readonly Suppression[]; readonly mistakes: readonly Finding[] };

const WORD = "ktrace-ignore";
const FORM = /^[ \t]*ktrace-ignore(-file)?(?=[\s:]|$)[ \t:]*([\s\S]*)$/;
export const IGNORE = "ktrace.dev/ignore";
const IGNORE_PREFIX = "ignore.ktrace.dev/";

/** All of them, and what is wrong with some. */
export function readSuppressions(input: SuppressionInput): Suppressions {
  const list: Suppression[] = [];
  const mistakes: Finding[] = [];
  const { source } = input.topology;
  for (const file of new Set([...input.files, ...(source === undefined ? [] : [source.file])])) {
    const text = input.textOf(file) ?? "";
    for (const comment of commentsWith(text, WORD)) readComment(comment, file, text, input.rules, list, mistakes);
  }
  for (const written of input.written) readAnnotations(written, input.rules, list);
  for (const { word, codes, at, edits } of list) if (codes.size === 0) mistakes.push(unknownRule(word, at, edits, input.rules));
  return { list, mistakes };
}

function unknownRule(word: string, at: Place | Mark, edits: readonly Edit[], rules: readonly RuleText[]): Finding {
  const meant = nearestRule(word, rules);
  return {
    message: `no rule is called ${quote(word)}, so nothing is suppressed`,
    at,
    ...(meant !== undefined && { label: `did you mean ${meant}?` }),
    help: "name a rule by its code (KT402), the beginning of its code (KT4), or its name",
    about: [],
    edits: meant === undefined ? edits : [],
  };
}

function readComment(
  comment: Comment,
  file: string,
  text: string,
  rules: readonly RuleText[],
  list: Suppression[],
  mistakes: Finding[],
): void {
  const form = FORM.exec(comment.text);
  if (form === null) return; // a comment about ktrace-ignore
  const [, ofFile, rest = ""] = form;
  const { words, reason } = splitReason(rest);
  const line = text.slice(0, comment.start).split("\n").length;
  const column = comment.start - comment.lineStart + 1;
  const at: Place = { file, line, column, endLine: line, endColumn: column + comment.end - comment.start };
  const isAlone = text.slice(comment.lineStart, comment.start).trim() === "";
  const whole = wholeComment(comment, at, text, isAlone);
  if (words.length === 0) {
    mistakes.push({
      message: `${WORD}${ofFile ?? ""} names no rule, so nothing is suppressed`,
      at,
      label: "which rule?",
      help: `write \`# ${WORD}${ofFile ?? ""} KT402 -- reason\`; several codes are separated by commas`,
      about: [],
      severity: "error",
    });
    return;
  }
  const covers: Covers =
    ofFile === undefined ? { kind: "line", file, line: isAlone ? lineBelow(text, line) : line } : { kind: "file", file };
  const offset = 1 + comment.text.length - rest.length; // of `rest` in the comment
  for (const [index, { word, from, to }] of words.entries()) {
    const place: Place = { ...at, column: column + offset + from, endColumn: column + offset + to };
    const [next, before] = [words[index + 1], words[index - 1]];
    const cut = next ? { from, to: next.from } : { from: before?.to ?? from, to };
    const edits: readonly Edit[] =
      words.length === 1
        ? [{ kind: "remove", at: whole }]
        : [{ kind: "remove", at: { ...at, column: column + offset + cut.from, endColumn: column + offset + cut.to } }];
    list.push({ word, codes: codesOf(word, rules), ...(reason !== "" && { reason }), covers, at: place, edits });
  }
}

const codesOf = (word: string, rules: readonly RuleText[]): ReadonlySet<string> =>
  new Set(lookupRules(word, rules).map(({ code }) => code));

type Word = { readonly word: string; readonly from: number; readonly to: number };

/** `KT402, KT5 -- why` */
function splitReason(text: string): { readonly words: readonly Word[]; readonly reason: string } {
  const [head = ""] = text.split(/(?:^|\s)--(?=\s|$)/);
  const reason = text.slice(head.length).replace(/^\s*--\s*/, "");
  const words = [...head.matchAll(/[^\s,]+/g)].map(({ 0: word, index }) => ({ word, from: index, to: index + word.length }));
  return { words, reason: reason.trim() };
}

/** A comment alone goes with its line, one behind a value with the space before it. */
function wholeComment({ start, end, lineStart }: Comment, at: Place, text: string, isAlone: boolean): Place {
  if (isAlone && text.includes("\n", end)) return { ...at, column: 1, endLine: at.line + 1, endColumn: 1 };
  const before = isAlone ? lineStart : lineStart + text.slice(lineStart, start).trimEnd().length;
  return { ...at, column: before - lineStart + 1 };
}

/** The next line that says something. */
function lineBelow(text: string, line: number): number {
  const lines = text.split("\n");
  const below = lines.slice(line).findIndex((one) => !/^\s*(?:#.*)?$/.test(one));
  return below === -1 ? line : line + below + 1;
}

function readAnnotations(written: Written, rules: readonly RuleText[], list: Suppression[]): void {
  const { value, source } = written;
  const { annotations } = isFields(value.metadata) ? value.metadata : {};
  if (!isFields(annotations)) return;
  const covers: Covers = { kind: "object", source, key: objectKey(refOfWritten(written)) };
  for (const [name, text] of Object.entries(annotations)) {
    const at: Mark = { source, field: ["metadata", "annotations", name] };
    const edits: readonly Edit[] = [{ kind: "remove", at }];
    if (name === IGNORE && typeof text === "string") {
      const reason = annotations[`${IGNORE}-reason`];
      for (const word of text.split(/[\s,]+/).filter((each) => each !== ""))
        list.push({
          word,
          codes: codesOf(word, rules),
          ...(typeof reason === "string" && { reason }),
          covers,
          at,
          edits: /[\s,]/.test(text.trim()) ? [] : edits,
        });
    } else if (name.startsWith(IGNORE_PREFIX)) {
      const word = name.slice(IGNORE_PREFIX.length);
      list.push({
        word,
        codes: codesOf(word, rules),
        ...(typeof text === "string" && text !== "" && { reason: text }),
        covers,
        at: { ...at, key: true },
        edits,
      });
    }
  }
}

/** Objects by kind, namespace and name. */
export const objectKey = ({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}): string => JSON.stringify([kind, namespace ?? "", name]);
