/** Choices are split, never rolled: every course once, with shares that sum to exactly 1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRun, explore } from "../../src/linux/run.ts";
import { equalFractions, type Fraction, formatFraction, fraction, ONE, sumFractions } from "../../src/net/fraction.ts";
import { world } from "./build.ts";

/** A body of nested choices: weights of the arms, and what follows each arm. */
type Tree = { readonly weights: readonly number[]; readonly below: readonly Tree[] };
const leaf: Tree = { weights: [], below: [] };
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(leaf),
    fc
      .array(fc.record({ weight: fc.integer({ min: 1, max: 9 }), below: tie("tree") }), { minLength: 1, maxLength: 4 })
      .map((arms) => ({ weights: arms.map(({ weight }) => weight), below: arms.map(({ below }) => below) })),
  ),
}));

const armsOf = ({ weights }: Tree): Fraction[] =>
  weights.map((weight) =>
    fraction(
      weight,
      weights.reduce((a, b) => a + b, 0),
    ),
  );

/** The courses counted without explore. */
const leaves = (of: Tree): string[] =>
  of.weights.length === 0 ? [""] : of.below.flatMap((below, arm) => leaves(below).map((rest) => `${arm}${rest}`));

test("every course of random choices comes once, in order, and the shares sum to exactly 1", () => {
  fc.assert(
    fc.property(tree, (top) => {
      const branches = explore((choose) => {
        let course = "";
        for (let at = top; at.weights.length > 0; ) {
          const arm = choose(armsOf(at));
          course += arm;
          at = at.below[arm] ?? leaf;
        }
        return course;
      });
      assert.deepEqual(
        branches.map(({ value }) => value),
        leaves(top),
      );
      assert.ok(equalFractions(sumFractions(branches.map(({ share }) => share)), ONE));
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("the die of `statistic`: 1/3, then 1/2, then the rest: thirds", () => {
  const branches = explore((choose) => [3, 2].find((k) => choose([fraction(1, k), fraction(k - 1, k)]) === 0) ?? "last");
  assert.deepEqual(
    branches.map(({ share, value }) => `${value} ${formatFraction(share)}`),
    ["3 1/3", "2 1/3", "last 1/3"],
  );
});

test("25 endpoints are 25 equal shares", () => {
  const branches = explore((choose) => {
    for (let k = 25; k > 1; k--) if (choose([fraction(1, k), fraction(k - 1, k)]) === 0) return k;
    return 1;
  });
  assert.deepEqual([...new Set(branches.map(({ share }) => formatFraction(share)))], ["1/25"]);
  assert.equal(branches.length, 25);
});

test("drawn values are symbols, counted by kind and run", () => {
  const run = createRun(world(), () => 0);
  assert.deepEqual([run.nextSymbol("mport"), run.nextSymbol("vport"), run.nextSymbol("mport")], ["mport1", "vport1", "mport2"]);
  assert.equal(createRun(world(), () => 0).nextSymbol("mport"), "mport1");
});
