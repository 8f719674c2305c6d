/** The commands of the lab as a person types them: what is built works, what is asked is compared, and nothing stays behind. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { tryFlows } from "../../src/lab/trial.ts";
import { onNode, openLab, openVariant } from "./kernel-lab.ts";

const START = fileURLToPath(new URL("../../src/cli/start.ts", import.meta.url));
const FIXTURE = fileURLToPath(new URL("../../fixtures/tomcat6", import.meta.url));
const TSX = import.meta.resolve("tsx");
const LAB = `c${process.pid}`;

const argv = (words: readonly string[]): string[] => ["--import", TSX, START, ...words];
function ktrace(
  words: readonly string[],
  uid?: number,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const env = { ...process.env, TSX_DISABLE_CACHE: "1" };
  return spawnSync(process.execPath, argv(words), { cwd: FIXTURE, encoding: "utf8", env, ...(uid === undefined ? {} : { uid }) });
}

/** Namespaces, helper processes and files of a lab. */
function leftovers(lab: string): string[] {
  const names = (dir: string): string[] => (existsSync(dir) ? readdirSync(dir).filter((name) => name.includes(`ktrace-${lab}.`)) : []);
  const processes = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(`ktrace-${lab}.`));
  const files = [`/run/ktrace-lab/${lab}`, `/run/ktrace-export-${lab}`].filter((path) => existsSync(path));
  return [...names("/run/netns"), ...names("/etc/netns"), ...processes.map(commandOf), ...files];
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

