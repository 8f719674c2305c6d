/**
 * What ktrace says about input that is wrong: fixtures/bad-input, and files that no repository should hold (binary, of a megabyte,
 * nested without end, pipes and loops), which are made here. The exact words are goldens: fixtures/bad-input/*.golden, `$ ktrace …`,
 * then what was printed, stdout before stderr, `# exit N`. KTRACE_UPDATE=1 rewrites them; a person reads the diff.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { bombs, madeFiles } from "./bad-input/made.ts";
import { ROOT, runLine, UPDATE } from "./transcript.ts";

const HOME = join(ROOT, "fixtures/bad-input");
const cwd = mkdtempSync(join(tmpdir(), "ktrace-bad-"));
after(() => rmSync(cwd, { recursive: true, force: true }));
cpSync(HOME, cwd, { recursive: true });
for (const [name, content] of Object.entries({ ...madeFiles, ...bombs })) {
  mkdirSync(dirname(join(cwd, name)), { recursive: true });
  writeFileSync(join(cwd, name), content);
}
mkdirSync(join(cwd, "empty"));
mkdirSync(join(cwd, "loop/below"), { recursive: true });
symlinkSync("..", join(cwd, "loop/below/up"));
cpSync(join(HOME, "port-70000.yaml"), join(cwd, "loop/port-70000.yaml"));
symlinkSync("circle.yaml", join(cwd, "circle.yaml"));
symlinkSync("/dev/zero", join(cwd, "endless.yaml"));
mkdirSync(join(cwd, "pipes"));
spawnSync("mkfifo", [join(cwd, "pipes/pipe.yaml")]);
cpSync(join(HOME, "port-70000.yaml"), join(cwd, "pipes/port-70000.yaml"));

/** Cases that are about a file or directory as a whole, in which there is no line to point at. */
const NO_PLACE = new Set([
  "ktrace -f missing.yaml get svc",
  "ktrace -f por-70000.yaml get svc",
  "ktrace -f empty get svc",
  "ktrace -f '*.toml' get svc",
  "ktrace -f circle.yaml get svc",
  "ktrace -f values.yaml/service.yaml get svc",
  "ktrace -f endless.yaml get svc",
  "ktrace -t missing.yaml get nodes",
  "ktrace get svc",
]);

let cases = 0;
for (const golden of ["yaml", "objects", "services", "topology", "files"]) {
  const path = join(HOME, `${golden}.golden`);
  const entries = readGolden(path);
  const fresh: string[] = [];
  test(`fixtures/bad-input/${golden}.golden`, async (t) => {
    for (const { command, output } of entries) {
      cases += 1;
      await t.test(command, async () => {
        const { lines, status } = await runLine(command, cwd);
        const said = [...lines, `# exit ${status}`];
        fresh.push(`$ ${command}`, ...said);
        harmless(said.join("\n"));
        assert.match(said.join("\n"), /help: /, "how to mend it");
        if (!NO_PLACE.has(command)) assert.match(said.join("\n"), / +--> [^\s:]+:\d+:\d+\n/, "where it is");
        if (!UPDATE) assert.equal(said.join("\n"), output.join("\n"));
      });
    }
    if (UPDATE) writeFileSync(path, `${fresh.join("\n")}\n`);
  });
}

test("the list has its sixty, and more", () => assert.ok(cases >= 60, String(cases)));

for (const name of Object.keys(bombs))
  test(`${name}: within 5 seconds and 512 MB`, () => {
    const child = join(ROOT, "test/bad-input/measured.ts");
    const run = spawnSync(process.execPath, ["--import", "tsx", child, "-f", join(cwd, name), "get", "svc,pods"], {
      cwd: ROOT,
      encoding: "utf8",
      timeout: 60_000,
    });
    const measured: unknown = JSON.parse(run.stdout.split("\n").at(-1) ?? "");
    assert.ok(typeof measured === "object" && measured !== null && "seconds" in measured && "megabytes" in measured, run.stderr);
    const { seconds, megabytes } = measured;
    assert.ok(typeof seconds === "number" && seconds < 5, `${seconds} s`);
    assert.ok(typeof megabytes === "number" && megabytes < 512, `${megabytes} MB`);
    harmless(run.stderr);
    assert.ok(run.stderr.length < 20_000, `${run.stderr.length} characters said`);
    assert.match(run.stderr, /-->|cannot read/);
  });

/** No stack, no bug, nothing that a terminal would obey. */
function harmless(text: string): void {
  assert.doesNotMatch(text, /ktrace bug|^\s+at .+:\d+:\d+\)?$/m);
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/);
}

function readGolden(path: string): { readonly command: string; readonly output: readonly string[] }[] {
  const entries: { command: string; output: string[] }[] = [];
  for (const line of readFileSync(path, "utf8").replace(/\n$/, "").split("\n"))
    if (line.startsWith("$ ktrace")) entries.push({ command: line.slice(2), output: [] });
    else entries.at(-1)?.output.push(line);
  return entries;
}

test("a file that may not be read", { skip: process.getuid?.() === 0 }, async () => {
  writeFileSync(join(cwd, "secret.yaml"), "a: b\n", { mode: 0 });
  const { lines, status } = await runLine("ktrace -f secret.yaml get svc", cwd);
  assert.deepEqual([status, lines[0]], [2, 'ktrace: error: cannot read "secret.yaml": permission denied']);
});

test("a pipe that is named is read, as a shell's <(…) is", () => {
  const pipe = join(cwd, "made.pipe");
  spawnSync("mkfifo", [pipe]);
  const line = `cat '${join(cwd, "port-70000.yaml")}' > '${pipe}' & exec '${process.execPath}' --import tsx src/cli/start.ts -f '${pipe}' get svc`;
  const run = spawnSync("bash", ["-c", line], { cwd: ROOT, encoding: "utf8", timeout: 30_000 });
  assert.match(run.stderr, /made\.pipe:6:11/);
  assert.equal(run.status, 2);
});
