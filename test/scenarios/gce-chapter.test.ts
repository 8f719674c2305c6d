/**
 * The GCE chapter: a cluster without overlay, its ReplicationControllers and Services (rows S99 to S101, S107, S113 to S116,
 * S119, S120, S122, S124, S133).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ktrace } from "../cli/io.ts";
import { changed, hopLine, pathLine, printed, type Row, replace, runRows, traced } from "./rows.ts";

const GCE = "fixtures/gce";
const NODE_JS = ["10.244.0.12:80", "10.244.2.24:80", "10.244.3.13:80"];
/** What the three node-js pods see of node-js-pod, which runs on minion-b. */
const kept = NODE_JS.map((pod) => `1/3 ${pod} sees 10.244.2.26 ttl ${pod.startsWith("10.244.2.") ? 64 : 62}`);

/** Second column of `get`, by name. */
async function column(command: string, index: number, cwd = GCE): Promise<Record<string, string>> {
  const [, ...lines] = await printed(command, cwd);
  return Object.fromEntries(lines.map((line) => line.split(/ {3,}/)).map((cells) => [cells[0] ?? "", cells[index] ?? ""]));
}

test("S99: get endpoints", async () => {
  const found = await column("get endpoints", 1);
  assert.deepEqual(
    [found["http-pd"], found.kubernetes, found["node-js"]],
    ["10.244.2.29:80,10.244.2.30:80,10.244.3.16:80", "10.240.0.2:443", NODE_JS.join()],
  );
});

test("S100: a Service by its label", async () => {
  const lines = await printed("get services -l name=node-js-internal", GCE);
  assert.equal(lines.length, 2);
  assert.match(lines[1] ?? "", /^node-js-internal +ClusterIP +10\.0\.125\.105 +<none> +80\/TCP/);
});

const rows: readonly Row[] = [
  ...["node-js-internal", "10.0.125.105"].map(
    (host): Row => ({
      id: "S101: from a pod",
      in: GCE,
      command: `exec pod/node-js-pod -- curl http://${host}/`,
      expect: { verdict: "delivered", exit: 0, paths: kept },
    }),
  ),
  {
    id: "S101: from outside",
    in: GCE,
    command: "curl http://10.0.125.105/",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected no-route"], clientSees: /Network is unreachable/ },
  },
  {
    id: "S116: headless, without any rewriting",
    in: GCE,
    command: "exec pod/node-js-pod -- curl http://node-js-none/",
    expect: { verdict: "delivered", exit: 0, paths: kept },
  },
  {
    id: "S122: pod to pod by the cloud's routes",
    in: GCE,
    command: "exec pod/node-js-pod -- curl http://10.244.0.12/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["1 10.244.0.12:80 sees 10.244.2.26 ttl 62"],
      hops: ["node-js-pod > minion-b > minion-a > node-js-1m8nc"],
    },
  },
  {
    id: "S122: node to pod, from eth0's address",
    in: GCE,
    command: "exec node/minion-a -- curl http://10.244.2.24/",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.2.24:80 sees 10.240.0.3 ttl 63"] },
  },
  {
    id: "S122: pod to the API server, which the masquerade leaves alone",
    in: GCE,
    command: "exec pod/node-js-pod -- curl -k https://10.240.0.2/",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.240.0.2:443 sees 10.244.2.26 ttl 63"] },
  },
  {
    id: "S122: pod to the world, hidden behind its node",
    in: GCE,
    command: "exec pod/node-js-pod -- nc 198.51.100.7 22",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected not-listening"] },
  },
  {
    id: "S104: a node port whose pod is elsewhere",
    in: GCE,
    command: "curl http://a:30001/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: [
        "1/3 10.244.0.12:80 sees 10.244.0.1 ttl 62",
        "1/3 10.244.2.24:80 sees 10.240.0.3 ttl 61",
        "1/3 10.244.3.13:80 sees 10.240.0.3 ttl 61",
      ],
      hops: [
        "client > internet > minion-a > node-js-1m8nc",
        "client > internet > minion-a > minion-b > node-js-7zkt4",
        "client > internet > minion-a > minion-c > node-js-pw2rd",
      ],
    },
  },
];
runRows(rows);

test("S101: no step but the destination's rewriting", async () => {
  const { trace } = await traced("exec pod/node-js-pod -- curl http://node-js-internal/", GCE);
  const nats = trace.paths.map((path) => path.legs.at(-1)?.hops.flatMap((hop) => hop.steps.filter((step) => step.kind === "nat")) ?? []);
  assert.deepEqual(
    nats.map((steps) => steps.map(({ manip, before, after }) => `${manip} ${before} ${after}`)),
    NODE_JS.map((pod) => [`dst 10.0.125.105:80 ${pod}`]),
  );
});

