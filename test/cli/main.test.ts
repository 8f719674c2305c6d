import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { reportTrouble } from "../../src/cli/trouble.ts";
import { parseDocument } from "../../src/manifests/yaml/parse.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";
import { VERSION } from "../../src/version.ts";
import { ktrace } from "./io.ts";

test("alone: a short help with three examples, exit 0", async () => {
  const { status, stdout, stderr } = await ktrace([]);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.equal(stdout.match(/^ {2}ktrace /gm)?.length, 3);
  for (const { name } of COMMANDS) assert.match(stdout, new RegExp(`\\b${name}\\b`));
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  assert.equal(VERSION, version);
  assert.deepEqual(await ktrace(["--version"]), { status: 0, stdout: `${version}\n`, stderr: "" });
});

test("called as kubectl-ktrace, usage lines say kubectl ktrace", async () => {
  for (const words of [[], ["--help"], ["help", "curl"], ["curl", "--help"]]) {
    const { stdout } = await ktrace(words, { program: "kubectl ktrace" });
    assert.match(stdout, /kubectl ktrace/);
    assert.doesNotMatch(stdout, /(?<!kubectl )\bktrace (curl|exec|get|-f|\[)/);
  }
});

for (const { name } of COMMANDS) {
  test(`${name} --help and help ${name} print the same usage, exit 0`, async () => {
    const [a, b] = [await ktrace([name, "--help"]), await ktrace(["help", name])];
    assert.deepEqual(a, b);
    assert.equal(a.status, 0);
    assert.match(a.stdout, new RegExp(`^Usage: ktrace ${name}`));
  });
}

const wrong = [
  { words: ["nosuch"], says: /unknown command 'nosuch'/ },
  { words: ["crul", "node2"], says: /unknown command 'crul'/, help: /did you mean curl\?/ },
  { words: ["gte", "curl"], says: /unknown command 'gte'/ },
  { words: ["--tpology", "x", "curl", "node2"], says: /unknown option '--tpology'/, help: /--topology/ },
  { words: ["--namepsace", "x", "curl", "node2"], says: /unknown option '--namepsace'/, help: /--namespace/ },
  { words: ["curl", "node2", "--namepsace", "x"], says: /no flag --namepsace/, help: /--namespace/ },
  { words: ["-f"], says: /argument missing/ },
  { words: ["-q"], says: /which command/ },
  { words: ["--color", "sometimes", "curl", "node2"], says: /--color is auto, always or never/ },
  { words: ["curl", "node2", "-o", "/dev/null"], says: /-o is the output format.*no file to name/ },
  { words: ["curl", "node2", "-o", "xml"], says: /one of text, json, jsonl/ },
  { words: ["exec"], says: /needs a SOURCE/ },
  { words: ["exec", "pod/nginx"], says: /needs a command after --/, help: /curl, nc, ping/ },
  { words: ["exec", "pod/nginx", "curl", "x"], says: /after the SOURCE/, help: /put -- before/ },
  { words: ["exec", "pod/nginx", "--", "crul", "x"], says: /does not know the command "crul"; did you mean curl\?/, help: /iptables-save/ },
  { words: ["trace"], says: /needs --to/ },
  { words: ["trace", "--to", "node2"], says: /has no port/ },
  { words: ["trace", "--to", "node2:80", "--protocol", "gre"], says: /one of tcp, udp, sctp, icmp/ },
  { words: ["explain", "no-endpoint"], says: /nothing is called/, help: /no-endpoints/ },
  { words: ["schema", "nosuch"], says: /no schema/, help: /topology/ },
  { words: ["completion", "tcsh"], says: /no completion for/ },
  { words: ["curl", "\u001b[31mred"], says: /\\x1b\[31mred|\\u001b\[31mred/ },
];
for (const { words, says, help } of wrong) {
  test(`ktrace ${JSON.stringify(words.join(" "))}: exit 2, one error on stderr`, async () => {
    const { status, stdout, stderr } = await ktrace(words);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /^ktrace: error: /);
    assert.match(stderr, says);
    if (help !== undefined) assert.match(stderr, help);
    assert.doesNotMatch(stderr, /[\u0000-\u0009\u000b-\u001f]/);
  });
}

test("with -o json an error is one document on stdout", async () => {
  const { status, stdout } = await ktrace(["curl", "-o", "json"]);
  const document = JSON.parse(stdout);
  assert.deepEqual([status, document.apiVersion, document.kind], [2, "ktrace.dev/v1alpha1", "Error"]);
  assert.match(document.message, /URL is missing/);
});

test("-o yaml is the JSON document as YAML, in the same order", async () => {
  const asked = ["exec", "pod/nginx", "--", "curl", "http://tomcat6/"];
  const [yaml, json] = [await ktrace(["-o", "yaml", ...asked]), await ktrace(["-o", "json", ...asked])];
  const parsed = parseDocument({ text: yaml.stdout, offset: 0 });
  assert.ok("value" in parsed);
  assert.equal(JSON.stringify(parsed.value), JSON.stringify(JSON.parse(json.stdout)));
  assert.match(yaml.stdout, /^apiVersion: ktrace\.dev\/v1alpha1\nkind: Trace\n/);
});

test("--kubernetes-version stands before what the topology says", async () => {
  const listeners = async (...flags: readonly string[]) =>
    (await ktrace([...flags, "exec", "node/k8s-node2", "--", "ss", "-ltnp"])).stdout.includes(":31160");
  assert.deepEqual([await listeners(), await listeners("--kubernetes-version", "1.17")], [false, true]);
  const { status, stderr } = await ktrace(["--kubernetes-version", "latest", "get", "nodes"]);
  assert.deepEqual([status, stderr.split("\n")[0]], [2, 'ktrace: error: "latest" is no Kubernetes release']);
});

test("an error shows its place, the line and what to do", () => {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-"));
  writeFileSync(join(dir, "a.yaml"), "kind: Service\nport: eighty\n");
  const out = { text: "" };
  const stream = {
    isTTY: false,
    columns: undefined,
    write: (text: string) => {
      out.text += text;
    },
  };
  const io = { argv: [], program: "ktrace" as const, env: {}, cwd: dir, readStdin: () => "", stdout: stream, stderr: stream };
  const at = { file: "a.yaml", line: 2, column: 7, endLine: 2, endColumn: 13 };
  const status = reportTrouble(
    new UsageError("cannot read it", "fix it", [{ code: "KT005", severity: "error", message: "no number", at }]),
    io,
  );
  rmSync(dir, { recursive: true });
  assert.equal(status, 2);
  assert.equal(
    out.text,
    [
      "ktrace: error: cannot read it",
      "error[KT005]: no number",
      "  --> a.yaml:2:7",
      "   |",
      " 2 | port: eighty",
      "   |       ^^^^^^",
      "  help: fix it",
      "",
    ].join("\n"),
  );
});

test("a bug is one line and exit 2; the stack only with KTRACE_DEBUG", () => {
  const run = (env: Record<string, string>) => {
    const out = { text: "" };
    const stream = {
      isTTY: false,
      columns: undefined,
      write: (text: string) => {
        out.text += text;
      },
    };
    assert.equal(
      reportTrouble(new Error("broken\u0007"), {
        argv: [],
        program: "ktrace",
        env,
        cwd: "/",
        readStdin: () => "",
        stdout: stream,
        stderr: stream,
      }),
      2,
    );
    return out.text;
  };
  assert.match(run({}), /^ktrace: error: ktrace bug: broken\\x07\n {2}help: set KTRACE_DEBUG=1[^\n]*\n$/);
  assert.match(run({ KTRACE_DEBUG: "1" }), /\n {4}at /);
});

test("init writes two files once, and what it writes can be used", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-"));
  try {
    assert.equal((await ktrace(["init"], { cwd: dir })).status, 0);
    assert.deepEqual(readdirSync(dir).sort(), ["ktrace.yaml", "topology.yaml"]);
    const again = await ktrace(["init"], { cwd: dir });
    assert.equal(again.status, 2);
    assert.match(again.stderr, /already here/);
    writeFileSync(
      join(dir, "pod.yaml"),
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]}\n",
    );
    const asked = await ktrace(["exec", "node/node1", "--", "hostname"], { cwd: dir });
    assert.deepEqual(asked, { status: 0, stdout: "node1\n", stderr: "" });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("explain lists every code and explains each", async () => {
  const list = await ktrace(["explain"]);
  const codes = list.stdout
    .trimEnd()
    .split("\n")
    .map((row) => row.split(" ")[0] ?? "");
  assert.ok(codes.includes("no-endpoints"));
  for (const code of codes) assert.match((await ktrace(["explain", code])).stdout, new RegExp(`^${code}: `));
  assert.equal(JSON.parse((await ktrace(["explain", "-o", "json"])).stdout).reasons.length, codes.length);
});

test("schema prints each schema as JSON", async () => {
  const names = (await ktrace(["schema"])).stdout.trimEnd().split("\n");
  assert.ok(names.includes("topology"));
  for (const name of names) assert.equal(typeof JSON.parse((await ktrace(["schema", name])).stdout), "object");
});
