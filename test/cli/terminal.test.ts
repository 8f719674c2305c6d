import assert from "node:assert/strict";
import test from "node:test";
import { colorLevel, foldText, isAsciiOnly, widthOf } from "../../src/cli/terminal.ts";

const stream = (isTTY: boolean, columns?: number) => ({ isTTY, columns, write: () => undefined });
const TERM = "xterm-256color";

const colours = [
  { name: "a terminal", tty: true, env: { TERM }, level: 2 },
  { name: "true colour", tty: true, env: { TERM, COLORTERM: "truecolor" }, level: 3 },
  { name: "a pipe", tty: false, env: { TERM }, level: 0 },
  { name: "a dumb terminal", tty: true, env: { TERM: "dumb" }, level: 0 },
  { name: "NO_COLOR beats FORCE_COLOR", tty: true, env: { TERM, NO_COLOR: "1", FORCE_COLOR: "3" }, level: 0 },
  { name: "an empty NO_COLOR is none", tty: true, env: { TERM, NO_COLOR: "" }, level: 2 },
  { name: "FORCE_COLOR in a pipe", tty: false, env: { FORCE_COLOR: "1" }, level: 1 },
  { name: "FORCE_COLOR=0", tty: true, env: { TERM, FORCE_COLOR: "0" }, level: 0 },
  { name: "CLICOLOR_FORCE in a pipe", tty: false, env: { TERM, CLICOLOR_FORCE: "1" }, level: 2 },
  { name: "--color always beats NO_COLOR", tty: false, choice: "always", env: { NO_COLOR: "1" }, level: 1 },
  { name: "--color never beats FORCE_COLOR", tty: true, choice: "never", env: { TERM, FORCE_COLOR: "1" }, level: 0 },
  { name: "--color auto decides as without it", tty: false, choice: "auto", env: { TERM }, level: 0 },
] as const;
for (const row of colours) {
  test(`colour: ${row.name}`, () =>
    assert.equal(colorLevel("choice" in row ? row.choice : undefined, stream(row.tty), row.env), row.level));
}

test("width: the terminal's, 100 in a pipe, never below 40", () => {
  assert.deepEqual([widthOf(stream(true, 132)), widthOf(stream(false, 132)), widthOf(stream(true, 3))], [132, 100, 40]);
});

test("ASCII only where a terminal's locale is not UTF-8", () => {
  assert.equal(isAsciiOnly(stream(true), { LANG: "en_GB.UTF-8" }), false);
  assert.equal(isAsciiOnly(stream(true), { LANG: "en_GB.UTF-8", LC_ALL: "C" }), true);
  assert.equal(isAsciiOnly(stream(true), {}), true);
  assert.equal(isAsciiOnly(stream(false), { LC_ALL: "C" }), false);
});

const folds = [
  { name: "a line that fits stays", text: "one two", width: 7, folded: "one two" },
  { name: "prose breaks at blanks", text: "one two three", width: 8, folded: "one two\nthree" },
  { name: "an item hangs by two", text: "  - one two three", width: 11, folded: "  - one two\n    three" },
  { name: "a second column goes below", text: "  one   two", width: 8, folded: "  one\n      two" },
  { name: "a long word stays whole", text: "a incomprehensible b", width: 8, folded: "a\nincomprehensible\nb" },
] as const;
for (const { name, text, width, folded } of folds) test(`fold: ${name}`, () => assert.equal(foldText(text, width), folded));
