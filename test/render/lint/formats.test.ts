/** Every format of a lint report: as its schema says, harmless whatever the manifests hold, and the same bytes each time. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test, { type TestContext } from "node:test";
import { Ajv } from "ajv";
import type { Report, Reported } from "../../../src/lint/lint.ts";
import { RULES } from "../../../src/lint/rules.ts";
import { LINT_FORMATS } from "../../../src/render/lint/formats.ts";
import type { LintContext } from "../../../src/render/lint/report.ts";
import { PLAIN } from "../../../src/render/paint.ts";
import { LOWER, lintTiny, OWNER } from "../../lint/tiny.ts";
import { workspace } from "../../manifests/workspace.ts";

const HOSTILE = `]]>"'&<script>@you |\`x\` [a](b) ![i](http://x) %0A::error::x,y:z\x1b[31m\r\n\u202e\u2028\ud800 <!-- -->`;
const FILE = `a b/ü%,:"<&>'|\`@x.yaml`;

const place = (line: number) => ({ file: FILE, line, column: 3, endLine: line, endColumn: 9 });
const proof: Reported = {
  rule: OWNER,
  severity: "error",
  message: HOSTILE,
  label: HOSTILE,
  at: place(2),
  related: [{ at: place(1), label: HOSTILE }],
  help: HOSTILE,
  about: [{ kind: "Service", namespace: "default", name: HOSTILE }],
  packet: { command: `ktrace curl ${HOSTILE}`, verdict: "rejected", reasons: ["no-endpoints"], text: HOSTILE },
  object: `Service default/${HOSTILE}`,
  field: "spec",
  nth: 1,
  fix: { kind: "safe", changes: [{ file: FILE, start: 0, end: 3, text: HOSTILE, at: place(2) }] },
};
const info: Reported = { ...proof, rule: LOWER, severity: "info", at: place(3), related: [], nth: 2 };

const counts = { error: 1, warning: 0, info: 1, fixable: 1, files: 1, objects: 2 };
const hostile: Report = {
  findings: [info, proof],
  muted: [{ ...proof, by: "comment", reason: HOSTILE }],
  rules: RULES.length > 0 ? [OWNER, LOWER] : [],
  counts,
  failed: true,
};
const nothing: Report = { findings: [], muted: [], rules: [OWNER], counts: { ...counts, error: 0, info: 0, fixable: 0 }, failed: false };
const context: LintContext = {
  line: (_, number) => (number === 9 ? undefined : `\t"${HOSTILE}": 値`),
  width: 100,
  paint: PLAIN,
  version: "0.1.0",
  program: "ktrace",
  prefix: "sub/",
  showMuted: true,
};

async function render(name: string, report: Report, around: Partial<LintContext> = {}): Promise<string> {
  const format = LINT_FORMATS.find((each) => each.name === name);
  assert.ok(format);
  return [...(await format.load())(report, { ...context, ...around })].join("");
}

/** The formats that the SARIF schema names. */
const FORMATS = {
  uri: (text: string) => URL.canParse(text),
  "uri-reference": (text: string) => /^(?:[\w.~!$&'()*+,;=:@/?#-]|%[0-9A-F]{2})*$/i.test(text) && URL.canParse(text, "http://base/"),
  "date-time": (text: string) => !Number.isNaN(Date.parse(text)),
};

/** What a terminal, or a reader of text, might obey. */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\ufeff\ud800-\udfff]/u;

for (const { name } of LINT_FORMATS) {
  test(`${name}: nothing in it steers a terminal`, async () => {
    const text = await render(name, hostile);
    assert.doesNotMatch(text, UNSAFE);
    assert.equal(text, await render(name, hostile));
  });
  test(`${name}: a clean run`, async () => {
    const text = await render(name, nothing);
    const silent = ["text", "compact", "github"];
    assert.equal(text === "", silent.includes(name));
  });
}

test("json: as the published schema says", async (t) => {
  const schema = JSON.parse(readFileSync(new URL("../../../schema/lint.schema.json", import.meta.url), "utf8"));
  const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);
  for (const report of [hostile, nothing, tinyReport(t)]) {
    validate(JSON.parse(await render("json", report)));
    assert.deepEqual(validate.errors ?? [], []);
  }
  assert.equal(JSON.parse(await render("json", hostile)).findings[1].message, HOSTILE, "escaped, not changed");
});

test("jsonl: findings, then the summary", async () => {
  const lines = (await render("jsonl", hostile))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ kind }) => kind),
    ["Finding", "Finding", "Suppressed", "Summary"],
  );
});

test("sarif: valid against the official schema", async (t) => {
  const { id: _, $schema: __, ...schema } = createRequire(import.meta.url)("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
  const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false, formats: FORMATS }); // written in draft 4; it uses nothing that changed since
  const validate = ajv.compile(schema);
  for (const report of [hostile, nothing, tinyReport(t), { ...nothing, rules: RULES }]) {
    validate(JSON.parse(await render("sarif", report)));
    assert.deepEqual(validate.errors ?? [], []);
  }
  validate({ version: "2.1.0", runs: [{ tool: {} }] });
  assert.ok((validate.errors ?? []).length > 0, "the schema refuses what is wrong");
});

