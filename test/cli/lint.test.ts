/** `ktrace lint` as it is typed: exit status, streams, configuration, fixes, reports in files, git. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { workspace } from "../manifests/workspace.ts";
import { type Around, ktrace } from "./io.ts";

/** KT112 warns of it; its suggestion is never made. */
const HEADLESS =
  "kind: Service\napiVersion: v1\nmetadata: {name: a}\nspec: {clusterIP: None, selector: {app: a}, ports: [{port: 80, targetPort: 8080}]}\n";
/** KT106 refuses it; --fix takes the quotes away. */
const QUOTED =
  'kind: Service\napiVersion: v1\nmetadata: {name: b} # mine\nspec: {selector: {app: a}, ports: [{port: 80, targetPort: "8080"}]}\n';
const CLEAN = "kind: Namespace\napiVersion: v1\nmetadata: {name: shop}\n";
const ONLY = ["--select", "KT106,KT112"];

const lint = (cwd: string, words: readonly string[], around: Around = {}) => ktrace(["lint", ...words], { cwd, ...around });

const statuses: readonly { name: string; words: readonly string[]; status: number; env?: Around["env"] }[] = [
  { name: "nothing found", words: ["clean.yaml"], status: 0 },
  { name: "an error", words: ["quoted.yaml", ...ONLY], status: 1 },
  { name: "a warning", words: ["headless.yaml", ...ONLY], status: 0 },
  { name: "a warning that fails", words: ["headless.yaml", ...ONLY, "--fail-on", "warning"], status: 1 },
  { name: "a warning that fails by the environment", words: ["headless.yaml", ...ONLY], status: 1, env: { KTRACE_FAIL_ON: "warning" } },
  {
    name: "a flag before the environment",
    words: ["headless.yaml", ...ONLY, "--fail-on=error"],
    status: 0,
    env: { KTRACE_FAIL_ON: "warning" },
  },
  { name: "never", words: ["quoted.yaml", ...ONLY, "--fail-on", "never"], status: 0 },
  { name: "too many warnings", words: ["headless.yaml", ...ONLY, "--max-warnings", "0"], status: 1 },
  { name: "as many as may be", words: ["headless.yaml", ...ONLY, "--max-warnings", "1"], status: 0 },
  { name: "a warning made an error", words: ["headless.yaml", ...ONLY, "--error", "KT112"], status: 1 },
  { name: "--exit-zero", words: ["quoted.yaml", ...ONLY, "--exit-zero"], status: 0 },
  { name: "the format does not matter", words: ["quoted.yaml", ...ONLY, "-o", "sarif"], status: 1 },
  { name: "no such file", words: ["nosuch.yaml"], status: 2 },
  { name: "no such rule", words: ["clean.yaml", "--select", "KT1000"], status: 2 },
  { name: "no such flag", words: ["clean.yaml", "--fixx"], status: 2 },
  { name: "no such format", words: ["clean.yaml", "-o", "wide"], status: 2 },
  { name: "no such severity", words: ["clean.yaml", "--fail-on", "fatal"], status: 2 },
  { name: "no number", words: ["clean.yaml", "--max-warnings", "-1"], status: 2 },
  { name: "no document that can be read", words: ["broken.yaml"], status: 2 },
  { name: "one that cannot, beside one that can", words: ["broken.yaml", "clean.yaml"], status: 1 },
  { name: "no baseline", words: ["clean.yaml", "--baseline", "none.json"], status: 2 },
  { name: "no release", words: ["clean.yaml", "--kubernetes-version", "new"], status: 2 },
];
for (const { name, words, status, env } of statuses)
  test(`exit ${status}: ${name}`, async (t) => {
    const cwd = workspace(t, { "clean.yaml": CLEAN, "quoted.yaml": QUOTED, "headless.yaml": HEADLESS, "broken.yaml": "a: [\n" });
    const ran = await lint(cwd, words, env && { env });
    assert.equal(ran.status, status, ran.stderr);
    assert.doesNotMatch(ran.stderr, /ktrace bug/);
  });

test("nothing found: one line on stderr, nothing on stdout", async (t) => {
  const ran = await lint(workspace(t, { "a.yaml": CLEAN }), ["a.yaml"]);
  assert.deepEqual(ran, { status: 0, stdout: "", stderr: "no findings in 1 file, 1 object\n" });
});

