/** The package as others get it: what is in the tarball, that it runs unpacked elsewhere with nothing beside it, and its start. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { ROOT } from "./transcript.ts";

const dir = mkdtempSync(join(tmpdir(), "ktrace-package-"));
const packed = { files: [] as readonly string[] };
const run = (command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) =>
  spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, NO_COLOR: "1", ...env }, input: "" });

before(() => {
  // npm pack runs `prepare`, which builds; --json then says what it packed.
  const pack = run("npm", ["pack", "--json", "--silent", "--offline", "--pack-destination", dir], ROOT);
  assert.equal(pack.status, 0, pack.stderr);
  const [report] = Object.values(JSON.parse(pack.stdout.slice(pack.stdout.search(/^[[{]/m))));
  packed.files = filesOf(report);
  assert.equal(run("tar", ["-xzf", join(dir, nameOf(report))], dir).status, 0);
});
after(() => rmSync(dir, { recursive: true, force: true }));

test("the tarball has the program and its papers, no sources, tests or maps", () => {
  for (const file of [
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "package.json",
    "bin/ktrace",
    "dist/cli.cjs",
    "dist/agent.mjs",
    "dist/index.js",
    "types/index.d.ts",
    "schema/verification.schema.json",
    "schema/topology.schema.json",
  ]) {
    assert.ok(packed.files.includes(file), `${file} is missing`);
  }
  assert.deepEqual(
    packed.files.filter((file) => /^(src|test|tools|fixtures|bench)\/|\.(map|cache)$|(?<!\.d)\.ts$/.test(file)),
    [],
  );
});

test("unpacked elsewhere, without node_modules, it traces the reference cluster", () => {
  const fixture = join(dir, "cluster");
  cpSync(join(ROOT, "fixtures/tomcat6"), fixture, { recursive: true });
  const args = ["-f", "cluster", "-t", "cluster/topology.yaml", "curl", "node2:31160", "-o", "json"];
  const { status, stdout, stderr } = run(process.execPath, [join(dir, "package/bin/ktrace"), ...args], dir);
  assert.equal(status, 0, stderr);
  const trace = JSON.parse(stdout);
  assert.deepEqual(trace.paths.map((path: { destination: { ip: string } }) => path.destination.ip).sort(), [
    "10.244.1.11",
    "10.244.2.10",
    "10.244.2.11",
  ]);
});

test("as kubectl-ktrace it says kubectl ktrace", () => {
  const link = join(dir, "kubectl-ktrace");
  symlinkSync(join(dir, "package/bin/ktrace"), link);
  assert.match(run(link, ["--help"], dir).stdout, /^Usage: kubectl ktrace /);
});

test("npm installs the tarball into another project, and npx finds it", (t) => {
  const project = mkdtempSync(join(dir, "project-"));
  writeFileSync(join(project, "package.json"), '{"name": "other", "private": true}');
  const tarball = join(dir, readFileSync(join(dir, "package/package.json"), "utf8").match(/"version": "([^"]+)"/)?.[1] ?? "");
  const install = run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball.replace(/([^/]+)$/, "ktrace-$1.tgz")], project);
  if (install.status !== 0) return t.skip(`npm has no copy of the dependencies: ${install.stderr.split("\n")[0]}`);
  const { status, stdout } = run("npx", ["--offline", "ktrace", "--version"], project);
  assert.deepEqual([status, stdout.trim()], [0, "0.1.0"]);
});

test("a code cache that another V8 made, or a broken one, is passed over", () => {
  const copy = join(dir, "copy");
  cpSync(join(dir, "package"), copy, { recursive: true });
  const hash = readFileSync(join(copy, "dist/cli.cjs"), "latin1").slice(2, 18);
  for (const content of ["", "nonsense", Buffer.alloc(5000, 7)]) {
    writeFileSync(join(copy, `dist/cli-${hash}.cache`), content);
    const { status, stdout, stderr } = run(process.execPath, ["bin/ktrace", "--version"], copy);
    assert.deepEqual([status, stdout.trim(), stderr], [0, "0.1.0", ""]);
  }
});

test("without a build it says in one line how to build", () => {
  const bare = join(dir, "bare");
  cpSync(join(ROOT, "bin"), join(bare, "bin"), { recursive: true });
  const { status, stdout, stderr } = run(process.execPath, ["bin/ktrace", "curl", "x"], bare);
  assert.deepEqual([status, stdout, stderr], [2, "", "ktrace: not built yet: run npm ci && npm run build\n"]);
});

test("a reader that closes the pipe early is no error", () => {
  const { stdout, stderr } = run(
    "bash",
    ["-c", `set -o pipefail; ${process.execPath} bin/ktrace schema topology | head -c 10 >/dev/null; echo "\${PIPESTATUS[0]}"`],
    ROOT,
  );
  assert.deepEqual([stdout.trim(), stderr], ["0", ""]);
});

test("the lockfile names no host, so that any registry serves it", () => {
  assert.doesNotMatch(readFileSync(join(ROOT, "package-lock.json"), "utf8"), /"resolved":/);
});

test("the lockfile lists every optional package, or npm ci refuses it", () => {
  // A registry that lacks some platform's package makes `npm install` leave it out.
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const wanted = Object.values<{ optionalDependencies?: Record<string, string> }>(packages).flatMap((one) =>
    Object.keys(one.optionalDependencies ?? {}),
  );
  assert.ok(wanted.length > 20);
  assert.deepEqual(
    wanted.filter((name) => !Object.hasOwn(packages, `node_modules/${name}`)),
    [],
  );
});

test("the same bytes in every language, time zone and terminal", () => {
  const print = (env: NodeJS.ProcessEnv) => run(process.execPath, ["bin/ktrace", "curl", "node2:31160"], ROOT, env).stdout;
  const first = print({ LANG: "C", LC_ALL: "C", TZ: "UTC", COLUMNS: "60" });
  assert.ok(first.length > 500);
  assert.equal(print({ LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", TZ: "Asia/Kolkata" }), first);
  assert.equal(print({ LANG: "de_DE", LC_ALL: "sv_SE.UTF-8", TZ: "America/St_Johns", TERM: "dumb" }), first);
});

function filesOf(report: unknown): string[] {
  if (typeof report !== "object" || report === null || !("files" in report) || !Array.isArray(report.files))
    throw new Error("npm pack --json changed its form");
  return report.files.map((file: { path: string }) => file.path);
}

function nameOf(report: unknown): string {
  if (typeof report !== "object" || report === null || !("filename" in report)) throw new Error("npm pack --json changed its form");
  return String(report.filename);
}
