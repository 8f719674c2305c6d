/** What counts as a slip of the keys, and what as another word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { distance, nearest, slip } from "../../src/objects/near.ts";

const DISTANCES = [
  ["tomcat6", "tomcat6", 0],
  ["tomcat", "tomcat6", 1],
  ["tomact6", "tomcat6", 1], // two neighbours swapped
  ["toncat", "tomcat6", 2],
  ["", "abc", 3],
  ["31106", "31160", 1],
] as const;
for (const [a, b, expected] of DISTANCES)
  test(`${a} and ${b}: ${expected}`, () => {
    assert.equal(distance(a, b), expected);
    assert.equal(distance(b, a), expected);
  });

const SLIPS = [
  ["tomcat", "tomcat6", 1],
  ["App", "app", 0],
  ["kube-sistem", "kube-system", 1],
  ["a", "b", undefined], // every letter differs: another word
  ["web", "api", undefined],
  ["nginx", "tomcat6", undefined],
  ["x".repeat(100_000), "y".repeat(100_000), undefined],
] as const;
for (const [a, b, expected] of SLIPS) test(`${a.slice(0, 20)} for ${b.slice(0, 20)}`, () => assert.equal(slip(a, b), expected));

test("only the nearest are meant, all of them when none is nearer", () => {
  const names = ["node1", "node2", "node3", "client"];
  assert.deepEqual(nearest("nod2", names, String), ["node2"]);
  assert.deepEqual(nearest("node", names, String), ["node1", "node2", "node3"]);
  assert.deepEqual(nearest("web", names, String), []);
});
