/**
 * A file's text, split into documents as kubectl splits it: k8s.io/apimachinery/pkg/util/yaml (YAMLReader,
 * YAMLOrJSONDecoder). Lines that begin with `---` separate before any YAML is parsed, so a broken document spoils only
 * itself; text that begins with `{` is tried as JSON first, one value after the other.
 */

/** `text` is a slice of the file from `offset`, so every position in it is one in the file. */
export type DocumentText = {
  readonly offset: number;
  readonly text: string;
  readonly json?: unknown; // parsed already
  readonly badSeparator?: string; // what stands after `---`; kubectl refuses the document
};

/** All documents, the empty ones too. The text has no byte order mark any more. */
export function splitDocuments(text: string): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let start = 0;
  for (const value of readJsonValues(text)) {
    documents.push(value);
    start = value.offset + value.text.length;
  }
  return start > 0 && text.slice(start).trim() === "" ? documents : [...documents, ...splitYaml(text, start)];
}

function splitYaml(text: string, from: number): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let start = from;
  let separator = from === 0 && text.startsWith("---") ? 0 : nextSeparator(text, from);
  let badSeparator = "";
  for (;;) {
    const end = separator === -1 ? text.length : separator;
    documents.push({ offset: start, text: untilEndMarker(text.slice(start, end)), ...(badSeparator && { badSeparator }) });
    if (separator === -1) return documents;
    const lineEnd = endOfLine(text, separator);
    const rest = text.slice(separator + 3, lineEnd).trim();
    badSeparator = rest === "" || rest.startsWith("#") ? "" : rest;
    start = badSeparator ? separator : Math.min(lineEnd + 1, text.length);
    separator = nextSeparator(text, lineEnd);
  }
}

function nextSeparator(text: string, from: number): number {
  const found = text.indexOf("\n---", from);
  return found === -1 ? -1 : found + 1;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

/** `...` ends a document; what follows up to the next `---` is lost, as with kubectl. */
function untilEndMarker(text: string): string {
  const marker = /^\.\.\.(?=\s|$)/m.exec(text);
  return marker === null ? text : text.slice(0, marker.index);
}

/** The JSON values that the text begins with; stops at the first thing that is not JSON, which is then read as YAML. */
function readJsonValues(text: string): readonly DocumentText[] {
  const values: DocumentText[] = [];
  let position = skipSpace(text, 0);
  while (text[position] === "{") {
    const end = endOfJsonObject(text, position);
    if (end === -1) return values;
    const slice = text.slice(position, end);
    const json = parseJson(slice);
    if (json === undefined) return values;
    values.push({ offset: position, text: slice, json });
    position = skipSpace(text, end);
  }
  return values;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Just past the bracket that closes the one at `start`; brackets in strings do not count. -1 when nothing closes it. */
function endOfJsonObject(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (char === QUOTE) {
      index = endOfJsonString(text, index);
      if (index === -1) return -1;
    } else if (char === OPEN) depth += 1;
    else if (char === CLOSE) {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return -1;
}

function endOfJsonString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (char === BACKSLASH) index += 1;
    else if (char === QUOTE) return index;
  }
  return -1;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

function skipSpace(text: string, from: number): number {
  let position = from;
  while (position < text.length && " \t\r\n".includes(text.charAt(position))) position += 1;
  return position;
}