test("S116: three addresses, and no SRV record for the port without a name", async () => {
  const dig = async (words: string) => (await printed(`exec pod/node-js-pod -- dig +search ${words}`, GCE)).join("\n");
  const text = await dig("node-js-none");
  for (const pod of NODE_JS) assert.ok(text.includes(`IN A ${pod.split(":")[0]}`));
  const { trace } = await traced("exec pod/node-js-pod -- curl http://node-js-none/", GCE);
  assert.deepEqual(
    trace.paths.flatMap((path) => path.legs.at(-1)?.hops.flatMap((hop) => hop.steps.filter((step) => step.kind === "nat")) ?? []),
    [],
  );
  const named = await ktrace(["exec", "pod/node-js-pod", "--", "dig", "+search", "SRV", "_http._tcp.node-js-none"], { cwd: GCE });
  assert.match(named.stdout, /NXDOMAIN/);
});

test("S107: describe svc/node-js-labels", async () => {
  const text = (await printed("describe svc/node-js-labels", GCE)).join("\n");
  assert.match(text, /^Namespace: +default$/m);
  assert.match(text, /^Type: +LoadBalancer$/m);
  assert.match(text, /^LoadBalancer Ingress: +203\.0\.113\.77 /m);
  assert.match(text, new RegExp(`^Endpoints: +${NODE_JS.join()}$`, "m"));
});

test("S107: a second label in the selector narrows the set", async () => {
  const narrowed = changed(
    {
      "other.yaml":
        "{apiVersion: v1, kind: ReplicationController, metadata: {name: plain}, spec: {replicas: 1, selector: {name: node-js, tier: plain}, template: {metadata: {labels: {name: node-js, tier: plain}}, spec: {containers: [{name: c, image: x}]}}}}\n",
    },
    GCE,
  );
  const found = await column("get endpoints", 1, narrowed);
  assert.equal(found["node-js-labels"], NODE_JS.join());
  assert.match(found["node-js"] ?? "", / \+ 1 more\.\.\.$/);
});

test("S113: to the balancer's address, and back by it", async () => {
  const { trace } = await traced("exec pod/node-js-pod -- curl http://custom-service/", GCE);
  const [delivered, dropped] = [
    trace.paths.filter((path) => path.verdict === "delivered"),
    trace.paths.filter((path) => path.verdict !== "delivered"),
  ];
  assert.equal(trace.verdict, "mixed");
  assert.deepEqual([delivered.length, dropped.length], [9, 3]);
  for (const path of delivered)
    assert.match(hopLine(path), /^node-js-pod > minion-b > gce > (master|minion-[ac]) > (minion-[abc] > )?node-js-multi-/);
  for (const path of delivered) {
    const hops = path.legs.at(-1)?.hops ?? [];
    const first = hops[1]?.steps.filter((step) => step.kind === "nat").map(({ manip, after }) => `${manip} ${after?.split(":")[0]}`);
    assert.deepEqual(
      first,
      ["dst 203.0.113.88", "src 10.240.0.4"],
      "one rewriting of the destination on the first node: nat is asked once",
    );
    assert.ok(hops.slice(3).some((hop) => hop.steps.some((step) => step.kind === "nat" && step.before?.startsWith("203.0.113.88:"))));
  }
  // The balancer keeps the source: handed back to the node it came from, the packet has that node's own address.
  for (const path of dropped) assert.equal(pathLine(path), "1/12 dropped spoofed-source");
});

test("S113: where the balancer's address is bound on the node itself", async () => {
  const bound = changed(
    {
      "topology.yaml": replace(
        "interfaces: [{name: eth0, addresses: [10.240.0.4/24]}]",
        "interfaces: [{name: eth0, addresses: [10.240.0.4/24]}, {name: eth9, addresses: [203.0.113.88/32]}]",
      ),
    },
    GCE,
  );
  const { trace } = await traced("exec pod/node-js-pod -- curl http://custom-service/", bound);
  assert.deepEqual(trace.paths.map(pathLine), ["1 rejected not-listening"]);
});

for (const [name, ip, code] of [
  ["a placeholder", "<X.X.X.X>", "KT008"],
  ["a loopback address", "127.0.0.1", "KT122"], // of the two codes the one that says why
] as const)
  test(`S114: Endpoints with ${name}`, async () => {
    const broken = changed({ "custom-service.yaml": replace("addresses: [{ip: 203.0.113.88}]", `addresses: [{ip: "${ip}"}]`) }, GCE);
    const { stderr, stdout } = await ktrace(["get", "endpoints", "custom-service"], { cwd: broken });
    assert.match(stderr, new RegExp(`error\\[${code}\\]: Endpoints default/custom-service`));
    assert.equal(stdout.includes(ip), false);
  });

test("S115: the same trace from an EndpointSlice", async () => {
  assert.equal((await column("get endpoints custom-service", 1))["custom-service"], "203.0.113.88:80");
  const sliced = changed(
    {
      "custom-service.yaml": (text) =>
        `${text.split("---\n")[0]}---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: custom-service-1, labels: {kubernetes.io/service-name: custom-service}}, addressType: IPv4, endpoints: [{addresses: [203.0.113.88]}], ports: [{name: http, port: 80, protocol: TCP}]}\n`,
    },
    GCE,
  );
  const command = "exec pod/node-js-pod -- curl http://custom-service/";
  const [before, after] = [await traced(command, GCE), await traced(command, sliced)];
  assert.deepEqual(
    after.trace.paths.map((path) => [pathLine(path), hopLine(path)]),
    before.trace.paths.map((path) => [pathLine(path), hopLine(path)]),
  );
});

