import assert from "node:assert/strict";
import test from "node:test";
import { LabError } from "../../src/lab/error.ts";
import { restoreText } from "../../src/lab/of-cluster.ts";
import { type LabOptions, type LabPlan, planLab } from "../../src/lab/plan.ts";
import { renderDownScript, renderScript } from "../../src/lab/script.ts";
import { program, sampleNode, samplePod } from "../agents/sample-cluster.ts";

const IDS = [
  "node/k8s-node1",
  "node/k8s-node2",
  "node/k8s-node3",
  "host/client",
  "pod/default/nginx",
  "pod/default/tomcat6-5f7ccf4cb9-8jxz7",
];
const plan = (over: Parameters<typeof program>[0] = {}, ids = IDS, options: Partial<LabOptions> = {}): LabPlan =>
  planLab(program(over).world, ids, { lab: "demo", restoreText, ...options });

/** The lines for `ip` inside one namespace, in order. */
const ipLines = (made: LabPlan, netns: string): string[] =>
  made.steps.flatMap((step) => (step.kind === "ip" && step.netns === `ktrace-demo.${netns}` ? step.lines : []));

test("a node makes its interfaces in creation order, each with the other end of its cable", () => {
  const adds = ipLines(plan(), "node-k8s-node2").filter((line) => line.startsWith("link add"));
  assert.deepEqual(
    adds.map((line) =>
      line
        .replace(/veth[0-9a-f]{8}/, "veth*")
        .replace(/ktp\d+/, "ktp*")
        .replace(/address [0-9a-f:]{17} /g, ""),
    ),
    [
      "link add eth0 mtu 1500 type veth peer name ktp* mtu 65535 netns ktrace-demo.lan",
      "link add eth1 mtu 1500 type veth peer name ktp* mtu 65535 netns ktrace-demo.lan",
      "link add docker0 mtu 1500 type bridge mcast_snooping 0",
      "link add flannel.1 mtu 1450 type vxlan id 1 local 10.0.2.5 dev eth0 dstport 8472 nolearning",
      "link add cni0 mtu 1450 type bridge mcast_snooping 0",
      "link add veth* mtu 1450 type veth peer name eth0 mtu 1450 netns ktrace-demo.pod-default-tomcat6-5f7ccf4cb9-8jxz7",
      "link add veth* mtu 1450 type veth peer name eth0 mtu 1450 netns ktrace-demo.pod-default-nginx",
    ],
  );
});

test("connected routes are left to the kernel, and gateways come after what reaches them", () => {
  assert.deepEqual(
    ipLines(plan(), "node-k8s-node2").filter((line) => line.startsWith("route")),
    [
      "route add 0.0.0.0/0 via 10.0.2.2 dev eth0 proto boot",
      "route add 10.244.0.0/24 via 10.244.0.0 dev flannel.1 proto boot onlink",
      "route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 proto boot onlink",
    ],
  );
  const routes = [
    { to: "172.16.0.0/16", via: "10.9.9.9", dev: "eth0" },
    { to: "10.9.9.9/32", dev: "eth0" },
  ];
  const written = ipLines(plan({ nodes: [sampleNode(1, { routes })] }, ["node/k8s-node1"]), "node-k8s-node1").filter((line) =>
    line.startsWith("route"),
  );
  assert.deepEqual(
    written.map((line) => line.split(" ")[2]),
    ["10.9.9.9/32", "172.16.0.0/16"],
  );
});

test("a gateway that no machine owns is a namespace of its own", () => {
  const made = plan();
  assert.ok(made.namespaces.some(({ id }) => id === "lab/router"));
  assert.ok(ipLines(made, "lab-router").includes("addr add 10.0.2.2/24 brd + dev eth0"));
  assert.equal(
    plan({ nodes: [sampleNode(1, { routes: [] })] }, ["node/k8s-node1"]).namespaces.some(({ id }) => id === "lab/router"),
    false,
  );
});

