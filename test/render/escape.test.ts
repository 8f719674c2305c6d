import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeText } from "../../src/render/escape.ts";

const cases = [
  { name: "plain text stays", from: "default/tomcat6 → 8080", to: "default/tomcat6 → 8080" },
  { name: "an escape sequence is seen", from: "\u001b[31mred", to: "\\x1b[31mred" },
  { name: "a newline cannot forge a line", from: "a\nb\r\tc", to: "a\\nb\\r\\tc" },
  { name: "text direction cannot be turned", from: "\u202etxt.exe", to: "\\u{202e}txt.exe" },
  { name: "C1 controls", from: "\u009b31m", to: "\\x9b31m" },
  { name: "zero width and tags", from: "a\u200bb\u{e0041}", to: "a\\u{200b}b\\u{e0041}" },
  { name: "lone surrogates", from: "\ud800", to: "\\u{d800}" },
] as const;
for (const { name, from, to } of cases) test(name, () => assert.equal(escapeText(from), to));

test("escaping twice is escaping once, and nothing unsafe is left", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const once = escapeText(text);
      assert.equal(escapeText(once), once);
      assert.doesNotMatch(once, /[\p{Cc}\p{Cs}]/u);
    }),
  );
});