test("-o json is one document, also of an error", async (t) => {
  const cwd = workspace(t, { "a.yaml": QUOTED });
  assert.equal(JSON.parse((await lint(cwd, ["a.yaml", ...ONLY, "-o", "json"])).stdout).kind, "LintReport");
  assert.equal(JSON.parse((await lint(cwd, ["b.yaml", "-o", "json"])).stdout).kind, "Error");
});

test("the project file: what is read, severities, exclusions; not with --no-config", async (t) => {
  const cwd = workspace(t, {
    "ktrace.yaml":
      "manifests: [k8s]\nexclude: k8s/old\nrules: {KT112: error, KT106: off}\noverrides: [{files: k8s/dev/**, rules: {KT112: info}}]\n",
    "k8s/a.yaml": HEADLESS,
    "k8s/b.yaml": QUOTED,
    "k8s/dev/c.yaml": HEADLESS.replace("name: a", "name: c"),
    "k8s/old/d.yaml": HEADLESS.replace("name: a", "name: d"),
  });
  const told = async (...words: string[]) =>
    (await lint(cwd, ["-o", "compact", ...words])).stdout
      .split("\n")
      .flatMap((line) => (/KT106|KT112/.test(line) ? [line.split(" ").slice(0, 3).join(" ")] : []));
  assert.deepEqual(await told(), ["k8s/a.yaml:4:76: error KT112", "k8s/dev/c.yaml:4:76: info KT112"]);
  assert.deepEqual(await told("--no-config", "k8s/b.yaml", "k8s/a.yaml"), [
    "k8s/b.yaml:4:59: error KT106",
    "k8s/a.yaml:4:76: warning KT112",
  ]);
  const inside = await ktrace(["lint", "-o", "compact", ...ONLY], { cwd: join(cwd, "k8s/dev") });
  assert.match(inside.stdout, /^\.\.\/a\.yaml:4:76: error KT112/, "from a directory below");
});

test("--show-config says who said what", async (t) => {
  const cwd = workspace(t, { "ktrace.yaml": "rules: {KT112: error}\nfailOn: warning\n" });
  const { stdout, status } = await lint(cwd, ["--show-config", "--off", "KT106"], { env: { KTRACE_PROFILE: "strict" } });
  assert.equal(status, 0);
  for (const line of [
    /^config: ktrace\.yaml$/m,
    /^profile: strict +# KTRACE_PROFILE$/m,
    /^failOn: warning +# ktrace\.yaml$/m,
    /^ {2}KT112: error +# ktrace\.yaml/m,
    /^ {2}KT106: off +# --off/m,
  ])
    assert.match(stdout, line);
  const { settings, rules } = JSON.parse((await lint(cwd, ["--show-config", "-o", "json"])).stdout);
  assert.deepEqual(settings.profile, { value: "default", origin: "default" });
  assert.ok(rules.length > 20);
});

test("--fix writes the fixed values and nothing else; then there is nothing to do", async (t) => {
  const text = `\ufeff${QUOTED}---\n${HEADLESS}`.replaceAll("\n", "\r\n");
  const cwd = workspace(t, { "a.yaml": text });
  chmodSync(join(cwd, "a.yaml"), 0o640);
  symlinkSync("a.yaml", join(cwd, "link.yaml"));
  const ran = await lint(cwd, ["--fix", "link.yaml", ...ONLY]);
  assert.equal(ran.status, 0);
  assert.match(ran.stderr, /1 finding mended in 1 file/);
  assert.equal(readFileSync(join(cwd, "a.yaml"), "utf8"), text.replace('"8080"', "8080"));
  assert.equal(statSync(join(cwd, "a.yaml")).mode & 0o777, 0o640);
  assert.ok(lstatSync(join(cwd, "link.yaml")).isSymbolicLink());
  assert.match((await lint(cwd, ["--fix", "a.yaml", ...ONLY])).stderr, /0 findings mended in 0 files/);
  assert.equal(readFileSync(join(cwd, "a.yaml"), "utf8"), text.replace('"8080"', "8080"));
  assert.deepEqual(readdirSync(cwd).sort(), ["a.yaml", "link.yaml"], "nothing is left beside them");
});

test("--diff prints the change and writes nothing", async (t) => {
  const cwd = workspace(t, { "a.yaml": QUOTED });
  const ran = await lint(cwd, ["a.yaml", "--diff", ...ONLY]);
  assert.equal(
    ran.stdout,
    `--- a/a.yaml\n+++ b/a.yaml\n@@ -1,4 +1,4 @@\n kind: Service\n apiVersion: v1\n metadata: {name: b} # mine\n-${QUOTED.split("\n")[3]}\n+${QUOTED.split("\n")[3]?.replaceAll('"', "")}\n`,
  );
  assert.equal(ran.status, 1);
  assert.equal(readFileSync(join(cwd, "a.yaml"), "utf8"), QUOTED);
});

