/** A line and its marks, as they stand on a screen. */
import assert from "node:assert/strict";
import test from "node:test";
import { frameOf } from "../../../src/render/lint/frame.ts";

/** The marks under a word of a line. */
function shown(line: string, word: string, room = 60): string {
  const at = line.indexOf(word);
  const { text, start, end } = frameOf({ line, column: at + 1, endColumn: at + 1 + word.length, room });
  return `${text}\n${" ".repeat(start)}${"^".repeat(end - start)}`;
}

const rows: readonly { name: string; line: string; word: string; room?: number; gives: string }[] = [
  { name: "plain", line: "  port: 80", word: "80", gives: "  port: 80\n        ^^" },
  { name: "tabs go to the next fourth column", line: "\ta:\tb", word: "b", gives: "    a:  b\n        ^" },
  { name: "wide characters take two columns", line: "名: 値 # x", word: "値", gives: "名: 値 # x\n    ^^" },
  { name: "an emoji is one character of two units", line: "a: 🚀 # b", word: "# b", gives: "a: 🚀 # b\n      ^^^" },
  { name: "a combining accent takes none", line: "e\u0301: x", word: "x", gives: "e\u0301: x\n   ^" },
  { name: "controls are one mark each", line: "a\x1b[31m\u202e: x", word: "x", gives: "a?[31m?: x\n         ^" },
  { name: "a long line is cut on the right", line: `ab${"x".repeat(100)}`, word: "ab", room: 20, gives: `ab${"x".repeat(16)}…\n^^` },
  {
    name: "on both sides",
    line: `${"x".repeat(50)}ab${"y".repeat(50)}`,
    word: "ab",
    room: 20,
    gives: `…xxxxxxab${"y".repeat(10)}…\n       ^^`,
  },
  { name: "on the left", line: `${"x".repeat(50)}ab`, word: "ab", room: 20, gives: `…${"x".repeat(16)}ab\n                 ^^` },
  {
    name: "a megabyte",
    line: `${"x".repeat(1 << 20)}ab${"y".repeat(1 << 20)}`,
    word: "ab",
    room: 20,
    gives: `…xxxxxxab${"y".repeat(10)}…\n       ^^`,
  },
];
for (const { name, line, word, room, gives } of rows) test(name, () => assert.equal(shown(line, word, room), gives));

test("what is meant may be longer than the room, or past the line", () => {
  const long = frameOf({ line: "x".repeat(100), column: 1, endColumn: 101, room: 20 });
  assert.deepEqual([long.start, long.end], [0, 20]);
  assert.deepEqual(frameOf({ line: "ab", column: 3, endColumn: 3, room: 20 }), { text: "ab", start: 2, end: 3 });
  assert.deepEqual(frameOf({ line: "", column: 1, endColumn: 1, room: 20 }), { text: "", start: 0, end: 1 });
});
