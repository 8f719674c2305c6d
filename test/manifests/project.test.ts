/** The project file's settings for lint, and patterns that paths are held against. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { pathMatcher } from "../../src/manifests/glob.ts";
import { readInput } from "../../src/manifests/input.ts";
import { findProject } from "../../src/manifests/project.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";
import { workspace } from "./workspace.ts";

const CONFIG = `manifests: k8s
exclude: ["k8s/old/**", k8s/gen]
profile: strict
rules:
  KT402: warning
  KT112: off
  KT010: [info, {ignore: [x]}]
  service-selects-no-pods: "off"
overrides:
  - files: "k8s/dev/**"
    rules: {KT4: off}
knownNamespaces: [shop]
failOn: never
baseline: b.json
expect:
  - {run: curl http://a/, to: "200"}
`;

test("every setting is read", (t) => {
  const cwd = workspace(t, { "ktrace.yaml": CONFIG });
  const project = findProject(cwd);
  assert.deepEqual(project, {
    file: "ktrace.yaml",
    directory: cwd,
    manifests: ["k8s"],
    exclude: ["k8s/old/**", "k8s/gen"],
    lint: {
      profile: "strict",
      rules: [
        { rule: "KT402", level: "warning", options: {} },
        { rule: "KT112", level: "off", options: {} }, // unquoted, a boolean to kubectl's YAML
        { rule: "KT010", level: "info", options: { ignore: ["x"] } },
        { rule: "service-selects-no-pods", level: "off", options: {} },
      ],
      overrides: [{ files: ["k8s/dev/**"], rules: [{ rule: "KT4", level: "off", options: {} }] }],
      knownNamespaces: ["shop"],
      failOn: "never",
      baseline: "b.json",
      expect: [{ run: "curl http://a/", to: "200", at: { file: "ktrace.yaml", line: 16, column: 31, endLine: 16, endColumn: 36 } }],
    },
  });
});

const broken = [
  { config: "profle: strict", says: 'ktrace.yaml: unknown key "profle"', help: "did you mean profile?" },
  {
    config: "profile: strickt",
    says: 'ktrace.yaml:1: profile is the text "strickt", which is none of default, strict, syntax',
    help: "did you mean strict?",
  },
  { config: "failOn: 3", says: "ktrace.yaml:1: failOn must be text, not 3" },
  {
    config: "a: 1\nrules: {KT1: loud}".slice(5),
    says: 'ktrace.yaml:1: the rule "KT1" must be error, warning, info, off, or a list of one of these and the rule\'s options',
    help: "for example `KT402: warning`",
  },
  { config: "rules:\n  KT1: true", says: /^ktrace\.yaml:2: the rule "KT1" must be/ },
  { config: "rules: {KT1: [off, 3]}", says: 'ktrace.yaml:1: the rule "KT1" has options that are no mapping' },
  { config: "rules: [KT1]", says: "ktrace.yaml:1: rules must be a mapping (key: value), not a list" },
  { config: "overrides:\n  - files: x\n    rule: {}", says: "ktrace.yaml:2: overrides[0].rules is missing" },
  { config: "overrides:\n  - {files: x, rules: {}, why: y}", says: 'ktrace.yaml:2: overrides[0] has no key "why"' },
  { config: "expect: [{run: curl x}]", says: "ktrace.yaml:1: expect[0].to is missing" },
];
for (const { config, says, help } of broken)
  test(`refused: ${config.replaceAll("\n", " ")}`, (t) => {
    const cwd = workspace(t, { "ktrace.yaml": config });
    assert.throws(
      () => findProject(cwd),
      (error) => {
        assert.ok(error instanceof UsageError);
        if (says instanceof RegExp) assert.match(error.message, says);
        else assert.equal(error.message, says);
        if (help !== undefined) assert.equal(error.help, help);
        return true;
      },
    );
  });

test("a file by name, or none", (t) => {
  const cwd = workspace(t, { "ktrace.yaml": "profile: strict", "sub/other.yaml": "profile: syntax\nmanifests: m" });
  assert.equal(findProject(cwd)?.lint.profile, "strict");
  assert.equal(findProject(cwd, "sub/other.yaml")?.lint.profile, "syntax");
  assert.equal(findProject(cwd, "sub/other.yaml")?.directory, join(cwd, "sub"));
  assert.equal(findProject(cwd, false), undefined);
});

test("excluded files are passed over, unless they are named", (t) => {
  const pod = (name: string) => `{kind: Namespace, apiVersion: v1, metadata: {name: ${name}}}`;
  const cwd = workspace(t, { "ktrace.yaml": CONFIG, "k8s/a.yaml": pod("a"), "k8s/old/b.yaml": pod("b"), "k8s/gen/c.yaml": pod("c") });
  assert.deepEqual(readInput({ files: [], cwd }).files, ["k8s/a.yaml"]);
  assert.deepEqual(readInput({ files: ["k8s"], cwd, lint: true }).files, ["k8s/a.yaml"]);
  assert.deepEqual(readInput({ files: ["k8s/old/b.yaml"], cwd, lint: true }).files, ["k8s/old/b.yaml"]);
});

test("with -f, lint keeps the project's topology, a trace does not", (t) => {
  const topology = "{apiVersion: ktrace.dev/v1alpha1, kind: Topology, spec: {nodes: [{name: n1}]}}";
  const cwd = workspace(t, {
    "ktrace.yaml": "topology: t.yaml",
    "t.yaml": topology,
    "a.yaml": "{kind: Namespace, apiVersion: v1, metadata: {name: a}}",
  });
  assert.deepEqual(
    readInput({ files: ["a.yaml"], cwd, lint: true }).topology.nodes?.map(({ name }) => name),
    ["n1"],
  );
  assert.equal(readInput({ files: ["a.yaml"], cwd }).topology.nodes, undefined);
});

test("what is no pattern", () => {
  assert.throws(() => pathMatcher(["[z-a].yaml"], "/"), UsageError);
});

const paths: readonly (readonly [string, string, boolean])[] = [
  ["a.yaml", "a.yaml", true],
  ["a.yaml", "sub/a.yaml", false],
  ["**/a.yaml", "sub/deep/a.yaml", true],
  ["**/a.yaml", "a.yaml", true],
  ["sub", "sub/deep/a.yaml", true],
  ["sub/", "subs/a.yaml", false],
  ["sub/**", "sub/a.yaml", true],
  ["./sub/*.{yml,yaml}", "sub/a.yml", true],
  ["s?b/*.yaml", "sub/deep/a.yaml", false],
];
for (const [pattern, path, matches] of paths)
  test(`${pattern} ${matches ? "holds" : "leaves out"} ${path}`, () =>
    assert.equal(pathMatcher([pattern], "/base")(`/base/${path}`), matches));