test("standard input: named, mended on stdout, never mixed with files", async (t) => {
  const cwd = workspace(t, { "a.yaml": CLEAN });
  const named = await lint(cwd, ["-", "--stdin-filename", "x/y.yaml", "-o", "compact", ...ONLY], { stdin: QUOTED });
  assert.match(named.stdout, /^x\/y\.yaml:4:59: error KT106 /);
  const mended = await lint(cwd, ["-", "--fix", ...ONLY], { stdin: QUOTED });
  assert.deepEqual([mended.status, mended.stdout], [0, QUOTED.replaceAll('"', "")]);
  assert.equal((await lint(cwd, ["-", "--fix", ...ONLY], { stdin: CLEAN })).stdout, CLEAN);
  assert.equal((await lint(cwd, ["-", "--fix", "-o", "json", ...ONLY], { stdin: QUOTED })).status, 2);
  assert.match((await lint(cwd, ["-", "a.yaml", "--fix"], { stdin: QUOTED })).stderr, /nothing but - can be read/);
});

test("several reports in one run, written whole", async (t) => {
  const cwd = workspace(t, { "a.yaml": QUOTED, "out/x": "" });
  const { status } = await lint(cwd, [
    "a.yaml",
    ...ONLY,
    "--output-file",
    "sarif:out/a.sarif,junit:out/a.xml",
    "--output-file",
    "json:a.json",
  ]);
  assert.equal(status, 1);
  assert.equal(JSON.parse(readFileSync(join(cwd, "out/a.sarif"), "utf8")).version, "2.1.0");
  assert.match(readFileSync(join(cwd, "out/a.xml"), "utf8"), /<testsuites/);
  assert.equal(JSON.parse(readFileSync(join(cwd, "a.json"), "utf8")).findings.length, 1);
  for (const wrong of ["sarif", "sarif:", "srif:x", "sarif:nosuch/x"]) {
    const ran = await lint(cwd, ["a.yaml", "--output-file", wrong]);
    assert.equal(ran.status, 2, wrong);
  }
  assert.match((await lint(cwd, ["a.yaml", "--output-file", "srif:x"])).stderr, /did you mean sarif:x\?/);
});

test("on GitHub's runner: commands after the text, and the step's summary", async (t) => {
  const cwd = workspace(t, { "a.yaml": QUOTED, summary: "before\n" });
  const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: join(cwd, "summary") };
  const { stdout } = await lint(cwd, ["a.yaml", ...ONLY], { env });
  assert.match(stdout, /^error\[KT106\][\s\S]*\n::error file=a\.yaml,line=4,[\s\S]*\n::notice title=ktrace lint::1 error/);
  assert.match(readFileSync(join(cwd, "summary"), "utf8"), /^before\n### ktrace lint: failed\n/);
  assert.doesNotMatch((await lint(cwd, ["a.yaml", ...ONLY, "-o", "json"], { env })).stdout, /^::/m);
});

test("a baseline: written, held against, pruned", async (t) => {
  const cwd = workspace(t, { "a.yaml": QUOTED, "ktrace.yaml": "manifests: a.yaml\nbaseline: base.json\n" });
  const rules = ["--select", "KT106,KT112,KT902"];
  const written = await lint(cwd, ["--write-baseline", ...rules]);
  assert.deepEqual([written.status, written.stdout], [0, ""]);
  assert.equal(JSON.parse(readFileSync(join(cwd, "base.json"), "utf8")).findings.length, 1);
  assert.match((await lint(cwd, rules)).stderr, /^no findings, 1 suppressed in/);
  writeFileSync(join(cwd, "a.yaml"), QUOTED.replaceAll('"', ""));
  assert.match((await lint(cwd, [...rules, "-o", "compact"])).stdout, /^base\.json:6:7: warning KT902 /);
  assert.equal((await lint(cwd, ["--prune-baseline", ...rules])).status, 0);
  assert.deepEqual(JSON.parse(readFileSync(join(cwd, "base.json"), "utf8")).findings, []);
  assert.equal((await lint(cwd, [".", ...rules])).status, 0, "a baseline among the manifests is no manifest");
});

