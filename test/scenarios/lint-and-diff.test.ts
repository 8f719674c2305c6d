/** The mistakes of the articles, found by `ktrace lint` in what they print, and what `ktrace diff` says of their edits. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { ktrace, type Outcome } from "../cli/io.ts";
import { REFERENCE } from "./rows.ts";

const TOPOLOGY = resolve(REFERENCE, "topology.yaml");

type Report = {
  readonly findings: readonly {
    readonly code: string;
    readonly message: string;
    readonly severity: string;
    readonly location: { readonly line: number };
  }[];
};

/** Lints one text, with the reference cluster's machines. */
async function lint(text: string, words: readonly string[] = []): Promise<{ readonly outcome: Outcome; readonly report: Report }> {
  const outcome = await ktrace(["-f", "-", "-t", TOPOLOGY, "lint", "-o", "json", ...words], { stdin: text, cwd: REFERENCE });
  assert.notEqual(outcome.stdout, "", outcome.stderr);
  return { outcome, report: JSON.parse(outcome.stdout) };
}

const PODS = (name: string, labels: string, port: number): string =>
  `---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\nspec: {replicas: 2, selector: {matchLabels: {${labels}}}, template: {metadata: {labels: {${labels}}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: ${port}}]}]}}}\n`;
const SERVICE = (name: string, spec: string): string => `---\napiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {${spec}}\n`;

const M20 = SERVICE(
  "my-nginx",
  "type: NodePort, selector: {run: my-nginx}, ports: [{nodePort: 8080, targetPort: 80, protocol: TCP, name: http}, {nodePort: 443, protocol: TCP, name: https}]",
);
const M20FIX = SERVICE(
  "my-nginx",
  "type: NodePort, selector: {run: my-nginx}, ports: [{nodePort: 8080, port: 8080, targetPort: 80, protocol: TCP, name: http}, {nodePort: 443, port: 443, protocol: TCP, name: https}]",
);
const NGINX = readFileSync(join(REFERENCE, "ingress-controller.yaml"), "utf8");
const OLD_INGRESS =
  "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{host: www.test.com, http: {paths: [{backend: {serviceName: tomcat6, servicePort: 80}}]}}]}\n";

/** What is linted, and the codes that have to be among the findings, each as often as said. */
const FINDS: readonly (readonly [id: string, text: string, codes: Readonly<Record<string, number>>])[] = [
  [
    "S07",
    PODS("tomcat6", "app: tomcat6", 8080) +
      SERVICE("tomcat6", "selector: {app: tomcat6}, ports: [{nodePort: 31160}, {port: 80, protocol: TCP, targetPort: 8080}]"),
    { KT008: 1, KT109: 2 },
  ],
  [
    "S38",
    PODS("tomcat6", "app: tomcat6", 8080) +
      SERVICE("tomcat6", "selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080}]") +
      `---\n${OLD_INGRESS}`,
    { KT004: 1 },
  ],
  ["S57 outside", SERVICE("web", "clusterIP: 10.244.9.9, selector: {app: web}, ports: [{port: 80}]"), { KT111: 1 }],
  [
    "S57 taken",
    SERVICE("a", "clusterIP: 10.96.0.77, selector: {app: web}, ports: [{port: 80}]") +
      SERVICE("b", "clusterIP: 10.96.0.77, selector: {app: web}, ports: [{port: 80}]"),
    { KT110: 1 },
  ],
  ["S57 capitals", SERVICE("web", "clusterip: 10.96.0.77, selector: {app: web}, ports: [{port: 80}]"), { KT006: 1 }],
  ["S72 type", SERVICE("web", "type: nodeport, selector: {app: web}, ports: [{port: 80}]"), { KT008: 1 }],
  [
    "S85",
    SERVICE("my-service", "type: ExternalName, externalName: my.database.example.com") +
      SERVICE(
        "my-service",
        "selector: {app: MyApp}, ports: [{name: http, protocol: TCP, port: 80, targetPort: 9376}], externalIPs: [80.11.12.10]",
      ),
    { KT007: 1 },
  ],
  ["S89", PODS("my-nginx", "run: my-nginx", 80) + M20, { KT008: 2, KT301: 2 }],
  [
    "S103",
    PODS("node-js", "name: node-js", 80) +
      SERVICE("node-js-nodeport", "type: NodePort, selector: {name: node-js}, ports: [{port: 80, nodePort: 3001}]"),
    { KT301: 1 },
  ],
  [
    "S114 placeholder",
    `${SERVICE("custom-service", "ports: [{name: http, port: 80}]")}---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: custom-service}\nsubsets: [{addresses: [{ip: "<X.X.X.X>"}], ports: [{name: http, port: 80}]}]\n`,
    { KT008: 1 },
  ],
  [
    "S114 loopback",
    `${SERVICE("custom-service", "ports: [{name: http, port: 80}]")}---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: custom-service}\nsubsets: [{addresses: [{ip: 127.0.0.1}], ports: [{name: http, port: 80}]}]\n`,
    { KT122: 1 },
  ],
  [
    "S117",
    `${PODS("node-js", "name: node-js", 80)}${SERVICE("node-js", "selector: {name: node-js}, ports: [{port: 80}]")}---\napiVersion: v1\nkind: Pod\nmetadata: {name: client}\nspec: {containers: [{name: c, image: x, env: [{name: URL, value: "http://node-js.default.cluster.local/"}]}]}\n`,
    { KT702: 1 },
  ],
];
for (const [id, text, codes] of FINDS)
  test(`${id}: lint`, async () => {
    const { outcome, report } = await lint(text);
    const count = (code: string): number => report.findings.filter((each) => each.code === code).length;
    const said = report.findings.map(({ code, message }) => `${code} ${message}`).join("\n");
    assert.deepEqual(Object.fromEntries(Object.keys(codes).map((code) => [code, count(code)])), codes, said);
    const isError = report.findings.some(({ severity }) => severity === "error");
    assert.equal(outcome.status, isError ? 1 : 0, said);
  });

