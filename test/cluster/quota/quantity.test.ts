/** Quantities, written and printed (apimachinery/pkg/api/resource/quantity.go: "Before serializing, Quantity will be put in canonical form"). */
import assert from "node:assert/strict";
import test from "node:test";
import { addQuantities, formatQuantity, milliValue, parseQuantity, wholeValue } from "../../../src/cluster/quota/quantity.ts";

const forms: readonly (readonly [string | number, string])[] = [
  ["0", "0"],
  [3, "3"],
  ["1000m", "1"],
  ["1500m", "1500m"],
  ["0.5", "500m"],
  [0.1, "100m"],
  ["1.5Gi", "1536Mi"],
  ["0.5Gi", "512Mi"],
  ["1024Mi", "1Gi"],
  ["512", "512"],
  ["2048", "2048"],
  ["1000", "1k"],
  ["128974848", "128974848"],
  ["129e6", "129e6"],
  ["129M", "129M"],
  ["1e3", "1e3"],
  ["12.3m", "12300u"],
  ["0.0000000001", "1n"],
  ["-1", "-1"],
  ["100Ki", "100Ki"],
  ["1E", "1E"],
  ["1Ei", "1Ei"],
];
for (const [written, canonical] of forms)
  test(`${written} is ${canonical}`, () => {
    const parsed = parseQuantity(written);
    assert.ok(parsed);
    assert.equal(formatQuantity(parsed), canonical);
  });

for (const written of ["", "x", "1 Gi", "1GiB", "m", ".", "1e", "--1", "1e999", "9".repeat(40)])
  test(`${JSON.stringify(written)} is no quantity`, () => assert.equal(parseQuantity(written), undefined));

test("a sum is written as its first part is", () => {
  const [mi, g, zero] = [parseQuantity("512Mi"), parseQuantity("512M"), parseQuantity("0")];
  assert.ok(mi && g && zero);
  assert.equal(formatQuantity(addQuantities(mi, mi)), "1Gi");
  assert.equal(formatQuantity(addQuantities(g, g)), "1024M");
  assert.equal(formatQuantity(addQuantities(zero, mi)), "512Mi");
});

test("rounded up to thousandths and to whole units", () => {
  const small = parseQuantity("1u");
  assert.ok(small);
  assert.deepEqual([milliValue(small), wholeValue(small)], [1, 1]);
});
