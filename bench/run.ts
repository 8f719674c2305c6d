/**
 * `npm run bench`: what a start and a large input cost on this machine. Every number is the median of runs that alternate
 * with bare `node -e 0`, so that a busy machine slows both. Figures to read, not a test.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const RUNS = Number(process.env.KTRACE_BENCH_RUNS ?? 21);
const LINT_RUNS = Math.min(RUNS, 5);
const BIN = join(ROOT, "bin/ktrace");
const dir = mkdtempSync(join(tmpdir(), "ktrace-bench-"));

const large = join(dir, "large.yaml");
const unrelated = join(dir, "unrelated.yaml");
writeFileSync(large, services(2000));
writeFileSync(unrelated, configMaps(5_000_000));
const fixture = ["-f", "fixtures/tomcat6", "-t", "fixtures/tomcat6/topology.yaml"];

const cases = [
  { name: "ktrace --version", args: ["--version"], target: "node + 20 ms" },
  { name: "ktrace curl node2:31160", args: ["curl", "node2:31160"], target: "ratio 2.6" },
  { name: "ktrace curl node2:31160 -o json", args: ["curl", "node2:31160", "-o", "json"] },
  { name: "the same beside 2,000 Services of 3 endpoints (7 MB)", args: [...fixture, "-f", large, "curl", "node2:31160"], runs: 5 },
  { name: "the same beside 5 MB of ConfigMaps", args: [...fixture, "-f", unrelated, "curl", "node2:31160"], runs: 5, target: "2 s" },
];

process.stdout.write(`node ${process.version}, ${RUNS} alternating runs, medians in ms\n`);
for (const { name, args, runs = RUNS, target } of cases) {
  const pairs = Array.from({ length: runs }, () => ({ bare: time(["-e", "0"]), own: time([BIN, ...args]) }));
  const bare = median(pairs.map((pair) => pair.bare));
  const own = median(pairs.map((pair) => pair.own));
  const figures = `node ${bare.toFixed(1)}  ktrace ${own.toFixed(1)}  ratio ${(own / bare).toFixed(2)}`;
  process.stdout.write(`${name.padEnd(54)} ${figures}${target === undefined ? "" : `  (target ${target})`}\n`);
}
/** Lint beside reading alone: the rules that walk packets walk one of each class, so the whole catalogue costs little more. */
const fleet = join(dir, "fleet.yaml");
const machines = join(dir, "machines.yaml");
writeFileSync(machines, topology(60));
for (const [what, text] of [
  ["5,000 pods as objects, as in a dump", fleetOf(500, podObjects)],
  ["5,000 pods of 500 Deployments", fleetOf(500, deployment)],
] as const) {
  writeFileSync(fleet, text);
  const lint = [BIN, "lint", "-f", fleet, "-t", machines, "--exit-zero", "-q"];
  const pairs = Array.from({ length: LINT_RUNS }, () => ({ reading: time([...lint, "--select", "KT001"]), whole: time(lint) }));
  const reading = median(pairs.map((pair) => pair.reading));
  const whole = median(pairs.map((pair) => pair.whole));
  const figures = `KT001 ${reading.toFixed(0)}  all ${whole.toFixed(0)}  ratio ${(whole / reading).toFixed(2)}`;
  process.stdout.write(`${`ktrace lint, 500 Services, ${what}`.padEnd(54)}  ${figures}  (target ratio 2)\n`);
}
rmSync(dir, { recursive: true });

function time(args: readonly string[]): number {
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  const spent = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0) throw new Error(`${args.join(" ")}: exit ${status}\n${stderr}`);
  return spent;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Services with Deployments of three pods, in a namespace of their own. */
function services(count: number): string {
  const filler = "x".repeat(2800);
  return Array.from({ length: count }, (_, n) =>
    [
      `apiVersion: v1\nkind: Service\nmetadata: {name: s${n}, namespace: bench, annotations: {filler: ${filler}}}`,
      `spec: {selector: {app: s${n}}, ports: [{port: 80, targetPort: 8080}]}\n---`,
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: s${n}, namespace: bench}`,
      `spec:\n  replicas: 3\n  selector: {matchLabels: {app: s${n}}}\n  template:\n    metadata: {labels: {app: s${n}}}`,
      "    spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}\n---",
    ].join("\n"),
  ).join("\n");
}

/** Services, each with what makes its ten pods; every tenth has a node port. */
function fleetOf(count: number, makers: (n: number) => string): string {
  const namespaces = Array.from({ length: 20 }, (_, n) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: team-${n}}\n---`);
  const services = Array.from({ length: count }, (_, n) =>
    [
      `apiVersion: v1\nkind: Service\nmetadata: {name: s${n}, namespace: team-${n % 20}}\nspec:`,
      `  type: ${n % 10 === 0 ? "NodePort" : "ClusterIP"}\n  selector: {app: s${n}}\n  ports:\n    - {name: http, port: 80, targetPort: http}\n---`,
      makers(n),
    ].join("\n"),
  );
  return [...namespaces, ...services].join("\n");
}

/** A container as people write them. */
function containers(): string {
  return `containers:
  - name: app
    image: registry.example.com/team/app:1.2.3
    args: ["--listen=:8080", "--log-format=json"]
    env:
      - {name: LOG_LEVEL, value: info}
      - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    ports:
      - {name: http, containerPort: 8080, protocol: TCP}
    readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 10}
    resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 128Mi}}
    volumeMounts:
      - {name: config, mountPath: /etc/app, readOnly: true}
volumes:
  - name: config
    configMap: {name: app}
`;
}
function indented(text: string, by: number): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(by));
}

function deployment(n: number): string {
  const head = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: s${n}, namespace: team-${n % 20}}`;
  const spec = `spec:\n  replicas: 10\n  selector: {matchLabels: {app: s${n}}}\n  template:\n    metadata: {labels: {app: s${n}}}\n    spec:`;
  return `${head}\n${spec}\n${indented(containers(), 6)}---`;
}

function podObjects(n: number): string {
  const pod = (i: number) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: s${n}-${i}, namespace: team-${n % 20}, labels: {app: s${n}}}\nspec:\n${indented(containers(), 2)}---`;
  return Array.from({ length: 10 }, (_, i) => pod(i)).join("\n");
}

function topology(count: number): string {
  const nodes = Array.from({ length: count }, (_, n) => `{name: n${n}}`).join(", ");
  return `apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec: {nodes: [${nodes}]}\n`;
}

function configMaps(bytes: number): string {
  const data = Array.from({ length: 20 }, (_, key) => `  key-${key}: some value of a program\n`).join("");
  const one = (n: number) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${n}, namespace: bench}\ndata:\n${data}---\n`;
  return Array.from({ length: Math.ceil(bytes / one(0).length) }, (_, n) => one(n)).join("");
}
