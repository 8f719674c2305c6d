/** Runs rules over a rule's own examples: on top of the reference cluster and a Deployment and Service `web`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump, load, loadAll } from "js-yaml";
import { readGlobalFlags } from "../../src/cli/flags.ts";
import { expectedQuestion } from "../../src/cli/test-question.ts";
import { decideCluster } from "../../src/cluster/decide.ts";
import { type Session, sessionOf } from "../../src/ktrace.ts";
import type { Example, PlannedRule, Rule } from "../../src/lint/rule.ts";
import { type Found, runRules } from "../../src/lint/run.ts";
import { subjectOf } from "../../src/linter.ts";
import { readInput } from "../../src/manifests/input.ts";

/** Command lines are read as `ktrace lint` reads them. */
const questionOf = (command: string) => expectedQuestion(command, readGlobalFlags({}, {}));

const BASE = `kind: Deployment
apiVersion: apps/v1
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}, {name: https, containerPort: 8443}]}]}}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;
const INGRESS_BASE = `---
kind: IngressClass
apiVersion: networking.k8s.io/v1
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
`;
const FIXTURE = new URL("../../fixtures/tomcat6/", import.meta.url);
const REFERENCE = readFileSync(new URL("topology.yaml", FIXTURE), "utf8");
/** Rules about who reaches whom by name or policy look at the reference cluster's own objects too. */
const NEEDS_OBJECTS = /^KT(?:50[2-46-9]|51[0-2]|60[56]|70[1-36]|90[13])$/;
const OBJECT_FILES = ["echo-udp", "ingress-controller", "ingress", "kube-system", "nginx-pod", "tomcat6-deployment", "tomcat6-service"];

type Json = { readonly [key: string]: unknown };
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const isNamed = (value: unknown): value is Json => isJson(value) && typeof value.name === "string";

/** Mappings are laid over each other; members of a list that have names too, when all of the new ones are known. */
function over(under: unknown, above: unknown): unknown {
  if (isJson(under) && isJson(above)) {
    const merged = Object.entries(above).map(([key, value]) => [key, over(under[key], value)] as const);
    return { ...under, ...Object.fromEntries(merged) };
  }
  if (Array.isArray(under) && Array.isArray(above) && under.every(isNamed) && above.every(isNamed)) {
    const names = new Set(under.map(({ name }) => name));
    if (!above.every(({ name }) => names.has(name))) return above;
    return under.map((each) => over(each, above.find(({ name }) => name === each.name) ?? {}));
  }
  return above;
}

/** Policies are looked at where a plugin enforces them; KT505 is about one that does not. */
const enforcing = (code: string): Json => (code.startsWith("KT5") && code !== "KT505" ? { cni: { plugin: "canal" } } : {});

function topologyOf(code: string, example: Example): string {
  const reference = over(load(REFERENCE), { spec: enforcing(code) });
  const whole = over(reference, { spec: load(example.topology ?? "{}") });
  const isOther = isJson(whole) && !/name: k8s-node1/.test(dump(isJson(whole.spec) ? whole.spec.nodes : [])); // the pins name the usual nodes
  const hasOwnProxy = /^kind: KubeProxyConfiguration$/m.test(example.manifests ?? "");
  const without = { ...(hasOwnProxy ? { kubeProxy: undefined } : {}), ...(isOther ? { pods: undefined } : {}) }; // its own mode would win
  return dump(over(whole, { spec: without }));
}

const identity = (value: unknown): string => {
  const object = isJson(value) ? value : {};
  const metadata = isJson(object.metadata) ? object.metadata : {};
  return `${object.kind}/${metadata.namespace ?? "default"}/${metadata.name}`;
};

/** The base without the objects that the example has itself, and those of the reference cluster where the rule is about them. */
function baseFor(code: string, example: string): string {
  let own: Set<string>;
  try {
    own = new Set(loadAll(example, { json: true }).map(identity));
  } catch {
    own = new Set(); // the example is about YAML that does not parse
  }
  const objects = NEEDS_OBJECTS.test(code)
    ? OBJECT_FILES.map((name) => `---\n${readFileSync(new URL(`${name}.yaml`, FIXTURE), "utf8")}`)
    : [];
  const whole = BASE + (code.startsWith("KT4") ? INGRESS_BASE : "") + objects.join("");
  return whole
    .split(/^---\n/m)
    .filter((text) => !own.has(identity(load(text))))
    .join("---\n");
}

export type Linted = { readonly findings: readonly Found[]; readonly example: string };

/** What rules find in a rule's example, in the file `example.yaml`. */
export function lintExample(code: string, example: Example, rules: readonly (Rule | PlannedRule)[]): Linted {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-lint-"));
  try {
    const text = example.manifests ?? "";
    writeFileSync(join(dir, "base.yaml"), baseFor(code, text));
    writeFileSync(join(dir, "example.yaml"), text);
    writeFileSync(join(dir, "topology.yaml"), topologyOf(code, example));
    const input = readInput({ files: ["base.yaml", ...(text === "" ? [] : ["example.yaml"])], topology: "topology.yaml", cwd: dir });
    const open = (): Session => sessionOf(input, decideCluster(input.objects, input.topology));
    const subject = subjectOf(input, open, { questionOf });
    const findings = runRules({
      rules: rules.map((rule) => ({ rule, severity: rule.severity === "off" ? "info" : rule.severity })),
      subject,
      placeOf: ({ source, field }) => input.sources.place(source, field),
    });
    return { findings, example: text };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
