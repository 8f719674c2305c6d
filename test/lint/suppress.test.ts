/** Comments, annotations and the baseline: what they silence, and what is said of those that silence nothing. */
import assert from "node:assert/strict";
import test from "node:test";
import { baselineText, entriesOf, readBaseline } from "../../src/lint/baseline.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";
import { workspace } from "../manifests/workspace.ts";
import { lineOf, lintTiny, type TinyRequest } from "./tiny.ts";

const service = (name: string, rest = "", end = ""): string =>
  `kind: Service\napiVersion: v1\nmetadata: {name: ${name}${rest}}${end}\nspec: {ports: [{port: 80}]}\n`;
const owned = ", labels: {owner: me}";

const rows: readonly { name: string; text: string; finds: readonly string[]; request?: Partial<TinyRequest> }[] = [
  { name: "nothing is silenced", text: service("A"), finds: ["f.yaml:3:18 KT801 A has no owner", "f.yaml:3:18 KT802 A has capitals"] },
  { name: "at the end of the line", text: service("A", "", " # ktrace-ignore KT801 -- mine"), finds: ["f.yaml:3:18 KT802 A has capitals"] },
  {
    name: "alone above",
    text: service("A").replace("metadata", "# ktrace-ignore KT801\n\n# more\nmetadata"),
    finds: ["f.yaml:6:18 KT802 A has capitals"],
  },
  { name: "two codes", text: service("A", "", " # ktrace-ignore KT801, KT802"), finds: [] },
  { name: "a prefix", text: service("A", "", " # ktrace-ignore KT8"), finds: [] },
  { name: "a name", text: service("A", "", " # ktrace-ignore owner-missing"), finds: ["f.yaml:3:18 KT802 A has capitals"] },
  { name: "small letters", text: service("A", "", " # ktrace-ignore kt8"), finds: [] },
  { name: "the whole file", text: `${service("A")}---\n${service("B")}# ktrace-ignore-file KT8 -- old\n`, finds: [] },
  {
    name: "another line",
    text: service("A", owned).replace("kind", "# ktrace-ignore KT802\nkind"),
    finds: ["f.yaml:1:17 KT902 KT802 is suppressed here, and finds nothing", "f.yaml:4:18 KT802 A has capitals"],
  },
  {
    name: "not within quotes",
    text: service("A", `, labels: {owner: "# ktrace-ignore KT802"}`),
    finds: ["f.yaml:3:18 KT802 A has capitals"],
  },
  {
    name: "not within a block scalar",
    text: `kind: Service\napiVersion: v1\nmetadata:\n  labels: {owner: me}\n  annotations:\n    a: |\n      # ktrace-ignore-file KT802\n  name: A\nspec: {ports: [{port: 80}]}\n`,
    finds: ["f.yaml:8:9 KT802 A has capitals"],
  },
  { name: "a remark about it is none", text: service("a", owned, " # see ktrace-ignore KT801"), finds: [] },
  {
    name: "without a code",
    text: service("a", owned, " # ktrace-ignore -- why"),
    finds: ["f.yaml:3:42 KT902 ktrace-ignore names no rule, so nothing is suppressed"],
  },
  {
    name: "an unknown rule",
    text: service("a", owned, " # ktrace-ignore KT803"),
    finds: ['f.yaml:3:58 KT902 no rule is called "KT803", so nothing is suppressed'],
  },
  {
    name: "unused",
    text: service("a", owned, " # ktrace-ignore KT801"),
    finds: ["f.yaml:3:58 KT902 KT801 is suppressed here, and finds nothing"],
  },
  {
    name: "not judged when its rule did not run",
    text: service("a", owned, " # ktrace-ignore KT801"),
    finds: [],
    request: { selection: { ignore: ["KT801"] } },
  },
  { name: "a silencer of silencers", text: service("a", owned, " # ktrace-ignore KT801, KT902"), finds: [] },
  {
    name: "CRLF",
    text: service("A", "", " # ktrace-ignore KT801, KT802").replaceAll("\n", "\r\n"),
    finds: [],
  },
  {
    name: "an annotation",
    text: service("A", ', annotations: {ktrace.dev/ignore: "KT801 KT802", ktrace.dev/ignore-reason: x}'),
    finds: [],
  },
  { name: "an annotation by name", text: service("A", `${owned}, annotations: {ignore.ktrace.dev/name-in-capitals: because}`), finds: [] },
  {
    name: "of another object",
    text: `${service("A", `${owned}, annotations: {ktrace.dev/ignore: KT802}`)}---\n${service("B", owned)}`,
    finds: ["f.yaml:8:18 KT802 B has capitals"],
  },
  {
    name: "an unused annotation",
    text: service("a", `${owned}, annotations: {ktrace.dev/ignore: KT802}`),
    finds: ["f.yaml:3:75 KT902 KT802 is suppressed here, and finds nothing"],
  },
  {
    name: "nothing counts without inline configuration",
    text: service("A", owned, " # ktrace-ignore KT802, KT999"),
    finds: ["f.yaml:3:18 KT802 A has capitals"],
    request: { inlineConfig: false },
  },
];
for (const { name, text, finds, request } of rows)
  test(name, (t) => {
    const cwd = workspace(t, { "f.yaml": text });
    assert.deepEqual(lintTiny({ cwd, files: ["f.yaml"], ...request }).report.findings.map(lineOf), finds);
  });

