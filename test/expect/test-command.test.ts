/** `ktrace test`: every key of an expectation holds and fails; what-ifs; reports; what was recorded passes. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { dump } from "js-yaml";
import { ktrace } from "../cli/io.ts";

const REFERENCE = "fixtures/tomcat6";
const HEAD = { apiVersion: "ktrace.dev/v1alpha1", kind: "Expectations" };
const validate = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync("schema/test-report.schema.json", "utf8")));

type Report = {
  readonly summary: { readonly passed: number; readonly failed: number; readonly skipped: number };
  readonly tests: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly at?: string;
    readonly requests: readonly { readonly from: string; readonly failures: readonly string[] }[];
  }[];
};
type Answer = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** Runs tests against a fixture, in a file of their own. */
async function run(tests: readonly object[] | string, words: readonly string[] = [], cwd = REFERENCE, manifests = cwd): Promise<Answer> {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-expect-"));
  const file = join(dir, "expectations.yaml");
  writeFileSync(file, typeof tests === "string" ? tests : dump({ ...HEAD, tests }));
  const answer = await ktrace(["-q", "-f", resolve(manifests), "-t", resolve(cwd, "topology.yaml"), "test", file, ...words], { cwd });
  rmSync(dir, { recursive: true });
  return answer;
}

async function report(tests: readonly object[], cwd = REFERENCE): Promise<Report> {
  const { stdout, stderr, status } = await run(tests, ["-o", "json"], cwd);
  assert.notEqual(stdout, "", stderr);
  const document: Report = JSON.parse(stdout);
  assert.ok(validate(document), JSON.stringify(validate.errors));
  assert.equal(status, document.summary.failed > 0 ? 1 : 0);
  return document;
}

const nodePort = { from: "external", to: "node2:31160" };
const ingress = { from: "external", to: "http://www.test.com/" };

/** A request, an expectation that holds, one that does not, and what is then said. */
const KEYS: readonly (readonly [key: string, request: object, holds: object, fails: object, said: RegExp])[] = [
  [
    "verdict",
    nodePort,
    { verdict: "delivered" },
    { verdict: ["dropped", "rejected"] },
    /^verdict: expected dropped or rejected, is delivered$/,
  ],
  [
    "reason",
    { from: "external", to: "10.96.246.235:80" },
    { reason: "no-route" },
    { reason: "host-unreachable" },
    /^reason: expected host-unreachable, is no-route$/,
  ],
  ["reason of what is delivered", nodePort, { verdict: "delivered" }, { reason: "no-route" }, /is none: delivered$/],
  [
    "status",
    { from: "external", run: "curl --resolve nobody.test:80:192.168.56.101 http://nobody.test/" },
    { status: 404 },
    { status: 200 },
    /^status: expected 200, is 404$/,
  ],
  ["exitCode", nodePort, { exitCode: 0 }, { exitCode: 7 }, /^exitCode: expected 7, is 0$/],
  [
    "backends.deployment",
    nodePort,
    { backends: { deployment: "tomcat6" } },
    { backends: { deployment: "web" } },
    /^backends: expected deployment web, 10\.244\.\S+ is a pod of Deployment default\/tomcat6$/,
  ],
  [
    "backends.node",
    nodePort,
    { backends: { node: ["k8s-node2", "k8s-node3"] } },
    { backends: { node: "k8s-node2" } },
    /^backends: expected node k8s-node2, 10\.244\.2\.10 is/,
  ],
  ["backends.count", nodePort, { backends: { count: 3 } }, { backends: { count: 2 } }, /^backends: expected 2, there are 3$/],
  [
    "backends.addresses",
    nodePort,
    { backends: { addresses: ["10.244.2.11:8080", "10.244.1.11:8080", "10.244.2.10:8080"] } },
    { backends: { addresses: ["10.244.1.11:8080"] } },
    /^backends: expected exactly 10\.244\.1\.11:8080, there are/,
  ],
  [
    "clientIPSeen",
    nodePort,
    { clientIPSeen: "node" },
    { clientIPSeen: "preserved" },
    /^clientIPSeen: expected preserved, tomcat6-\S+ sees 10\.244\.1\.\d+$/,
  ],
  [
    "clientIPSeen as a range",
    { from: "pod/nginx", to: "svc/tomcat6:80" },
    { clientIPSeen: "10.244.1.0/24" },
    { clientIPSeen: "10.0.2.5" },
    /sees 10\.244\.1\.15$/,
  ],
  [
    "clientIPAtProxy",
    ingress,
    { clientIPAtProxy: "preserved" },
    { clientIPAtProxy: "node" },
    /^clientIPAtProxy: expected node, \S+ sees 192\.168\.56\.1$/,
  ],
  ["via", nodePort, { via: ["k8s-node2", "client"] }, { via: ["k8s-node1"] }, /^via: a path does not cross k8s-node1$/],
  ["notVia", nodePort, { notVia: ["k8s-node1"] }, { notVia: ["k8s-node3"] }, /^notVia: a path crosses k8s-node3$/],
  ["maxHops", nodePort, { maxHops: 4 }, { maxHops: 3 }, /^maxHops: expected at most 3, a path has 4$/],
  [
    "not",
    nodePort,
    { not: { verdict: "dropped" } },
    { not: { verdict: "delivered", backends: { count: 3 } } },
    /^not: all of \{"verdict":"delivered","backends":\{"count":3\}\} holds$/,
  ],
];