const variables = async (cwd: string, prefix: string): Promise<string[]> =>
  (await printed("exec pod/node-js-pod -- env", cwd)).filter((line) => new RegExp(`^${prefix}_(SERVICE|PORT)`).test(line));

test("S119: the seven variables of node-js, and the API server's", async () => {
  assert.deepEqual(await variables(GCE, "NODE_JS"), [
    "NODE_JS_SERVICE_HOST=10.0.103.215",
    "NODE_JS_SERVICE_PORT=80",
    "NODE_JS_PORT=tcp://10.0.103.215:80",
    "NODE_JS_PORT_80_TCP=tcp://10.0.103.215:80",
    "NODE_JS_PORT_80_TCP_PROTO=tcp",
    "NODE_JS_PORT_80_TCP_PORT=80",
    "NODE_JS_PORT_80_TCP_ADDR=10.0.103.215",
  ]);
  assert.equal((await variables(GCE, "KUBERNETES"))[0], "KUBERNETES_SERVICE_HOST=10.0.0.1");
  assert.deepEqual(await variables(GCE, "NODE_JS_NONE"), [], "none for a headless Service");
  assert.deepEqual(await variables(GCE, "KUBE_DNS"), [], "none of other namespaces");
});

test("S119: enableServiceLinks: false leaves the API server's alone", async () => {
  const unlinked = changed(
    {
      "node-js.yaml": replace(
        "spec: {containers: [{name: node-js-pod,",
        "spec: {enableServiceLinks: false, containers: [{name: node-js-pod,",
      ),
    },
    GCE,
  );
  assert.deepEqual(await variables(unlinked, "NODE_JS"), []);
  assert.equal((await variables(unlinked, "KUBERNETES")).length, 8);
});

const born = (pod: string, service: string): string =>
  changed(
    {
      "node-js.yaml": (text) =>
        text
          .replace("metadata: {name: node-js-pod,", `metadata: {creationTimestamp: "${pod}", name: node-js-pod,`)
          .replace("kind: Service, metadata: {name: node-js}", `kind: Service, metadata: {creationTimestamp: "${service}", name: node-js}`),
    },
    GCE,
  );
test("S120: a Service made after the pod is not among its variables, but DNS knows it", async () => {
  const [before, after] = [born("2016-10-01T10:00:00Z", "2016-10-01T09:00:00Z"), born("2016-10-01T10:00:00Z", "2016-10-01T11:00:00Z")];
  assert.equal((await variables(before, "NODE_JS")).length, 7);
  assert.deepEqual(await variables(after, "NODE_JS"), []);
  const { trace } = await traced("exec pod/node-js-pod -- curl http://node-js/", after);
  assert.deepEqual(trace.paths.map(pathLine), kept);
});
test("S120: without times it is said to be assumed", async () => {
  const { stderr } = await ktrace(["exec", "pod/node-js-pod", "--", "env"], { cwd: GCE });
  assert.match(stderr, /^assumed: the Services were there before the container started/m);
});

test("S124: what names no namespace is in default; -n says another; a slip of the flag is seen", async () => {
  assert.deepEqual(await printed("get rc node-js -n default", GCE), await printed("get rc node-js", GCE));
  const elsewhere = await ktrace(["get", "rc", "node-js", "-n", "test"], { cwd: GCE });
  assert.deepEqual([elsewhere.status, elsewhere.stdout], [2, ""]);
  assert.match(elsewhere.stderr, /it exists in namespace default/);
  const { status, stderr } = await ktrace(["get", "rc", "--namepsace", "test"], { cwd: GCE });
  assert.equal(status, 2);
  assert.match(stderr, /unknown option '--namepsace'\n +help: did you mean --namespace\?/);
});

test("S133: pods of a ReplicationController without a selector, and of a bare ReplicaSet", async () => {
  const template =
    "template: {metadata: {labels: {app: whale}}, spec: {containers: [{name: sayhey, image: x, ports: [{containerPort: 80}]}]}}";
  const owners = changed(
    {
      "whale.yaml": [
        `{apiVersion: v1, kind: ReplicationController, metadata: {name: whale-a}, spec: {replicas: 1, ${template}}}`,
        `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: whale-b}, spec: {replicas: 2, selector: {matchLabels: {app: whale}}, ${template}}}`,
        "{apiVersion: v1, kind: Service, metadata: {name: whale}, spec: {selector: {app: whale}, ports: [{port: 80}]}}",
      ].join("\n---\n"),
    },
    GCE,
  );
  const pods = Object.keys(await column("get pods -l app=whale", 0, owners));
  assert.deepEqual(
    pods.map((name) => name.replace(/[bcdfghjklmnpqrstvwxz2456789]{5}$/, "?????")),
    ["whale-a-?????", "whale-b-?????", "whale-b-?????"],
  );
  assert.deepEqual(await column("get rc whale-a -o wide", 7, owners), { "whale-a": "app=whale" });
  assert.equal((await column("get endpoints whale", 1, owners)).whale?.split(",").length, 3);
});
