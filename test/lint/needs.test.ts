/** A rule that looks at one object never asks for the cluster: that is what makes `--profile syntax` quick. */
import assert from "node:assert/strict";
import test from "node:test";
import { isPlanned } from "../../src/lint/rule.ts";
import { RULES } from "../../src/lint/rules.ts";
import { type Linted, lintExample } from "./examples.ts";

for (const rule of RULES) {
  if (isPlanned(rule) || rule.needs !== "object") continue;
  test(`${rule.code} ${rule.name}`, () => {
    const asked = new Error(`${rule.code} says that it needs one object, and asks for the cluster`);
    const alone = {
      ...rule,
      check: (subject: Parameters<typeof rule.check>[0]) =>
        rule.check({
          ...subject,
          cluster: () => {
            throw asked;
          },
          trace: () => {
            throw asked;
          },
        }),
    };
    const found = (example: typeof rule.bad): Linted["findings"] => lintExample(rule.code, example, [alone]).findings;
    assert.ok(found(rule.bad).length > 0);
    assert.deepEqual(found(rule.good), []);
  });
}
