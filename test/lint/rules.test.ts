/** Every rule's own examples: the bad one gives exactly its finding, the good one gives it not. */
import assert from "node:assert/strict";
import test from "node:test";
import { isPlanned } from "../../src/lint/rule.ts";
import { RULES } from "../../src/lint/rules.ts";
import { lintExample } from "./examples.ts";

const codes = RULES.map(({ code }) => code);

test("codes are unique and in order", () => assert.deepEqual(codes, [...new Set(codes)].sort()));

for (const rule of RULES) {
  if (isPlanned(rule)) continue;
  test(`${rule.code} ${rule.name}: finds its bad example`, () => {
    const { findings } = lintExample(rule.code, rule.bad, [rule]);
    assert.ok(findings.length >= 1, "no finding");
    for (const { at, message } of findings) assert.ok(at.line >= 1 && message !== "");
  });
  test(`${rule.code} ${rule.name}: passes its good example`, () => {
    const { findings } = lintExample(rule.code, rule.good, [rule]);
    assert.deepEqual(
      findings.map(({ message }) => message),
      [],
    );
  });
}