test("a pod that is not asked for leaves a cable into nothing", () => {
  const adds = ipLines(plan({}, ["node/k8s-node3"]), "node-k8s-node3").filter((line) => /^link add veth/.test(line));
  assert.ok(adds.length === 2 && adds.every((line) => line.endsWith("netns ktrace-demo.lan")), adds.join("\n"));
});

test("hairpin mode and masters are set", () => {
  const hairpin = (on: boolean): number =>
    ipLines(plan({ cni: { plugin: "flannel", backend: "vxlan", hairpinMode: on } }), "node-k8s-node2").filter((line) =>
      line.endsWith("hairpin on"),
    ).length;
  assert.deepEqual([hairpin(true), hairpin(false)], [2, 0]);
});

test("every netfilter of the World is loaded, and nothing else", () => {
  const restores = plan().steps.flatMap((step) => (step.kind === "restore" ? [`${step.netns} ${step.family} ${step.backend}`] : []));
  assert.deepEqual(
    restores,
    [1, 2, 3].flatMap((i) => [4, 6].map((family) => `ktrace-demo.node-k8s-node${i} ${family} nft`)),
  );
});

test("servers are bound to every address, one socket a port", () => {
  const node = plan().namespaces.find(({ id }) => id === "node/k8s-node2");
  const http = node?.agent.sockets.filter(({ protocol, port }) => protocol === "tcp" && port === 80) ?? [];
  assert.deepEqual(
    http.map(({ owner }) => owner),
    ["pod/ingress-nginx/nginx-ingress-controller-jj88x"],
  );
  assert.ok(http[0]?.ips.includes("127.0.0.1") && http[0]?.ips.includes("192.168.56.101"));
  assert.equal(
    node?.agent.sockets.some(({ protocol, port }) => protocol === "udp" && port === 8472),
    false,
    "the tunnel's port is the kernel's",
  );
});

const refused: readonly (readonly [string, () => unknown])[] = [
  ["a lab name with a slash", () => plan({}, IDS, { lab: "../etc" })],
  [
    "a sysctl of the whole machine",
    () => plan({ nodes: [sampleNode(1, { sysctls: { "kernel.core_pattern": "|/bin/sh" } })] }, ["node/k8s-node1"]),
  ],
  [
    "a sysctl path that climbs",
    () => plan({ nodes: [sampleNode(1, { sysctls: { "net.ipv4....kernel.panic": "1" } })] }, ["node/k8s-node1"]),
  ],
  [
    "a sysctl value with a command",
    () => plan({ nodes: [sampleNode(1, { sysctls: { "net.ipv4.ip_forward": "1'; reboot; '" } })] }, ["node/k8s-node1"]),
  ],
  [
    "an interface name with a blank",
    () =>
      plan(
        {
          nodes: [
            sampleNode(1, {
              interfaces: [
                { ...sampleNode(1).interfaces[0], name: "eth0 up", mac: "02:00:00:00:00:01", mtu: 1500, up: true, addresses: [] },
              ],
            }),
          ],
        },
        ["node/k8s-node1"],
      ),
  ],
];
for (const [name, attempt] of refused) test(`refused: ${name}`, () => assert.throws(attempt, LabError));

test("the script holds nothing outside quoted here-documents that the input decides", () => {
  const made = plan({ pods: [samplePod("a'; reboot; '", 2, "10.244.1.15")] }, ["node/k8s-node2", "pod/default/a'; reboot; '"]);
  const script = renderScript(made);
  const outside = script.replace(/<<'KTRACE_END'\n[\s\S]*?\nKTRACE_END\n/g, "\n");
  assert.equal(outside.includes("reboot;"), false);
  assert.match(outside, /^ip -batch - $/m);
  assert.match(renderDownScript(made), /ip netns del ktrace-demo\.pod-default-a-reboot-\n/);
});