for (const [key, request, holds, fails, said] of KEYS)
  test(`expect ${key}`, async () => {
    const { tests } = await report([
      { name: "holds", ...request, expect: holds },
      { name: "fails", ...request, expect: fails },
    ]);
    assert.deepEqual(
      tests.map(({ outcome }) => outcome),
      ["passed", "failed"],
      JSON.stringify(tests),
    );
    assert.match(tests[1]?.requests[0]?.failures[0] ?? "", said);
  });

test("only: those listed are delivered, and nobody else", async () => {
  const everybody = [{ podSelector: {} }, { nodes: true }];
  const { tests } = await report([
    { name: "all may", fromEach: everybody, to: "svc/tomcat6:80", expect: { only: ["deployment/*", "pod/nginx", "pod/*", "node/*"] } },
    { name: "nginx alone", fromEach: everybody, to: "svc/tomcat6:80", expect: { only: ["pod/nginx"] } },
  ]);
  assert.deepEqual(
    tests.map(({ outcome }) => outcome),
    ["passed", "failed"],
  );
  const failing = tests[1]?.requests.filter(({ failures }) => failures.length > 0).map(({ from }) => from) ?? [];
  assert.ok(failing.length > 3 && !failing.includes("pod/default/nginx"));
});

test("what is unknown fails, whatever was expected but that", async () => {
  const request = { from: "pod/nginx", to: "http://nobody-knows.example.com/" };
  const { tests } = await report([
    { name: "delivered", ...request, expect: { verdict: "delivered" } },
    { name: "not delivered", fromEach: ["pod/nginx"], to: request.to, expect: { only: ["pod/other"] } },
    { name: "unknown", ...request, expect: { verdict: "unknown" } },
  ]);
  assert.deepEqual(
    tests.map(({ outcome }) => outcome),
    ["failed", "failed", "passed"],
  );
});

const WHAT_IFS: readonly (readonly [what: object, expect: object])[] = [
  [{ nodeDown: { name: "k8s-node3" } }, { verdict: "delivered", backends: { node: "k8s-node2", count: 3 } }],
  [
    { nodeDown: { name: "k8s-node3" }, phase: "immediate" },
    { verdict: "mixed", reason: ["host-unreachable", "reply-lost"] },
  ],
  [{ podNotReady: { name: "tomcat6-*" } }, { verdict: "rejected", reason: "no-endpoints" }],
  [{ replicas: { name: "tomcat6", count: 0 } }, { verdict: "rejected", reason: "no-endpoints" }],
  [{ replicas: { name: "tomcat6", count: 1 } }, { verdict: "delivered", backends: { count: 1 } }],
  [{ removed: { kind: "Service", name: "tomcat6" } }, { verdict: "rejected", reason: "not-listening" }],
  [{ mode: "nftables" }, { verdict: "rejected", reason: "not-listening" }], // only the node's primary address takes node ports
  [{ mode: "ipvs", kubernetesVersion: "1.30" }, { verdict: "delivered" }],
];
for (const [whatIf, expect] of WHAT_IFS)
  test(`whatIf ${JSON.stringify(whatIf)}`, async () => {
    const { tests } = await report([{ name: "it", whatIf, ...nodePort, expect }]);
    assert.deepEqual(tests[0]?.requests[0]?.failures, []);
  });

