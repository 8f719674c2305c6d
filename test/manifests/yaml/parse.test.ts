import assert from "node:assert/strict";
import { test } from "node:test";
import { splitDocuments } from "../../../src/manifests/yaml/documents.ts";
import { parseDocument } from "../../../src/manifests/yaml/parse.ts";

/** The values of a text's documents; a problem as its message. */
function read(text: string): readonly unknown[] {
  return splitDocuments(text).map((document) => {
    const parsed = parseDocument(document);
    return "problem" in parsed ? `! ${parsed.problem.message}` : parsed.value;
  });
}

const documents: readonly { readonly name: string; readonly text: string; readonly reads: readonly unknown[] }[] = [
  { name: "documents are separated by --- lines", text: "a: 1\n---\nb: 2\n", reads: [{ a: 1 }, { b: 2 }] },
  { name: "a comment may follow ---", text: "--- # one\na: 1\n---   \nb: 2", reads: [null, { a: 1 }, { b: 2 }] },
  {
    name: "anything else after --- spoils that document only",
    text: "a: 1\n--- {b: 2}\nc: 3\n---\nd: 4",
    reads: [{ a: 1 }, "! text after the document separator ---; kubectl allows only a comment there", { d: 4 }],
  },
  {
    name: "a line of four dashes is such a separator too",
    text: "a: 1\n----\nb: 2",
    reads: [{ a: 1 }, "! text after the document separator ---; kubectl allows only a comment there"],
  },
  { name: "indented dashes belong to a block scalar", text: "a: |\n  x\n  ---\n  y\n", reads: [{ a: "x\n---\ny\n" }] },
  { name: "CRLF", text: "a: 1\r\n---\r\nb: 2\r\n", reads: [{ a: 1 }, { b: 2 }] },
  { name: "what follows ... is lost until the next ---", text: "a: 1\n...\nb: [\n---\nc: 3", reads: [{ a: 1 }, { c: 3 }] },
  {
    name: "a broken document leaves its neighbours whole",
    text: "a: [1, 2\n---\nb: 2",
    reads: ["! a bracket or quote that is not closed before this line, which is indented too little to belong to it", { b: 2 }],
  },
  { name: "empty, comments, null", text: "# x\n---\n---\nnull\n", reads: [null, null, null] },
  { name: "JSON", text: '{"a": [1, null, true]}', reads: [{ a: [1, null, true] }] },
  {
    name: "JSON values one after the other",
    text: '{"a": "}"}{"b": {"c": "\\"{"}}\n {"d": 1}\n',
    reads: [{ a: "}" }, { b: { c: '"{' } }, { d: 1 }],
  },
  { name: "JSON, then YAML", text: '{"a": 1}\n---\nb: 2\n', reads: [{ a: 1 }, null, { b: 2 }] },
  { name: "flow YAML that begins like JSON", text: "{a: 1}\n---\n{b: [2, on]}", reads: [{ a: 1 }, { b: [2, true] }] },
];
for (const { name, text, reads } of documents) test(name, () => assert.deepEqual(read(text), reads));

const values: readonly { readonly name: string; readonly text: string; readonly reads: unknown }[] = [
  {
    name: "keys become text after they are resolved",
    text: "on: 1\n080: 2\n1.50: 3\n'on': 4",
    reads: { true: 1, "80": 2, "1.5": 3, on: 4 },
  },
  { name: "the last of two equal keys counts", text: "a: 1\na: 2", reads: { a: 2 } },
  {
    name: "<< is applied where it stands: a key before it loses",
    text: "d: &d {a: 1, b: 2}\nx: {a: 9, <<: *d, b: 8}",
    reads: { d: { a: 1, b: 2 }, x: { a: 1, b: 8 } },
  },
  { name: "of merged lists the first wins", text: "x: {<<: [{a: 1}, {a: 2, b: 2}]}", reads: { x: { a: 1, b: 2 } } },
  { name: "a quoted << is a key like any other", text: 'x: {"<<": {a: 1}}', reads: { x: { "<<": { a: 1 } } } },
  {
    name: "unknown tags are passed over, and their scalars are text",
    text: "a: !Ref x\nb: !Foo 12\nc: !Bar {d: !!foo [on]}",
    reads: { a: "x", b: "12", c: { d: [true] } },
  },
  {
    name: "known tags convert",
    text: 'a: !!int "80"\nb: !!str 80\nc: !!binary aGk=\nd: !!float 3\ne: ! 80\nf: !!bool "on"',
    reads: { a: 80, b: "80", c: "hi", d: 3, e: "80", f: true },
  },
  { name: "NEL breaks a line", text: "a: 1\u0085b: 2", reads: { a: 1, b: 2 } },
  { name: "quoted is text", text: "a: '80'\nb: \"on\"", reads: { a: "80", b: "on" } },
  { name: "anchors on scalars and keys", text: "&k a: &v 1\nb: *v\nc: *k", reads: { a: 1, b: 1, c: "a" } },
];
for (const { name, text, reads } of values) test(name, () => assert.deepEqual(read(text), [reads]));

const refused: readonly (readonly [string, string, RegExp])[] = [
  ["a null key", "~: 1", /key must not be null/],
  ["an empty key", ": 1", /key must not be null/],
  ["a mapping as key", "{a: 1}: 2", /a key must be text/],
  ["a key of more than 1024 characters", `${"k".repeat(1025)}: 1`, /longer than 1024/],
  [".inf", "a: .inf", /cannot be said in JSON/],
  ["an int that is none", "a: !!int web", /cannot read this as !!int/],
  ["an alias without anchor", "a: *b", /unidentified alias "b"/],
  ["an alias in itself", "a: &a [*a]", /contains itself/],
  ["a merge of a scalar", "a: {<<: 1}", /only a mapping can be merged/],
  ["YAML 1.2 by directive", "%YAML 1.2\n", /YAML 1.1 only/],
  ["a tab for indentation", "a:\n\tb: 1", /a tab in the indentation/],
  ["half a character", 'a: "\\ud83d"', /surrogates/],
];
for (const [name, text, message] of refused) test(`refused: ${name}`, () => assert.match(String(read(text)[0]), message));

test("the key __proto__ is a key, in YAML, in a merge and in JSON", () => {
  for (const text of ["__proto__: {x: 1}", "a: &a {__proto__: {x: 1}}\n<<: *a", '{"__proto__": {"x": 1}}']) {
    const [value] = read(text);
    assert.ok(typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__"), text);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  }
  assert.equal(Reflect.get({}, "x"), undefined);
});