const INSIDE: readonly { readonly name: string; readonly words: readonly string[]; readonly says: RegExp; readonly status?: number }[] = [
  { name: "a NodePort by a node's alias", words: ["client", "--", "curl", "-sS", "node2:31160"], says: /"server":"pod\/default\/tomcat6-/ },
  {
    name: "a Service by its short name, through CoreDNS",
    words: ["nginx", "--", "curl", "-sS", "http://tomcat6/"],
    says: /"server":"pod\/default\/tomcat6-.*"peer":"10\.244\.1\.15:/,
  },
  {
    name: "a Service of another namespace, over TCP DNS too",
    words: ["pod/nginx", "--", "getent", "hosts", "kube-dns.kube-system"],
    says: /^10\.96\.0\.10 +kube-dns\.kube-system/,
  },
  { name: "a name that nobody has", words: ["nginx", "--", "curl", "-sS", "nosuch"], says: /Could not resolve host: nosuch/, status: 6 },
  {
    name: "the ingress controller by host name",
    words: ["client", "--", "curl", "-sS", "http://www.test.com/"],
    says: /"server":"pod\/default\/tomcat6-.*"peer":"10\.244\.1\.[01]:/,
  },
  { name: "the ingress controller's own 404", words: ["client", "--", "curl", "-si", "http://node2/"], says: /^HTTP\/1\.1 404 Not Found/ },
  {
    name: "UDP through a NodePort",
    words: ["client", "--", "bash", "-c", "exec 3<>/dev/udp/192.168.56.101/31999; echo hi >&3; timeout 2 head -1 <&3"],
    says: /"server":"pod\/default\/echo-udp-/,
  },
  { name: "the node's own tables", words: ["node2", "--", "ip", "route"], says: /10\.244\.2\.0\/24 via 10\.244\.2\.0 dev flannel\.1/ },
  {
    name: "a closed port",
    words: ["client", "--", "curl", "-sS", "node2:31161"],
    says: /Failed to connect to node2 port 31161/,
    status: 7,
  },
];

test("up, exec, list, down", async (t) => {
  const up = ktrace(["lab", "up", "--name", LAB]);
  try {
    assert.deepEqual([up.status, up.stderr], [0, ""]);
    assert.match(up.stdout, new RegExp(`^lab ${LAB} is up: 3 nodes, 8 pods, 1 host, 1 router\n`));
    for (const { name, words, says, status = 0 } of INSIDE)
      await t.test(name, () => {
        const run = ktrace(["lab", "exec", "--name", LAB, ...words]);
        assert.match(run.stdout + run.stderr, says);
        assert.equal(run.status, status);
      });
    await t.test("a lab of the same name is refused", () => {
      const again = ktrace(["lab", "up", "--name", LAB]);
      assert.equal(again.status, 2);
      assert.match(again.stderr, /is there already: ktrace lab down/);
    });
    await t.test("a program that is not here", () => {
      const run = ktrace(["lab", "exec", "--name", LAB, "client", "--", "no-such-program"]);
      assert.deepEqual([run.status, /no-such-program is not installed/.test(run.stderr)], [2, true]);
    });
    await t.test("list names it", () => assert.match(ktrace(["lab", "list"]).stdout, new RegExp(`^${LAB}: 3 nodes`, "m")));
  } finally {
    assert.equal(ktrace(["lab", "down", LAB]).status, 0);
  }
  assert.deepEqual(leftovers(LAB), []);
});

const RUNS: readonly { readonly words: readonly string[]; readonly says: RegExp }[] = [
  { words: ["--", "curl", "-sS", "node2:31160"], says: /192\.168\.56\.101:31160: sent \d+ times, 3 of 3 predicted courses seen/ },
  { words: ["--", "curl", "-sS", "http://www.test.com/"], says: /node\/k8s-node2 -> tcp 10\.96\.246\.235:80: .*3 of 3/ },
  { words: ["--from", "pod/nginx", "--", "curl", "-sS", "http://tomcat6/"], says: /udp 10\.96\.0\.10:53: .*2 of 2/ },
];
for (const { words, says } of RUNS) {
  test(`lab run ${words.join(" ")}: agrees`, () => {
    const run = ktrace(["lab", "run", "--name", LAB, ...words]);
    assert.match(run.stdout, says);
    assert.match(run.stdout, /^AGREES with the prediction/m);
    assert.equal(run.status, 0);
    assert.deepEqual(leftovers(LAB), []);
  });
}

test("lab run in kube-proxy's mode nftables: loaded with nft -f, agrees", () => {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-lab-"));
  try {
    cpSync(FIXTURE, dir, { recursive: true });
    const topology = join(dir, "topology.yaml");
    const text = readFileSync(topology, "utf8");
    assert.match(text, /mode: iptables/);
    writeFileSync(topology, text.replace("mode: iptables", "mode: nftables"));
    const words = ["-f", dir, "-t", topology, "lab", "run", "--name", LAB, "--from", "pod/nginx", "--", "curl", "-sS", "http://tomcat6/"];
    const run = ktrace(words);
    assert.match(run.stdout, /tcp 10\.96\.246\.235:80: .*3 of 3[\s\S]*^AGREES with the prediction/m);
    assert.equal(run.status, 0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("an outside balancer is a process of its own", () => {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-lab-"));
  try {
    cpSync(FIXTURE, dir, { recursive: true });
    const topology = join(dir, "topology.yaml");
    const balancer =
      "  loadBalancers:\n    - {name: lb, address: 192.168.56.200, listens: [{port: 80, to: 31160}], targets: [k8s-node1, k8s-node2]}\n";
    writeFileSync(topology, `${readFileSync(topology, "utf8").trimEnd()}\n${balancer}`);
    const run = ktrace(["-f", dir, "-t", topology, "lab", "run", "--name", LAB, "--", "curl", "-sS", "http://192.168.56.200/"]);
    assert.match(run.stdout, /"server":"pod\/default\/tomcat6-[\s\S]*host\/lb -> tcp 192\.168\.56\.101:31160: .*3 of 3[\s\S]*^AGREES/m);
    assert.equal(run.status, 0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("what a lab's node shows is equal to the prediction", () => {
  assert.equal(ktrace(["lab", "up", "--name", LAB]).status, 0);
  try {
    const sh = "iptables-nft-save; ip6tables-nft-save; ip route; ip addr; ip neigh; bridge fdb";
    const shown = ktrace(["lab", "exec", "--name", LAB, "node3", "--", "sh", "-c", sh]);
    const verified = spawnSync(process.execPath, argv(["verify", "--node", "node3"]), {
      cwd: FIXTURE,
      encoding: "utf8",
      input: shown.stdout,
    });
    assert.match(verified.stdout, /iptables-save .* bridge fdb[\s\S]*^EQUAL$/m);
    assert.equal(verified.status, 0);
  } finally {
    ktrace(["lab", "down", LAB]);
  }
});

test("a lab that is not what was predicted is told", async () => {
  const forwardDrop = onNode("k8s-node2", (node) => ({ ...node, sysctls: { "net.ipv4.ip_forward": "0" } }));
  const open = await openLab({ name: "forwarding off", topology: forwardDrop });
  try {
    const flow = { from: "host/client", protocol: "tcp", dst: "192.168.56.101", dport: 31160 } as const;
    const { flows } = await tryFlows(openVariant({ name: "as it is" }).world, open.observer, [flow]);
    assert.match(flows[0]?.problems[0] ?? "", /request: the packet does not come to/);
  } finally {
    await open.close();
  }
});

for (const delay of [100, 600, 1100, 1700]) {
  test(`lab up, interrupted after ${delay} ms, cleans up by itself`, async () => {
    const lab = `i${process.pid}`;
    const child = spawn(process.execPath, argv(["lab", "up", "--name", lab]), { cwd: FIXTURE, stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.kill("SIGINT");
    if ((await ended) === 0) ktrace(["lab", "down", lab]); // it was faster
    // A helper that was being born ends by itself when its standard input closes; on a busy machine that takes a moment.
    for (let waits = 0; waits < 50 && leftovers(lab).length > 0; waits++) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(leftovers(lab), []);
  });
}

test("the exported script builds the same, answers, and removes it", () => {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-lab-"));
  const script = join(dir, "lab.sh");
  const sh = (...words: readonly string[]) => spawnSync("sh", [script, ...words], { encoding: "utf8" });
  const inside = (netns: string, ...words: readonly string[]) =>
    spawnSync("ip", ["netns", "exec", `ktrace-${LAB}.${netns}`, ...words], { encoding: "utf8" }).stdout;
  try {
    const { status, stdout } = ktrace(["lab", "export", "--name", LAB]);
    assert.equal(status, 0);
    writeFileSync(script, stdout);
    const made = sh();
    assert.deepEqual([made.status, made.stderr], [0, ""]);
    assert.match(inside("host-client", "curl", "-sS", "node2:31160"), /"server":"pod\/default\/tomcat6-/);
    assert.match(inside("pod-default-nginx", "curl", "-sS", "tomcat6"), /"server":"pod\/default\/tomcat6-/);
    assert.deepEqual([sh().status, sh().stderr], [1, `ktrace-${LAB}.lan is there already\n`]);
  } finally {
    assert.equal(sh("down").status, 0);
    rmSync(dir, { recursive: true });
  }
  assert.deepEqual(leftovers(LAB), []);
});

const REFUSED: readonly { readonly words: readonly string[]; readonly says: RegExp; readonly uid?: number }[] = [
  { words: ["lab"], says: /needs to know what to do/ },
  { words: ["lab", "upp"], says: /does not know "upp"/ },
  { words: ["lab", "up", "--name", "../etc"], says: /lab name "\.\.\/etc"/ },
  { words: ["lab", "down", "nosuch"], says: /no lab nosuch is up/ },
  { words: ["lab", "exec", "--name", "nosuch", "client", "--", "true"], says: /no lab nosuch is up/ },
  { words: ["lab", "exec", "client"], says: /needs a SOURCE and a command/ },
  { words: ["lab", "run", "--", "wget", "node2"], says: /compares curl, nc, ping, dig and nslookup, not wget/ },
  { words: ["lab", "list"], says: /a lab needs root/, uid: 65534 },
  { words: ["lab", "up"], says: /a lab needs root/, uid: 65534 },
];
for (const { words, says, uid } of REFUSED) {
  test(`refused: ${words.join(" ")}${uid === undefined ? "" : ` as user ${uid}`}`, () => {
    const run = ktrace(words, uid);
    assert.match(run.stderr, says);
    assert.equal(run.status, 2);
  });
}