test("what is recorded passes, and covers everything", async () => {
  for (const [fixture, manifests] of [
    [REFERENCE, REFERENCE],
    ["fixtures/diff", "fixtures/diff/after"],
  ] as const) {
    const { stdout, status } = await ktrace(["-q", "test", "--record"], { cwd: fixture });
    assert.equal(status, 0);
    const again = await run(stdout, ["--coverage"], fixture, manifests);
    assert.match(again.stdout, /^\d+ passed, 0 failed/m, again.stdout + again.stderr);
    const missing = again.stdout.split("\n").filter((line) => line.startsWith("not asked"));
    assert.deepEqual(
      missing.filter((line) => !/NetworkPolicy .* \(not modelled yet\)$/.test(line)),
      [],
    );
  }
});

test("text: a failing test with its place and the trace", async () => {
  const { stdout, status } = await run([
    { name: "nobody gets in", from: "external", to: "node2:31160", expect: { verdict: "dropped" } },
    { name: "later", to: "node2", expect: { verdict: "delivered" }, skip: "not yet" },
  ]);
  assert.equal(status, 1);
  assert.match(stdout, /^FAIL {2}nobody gets in {2}\S+expectations\.yaml:4:11$/m);
  assert.match(stdout, /^ {6}from external: verdict: expected dropped, is delivered$/m);
  assert.match(stdout, /^ {6}trace --to node2:31160 {3}from client 192\.168\.56\.1$/m);
  assert.match(stdout, /^skip {2}later: not yet$/m);
  assert.match(stdout, /^0 passed, 1 failed, 1 skipped \(1 request\)$/m);
});

test("tap, junit and dots", async () => {
  const tests = [
    { name: "a & <b>", ...nodePort, expect: { verdict: "delivered" } },
    { name: "c", ...nodePort, expect: { verdict: "dropped" } },
  ];
  assert.equal(
    (await run(tests, ["-o", "tap"])).stdout,
    'TAP version 14\n1..2\nok 1 - a & <b>\nnot ok 2 - c\n  ---\n  failures:\n    - "from external: verdict: expected dropped, is delivered"\n  ...\n',
  );
  assert.match(
    (await run(tests, ["-o", "junit"])).stdout,
    /<testcase name="a &amp; &lt;b&gt;" [^>]*line="4"\/>\n.*<failure message="from external: verdict: expected dropped, is delivered">/,
  );
  assert.match((await run(tests, ["-o", "dots"])).stdout, /^\.F\n/);
});

const WRONG: readonly (readonly [what: string, tests: readonly object[], said: RegExp])[] = [
  ["an unknown key", [{ name: "x", ...nodePort, expect: { verdikt: "delivered" } }], /verdikt[\s\S]*did you mean verdict/],
  ["an unknown verdict", [{ name: "x", ...nodePort, expect: { verdict: "ok" } }], /"ok"/],
  ["no request", [{ name: "x", expect: { verdict: "delivered" } }], /must have either `to` or `run`/],
  ["nothing expected", [{ name: "x", ...nodePort, expect: {} }], /expects nothing/],
  [
    "two of one name",
    [
      { name: "x", ...nodePort, expect: { exitCode: 0 } },
      { name: "x", ...nodePort, expect: { exitCode: 0 } },
    ],
    /two tests are called "x"/,
  ],
  [
    "nobody asks",
    [{ name: "x", fromEach: [{ podSelector: { app: "nobody" } }], to: "node2:31160", expect: { exitCode: 0 } }],
    /fromEach\[0\] selects nobody that runs/,
  ],
  [
    "a Service that is not there",
    [{ name: "x", to: "svc/nobody:80", expect: { exitCode: 0 } }],
    /test "x": to: no Service default\/nobody/,
  ],
  [
    "a node that is not there",
    [{ name: "x", ...nodePort, whatIf: { nodeDown: { name: "n9" } }, expect: { exitCode: 0 } }],
    /whatIf\.nodeDown: no node "n9"/,
  ],
  ["a command that is no test's", [{ name: "x", run: "rm -rf /", expect: { exitCode: 0 } }], /run: "rm" is no command of a test/],
];
for (const [what, tests, said] of WRONG)
  test(`${what} is an error`, async () => {
    const { status, stderr, stdout } = await run(tests);
    assert.equal(status, 2, stdout);
    assert.match(stderr, said);
  });