test("what is silenced is kept, with its reason", (t) => {
  const cwd = workspace(t, { "f.yaml": service("A", "", " # ktrace-ignore KT8 -- the old ones") });
  const { muted } = lintTiny({ cwd, files: ["f.yaml"] }).report;
  assert.deepEqual(
    muted.map(({ rule, by, reason }) => [rule.code, by, reason]),
    [
      ["KT801", "comment", "the old ones"],
      ["KT802", "comment", "the old ones"],
    ],
  );
});

test("--report-unused-suppressions makes errors of them", (t) => {
  const cwd = workspace(t, { "f.yaml": service("a", owned, " # ktrace-ignore KT801") });
  const { findings } = lintTiny({ cwd, files: ["f.yaml"], reportUnused: true }).report;
  assert.deepEqual(
    findings.map(({ severity }) => severity),
    ["error"],
  );
});

test("a baseline silences as many as it counts, whatever their lines", (t) => {
  const cwd = workspace(t, { "f.yaml": service("A") });
  const text = baselineText(entriesOf(lintTiny({ cwd, files: ["f.yaml"] }).heard));
  assert.deepEqual(JSON.parse(text).findings, [
    { code: "KT801", object: "Service default/A", field: "metadata.name" },
    { code: "KT802", object: "Service default/A", field: "metadata.name" },
  ]);
  const grown = workspace(t, { "f.yaml": `# a line more\n${service("B")}---\n${service("A")}` });
  const { report } = lintTiny({ cwd: grown, files: ["f.yaml"], baseline: readBaseline("b.json", text) });
  assert.deepEqual(report.findings.map(lineOf), ["f.yaml:4:18 KT801 B has no owner", "f.yaml:4:18 KT802 B has capitals"]);
  assert.deepEqual(
    report.muted.map(({ by }) => by),
    ["baseline", "baseline"],
  );
});

test("an entry that is found no more is stale, at its line of the file, and pruned", (t) => {
  const cwd = workspace(t, { "f.yaml": service("A", owned) });
  const text = baselineText([
    { code: "KT801", object: "Service default/A", field: "metadata.name", count: 2 },
    { code: "KT802", object: "Service default/A", field: "metadata.name", count: 2 },
    { code: "KT811", object: "Service default/A", field: "", count: 1 }, // did not run: not judged
  ]);
  const { report, kept } = lintTiny({ cwd, files: ["f.yaml"], baseline: readBaseline("b.json", text) });
  assert.deepEqual(report.findings.map(lineOf), [
    "b.json:6:7 KT902 KT801 of Service default/A at metadata.name stands in the baseline, and is found no more",
    "b.json:12:7 KT902 KT802 of Service default/A at metadata.name stands in the baseline, and is found no more",
  ]);
  assert.deepEqual(
    kept.map(({ code, count }) => [code, count]),
    [
      ["KT802", 1],
      ["KT811", 1],
    ],
  );
});

for (const [name, text, says] of [
  ["no JSON", "{", "b.json: this is no JSON"],
  ["another file", "[]", "b.json: this is no baseline of ktrace lint"],
  ["an entry without a code", '{"kind": "LintBaseline", "findings": [{}]}', "b.json: findings[0] lacks its code or its object"],
  [
    "a count of nothing",
    '{"kind": "LintBaseline", "findings": [{"code": "a", "object": "b", "count": 0}]}',
    "b.json: findings[0].count is no positive number",
  ],
] as const)
  test(`a baseline that is ${name}`, () =>
    assert.throws(
      () => readBaseline("b.json", text),
      (error) => error instanceof UsageError && error.message === says,
    ));
