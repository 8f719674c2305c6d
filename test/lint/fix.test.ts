/** Fixes change only what they must; twice is as once; a diff says the same as the new text. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { applyChanges, type FixLevel, planFixes } from "../../src/lint/fix.ts";
import { changedLines, isOnChangedLine } from "../../src/lint/since.ts";
import { renderDiff } from "../../src/render/lint/diff.ts";
import { workspace } from "../manifests/workspace.ts";
import { lintTiny } from "./tiny.ts";

function fixed(text: string, level: FixLevel): { readonly text: string; readonly later: number; readonly diff: string } {
  const cwd = workspaceOf(text);
  const { report, input } = lintTiny({ cwd, files: ["f.yaml"] });
  const { changes, later } = planFixes(report.findings, level);
  const before = input.sources.text("f.yaml") ?? "";
  const own = changes.get("f.yaml") ?? [];
  return { text: applyChanges(before, own), later: later.length, diff: renderDiff("f.yaml", before, own) };
}
let workspaceOf: (text: string) => string = () => "";

const A = "# head\nkind: Service # c\napiVersion: v1\nmetadata:\n    name: A   # d\n\nspec: {ports: [{port: 80}]}\n";
const rows: readonly { name: string; text: string; level: FixLevel; gives: string }[] = [
  { name: "safe", text: A, level: "safe", gives: A.replace("    name", "    labels: {owner: me}\n    name") },
  { name: "unsafe, too", text: A, level: "unsafe", gives: A.replace("    name: A", "    labels: {owner: me}\n    name: a") },
  {
    name: "CRLF",
    text: A.replaceAll("\n", "\r\n"),
    level: "safe",
    gives: A.replace("    name", "    labels: {owner: me}\n    name").replaceAll("\n", "\r\n"),
  },
  {
    name: "JSON",
    text: '{"kind": "Service", "apiVersion": "v1",\n\t"metadata": {"name": "A"}, "spec": {"ports": [{"port": 80}]}}',
    level: "unsafe",
    gives:
      '{"kind": "Service", "apiVersion": "v1",\n\t"metadata": {"labels":{"owner":"me"}, "name": "a"}, "spec": {"ports": [{"port": 80}]}}',
  },
  {
    name: "a list of objects",
    text: "kind: List\napiVersion: v1\nitems:\n- kind: Service\n  apiVersion: v1\n  metadata: {name: A}\n  spec: {ports: [{port: 80}]}\n",
    level: "unsafe",
    gives:
      "kind: List\napiVersion: v1\nitems:\n- kind: Service\n  apiVersion: v1\n  metadata: {labels: {owner: me}, name: a}\n  spec: {ports: [{port: 80}]}\n",
  },
];
for (const { name, text, level, gives } of rows)
  test(name, (t) => {
    workspaceOf = (content) => workspace(t, { "f.yaml": content });
    const once = fixed(text, level);
    assert.equal(once.text, gives);
    assert.equal(fixed(once.text, level).text, once.text, "the second run changes something");
  });

test("an ignore comment that is unused goes, and nothing else of its line", (t) => {
  workspaceOf = (content) => workspace(t, { "f.yaml": content });
  const own = A.replace("name: A", "name: a").replace(
    "metadata:\n",
    "metadata: # ktrace-ignore KT802\n    labels: {owner: me} # stays\n    # ktrace-ignore KT801 -- x\n",
  );
  assert.equal(
    fixed(own, "safe").text,
    A.replace("name: A", "name: a").replace("metadata:\n", "metadata:\n    labels: {owner: me} # stays\n"),
  );
  const two = A.replace("name: A   # d", "name: A   # ktrace-ignore KT811, KT801, KT902x");
  assert.equal(fixed(two, "safe").text, two, "KT811 did not run, KT902x is a slip");
});

test("of two edits of one value the first wins, the next run does the other", (t) => {
  workspaceOf = (content) => workspace(t, { "f.yaml": content });
  const { report } = lintTiny({ cwd: workspaceOf(A), files: ["f.yaml"] });
  const [owner, lower] = report.findings;
  assert.ok(owner?.fix && lower?.fix);
  const plan = planFixes(
    [lower, { ...owner, fix: { kind: "safe", changes: lower.fix.changes.map((change) => ({ ...change, text: "b" })) } }],
    "unsafe",
  );
  assert.deepEqual([plan.fixed.length, plan.later.length], [1, 1]);
});

test("a diff is what patch(1) makes the new text of", (t) => {
  if (spawnSync("patch", ["--version"]).error) return t.skip("no patch(1) here");
  const line = fc.constantFrom("a: 1", "b: [1, 2]", "", "\tc", "d: x\r");
  const change = fc.record({ at: fc.nat(400), length: fc.nat(12), text: fc.constantFrom("", "X", "Y\n", "P\nQ\n") });
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 40 }),
      fc.array(change, { maxLength: 5 }),
      fc.boolean(),
      (lines, wanted, ends) => {
        const before = lines.join("\n") + (ends ? "\n" : "");
        let at = 0;
        const changes = [...wanted]
          .sort((a, b) => a.at - b.at)
          .flatMap(({ at: start, length, text }) => {
            const end = Math.min(start + length, before.length);
            if (start < at || start > before.length || before.slice(start, end) === text) return [];
            at = end + 1;
            return [{ start, end, text }];
          });
        const after = applyChanges(before, changes);
        const cwd = workspace(t, { "f.yaml": before });
        const diff = renderDiff("f.yaml", before, changes);
        if (after === before) return;
        writeFileSync(join(cwd, "d"), diff);
        const { status, stdout } = spawnSync("patch", ["-s", "--binary", "-p1", "-i", "d"], { cwd, encoding: "utf8" });
        assert.equal(status, 0, `${stdout}\n${diff}`);
        assert.equal(after === "" ? "" : readFileSync(join(cwd, "f.yaml"), "utf8"), after);
      },
    ),
    { numRuns: 60, seed: 7 },
  );
});

test("lines that changed, as git diff says them", () => {
  const diff = [
    "diff --git a/k8s/a.yaml b/k8s/a.yaml",
    "--- a/k8s/a.yaml",
    "+++ b/k8s/a.yaml",
    "@@ -3 +3 @@ metadata:",
    "-  name: x",
    "+++ b/not-a-file",
    "\\ No newline at end of file",
    "@@ -10,0 +11,3 @@",
    "+a",
    "+@@ -1 +1 @@",
    "+c",
    "@@ -20,2 +22,0 @@",
    "--- a/no",
    "-b",
    '--- "a/\\303\\244 \\"b\\".yaml"',
    '+++ "b/a\\tb \\"c\\".yaml"',
    "@@ -1 +1 @@",
    "-x",
    "+y",
  ];
  const changed = changedLines(diff.join("\n"), ["new.yaml"]);
  assert.deepEqual(
    [...changed],
    [
      [
        "k8s/a.yaml",
        [
          [3, 3],
          [11, 13],
          [22, 23],
        ],
      ],
      ['a\tb "c".yaml', [[1, 1]]],
      ["new.yaml", "all"],
    ],
  );
  const on = (file: string, line: number, related: readonly number[] = []): boolean =>
    isOnChangedLine({ at: at(file, line), related: related.map((each) => ({ at: at(file, each), label: "" })) }, changed);
  assert.deepEqual(
    [on("k8s/a.yaml", 3), on("k8s/a.yaml", 4), on("k8s/a.yaml", 4, [12]), on("new.yaml", 9), on("x", 3)],
    [true, false, true, true, false],
  );
});

const at = (file: string, line: number) => ({ file, line, column: 1, endLine: line, endColumn: 2 });
