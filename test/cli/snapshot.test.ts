/** `ktrace snapshot` with a kubectl of our own on the PATH: a script that answers as a small cluster would, and notes its calls. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { workspace } from "../manifests/workspace.ts";
import { ktrace } from "./io.ts";

const POD = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","uid":"u","managedFields":[{"manager":"kubectl"}],"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{hunter1}","keep":"me"}},"spec":{"nodeName":"n1","containers":[{"name":"c","ports":[{"containerPort":80}]}]},"status":{"phase":"Running","hostIP":"10.0.0.1","podIP":"10.244.0.5"}}`;
const NODE = `{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"},"spec":{"podCIDR":"10.244.0.0/24"},"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.1"}]}}`;
const SECRET = `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"shop"},"data":{"password":"aHVudGVyMg=="}}`;
const CONFIG = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kube-proxy","namespace":"kube-system"},"data":{"config.conf":"kind: KubeProxyConfiguration\\nmode: ipvs\\n"}}`;
const list = (...items: readonly string[]): string => `{"apiVersion":"v1","kind":"List","items":[${items.join(",")}]}`;

/** A shell script in kubectl's place. `more` runs first and may answer itself. */
const kubectl = (more = ""): string => `#!/bin/sh
echo "$*" >> "$CALLS"
${more}
case "$*" in
  *api-resources*) printf 'nodes\\nnamespaces\\npods\\nservices\\nsecrets\\nconfigmaps\\nendpointslices.discovery.k8s.io\\n' ;;
  *"get nodes"*) printf '%s\\n' '${list(NODE)}' ;;
  *configmaps*kube-system*) printf '%s\\n' '${CONFIG}' ;;
  *"get pods"*) printf '%s\\n' '${list(POD, SECRET)}' ;;
esac
`;

function place(t: TestContext, script: string | undefined) {
  const cwd = workspace(t, script === undefined ? { "bin/other": "" } : { "bin/kubectl": script });
  if (script !== undefined) chmodSync(join(cwd, "bin/kubectl"), 0o755);
  const calls = join(cwd, "calls");
  return {
    cwd,
    run: (...words: readonly string[]) => ktrace(["snapshot", ...words], { cwd, env: { PATH: join(cwd, "bin"), CALLS: calls } }),
    calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []),
  };
}

test("a dump of nodes, pods and the network's settings, without what is nobody's business", async (t) => {
  const { run, calls } = place(t, kubectl());
  const { status, stdout, stderr } = await run();
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /kind: Node\n/);
  assert.match(stdout, /mode: ipvs/);
  assert.match(stdout, /keep: me/);
  assert.doesNotMatch(stdout, /Secret|hunter|aHVudGVy|managedFields|last-applied/);
  assert.ok(
    calls().every((call) => !/\bsecrets?\b/.test(call)),
    "Secrets are not asked for",
  );
  assert.ok(
    calls().some((call) => call.startsWith("get pods,services,endpointslices.discovery.k8s.io --all-namespaces")),
    calls().join("\n"),
  );
});

test("what it writes is read: the pod's address is a fact", async (t) => {
  const { run, cwd } = place(t, kubectl());
  const { stdout } = await run("-o", "json");
  const read = await ktrace(["-f", "-", "get", "pods", "-n", "shop", "-o", "wide", "-q"], { cwd, stdin: stdout });
  assert.match(read.stdout, /^web .* 10\.244\.0\.5 +n1 /m);
});

test("context, kubeconfig and a namespace are kubectl's", async (t) => {
  const { run, calls } = place(t, kubectl());
  assert.equal((await run("--context", "prod", "--kubeconfig", "other.conf", "-n", "shop")).status, 0);
  assert.ok(calls().every((call) => call.startsWith("--kubeconfig other.conf --context prod ")));
  const scopes = calls().flatMap((call) => /get pods.*(--namespace \S+|--all-namespaces)/.exec(call)?.[1] ?? []);
  assert.deepEqual(scopes, ["--namespace shop", "--namespace kube-system", "--namespace kube-flannel", "--namespace calico-system"]);
});

test("-o FILE: the file is there whole, and nothing beside it", async (t) => {
  const { run, cwd } = place(t, kubectl());
  const { status, stdout } = await run("-o", "dump.json");
  assert.deepEqual([status, stdout], [0, ""]);
  assert.equal(JSON.parse(readFileSync(join(cwd, "dump.json"), "utf8")).kind, "List");
  assert.deepEqual(readdirSync(cwd).sort(), ["bin", "calls", "dump.json"]);
});

test("a file that cannot be written: exit 2, nothing left behind", async (t) => {
  const { run, cwd } = place(t, kubectl());
  const { status, stderr } = await run("-o", "no/such/dump.yaml");
  assert.deepEqual([status, stderr.split("\n")[0]], [2, 'ktrace: error: cannot write "no/such/dump.yaml": ENOENT']);
  assert.deepEqual(readdirSync(cwd).sort(), ["bin", "calls"]);
});

const FORBIDDEN = `case "$*" in *"get pods"*) echo '${list(POD)}'; echo 'Error from server (Forbidden): services is forbidden' >&2; exit 1;; esac`;
test("what is forbidden is missing, and said", async (t) => {
  const { status, stdout, stderr } = await place(t, kubectl(FORBIDDEN)).run();
  assert.equal(status, 0);
  assert.match(stdout, /name: web/);
  assert.match(stderr, /^warning\[snapshot-incomplete\]: kubectl: Error from server \(Forbidden\): services is forbidden\n/);
});

const failures: readonly {
  readonly name: string;
  readonly script: string | undefined;
  readonly words?: readonly string[];
  readonly says: RegExp;
}[] = [
  { name: "no kubectl", script: undefined, says: /there is no kubectl on the PATH/ },
  {
    name: "no cluster",
    script: kubectl("echo 'The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?' >&2; exit 1"),
    says: /cannot list what the cluster has: The connection to the server 10\.0\.0\.1:6443 was refused/,
  },
  {
    name: "no such context",
    script: kubectl("echo 'error: context \"prod\" does not exist' >&2; exit 1"),
    says: /error: context "prod" does not exist/,
  },
  { name: "words", script: kubectl(), words: ["pods"], says: /snapshot takes no words/ },
  { name: "one namespace and all", script: kubectl(), words: ["-n", "shop", "-A"], says: /which\?/ },
];
for (const { name, script, words = [], says } of failures) {
  test(`${name}: exit 2, and why`, async (t) => {
    const { status, stdout, stderr } = await place(t, script).run(...words);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, says);
  });
}
