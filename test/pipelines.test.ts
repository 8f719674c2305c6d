/** The pipelines' files: the commands in them are run on a sample repository, as the runners would. The library too. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { load } from "js-yaml";
import * as library from "../src/cli/library.ts";
import type * as Published from "../types/index.d.ts";
import { ROOT } from "./transcript.ts";

/** The compiler holds the published types against the functions. */
const { KtraceError, lint, matrix, trace }: Pick<typeof Published, "KtraceError" | "lint" | "matrix" | "trace" | "diff" | "test"> = library;

const dir = mkdtempSync(join(tmpdir(), "ktrace-pipelines-"));
const repo = join(dir, "repo");
const tools = join(dir, "bin");
after(() => rmSync(dir, { recursive: true, force: true }));

type Answer = { readonly status: number | null; readonly stdout: string; readonly stderr: string };
/** Runs a shell line in the sample repository; npx, helm and kubectl are stand-ins, ktrace is this one. */
const shell = (line: string, env: Readonly<Record<string, string>> = {}): Answer =>
  spawnSync("bash", ["-eo", "pipefail", "-c", line], {
    cwd: repo,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", GITHUB_ACTIONS: "", ...env, PATH: `${tools}:${process.env.PATH}` },
    input: "",
  });

before(() => {
  mkdirSync(tools);
  const program = (name: string, text: string): void => {
    writeFileSync(join(tools, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(tools, name), 0o755);
  };
  assert.equal(spawnSync("npm", ["run", "--silent", "build"], { cwd: ROOT, stdio: "ignore" }).status, 0);
  program("ktrace", `exec "${process.execPath}" "${ROOT}/bin/ktrace" "$@"`);
  program("npx", '[ "$1" = --yes ] && shift\ncase "$1" in ktrace*) shift; exec ktrace "$@";; esac\necho "npx: $1" >&2; exit 9');
  program("helm", 'for f in "$(dirname "$0")"/../repo/k8s/*.yaml; do cat "$f"; echo ---; done');
  program("kubectl", 'for f in "$(dirname "$0")"/../repo/k8s/*.yaml; do cat "$f"; echo ---; done');
  cpSync(join(ROOT, "fixtures/diff/before"), join(repo, "k8s"), { recursive: true });
  cpSync(join(ROOT, "fixtures/diff/topology.yaml"), join(repo, "topology.yaml"));
  writeFileSync(join(repo, "ktrace.yaml"), "manifests: [k8s]\ntopology: topology.yaml\n");
  writeFileSync(
    join(repo, "k8s/expectations.yaml"),
    "apiVersion: ktrace.dev/v1alpha1\nkind: Expectations\ntests:\n  - {name: open, to: http://shop.example.com/, expect: {verdict: delivered}}\n",
  );
  cpSync(join(repo, "k8s/expectations.yaml"), join(repo, "expectations.yaml"));
  cpSync(join(repo, "k8s/web.yaml"), join(repo, "old.yaml"));
});

type Action = {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: { readonly steps: readonly { readonly run?: string; readonly env?: Readonly<Record<string, string>> }[] };
};
const isAction = (value: unknown): value is Action => typeof value === "object" && value !== null && "runs" in value;
const isMapping = (value: unknown): value is Readonly<Record<string, { readonly script?: readonly string[] }>> =>
  typeof value === "object" && value !== null;
const isHooks = (value: unknown): value is readonly { readonly id: string; readonly entry: string }[] => Array.isArray(value);

test("action.yml: its step runs as the inputs say, and leaves a SARIF report", () => {
  const action = load(readFileSync(join(ROOT, "action.yml"), "utf8"));
  assert.ok(isAction(action));
  const step = action.runs.steps.find(({ run }) => run !== undefined);
  const input = (text: string): string =>
    text.replace(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, name: string) => action.inputs[name]?.default ?? assert.fail(name));
  const env = Object.fromEntries(Object.entries(step?.env ?? {}).map(([name, value]) => [name, input(value)]));
  for (const args of ["", "-f k8s -t topology.yaml"]) {
    const { status, stderr } = shell(step?.run ?? "", { ...env, KTRACE_ARGS: args });
    assert.ok(status === 0 || status === 1, stderr);
    assert.equal(JSON.parse(readFileSync(join(repo, "ktrace.sarif"), "utf8")).version, "2.1.0");
  }
});

test(".pre-commit-hooks.yaml: each entry runs, and refuses a broken project", () => {
  const hooks = load(readFileSync(join(ROOT, ".pre-commit-hooks.yaml"), "utf8"));
  assert.ok(isHooks(hooks));
  const whole = readFileSync(join(repo, "k8s/web.yaml"), "utf8");
  for (const { id, entry } of hooks) {
    assert.notEqual(shell(entry).status, 2, id);
    writeFileSync(join(repo, "k8s/web.yaml"), whole.replace("  selector:\n    app: web", "  selector:\n    app: wbe"));
    assert.equal(shell(entry).status, 1, id);
    writeFileSync(join(repo, "k8s/web.yaml"), whole);
  }
});

test("docs/ci/gitlab.yml: each job's script writes the report that the job hands over", () => {
  const jobs = load(readFileSync(join(ROOT, "docs/ci/gitlab.yml"), "utf8"));
  assert.ok(isMapping(jobs));
  for (const [name, { script = [] }] of Object.entries(jobs))
    for (const line of script) {
      const { status, stderr } = shell(line, { KTRACE_VERSION: "latest" });
      assert.ok(status === 0 || status === 1, `${name}: ${stderr}`);
    }
  assert.ok(Array.isArray(JSON.parse(readFileSync(join(repo, "gl-code-quality-report.json"), "utf8"))));
  assert.match(readFileSync(join(repo, "ktrace-junit.xml"), "utf8"), /<testsuites tests="1" failures="0"/);
});

test("docs/ci.md: the shell lines run", () => {
  const blocks = [...readFileSync(join(ROOT, "docs/ci.md"), "utf8").matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, text = ""]) =>
    text.trim().split("\n"),
  );
  assert.ok(blocks.length >= 3);
  for (const line of blocks) {
    const { status, stderr } = shell(line);
    assert.ok(status === 0 || status === 1, `${line}: ${stderr}`);
  }
});

test("the library: documents, and an error that says what is wrong", async () => {
  const { verdict, paths } = await trace({ request: "curl node2:31160", cwd: join(ROOT, "fixtures/tomcat6") });
  assert.deepEqual([verdict, paths.length], ["delivered", 3]);
  assert.equal((await lint({ cwd: join(ROOT, "fixtures/tomcat6") })).kind, "LintReport");
  assert.equal((await matrix({ cwd: join(ROOT, "fixtures/tomcat6"), args: ["--sources", "hosts"] })).kind, "Matrix");
  await assert.rejects(trace({ request: "curl --no-such-flag", cwd: ROOT }), KtraceError);
  assert.ok(existsSync(join(ROOT, "types/index.d.ts")));
});