test("S38: the safe fix gives the Ingress of today, and an old release accepts the old one", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-s38-"));
  writeFileSync(join(dir, "ingress.yaml"), OLD_INGRESS);
  const words = ["-f", "ingress.yaml", "-t", TOPOLOGY, "lint", "--select", "KT004"];
  const old = await ktrace([...words, "--kubernetes-version", "1.17"], { cwd: dir });
  const fixed = await ktrace([...words, "--fix"], { cwd: dir });
  const text = readFileSync(join(dir, "ingress.yaml"), "utf8");
  rmSync(dir, { recursive: true });
  assert.equal(old.status, 0, old.stdout);
  assert.equal(fixed.status, 0, fixed.stdout + fixed.stderr);
  assert.match(text, /apiVersion: networking\.k8s\.io\/v1\b/);
  assert.match(text, /service: \{?\s*name: tomcat6/);
  assert.match(text, /pathType: ImplementationSpecific/);
});

test("S91: a node port of 443 takes the packets of an ingress controller on the nodes' own network", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-s91-"));
  const topology = readFileSync(TOPOLOGY, "utf8").replace("  kubernetes:\n", "  kubernetes:\n    nodePortRange: 1-65535\n");
  writeFileSync(join(dir, "topology.yaml"), topology);
  writeFileSync(join(dir, "all.yaml"), `${PODS("my-nginx", "run: my-nginx", 80) + M20FIX}---\n${NGINX}`);
  const { stdout } = await ktrace(["-f", "all.yaml", "-t", "topology.yaml", "lint", "--select", "KT206", "-o", "json"], { cwd: dir });
  rmSync(dir, { recursive: true });
  const { findings }: Report = JSON.parse(stdout);
  assert.equal(findings.length > 0, true, stdout);
});

test("S124: a slip in a flag's name", async () => {
  const { status, stderr } = await ktrace(["--namepsace", "test", "get", "rc"], { cwd: REFERENCE });
  assert.equal(status, 2);
  assert.match(stderr, /did you mean --namespace/i);
});

/** The reference cluster, and the same with some files changed: what differs. */
async function diffOf(edit: (dir: string) => void, prepare: (dir: string) => void = () => {}): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-diff-"));
  for (const name of ["old", "new"]) {
    cpSync(REFERENCE, join(dir, name), { recursive: true });
    prepare(join(dir, name));
  }
  edit(join(dir, "new"));
  const outcome = await ktrace(["diff", "old", "new"], { cwd: dir });
  rmSync(dir, { recursive: true });
  return outcome;
}
const rewrite = (dir: string, file: string, from: string | RegExp, to: string): void => {
  const path = join(dir, file);
  const text = readFileSync(path, "utf8");
  const changed = text.replace(from, to);
  assert.notEqual(changed, text);
  writeFileSync(path, changed);
};

test("S09: a Service made again, now with a node port", async () => {
  const plain = (dir: string): void =>
    writeFileSync(
      join(dir, "tomcat6-service.yaml"),
      SERVICE("tomcat6", "clusterIP: 10.96.246.235, selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080}]"),
    );
  const { status, stdout } = await diffOf(
    (dir) => cpSync(join(REFERENCE, "tomcat6-service.yaml"), join(dir, "tomcat6-service.yaml")),
    plain,
  );
  assert.equal(status, 1);
  assert.match(stdout, /nodePort: unset -> 31160/);
  assert.match(stdout, /new {7}host\/client -> svc\/default\/tomcat6:80 nodePort at k8s-node1/);
});

test("S52: a pod comes back on another node: the same fronts, another path", async () => {
  const { status, stdout } = await diffOf((dir) =>
    rewrite(dir, "topology.yaml", /(gbtt5.*ip: )10\.244\.2\.10(, node: )k8s-node3/, "$110.244.1.16$2k8s-node2"),
  );
  assert.equal(status, 1);
  assert.doesNotMatch(stdout, /BROKEN|mended|new |gone /);
  assert.match(
    stdout,
    /host\/client -> svc\/default\/tomcat6:80 nodePort at k8s-node2\n +backends 1\/3 deploy\/default\/tomcat6 on k8s-node2 port 8080 or 2\/3 .* on k8s-node3 port 8080 -> 1\/3 .* on k8s-node3 port 8080 or 2\/3 .* on k8s-node2/,
  );
});

test("S57: a cluster IP cannot be changed", async () => {
  const { stdout } = await diffOf((dir) => rewrite(dir, "tomcat6-service.yaml", "10.96.246.235", "10.96.246.236"));
  assert.match(stdout, /spec\.clusterIP: 10\.96\.246\.235 -> 10\.96\.246\.236 \(immutable: delete and re-create\)|no difference/);
});

test("S132: a deleted Service, and more replicas", async () => {
  const gone = await diffOf((dir) => rmSync(join(dir, "tomcat6-service.yaml")));
  assert.match(gone.stdout, /Service default\/tomcat6 removed\n {2}BROKEN/);
  const more = await diffOf((dir) => rewrite(dir, "tomcat6-deployment.yaml", "replicas: 3", "replicas: 5"));
  assert.match(more.stdout, /Deployment default\/tomcat6 spec\.replicas: 3 -> 5/);
  assert.match(more.stdout, /backends 1\/3 .* -> /);
});
