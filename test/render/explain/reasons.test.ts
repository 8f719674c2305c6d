import assert from "node:assert/strict";
import { test } from "node:test";
import { explainText, isReason, REASON_CODES, REASONS } from "../../../src/render/explain/reasons.ts";

test("every reason says what, why, what the client sees and what to change", () => {
  for (const [code, { title, what, why, fix, clientSees }] of Object.entries(REASONS)) {
    assert.ok(title.length > 0 && title.length <= 60 && !title.endsWith("."), `${code} title`);
    for (const text of [what, clientSees, ...fix]) assert.match(text, /^[A-Z`"a-z].*[.]$/s, `${code}: ${text}`);
    assert.ok(why.length > 0 && fix.length > 0, code);
    for (const row of why.split("\n")) assert.ok(row.length <= 140, `${code}: ${row}`);
  }
});

test("codes are kebab-case and listed in order", () => {
  assert.deepEqual(REASON_CODES, Object.keys(REASONS).sort());
  for (const code of REASON_CODES) assert.match(code, /^[a-z]+(-[a-z]+)*$/);
});

test("only codes are codes", () => {
  assert.ok(isReason("no-endpoints"));
  for (const word of ["", "nosuch", "__proto__", "toString"]) assert.ok(!isReason(word), word);
});

test("an explanation reads from top to bottom", () => {
  assert.match(
    explainText("no-endpoints"),
    /^no-endpoints: the Service has no endpoint\n\n[\s\S]*\n\nThe packet\n {2}client > [\s\S]*\n\nThe client sees\n[\s\S]*\n\nWhat to change\n {2}- /,
  );
});