test("sarif: what GitHub asks of it", async (t) => {
  const [run] = JSON.parse(await render("sarif", tinyReport(t))).runs;
  const [first] = run.results;
  assert.deepEqual(
    [run.columnKind, run.automationDetails.id, run.invocations],
    ["utf16CodeUnits", "ktrace/", [{ executionSuccessful: true }]],
  );
  assert.equal(run.tool.driver.rules[first.ruleIndex].id, first.ruleId);
  assert.deepEqual(first.locations, [
    {
      physicalLocation: {
        artifactLocation: { uri: "sub/f.yaml", uriBaseId: "%SRCROOT%" },
        region: { startLine: 3, startColumn: 18, endLine: 3, endColumn: 19 },
      },
    },
  ]);
  assert.deepEqual(Object.keys(first.partialFingerprints), ["primaryLocationLineHash", "ktrace/v1"]);
  for (const rule of JSON.parse(await render("sarif", { ...nothing, rules: RULES })).runs[0].tool.driver.rules) {
    assert.ok(rule.shortDescription.text.length <= 1024 && rule.fullDescription.text.length <= 1024, rule.id);
    assert.ok(rule.properties.tags.length <= 10);
  }
});

test("sarif: a fingerprint outlives a move down the file, and tells equals apart", async (t) => {
  const print = async (text: string) => {
    const { report } = lintTiny({ cwd: workspace(t, { "f.yaml": text }), files: ["f.yaml"] });
    const { results } = JSON.parse(await render("sarif", report)).runs[0];
    return results.map((one: { partialFingerprints: Record<string, string> }) => one.partialFingerprints["ktrace/v1"]);
  };
  const text = "kind: Service\napiVersion: v1\nmetadata: {name: A}\nspec: {ports: [{port: 80}]}\n";
  const [before, moved] = [await print(text), await print(`# one\n# two\n${text}`)];
  assert.deepEqual(moved, before);
  assert.equal(new Set(before).size, before.length);
});

test("sarif: a suppressed result says why; a proof is a code flow; brackets make no link", async () => {
  const { results } = JSON.parse(await render("sarif", hostile)).runs[0];
  const [first, , muted] = results;
  assert.equal(first.level, "error", "the worst first");
  assert.equal(first.codeFlows[0].threadFlows[0].locations.length, 3);
  assert.match(first.message.text, /\\\[a\\\]\(b\)/);
  assert.equal(muted.suppressions[0].kind, "inSource");
  assert.equal(first.locations[0].physicalLocation.artifactLocation.uri, "sub/a%20b/%C3%BC%25%2C%3A%22%3C%26%3E'%7C%60%40x.yaml");
});

test("github: one line a finding, whatever is in it", async () => {
  const lines = (await render("github", hostile)).trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => /^::(error|warning|notice) /.exec(line)?.[1]),
    ["error", "notice", "notice"],
  );
  assert.match(
    lines[0] ?? "",
    /^::error file=sub\/a b\/ü%25%2C%3A"<&>'\|`@x\.yaml,line=2,endLine=2,col=3,endColumn=9,title=KT801 owner-missing::/,
  );
  assert.match(lines[0] ?? "", /%250A::error::x,y:z/);
});

test("gitlab: an array, each with a fingerprint of its own", async () => {
  const issues = JSON.parse(await render("gitlab", hostile));
  assert.equal(new Set(issues.map(({ fingerprint }: { fingerprint: string }) => fingerprint)).size, 2);
  assert.deepEqual(JSON.parse(await render("gitlab", nothing)), []);
});

for (const name of ["junit", "checkstyle"])
  test(`${name}: well-formed`, async (t) => {
    for (const report of [hostile, nothing]) {
      const { error, status, stderr } = spawnSync(
        "python3",
        ["-c", "import sys, xml.dom.minidom as m; m.parseString(sys.stdin.buffer.read())"],
        {
          input: await render(name, report),
          encoding: "utf8",
        },
      );
      if (error) return t.skip("no python3 to parse XML with");
      assert.equal(status, 0, stderr);
    }
  });

test("markdown: each finding is one row of four cells, and nothing in it is markup", async () => {
  const rows = (await render("markdown", hostile)).split("\n").filter((line) => line.startsWith("| error") || line.startsWith("| info"));
  assert.equal(rows.length, 2);
  for (const row of rows) {
    assert.equal(row.replaceAll("\\|", "").split("|").length, 6, row);
    assert.doesNotMatch(row.replaceAll(/`[^`]*`/g, ""), /<(?!br>)|\[|\]|@you|:\/\//);
  }
});

test("text: what is asked for, on an example with everything", async () => {
  const report: Report = {
    ...hostile,
    findings: [
      {
        ...proof,
        message: "m",
        label: "l",
        help: "h",
        related: [{ at: place(11), label: "r" }],
        packet: { command: "c", verdict: "rejected", reasons: [], text: "t" },
      },
    ],
  };
  const text = await render("text", report, { line: (_, number) => `\tline ${number}` });
  assert.equal(
    text,
    [
      "error[KT801] owner-missing: m",
      `  --> ${FILE}:2:3`,
      "   |",
      " 2 |     line 2",
      "   |      ^^^^^ l",
      "   |",
      `  ::: ${FILE}:11:3`,
      "11 |     line 11",
      "   |      ------ r",
      "   = packet: c",
      "             rejected: t",
      "   = help: h   (fix available: ktrace lint --fix)",
      "   = see: ktrace explain KT801",
      "",
      "",
    ].join("\n"),
  );
});

function tinyReport(t: TestContext): Report {
  const cwd = workspace(t, {
    "f.yaml": "kind: Service\napiVersion: v1\nmetadata: {name: A}\nspec: {ports: [{port: 80}]} # ktrace-ignore KT999\n",
  });
  return lintTiny({ cwd, files: ["f.yaml"] }).report;
}