test("a comment in the topology counts too, and an unused one goes", async (t) => {
  const topology = "apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec: {nodes: [{name: n1}]} # ktrace-ignore KT112 -- x\n";
  const cwd = workspace(t, { "a.yaml": HEADLESS, "t.yaml": topology });
  const words = ["a.yaml", "-t", "t.yaml", "--select", "KT112,KT902"];
  assert.match((await lint(cwd, [...words, "-o", "compact"])).stdout, /^t\.yaml:3:45: warning KT902 [^\n]*\na\.yaml/);
  assert.equal((await lint(cwd, [...words, "--fix"])).status, 0);
  assert.equal(readFileSync(join(cwd, "t.yaml"), "utf8"), topology.replace(/ #.*/, ""));
});

test("--since: only findings on lines that changed", async (t) => {
  const cwd = workspace(t, { "k8s/a.yaml": `${HEADLESS}---\n${QUOTED}` });
  const git = (...args: readonly string[]) => {
    const identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"];
    const ran = spawnSync("git", [...identity, ...args], { cwd, encoding: "utf8" });
    assert.equal(ran.status, 0, ran.stderr);
  };
  git("init", "-q");
  git("add", ".");
  git("commit", "-q", "-m", "one");
  const told = async (from: string, ...words: string[]) =>
    (await ktrace(["lint", "-o", "compact", ...ONLY, ...words], { cwd: from })).stdout;
  assert.equal(await told(cwd, "k8s", "--since", "HEAD"), "");
  writeFileSync(join(cwd, "k8s/a.yaml"), `# more\n${HEADLESS}---\n${QUOTED.replace("port: 80,", "port: 81,")}`);
  assert.match(await told(cwd, "k8s", "--since", "HEAD"), /^k8s\/a\.yaml:10:59: error KT106 [^\n]*\n$/);
  assert.match(await told(join(cwd, "k8s"), ".", "--changed-since=main"), /^a\.yaml:10:59: error KT106 [^\n]*\n$/);
  writeFileSync(join(cwd, "k8s/ü b.yaml"), HEADLESS.replace("name: a", "name: c"));
  assert.match(await told(cwd, "k8s", "--since", "HEAD"), /^k8s\/ü b\.yaml:4:76: warning KT112 /m, "a new file has changed whole");
  const wrong = await lint(cwd, ["k8s", "--since", "--output=x"]);
  assert.equal(wrong.status, 2);
  const bad = await lint(cwd, ["k8s", "--since", "nosuch"]);
  assert.deepEqual([bad.status, bad.stderr.split("\n")[0]], [2, 'ktrace: error: --since: git knows no revision "nosuch"']);
  assert.ok(!existsSync(join(cwd, "x")));
});

test("--apply: what would be found if that were applied", async (t) => {
  const cwd = workspace(t, { "a.yaml": CLEAN, "b.yaml": HEADLESS });
  assert.match((await lint(cwd, ["a.yaml", "--apply", "b.yaml", "-o", "compact", ...ONLY])).stdout, /^b\.yaml:4:76: warning KT112 /);
});

test("--since outside a repository", async (t) => {
  const cwd = workspace(t, { "a.yaml": CLEAN });
  const { status, stderr } = await lint(cwd, ["a.yaml", "--since", "HEAD"]);
  assert.deepEqual([status, stderr.split("\n")[0]], [2, "ktrace: error: --since asks git, and this directory is in no git repository"]);
});

test("rules that look at one object neither load the front door nor decide the cluster", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const loads = (...words: readonly string[]): boolean => {
    const script = `import { register } from "node:module";
      register("data:text/javascript," + encodeURIComponent('export const load = (url, context, next) => { if (url.includes("src/ktrace.ts")) process._rawDebug("FRONT DOOR"); return next(url, context); }'));
      const { ktrace } = await import(${JSON.stringify(new URL("./io.ts", import.meta.url).href)});
      await ktrace(${JSON.stringify(words)}, { cwd: ${JSON.stringify(root)} });`;
    const { stderr, status } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
      cwd: root,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return stderr.includes("FRONT DOOR");
  };
  assert.equal(loads("lint", "fixtures/tomcat6", "--select", "KT001"), false);
  assert.equal(loads("lint", "fixtures/tomcat6", "--profile", "syntax"), false);
  assert.equal(loads("lint", "fixtures/tomcat6", "--select", "KT101"), true);
});
