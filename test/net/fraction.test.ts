/** Exact shares. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addFractions,
  equalFractions,
  formatFraction,
  fraction,
  fractionToNumber,
  minusFraction,
  ONE,
  sumFractions,
  timesFraction,
  ZERO,
} from "../../src/net/fraction.ts";

const aFraction = fc
  .tuple(fc.bigInt({ min: -1000n, max: 1000n }), fc.bigInt({ min: 1n, max: 1000n }))
  .map(([num, den]) => fraction(num, den));
const law = (name: string, holds: (a: ReturnType<typeof fraction>, b: ReturnType<typeof fraction>) => void): void => {
  test(name, () => fc.assert(fc.property(aFraction, aFraction, holds), { seed: 1 }));
};
law("always in lowest terms, with a positive denominator", (a, b) => {
  for (const { num, den } of [a, addFractions(a, b), timesFraction(a, b)]) assert.ok(den > 0n && fraction(num, den).den === den);
});
law("what is added can be taken away", (a, b) => assert.ok(equalFractions(minusFraction(addFractions(a, b), b), a)));
law("products and sums do not care about order", (a, b) =>
  assert.ok(equalFractions(timesFraction(a, b), timesFraction(b, a)) && equalFractions(addFractions(a, b), addFractions(b, a))),
);
law("one and zero", (a) => assert.ok(equalFractions(timesFraction(a, ONE), a) && equalFractions(addFractions(a, ZERO), a)));

test("n shares of 1/n are exactly 1, where doubles are not", () => {
  for (const n of [3, 7, 10, 49, 1000]) assert.ok(equalFractions(sumFractions(Array.from({ length: n }, () => fraction(1, n))), ONE));
});
test("as text and as a number", () => {
  assert.deepEqual([fraction(2, 6), fraction(4, 2), ZERO, fraction(0, 7), fraction(-1, 2)].map(formatFraction), [
    "1/3",
    "2",
    "0",
    "0",
    "-1/2",
  ]);
  assert.equal(fractionToNumber(fraction(1, 3)), 1 / 3);
});
