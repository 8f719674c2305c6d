import assert from "node:assert/strict";
import { chmodSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type InputRequest, readInput } from "../../src/manifests/input.ts";
import { findProject } from "../../src/manifests/project.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";
import { format, workspace } from "./workspace.ts";

const ns = (name: string): string => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;
const topology = (name: string): string => `apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nmetadata: {name: ${name}}\n`;

/** The names of the objects with the files they come from. */
const names = (request: InputRequest): readonly string[] =>
  readInput(request).objects.map(({ metadata, source }) => `${metadata.name} ${source.file}`);

const FILES = {
  "k8s/b.yml": ns("b"),
  "k8s/a.yaml": ns("a"),
  "k8s/deep/er/c.json": '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"c"}}',
  "k8s/deep/.d.yaml": ns("hidden"),
  "k8s/.git/x.yaml": ns("x"),
  "k8s/note.txt": "- no",
  "k8s/ktrace.yaml": "manifests: []",
  "e.txt": ns("e"),
};

const listings: readonly { readonly name: string; readonly files: readonly string[]; readonly reads: readonly string[] }[] = [
  {
    name: "a directory, with what lies below it, in the order of names",
    files: ["k8s"],
    reads: ["a k8s/a.yaml", "b k8s/b.yml", "hidden k8s/deep/.d.yaml", "c k8s/deep/er/c.json"],
  },
  { name: "a file of any name", files: ["e.txt"], reads: ["e e.txt"] },
  {
    name: "in the order of the flags, each file once",
    files: ["k8s/b.yml", "k8s/../k8s/b.yml", "k8s/*.y*ml"],
    reads: ["b k8s/b.yml", "a k8s/a.yaml"],
  },
  { name: "** at any depth", files: ["**/*.{json,yml}"], reads: ["b k8s/b.yml", "c k8s/deep/er/c.json"] },
  { name: "sets and single characters", files: ["k8s/[!b].yam?"], reads: ["a k8s/a.yaml"] },
  { name: "standard input among files", files: ["-", "k8s/a.yaml"], reads: ["stdin -", "a k8s/a.yaml"] },
];
for (const { name, files, reads } of listings) {
  test(`reads ${name}`, (t) => assert.deepEqual(names({ files, cwd: workspace(t, FILES), stdin: () => ns("stdin") }), reads));
}

test("paths are said relative to the working directory", (t) => {
  const root = workspace(t, FILES);
  assert.deepEqual(names({ files: [join(root, "k8s/a.yaml"), "../e.txt"], cwd: join(root, "k8s") }), ["a a.yaml", "e ../e.txt"]);
});

test("a file named like a pattern is itself", (t) => {
  assert.deepEqual(names({ files: ["[a].yaml"], cwd: workspace(t, { "[a].yaml": ns("x"), "a.yaml": ns("y") }) }), ["x [a].yaml"]);
});

test("links in a circle are entered once", (t) => {
  const cwd = workspace(t, { "k8s/a.yaml": ns("a") });
  symlinkSync(".", join(cwd, "k8s/loop"));
  const { objects, diagnostics } = readInput({ files: ["k8s"], cwd });
  assert.deepEqual(
    [objects.length, diagnostics.map(format)],
    [1, ["info directory-loop k8s/loop leads back to a directory above it; not entered again"]],
  );
});

test("lists are unpacked, members of a typed list need not say their kind", (t) => {
  const text = `apiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: {name: a}\n- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Node, metadata: {name: node, namespace: x}}]}\n`;
  const { objects } = readInput({ files: ["-"], cwd: workspace(t, {}), stdin: () => text });
  assert.deepEqual(
    objects.map(({ kind, metadata, source }) => [kind, metadata, source.path]),
    [
      ["Namespace", { name: "a" }, ["items", 0]],
      ["Node", { name: "node" }, ["items", 1, "items", 0]],
    ],
  );
});

