/** `ktrace diff`: a shop with ten edits that change flows, and one that does not; each is named, and nothing else is. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { ktrace } from "../cli/io.ts";

const validate = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync("schema/diff.schema.json", "utf8")));
const FIXTURE = "fixtures/diff";

type Document = {
  readonly summary: { readonly differ: number };
  readonly edits: readonly {
    readonly kind: string;
    readonly at?: string;
    readonly object?: { readonly name: string };
    readonly fields?: readonly { readonly path: string }[];
  }[];
  readonly changes: readonly {
    readonly source: string;
    readonly target: string;
    readonly causes: readonly number[];
    readonly differs: readonly string[];
  }[];
};

async function diff(words: readonly string[], cwd = "."): Promise<{ readonly status: number; readonly document: Document }> {
  const { status, stdout, stderr } = await ktrace(["diff", ...words, "-o", "json"], { cwd });
  assert.notEqual(stdout, "", stderr);
  const document: Document = JSON.parse(stdout);
  assert.ok(validate(document), JSON.stringify(validate.errors));
  assert.equal(status, document.summary.differ === 0 ? 0 : 1);
  return { status, document };
}

/** What caused any change, as `legacy removed`, `api spec.selector.app`. */
function causesOf({ edits, changes }: Document): string[] {
  const used = new Set(changes.flatMap(({ causes }) => causes));
  return edits
    .flatMap(({ kind, object, fields = [] }, i) => (used.has(i) ? [`${object?.name ?? "topology"} ${fields[0]?.path ?? kind}`] : []))
    .sort();
}

const TEN = [
  "api spec.selector.app", // a slip in a selector
  "cache spec.ports[0].port", // another port, and the target port that keeps it working
  "cache spec.ports[0].targetPort",
  "db spec.ports[0].targetPort",
  "legacy removed",
  "mail spec.replicas",
  "pay spec.loadBalancerSourceRanges[0]",
  "reports spec.ports[0].nodePort", // with its type: no longer a NodePort
  "search spec.internalTrafficPolicy",
  "shop spec.rules[0].http.paths[0].backend.service.name", // of two equal paths the first one counts
  "web spec.externalTrafficPolicy",
];

test("each edit is named with its flows, the policy that nobody enforces is not", async () => {
  const { document } = await diff([`${FIXTURE}/before`, `${FIXTURE}/after`, "-t", `${FIXTURE}/topology.yaml`]);
  assert.deepEqual(causesOf(document), TEN);
  assert.ok(document.edits.some(({ object }) => object?.name === "default-deny"));
  for (const { target, causes } of document.changes) {
    const names = causes.map((i) => document.edits[i]?.object?.name ?? "");
    if (target.startsWith("svc/"))
      assert.ok(
        names.every((name) => target.includes(`/${name}:`)),
        `${target} by ${names}`,
      );
  }
});

/** The fixture with some files of the day before put back. */
function undone(files: readonly string[]): { readonly dir: string; readonly remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-diff-"));
  cpSync(`${FIXTURE}/after`, join(dir, "after"), { recursive: true });
  for (const file of files) cpSync(`${FIXTURE}/before/${file}`, join(dir, "after", file));
  return { dir: join(dir, "after"), remove: () => rmSync(dir, { recursive: true }) };
}

test("undoing web.yaml removes its cause and no other", async () => {
  const { dir, remove } = undone(["web.yaml"]);
  const { document } = await diff([`${FIXTURE}/before`, dir, "-t", `${FIXTURE}/topology.yaml`]);
  remove();
  assert.deepEqual(
    causesOf(document),
    TEN.filter((cause) => !cause.startsWith("web ")),
  );
});

test("another form of the same files is no difference", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-diff-"));
  for (const file of readdirSync(`${FIXTURE}/before`)) {
    const text = readFileSync(`${FIXTURE}/before/${file}`, "utf8");
    const documents = text.split("---\n").reverse(); // in another order, with comments, CRLF and quotes
    writeFileSync(
      join(dir, file),
      `# ${file}\r\n${documents
        .join("---\n")
        .replace(/name: (\w+)$/gm, 'name: "$1" # a name')
        .replaceAll("\n", "\r\n")}`,
    );
  }
  const { status, document } = await diff([`${FIXTURE}/before`, dir, "-t", `${FIXTURE}/topology.yaml`]);
  rmSync(dir, { recursive: true });
  assert.equal(status, 0);
  assert.deepEqual([document.edits, document.changes], [[], []]);
});

