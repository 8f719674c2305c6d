import assert from "node:assert/strict";
import { test } from "node:test";
import { readKey, readPlain } from "../../../src/manifests/yaml/scalar.ts";

/** What kubectl (go-yaml v2 below sigs.k8s.io/yaml) makes of plain scalars: seen, not read in a specification. */
const cases: readonly (readonly [string, unknown])[] = [
  ...["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"].map((text) => [text, true] as const),
  ...["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"].map((text) => [text, false] as const),
  ...["yEs", "oN", "tRUE", "nope", "yes no", "offf"].map((text) => [text, text] as const),
  ...["", "~", "null", "Null", "NULL"].map((text) => [text, null] as const),
  ["nULL", "nULL"],
  ["0", 0],
  ["-0", 0],
  ["+12", 12],
  ["80", 80],
  ["1_000", 1000],
  ["0777", 511],
  ["0o777", 511],
  ["-0o17", -15],
  ["0x1F", 31],
  ["0XfF", 255],
  ["-0x1f", -31],
  ["0b101", 5],
  ["08", 8],
  ["09.5", 9.5],
  ["1e3", 1000],
  ["1.", 1],
  [".5", 0.5],
  ["-1.5E-1", -0.15],
  ["1_0.5_0", 10.5],
  ["._1", "._1"],
  ["1e400", "1e400"],
  ["12:30", "12:30"],
  ["80:8080", "80:8080"],
  ["2001-01-01", "2001-01-01"],
  ["2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"],
  ["10.96.0.10", "10.96.0.10"],
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["0x", "0x"],
  ["0b2", "0b2"],
  ["-", "-"],
  ["+", "+"],
  [".", "."],
  ["1.2.3", "1.2.3"],
  ["_1", "_1"],
  [".inf", undefined],
  ["-.Inf", undefined],
  ["+.INF", undefined],
  [".NaN", undefined],
  [".infinity", ".infinity"],
  ["toString", "toString"],
  ["9007199254740993", 9007199254740992],
];
for (const [text, value] of cases)
  test(`${JSON.stringify(text)} reads as ${JSON.stringify(value)}`, () => assert.deepEqual(readPlain(text), value));

test("-0 is 0, not minus zero", () => assert.ok(Object.is(readPlain("-0"), 0)));

test("a key is text made of the resolved value; null and numbers without a JSON form are no keys", () => {
  assert.deepEqual(["on", "080", "0x10", "web", "~", ".inf"].map(readKey), ["true", "80", "16", "web", undefined, undefined]);
});