test("of ConfigMaps only the network's own are kept, of Secrets none; other people's Services are not ours", (t) => {
  const object = (apiVersion: string, kind: string, name: string) =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {namespace: kube-system, name: ${name}}\nspec: {}\n---\n`;
  const text =
    object("v1", "ConfigMap", "kube-proxy") +
    object("v1", "ConfigMap", "other") +
    object("v1", "Secret", "s") +
    object("serving.knative.dev/v1", "Service", "k") +
    object("v1", "Service", "mine");
  const { objects, diagnostics } = readInput({ files: ["-"], cwd: workspace(t, {}), stdin: () => text });
  assert.deepEqual(
    objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ["ConfigMap kube-proxy", "Service mine"],
  );
  assert.deepEqual(diagnostics, []);
});

test("nulls are absent; in a map of text they are empty", (t) => {
  const text =
    "apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: {x: , z: w}, annotations: }\nspec: {selector: , ports: [{port: 80, nodePort: null}]}\n";
  const [object] = readInput({ files: ["-"], cwd: workspace(t, {}), stdin: () => text }).objects;
  assert.deepEqual(object && { ...object, source: 0 }, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "a", namespace: "default", labels: { x: "", z: "w" } },
    spec: { ports: [{ port: 80 }] },
    source: 0,
  });
});

test("before apps/v1 the selector is the template's labels", (t) => {
  const text =
    "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c}]}}}\n";
  const [object] = readInput({ files: ["-"], cwd: workspace(t, {}), stdin: () => text }).objects;
  assert.ok(object?.kind === "Deployment");
  assert.deepEqual([object.apiVersion, object.spec?.selector], ["extensions/v1beta1", { matchLabels: { app: "a" } }]);
});

test("the topology: named, else the one among the manifests, else none", (t) => {
  const cwd = workspace(t, {
    "k8s/a.yaml": ns("a"),
    "k8s/t.yaml": topology("among"),
    "other.yaml": topology("named"),
    "bare/a.yaml": ns("a"),
  });
  assert.equal(readInput({ files: ["k8s"], cwd }).topology.name, "among");
  assert.equal(readInput({ files: ["k8s"], topology: "other.yaml", cwd }).topology.name, "named");
  assert.equal(readInput({ files: ["k8s"], topology: "k8s/t.yaml", cwd }).topology.name, "among");
  assert.equal(readInput({ files: [], topology: "other.yaml", cwd }).topology.name, "named");
  assert.deepEqual(readInput({ files: ["bare"], cwd }).topology, {});
});

test("a node's own rules are read beside the topology", (t) => {
  const text = `${topology("x")}spec: {nodes: [{name: a, iptables: rules/a.rules}]}\n`;
  const cwd = workspace(t, { "net/t.yaml": text, "net/rules/a.rules": "*filter\nCOMMIT\n" });
  assert.deepEqual(readInput({ files: [], topology: "net/t.yaml", cwd }).topology.ruleFiles, {
    a: { file: "net/rules/a.rules", text: "*filter\nCOMMIT\n" },
  });
});

test("the project file: nearest upward; -f wins whole; -t replaces its topology", (t) => {
  const root = workspace(t, {
    "ktrace.yaml": "manifests: [k8s, 'more/*.yaml']\ntopology: net/t.yaml\n",
    "k8s/a.yaml": ns("a"),
    "more/b.yaml": ns("b"),
    "net/t.yaml": topology("project"),
    "sub/deep/c.yaml": ns("c"),
    "sub/t.yaml": topology("flag"),
  });
  const cwd = join(root, "sub/deep");
  const input = readInput({ files: [], cwd });
  assert.deepEqual(
    [input.objects.map(({ source }) => source.file), input.topology.name],
    [["../../k8s/a.yaml", "../../more/b.yaml"], "project"],
  );
  const flagged = readInput({ files: ["c.yaml"], cwd });
  assert.deepEqual([flagged.objects.map(({ source }) => source.file), flagged.topology], [["c.yaml"], {}]);
  const replaced = readInput({ files: [], topology: "../t.yaml", cwd });
  assert.deepEqual([replaced.objects.length, replaced.topology.name], [2, "flag"]);
  assert.equal(findProject(cwd)?.file, "../../ktrace.yaml");
});

const refusals: readonly {
  readonly name: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly request: Partial<InputRequest>;
  readonly says: string;
  readonly helps?: RegExp;
}[] = [
  {
    name: "nothing named",
    request: {},
    says: "nothing to read: no -f, and no ktrace.yaml here or in a directory above",
    helps: /ktrace -f k8s/,
  },
  {
    name: "no such file",
    files: { "tomcat.yaml": "" },
    request: { files: ["tomcta.yaml"] },
    says: 'cannot read "tomcta.yaml": no such file or directory',
    helps: /did you mean "tomcat.yaml"\?/,
  },
  {
    name: "an empty directory",
    files: { "k8s/readme.md": "" },
    request: { files: ["k8s"] },
    says: 'no manifest in the directory "k8s"',
    helps: /\.yaml, \.yml or \.json/,
  },
  { name: "a pattern without a match", request: { files: ["*.yaml"] }, says: 'no file matches "*.yaml"' },
  {
    name: "empty standard input",
    request: { files: ["-"], stdin: () => "# nothing\n" },
    says: "no Kubernetes object could be read from standard input",
  },
  {
    name: "a file in which nothing can be read",
    files: { "a.yaml": "a: [" },
    request: { files: ["a.yaml"] },
    says: 'no Kubernetes object could be read from "a.yaml"',
  },
  {
    name: "an unknown key in the project file",
    files: { "ktrace.yaml": "manifest: [.]\n" },
    request: {},
    says: 'ktrace.yaml: unknown key "manifest"',
    helps: /did you mean manifests\?/,
  },
  {
    name: "a broken project file",
    files: { "ktrace.yaml": '\nmanifests: "k8s\n' },
    request: {},
    says: "ktrace.yaml:3: a bracket or quote that is not closed before this line, which is indented too little to belong to it",
  },
  {
    name: "manifests as -t",
    files: { "a.yaml": ns("a") },
    request: { topology: "a.yaml" },
    says: '"a.yaml" is no topology',
    helps: /read them with -f/,
  },
  { name: "a missing topology", request: { topology: "t.yaml" }, says: 'cannot read "t.yaml": no such file' },
  {
    name: "two topologies to choose from",
    files: { "a.yaml": topology("a"), "b.yaml": topology("b") },
    request: { files: ["."] },
    says: "two topologies: in a.yaml and in b.yaml",
    helps: /-t/,
  },
  {
    name: "a missing rules file",
    files: { "t.yaml": `${topology("x")}spec: {nodes: [{name: a, iptables: a.rules}]}` },
    request: { topology: "t.yaml" },
    says: "the topology in t.yaml cannot be used",
  },
];
for (const { name, files, request, says, helps } of refusals) {
  test(`refuses ${name}`, (t) => {
    const cwd = workspace(t, files ?? {});
    assert.throws(
      () => readInput({ files: [], cwd, ...request }),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.message, says);
        if (helps) assert.match(error.help ?? "", helps);
        return true;
      },
    );
  });
}

test("an unreadable file is named", { skip: process.getuid?.() === 0 }, (t) => {
  const cwd = workspace(t, { "a.yaml": ns("a") });
  chmodSync(join(cwd, "a.yaml"), 0);
  assert.throws(() => readInput({ files: ["a.yaml"], cwd }), /cannot read "a.yaml": permission denied/);
});