test("a flow with two causes lists both", async () => {
  const { dir, remove } = undone(readdirSync(`${FIXTURE}/before`).filter((file) => file !== "db.yaml"));
  rmSync(join(dir, "policy.yaml"));
  const text = readFileSync(join(dir, "db.yaml"), "utf8").replace(/ {4}app: db\n {2}ports/, "    app: dbs\n  ports");
  writeFileSync(join(dir, "db.yaml"), text);
  const { document } = await diff([`${FIXTURE}/before`, dir, "-t", `${FIXTURE}/topology.yaml`]);
  remove();
  assert.deepEqual(causesOf(document), ["db spec.ports[0].targetPort", "db spec.selector.app"]);
  assert.ok(document.changes.every(({ causes }) => causes.length === 2));
});

test("--git: two revisions, and a revision against what lies here", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-git-test-"));
  const git = (...words: string[]): string =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main", ...words], {
      cwd: dir,
      encoding: "utf8",
    });
  git("init", "-q");
  cpSync(`${FIXTURE}/before/web.yaml`, join(dir, "k8s/web.yaml"));
  cpSync(`${FIXTURE}/topology.yaml`, join(dir, "topology.yaml"));
  writeFileSync(join(dir, "ktrace.yaml"), "manifests: [k8s]\ntopology: topology.yaml\n");
  git("add", "-A");
  git("commit", "-q", "-m", "before");
  cpSync(`${FIXTURE}/after/web.yaml`, join(dir, "k8s/web.yaml"));
  const here = await diff(["--git", "HEAD"], dir);
  git("commit", "-q", "-a", "-m", "after");
  const between = await diff(["--git", "HEAD~1..HEAD"], dir);
  const { stderr, status } = await ktrace(["diff", "--git", "nowhere..HEAD"], { cwd: dir });
  rmSync(dir, { recursive: true });
  for (const { document } of [here, between]) assert.deepEqual(causesOf(document), ["web spec.externalTrafficPolicy"]);
  assert.equal(between.document.edits[0]?.at, "k8s/web.yaml:28:26");
  assert.equal(status, 2);
  assert.match(stderr, /git knows no revision "nowhere"/);
});

test("--only broken leaves out what still works", async () => {
  const { document } = await diff([
    `${FIXTURE}/before/web.yaml`,
    `${FIXTURE}/after/web.yaml`,
    "-t",
    `${FIXTURE}/topology.yaml`,
    "--only",
    "broken",
  ]);
  assert.deepEqual(document.changes.map(({ source, target }) => `${source} ${target}`).sort(), [
    "host/client svc/default/web:80 nodePort at n1",
    "host/client svc/default/web:80 nodePort at n3",
  ]);
});

test("text and Markdown say the cause with its place", async () => {
  const words = ["diff", `${FIXTURE}/before/web.yaml`, `${FIXTURE}/after/web.yaml`, "-t", `${FIXTURE}/topology.yaml`];
  const text = await ktrace(words, { cwd: "." });
  assert.match(
    text.stdout,
    /^fixtures\/diff\/after\/web\.yaml:28:26: Service default\/web spec\.externalTrafficPolicy: Cluster -> Local$/m,
  );
  assert.match(
    text.stdout,
    /^ {2}BROKEN {4}host\/client -> svc\/default\/web:80 nodePort at n1\n {12}delivered -> dropped no-local-endpoints$/m,
  );
  const { stdout } = await ktrace([...words, "-o", "markdown"], { cwd: "." });
  assert.match(
    stdout,
    /^\| BROKEN \| host\/client \| svc\/default\/web:80 nodePort at n1 \| delivered -\\> dropped no-local-endpoints \|$/m,
  );
});
