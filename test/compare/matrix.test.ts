/** `ktrace matrix`: one walk a class of sources says the same as one walk a source; every format; a cell opens as a trace. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv } from "ajv";
import { questionOf } from "../../src/compare/ask.ts";
import { matrixOf } from "../../src/compare/matrix.ts";
import { outcomeOf } from "../../src/compare/outcome.ts";
import { openCluster } from "../../src/ktrace.ts";
import { ktrace } from "../cli/io.ts";

const REFERENCE = "fixtures/tomcat6";
const validate = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync("schema/matrix.schema.json", "utf8")));

for (const fixture of [REFERENCE, "fixtures/services"])
  test(`${fixture}: what a class's representative is told, every member is told`, () => {
    const session = openCluster({ files: [], cwd: fixture });
    const { cells, walks } = matrixOf(session);
    let asked = 0;
    for (const cell of cells.flat())
      for (const part of cell.parts)
        for (const member of part.members) {
          asked += 1;
          const own = outcomeOf(session.trace(questionOf({ ...part.asked, from: member }, "default")));
          const said = (outcome: typeof own) => [
            outcome.verdict,
            outcome.reasons,
            outcome.backends.map(({ endpoint, share }) => `${endpoint} ${share.num}/${share.den}`),
          ];
          assert.deepEqual(said(part.outcome), said(own), `${member} -> ${cell.target}`);
        }
    assert.ok(walks < asked, `${walks} walks for ${asked} sources`);
  });

const matrix = (...words: string[]) => ktrace(["matrix", ...words], { cwd: REFERENCE });

test("text: inside and outside each with the targets that are theirs", async () => {
  const { status, stdout } = await matrix("--targets", "services,ingresses");
  assert.equal(status, 0);
  assert.match(stdout, /^deploy\/default\/echo-udp and 8 more +ok +ok/m);
  assert.match(stdout, /^host\/client +ok$/m);
  assert.match(stdout, /^ +1 {2}http:\/\/www\.test\.com\/$/m);
  assert.match(stdout, /10 sources, 9 targets: \d+ of \d+ requests delivered/);
});

test("namespaces as sources: all pods of each", async () => {
  const { stdout } = await matrix("--sources", "namespaces", "--targets", "services");
  assert.match(stdout, /^namespace\/default and \d more +ok/m);
});

test("what fails is said with its reason", async () => {
  const { stdout } = await ktrace(["matrix", "--sources", "hosts", "--targets", "nodeports"], { cwd: "fixtures/services" });
  assert.match(stdout, /Not delivered \(open one with --cell SOURCE TARGET\):/);
  assert.match(stdout, /^ {2}dropped no-local-endpoints: svc\/default\/\S+ nodePort at k8s-node\d/m);
});

test("csv: one line a class, and nothing in it that a spreadsheet would run", async () => {
  const { stdout } = await matrix("-o", "csv", "--sources", "hosts", "--targets", "ingresses");
  assert.deepEqual(stdout.trimEnd().split("\r\n"), [
    "source,target,verdict,reasons,walked_from,stands_for,backends",
    "host/client,http://www.test.com/,delivered,,host/client,1,10.244.1.11:8080 1/3 10.244.2.10:8080 1/3 10.244.2.11:8080 1/3",
  ]);
});

test("json: the document of the schema", async () => {
  const { stdout } = await matrix("-o", "json");
  assert.ok(validate(JSON.parse(stdout)), JSON.stringify(validate.errors));
});

test("html: every cell's verdict is in words", async () => {
  const { stdout } = await matrix("-o", "html");
  assert.match(stdout, /^<!doctype html>/);
  assert.match(stdout, /<td class="delivered" title="[^"]+">delivered<\/td>/);
  assert.doesNotMatch(stdout, /<script|javascript:|https?:\/\/(?!www\.test\.com)/);
});

test("--cell opens one as a trace", async () => {
  const { status, stdout } = await matrix("--cell", "pod/default/nginx", "svc/default/tomcat6:80");
  assert.equal(status, 0);
  assert.match(stdout, /^trace --to 10\.96\.246\.235:80 {3}from pod default\/nginx/);
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ["--cell nobody svc/default/tomcat6:80", /no source "nobody"/],
  ["--cell pod/default/nginx", /--cell needs SOURCE and TARGET/],
  ["--sources pods", /--sources: no "pods"/],
  ["-o svg", /svg/],
  ["--from pod/nginx", /matrix asks from everywhere/],
];
for (const [words, expected] of WRONG)
  test(`ktrace matrix ${words}`, async () => {
    const { status, stderr } = await matrix(...words.split(" "));
    assert.equal(status, 2);
    assert.match(stderr, expected);
  });
