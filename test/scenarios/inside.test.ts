/** Requests inside the cluster: ClusterIP, DNS, hairpin, pods and nodes (rows S12, S19 to S30, S35, S36). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, printed, type Row, replace, runRows, seenFrom, traced } from "./rows.ts";

const A = "pod/tomcat6-5f7ccf4cb9-8jxz7";
const keptSource = [
  "1/3 10.244.1.11:8080 sees 10.244.1.15 ttl 64",
  "1/3 10.244.2.10:8080 sees 10.244.1.15 ttl 62",
  "1/3 10.244.2.11:8080 sees 10.244.1.15 ttl 62",
];
const hairpin = [
  "1/3 10.244.1.11:8080 sees 10.244.1.1 ttl 64",
  "1/3 10.244.2.10:8080 sees 10.244.1.11 ttl 62",
  "1/3 10.244.2.11:8080 sees 10.244.1.11 ttl 62",
];
const dnsLeg = "dns pod 10.96.0.10:53 tomcat6.default.svc.cluster.local A 10.96.246.235";

const clientRoute = changed({
  "topology.yaml": replace(
    "      listens:\n        - {port: 80, protocol: TCP} # so that",
    "      routes: [{to: 10.96.0.0/12, via: 192.168.56.101}]\n      listens:\n        - {port: 80, protocol: TCP} # so that",
  ),
});
const noHairpin = changed({ "topology.yaml": replace("    backend: vxlan", "    hairpinMode: false\n    backend: vxlan") });
const twoContainers = changed({
  "two.yaml": `apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  containers:
    - {name: first, image: nginx, ports: [{containerPort: 8080}]}
    - {name: second, image: busybox}
`,
});

const rows: readonly Row[] = [
  {
    id: "S12: containers of a pod share its network",
    command: "exec pod/two -c second -- curl http://127.0.0.1:8080/",
    in: twoContainers,
    expect: { verdict: "delivered", exit: 0, paths: ["1 127.0.0.1:8080 sees 127.0.0.1 ttl 64"], hops: ["two"] },
  },
  {
    id: "S19: a node without a pod asks the cluster address",
    command: "exec node/k8s-node1 -- curl http://10.96.246.235/index.html",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: seenFrom(1, { local: 64, remote: 63 }),
      hops: ["node1 > node2 > tomcat6-8jxz7", "node1 > node3 > tomcat6-gbtt5", "node1 > node3 > tomcat6-hvxs5"],
    },
  },
  {
    id: "S20",
    command: "exec node/k8s-node2 -- curl http://10.96.246.235/",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(2, { local: 64, remote: 63 }) },
  },
  {
    id: "S20",
    command: "exec node/k8s-node3 -- curl http://10.96.246.235/",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(3, { local: 64, remote: 63 }) },
  },
  {
    id: "S21: a pod keeps its address; the same node is bridged",
    command: "exec pod/nginx -- curl http://10.96.246.235/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: keptSource,
      hops: ["nginx > node2 > tomcat6-8jxz7", "nginx > node2 > node3 > tomcat6-gbtt5", "nginx > node2 > node3 > tomcat6-hvxs5"],
    },
  },
  {
    id: "S22: by name",
    command: "exec pod/nginx -- curl http://tomcat6/",
    expect: { verdict: "delivered", exit: 0, paths: keptSource, legs: [dnsLeg, "transport pod 10.96.246.235:80"] },
  },
  {
    id: "S23: to itself through its Service",
    command: `exec ${A} -- curl http://tomcat6/`,
    expect: { verdict: "delivered", exit: 0, paths: hairpin },
  },
  {
    id: "S23: hairpin mode off",
    command: `exec ${A} -- curl http://10.96.246.235/`,
    in: noHairpin,
    expect: { verdict: "mixed", exit: 28, paths: ["1/3 dropped hairpin-off", ...hairpin.slice(1)] },
  },
  {
    id: "S24: from outside without a route",
    command: "curl http://10.96.246.235/",
    expect: {
      verdict: "rejected",
      exit: 1,
      paths: ["1 rejected no-route"],
      hops: ["client"],
      clientSees: /^curl: \(7\) .*Network is unreachable/,
    },
  },
  {
    id: "S25: from outside with a route",
    command: "curl http://10.96.246.235/",
    in: clientRoute,
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(2, { local: 63, remote: 62 }) },
  },
  {
    id: "S27: no rule for a ping",
    command: "exec pod/nginx -- ping 10.96.246.235",
    expect: { verdict: "exits", exit: 1, paths: ["1 exits left-topology"] },
  },
  {
    id: "S27: nor for another port",
    command: "exec pod/nginx -- curl http://10.96.246.235:81/",
    expect: { verdict: "exits", exit: 1, paths: ["1 exits left-topology"] },
  },
  {
    id: "S29: pod to pod, other node",
    command: "exec pod/nginx -- curl http://10.244.2.10:8080/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["1 10.244.2.10:8080 sees 10.244.1.15 ttl 62"],
      hops: ["nginx > node2 > node3 > tomcat6-gbtt5"],
    },
  },
  {
    id: "S29: pod to pod, same node",
    command: "exec pod/nginx -- curl http://10.244.1.11:8080/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["1 10.244.1.11:8080 sees 10.244.1.15 ttl 64"],
      hops: ["nginx > node2 > tomcat6-8jxz7"],
    },
  },
  {
    id: "S30: node to pod",
    command: "exec node/k8s-node2 -- curl http://10.244.2.10:8080/",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.2.10:8080 sees 10.244.1.0 ttl 63"] },
  },
  {
    id: "S30: pod to another node",
    command: "exec pod/nginx -- nc 10.0.2.15 80",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.0.2.15:80 sees 10.0.2.5 ttl 63"] },
  },
  {
    id: "S30: pod to its own node",
    command: "exec pod/nginx -- nc 10.0.2.5 80",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.0.2.5:80 sees 10.244.1.15 ttl 64"] },
  },
  {
    id: "S35: own node's node port",
    command: "exec pod/nginx -- curl http://10.0.2.5:31160/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: [
        "1/3 10.244.1.11:8080 sees 10.244.1.1 ttl 64",
        "1/3 10.244.2.10:8080 sees 10.244.1.0 ttl 62",
        "1/3 10.244.2.11:8080 sees 10.244.1.0 ttl 62",
      ],
    },
  },
  {
    id: "S35: another node's: masqueraded twice",
    command: "exec pod/nginx -- curl http://10.0.2.15:31160/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: [
        "1/3 10.244.1.11:8080 sees 10.244.2.0 ttl 61",
        "1/3 10.244.2.10:8080 sees 10.244.2.1 ttl 62",
        "1/3 10.244.2.11:8080 sees 10.244.2.1 ttl 62",
      ],
    },
  },
  {
    id: "S36: loopback node port",
    command: "exec node/k8s-node2 -- curl http://127.0.0.1:31160/",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(2, { local: 64, remote: 63 }) },
  },

  {
    id: "pod to the client's network",
    command: "exec pod/nginx -- curl http://192.168.56.1/",
    expect: { verdict: "delivered", exit: 0, paths: ["1 192.168.56.1:80 sees 192.168.56.101 ttl 63"] },
  },
  {
    id: "pod to the rest of the world",
    command: "exec pod/nginx -- curl http://192.0.2.53/",
    expect: { verdict: "exits", exit: 1, paths: ["1 exits left-topology"] },
  },
  {
    id: "a closed port",
    command: "exec pod/nginx -- curl http://10.244.2.10:9/",
    expect: { verdict: "rejected", exit: 7, paths: ["1 rejected not-listening"], clientSees: /Connection refused/ },
  },
  {
    id: "an unknown pod address",
    command: "exec pod/nginx -- curl http://10.244.1.99:8080/",
    expect: { verdict: "rejected", exit: 7, paths: ["1 rejected host-unreachable"], clientSees: /No route to host/ },
  },
  {
    id: "ping a pod",
    command: "exec pod/nginx -- ping 10.244.2.10",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.2.10 sees 10.244.1.15 ttl 62"] },
  },
  {
    id: "ping a node",
    command: "ping node2",
    expect: { verdict: "delivered", exit: 0, paths: ["1 192.168.56.101 sees 192.168.56.1 ttl 64"] },
  },
  {
    id: "Service port 81 by name",
    command: "exec pod/nginx -- curl http://tomcat6:81/",
    expect: { verdict: "exits", exit: 1, paths: ["1 exits left-topology"] },
  },
];
runRows(rows);

test("S21: the packet to the other node travels in VXLAN, and no address is translated but the Service's", async () => {
  const { trace } = await traced("exec pod/nginx -- curl http://10.96.246.235/");
  for (const path of trace.paths) {
    const hops = path.legs.at(-1)?.hops ?? [];
    const nats = hops.flatMap(({ netns, steps }) =>
      steps.filter(({ kind }) => kind === "nat").map(({ manip, before }) => `${netns} ${manip} ${before}`),
    );
    assert.deepEqual(nats, ["node/k8s-node2 dst 10.96.246.235:80"]);
    assert.equal(
      hops.some(({ outer }) => outer !== undefined),
      path.destination?.node === "k8s-node3",
    );
  }
});

test("S22: the query has two arms of 1/2, one a CoreDNS pod", async () => {
  const { trace } = await traced("exec pod/nginx -- curl http://tomcat6/");
  for (const path of trace.paths) {
    const arms = path.legs[0]?.arms ?? [];
    assert.deepEqual(
      arms.map(({ share, destination }) => `${share} ${destination?.ip} on ${destination?.node}`),
      ["1/2 10.244.0.8 on k8s-node1", "1/2 10.244.0.9 on k8s-node1"],
    );
  }
});

test("S27: what leaves is masqueraded to the node's address", async () => {
  const { trace } = await traced("exec pod/nginx -- ping 10.96.246.235");
  const last = trace.paths[0]?.legs[0]?.hops.at(-1);
  assert.deepEqual(
    [last?.netns, last?.out, last?.packetOut?.src, last?.packetOut?.dst],
    ["node/k8s-node2", "eth0", "10.0.2.5", "10.96.246.235"],
  );
});

test("S12: `ip a` is the same in both containers", async () => {
  assert.deepEqual(
    await printed("exec pod/two -c first -- ip a", twoContainers),
    await printed("exec pod/two -c second -- ip a", twoContainers),
  );
});
