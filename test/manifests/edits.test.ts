/** Edits of one field change that field's text and nothing else; comments are found where YAML has them. */
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "js-yaml";
import type { FieldEdit } from "../../src/manifests/edits.ts";
import { createSources } from "../../src/manifests/sources.ts";
import { commentsWith } from "../../src/manifests/yaml/comments.ts";
import { splitDocuments } from "../../src/manifests/yaml/documents.ts";
import type { PathPart } from "../../src/objects/source.ts";

function edited(text: string, path: readonly PathPart[], edit: FieldEdit): string | undefined {
  const sources = createSources();
  const documents = splitDocuments(text);
  sources.add("f", text, documents);
  const change = sources.change({ file: "f", offset: documents.at(-1)?.offset ?? 0, path: [] }, path, edit);
  return change && text.slice(0, change.start) + change.text + text.slice(change.end);
}

const value = (text: string): FieldEdit => ({ kind: "value", text });
const insert = (text: string): FieldEdit => ({ kind: "insert", text });
const remove: FieldEdit = { kind: "remove" };

const rows: readonly { name: string; text: string; path: readonly PathPart[]; edit: FieldEdit; gives: string | undefined }[] = [
  { name: "a plain value", text: "a: 1 # c\nb: 2\n", path: ["a"], edit: value("3"), gives: "a: 3 # c\nb: 2\n" },
  { name: "a quoted value", text: "a: 'x # y' # c\n", path: ["a"], edit: value("z"), gives: "a: z # c\n" },
  { name: "an empty value", text: "a:\nb: 2\n", path: ["a"], edit: value("3"), gives: "a: 3\nb: 2\n" },
  { name: "a value of a list", text: "a:\n- 1\n- 2\n", path: ["a", 1], edit: value("3"), gives: "a:\n- 1\n- 3\n" },
  { name: "a flow value", text: "a: {b: [1, 2], c: 3}\n", path: ["a", "b"], edit: value("9"), gives: "a: {b: 9, c: 3}\n" },
  { name: "a block scalar", text: "a: | # why\n  x\n  y\nb: 1\n", path: ["a"], edit: value("z"), gives: "a: z\nb: 1\n" },
  { name: "a block mapping", text: "a:\n  b: 1\n  c: 2 # d\nd: 3\n", path: ["a"], edit: value("x"), gives: "a:\n  x # d\nd: 3\n" },
  { name: "a key", text: '{"a": 1}', path: ["a"], edit: { kind: "key", text: "b" }, gives: '{"b": 1}' },
  { name: "a key in quotes", text: "'a': 1\n", path: ["a"], edit: { kind: "key", text: "b" }, gives: "b: 1\n" },
  { name: "the last of two equal keys", text: "a: 1\na: 2\n", path: ["a"], edit: value("3"), gives: "a: 1\na: 3\n" },
  { name: "text in JSON", text: '{"a": {"b": 1}}', path: ["a", "b"], edit: value("web"), gives: '{"a": {"b": "web"}}' },
  { name: "a number in JSON", text: '{"a": "80"}', path: ["a"], edit: value("80"), gives: '{"a": 80}' },
  { name: "CRLF", text: "a: 1\r\nb: 2\r\n", path: ["b"], edit: value("3"), gives: "a: 1\r\nb: 3\r\n" },
  { name: "the second document", text: "a: 1\n---\na: 2\n", path: ["a"], edit: value("3"), gives: "a: 1\n---\na: 3\n" },
  { name: "not through an alias", text: "x: &q {b: 1}\na: *q\n", path: ["a", "b"], edit: value("3"), gives: undefined },
  { name: "not what an alias means", text: "a: &q {b: 1}\nx: *q\n", path: ["a", "b"], edit: value("3"), gives: undefined },
  { name: "not what is not there", text: "a: 1\n", path: ["b"], edit: value("3"), gives: undefined },
  { name: "remove a line", text: "a: 1\nb: 2 # gone\n# stays\nc: 3\n", path: ["b"], edit: remove, gives: "a: 1\n# stays\nc: 3\n" },
  { name: "remove a block", text: "a:\n  b: 1\n  c: 2\nd: 3\n", path: ["a"], edit: remove, gives: "d: 3\n" },
  { name: "remove the last line", text: "a: 1\nb: 2", path: ["b"], edit: remove, gives: "a: 1\n" },
  { name: "remove the only key", text: "a:\n  b: 1\nc: 2\n", path: ["a", "b"], edit: remove, gives: "a:\n  {}\nc: 2\n" },
  { name: "remove beside a dash", text: "a:\n- b: 1\n  c: 2\n", path: ["a", 0, "b"], edit: remove, gives: "a:\n- c: 2\n" },
  { name: "remove a member", text: "a:\n  - b: 1\n    c: 2\n  - d: 3\n", path: ["a", 0], edit: remove, gives: "a:\n  - d: 3\n" },
  { name: "remove the only member", text: "a:\n  - b: 1\nc: 2\n", path: ["a", 0], edit: remove, gives: "a:\n  []\nc: 2\n" },
  { name: "remove from a flow mapping", text: "a: {b: 1, c: 2}\n", path: ["a", "b"], edit: remove, gives: "a: {c: 2}\n" },
  { name: "remove its last", text: "a: {b: 1, c: 2}\n", path: ["a", "c"], edit: remove, gives: "a: {b: 1}\n" },
  { name: "remove its only", text: "a: [1]\n", path: ["a", 0], edit: remove, gives: "a: []\n" },
  { name: "insert into a block", text: "a:\n  b: 1\n", path: ["a"], edit: insert("x: 1"), gives: "a:\n  x: 1\n  b: 1\n" },
  { name: "insert beside a dash", text: "a:\r\n- b: 1\r\n", path: ["a", 0], edit: insert("x: 1"), gives: "a:\r\n- x: 1\r\n  b: 1\r\n" },
  { name: "insert into a flow mapping", text: "a: {b: 1}\n", path: ["a"], edit: insert("x: 1"), gives: "a: {x: 1, b: 1}\n" },
  { name: "insert into {}", text: "a: {}\n", path: ["a"], edit: insert("x: 1"), gives: "a: {x: 1}\n" },
  { name: "insert into nothing", text: "a:\nb: 1\n", path: ["a"], edit: insert("x: 1"), gives: "a: {x: 1}\nb: 1\n" },
  { name: "insert into JSON", text: '{"a": {"b": 1}}', path: ["a"], edit: insert("x: q"), gives: '{"a": {"x":"q", "b": 1}}' },
];
for (const { name, text, path, edit, gives } of rows)
  test(name, () => {
    const result = edited(text, path, edit);
    assert.equal(result, gives);
    if (result !== undefined && !result.includes("---")) load(result, { json: true });
  });

const COMMENTS = `# word one
a: x # word two
b: "# word no"
c: |
  # word no
d: 'it''s' # word three
e: x#word
f: > # word four
  word
g: {h: 1, # word five
  i: "word # word"}
`;
test("comments are those that YAML has", () => {
  const found = commentsWith(COMMENTS.replaceAll("\n", "\r\n"), "word");
  assert.deepEqual(
    found.map(({ text }) => text),
    [" word one", " word two", " word three", " word four", " word five"],
  );
});

test("comments of a document that cannot be parsed", () => {
  const found = commentsWith('a: [ # word\n---\nb: "x # word\n', "word");
  assert.deepEqual(
    found.map(({ text, start }) => [text, start]),
    [[" word", 5]],
  );
});
