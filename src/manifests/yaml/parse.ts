/**
 * One document's text, read. Never throws: what cannot be read is a problem with an extent in the document, in words that
 * say what was expected and how to mend it. js-yaml's own words stand where ours would not be better.
 */
import { type Event, parseEvents, YAMLException } from "js-yaml";
import { construct, type DuplicateKey, isMapping, MAX_DEPTH, setOwn, type Yaml } from "./construct.ts";
import { type DocumentText, splitDocuments } from "./documents.ts";

export type Problem = { readonly message: string; readonly help?: string; readonly start: number; readonly end: number };
export type ParsedDocument = { readonly value: Yaml; readonly duplicates: readonly DuplicateKey[] } | { readonly problem: Problem };

/** The value of one document, as kubectl reads it. */
export function parseDocument(document: DocumentText): ParsedDocument {
  if (document.badSeparator !== undefined) return { problem: separatorProblem(document.badSeparator) };
  if (document.json !== undefined) return fromJson(document.json);
  if (!VISIBLE.test(document.text)) return { value: null, duplicates: [] }; // of ten thousand `---` none is worth a parser
  const text = normalizeBreaks(document.text);
  const directive = /^%YAML[ \t]+(?!1\.1\b).*$/m.exec(text);
  if (directive !== null) {
    return {
      problem: {
        message: `kubectl reads YAML 1.1 only, not ${directive[0].trim()}`,
        help: "remove the line",
        start: directive.index,
        end: directive.index + directive[0].length,
      },
    };
  }
  try {
    return construct(text, parseEvents(text, { maxDepth: MAX_DEPTH }));
  } catch (error) {
    return { problem: problemOf(error, text) };
  }
}

/** How many documents of a text cannot be read, and how many keys stand twice: an edit must not add one. */
export const parseProblems = (text: string): number =>
  splitDocuments(text).reduce((sum, document) => {
    const parsed = parseDocument(document);
    return sum + ("problem" in parsed ? 1 : parsed.duplicates.length);
  }, 0);

/** Anything but space and comments; a tab too, which the parser judges. */
const VISIBLE = /^ *[^\s#]|\t|\u0085/m;

/** The events of a document that was read before, for its positions; empty when it is not readable. */
export function readEvents(text: string): readonly Event[] {
  try {
    return parseEvents(normalizeBreaks(text), { maxDepth: MAX_DEPTH });
  } catch {
    return [];
  }
}

/** NEL is a line break in YAML 1.1 and for Go, but not for js-yaml. One unit for one: positions stay. */
const normalizeBreaks = (text: string): string => (text.includes("\u0085") ? text.replaceAll("\u0085", "\n") : text);

function fromJson(json: unknown): ParsedDocument {
  const value = toYaml(json, 1);
  const problem = { message: `nested more than ${MAX_DEPTH} deep`, help: "no Kubernetes object is nested that deep", start: 0, end: 1 };
  return value === undefined ? { problem } : { value, duplicates: [] };
}

/** Checks the depth, so that nobody after this has to fear it; the type follows from what JSON is. */
function toYaml(json: unknown, depth: number): Yaml | undefined {
  if (json === null || typeof json === "string" || typeof json === "number" || typeof json === "boolean") return json;
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(json)) {
    const items = json.map((item) => toYaml(item, depth + 1));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  const result: { [key: string]: Yaml } = {};
  for (const [key, member] of Object.entries(isMapping(json) ? json : {})) {
    const value = toYaml(member, depth + 1);
    if (value === undefined) return undefined;
    setOwn(result, key, value);
  }
  return result;
}

const separatorProblem = (found: string): Problem => ({
  message: "text after the document separator ---; kubectl allows only a comment there",
  help: "move it to the next line",
  start: 3,
  end: 3 + 1 + found.length,
});

function problemOf(error: unknown, text: string): Problem {
  if (!(error instanceof YAMLException)) {
    return { message: "this cannot be read as YAML", help: "it may be nested too deep", start: 0, end: 1 };
  }
  const start = Math.min(error.mark?.position ?? 0, text.length);
  return { ...explain(error.reason, text, start), start, end: start + 1 };
}

/** js-yaml's reasons (its parser.ts) that deserve a remedy, in the order in which they are tried. */
const REMEDIES: readonly { readonly when: RegExp; readonly message?: string; readonly help: string }[] = [
  {
    when: /tab characters? must not be used/,
    message: "a tab in the indentation; YAML allows only spaces",
    help: "replace the tab by spaces",
  },
  {
    when: /unidentified alias/,
    help: "a text that begins with * must be quoted; else define the anchor (&name) above it, in the same document",
  },
  {
    when: /multiline key|implicit key|mapping value/,
    help: "look for a missing `:`, a missing quote, or a line that is indented too little",
  },
  { when: /expected ':' after a mapping key/, help: "write `key: value`; the file may have been cut off here" },
  { when: /\.inf and \.nan/, help: "write a number" },
  { when: /a key must/, help: "write `key: value`; text with {{ }} or [ ] in it must be quoted" },
  { when: /cannot read this as !!/, help: "remove the tag, or write a value of that type" },
  { when: /bad indentation/, help: "keys of one mapping must begin in the same column; a value with `: ` or ` #` in it must be quoted" },
  { when: /missed comma/, help: "put a comma between the members, or close the bracket" },
  {
    when: /unexpected end of the stream within a (single|double) quoted/,
    message: "a quote that is never closed",
    help: "close the quote",
  },
  { when: /within a flow collection/, message: "a bracket that is never closed", help: "close the bracket, [ ] or { }" },
  {
    when: /end of the stream or a document separator/,
    help: "look for a line that is indented less than its neighbours, or two values where one belongs",
  },
  {
    when: /deficient indentation/,
    message: "a bracket or quote that is not closed before this line, which is indented too little to belong to it",
    help: "close it, or indent the line",
  },
  { when: /contains itself/, help: "write the value out" },
  { when: /excessive aliasing|merge keys/, help: "write the values out; kubectl refuses such a document too" },
  { when: /maxDepth/, message: `nested more than ${MAX_DEPTH} deep`, help: "no Kubernetes object is nested that deep" },
  {
    when: /expected valid JSON character|control character|non-printable/,
    help: "remove it, or write it as an escape in double quotes, such as \\u0007",
  },
  { when: /null byte/, help: "remove it; the file may be binary, or saved as UTF-16" },
  { when: /reserved|unknown escape|can not read a block/, help: "put the text in single quotes" },
];

function explain(reason: string, text: string, start: number): { message: string; help?: string } {
  if (startsWithTab(text, start))
    return { message: "a tab in the indentation; YAML allows only spaces", help: "replace the tab by spaces" };
  const remedy = REMEDIES.find(({ when }) => when.test(reason));
  return { message: remedy?.message ?? reason, ...(remedy && { help: remedy.help }) };
}

function startsWithTab(text: string, position: number): boolean {
  const lineStart = text.lastIndexOf("\n", position - 1) + 1;
  return /^ *\t/.test(text.slice(lineStart, lineStart + 100));
}
