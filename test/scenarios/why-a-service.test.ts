/**
 * What the articles explain about Services, tried: one balancing round behind an Ingress, not-ready pods, topologyKeys, a dead
 * endpoint, one name in two manifests, and what the masquerade is for (scenarios S55, S66, S70, S76, S85, S95, S96).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { both } from "./modes.ts";
import { changed, type Row, replace, runRows, seenFrom, traced } from "./rows.ts";

const NODE_PORT = { local: 63, remote: 62 };

/** A fourth tomcat6 pod, which fails its readiness probe, behind one Service with an address and one without. */
const notReady = (field: string): string =>
  changed({
    "slow.yaml": `apiVersion: v1
kind: Pod
metadata: {name: slow, labels: {app: tomcat6}}
spec: {nodeName: k8s-node2, containers: [{name: c, image: tomcat}]}
status: {phase: Running, podIP: 10.244.1.12, conditions: [{type: Ready, status: "False"}]}
---
apiVersion: v1
kind: Service
metadata: {name: direct}
spec: {clusterIP: None, ${field}selector: {app: tomcat6}, ports: [{port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: through}
spec: {clusterIP: 10.96.0.77, ${field}selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080}]}
`,
  });
const left = notReady("");
const published = notReady("publishNotReadyAddresses: true, ");
const READY = ["10.244.1.11 ttl 64", "10.244.2.10 ttl 62", "10.244.2.11 ttl 62"];
const ALL = ["10.244.1.11 ttl 64", "10.244.1.12 ttl 64", "10.244.2.10 ttl 62", "10.244.2.11 ttl 62"];
const podSees = (pods: readonly string[]) => ({
  verdict: "delivered",
  exit: 0,
  paths: pods.map((pod) => `1/${pods.length} ${pod.replace(" ", ":8080 sees 10.244.1.15 ")}`),
});

const keys = changed({
  "tomcat6-service.yaml": replace("  sessionAffinity: None", '  topologyKeys: [kubernetes.io/hostname, "*"]\n  sessionAffinity: None'),
});
const dead = changed({
  "topology.yaml": replace("8jxz7, ip: 10.244.1.11, node: k8s-node2}", "8jxz7, ip: 10.244.1.11, node: k8s-node2, dead: true}"),
});

// S96: the mark is wiped before the nat table sees it, so KUBE-POSTROUTING finds none; the second file also keeps flannel's own
// masquerade (the end of the same chain) from packets to pods.
const UNMARK = "*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MARK --set-xmark 0x0/0x4000\nCOMMIT\n";
const PLAIN = `${UNMARK}*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -d 10.244.0.0/16 -j ACCEPT\nCOMMIT\n`;
const ownRules = replace("      podCIDRs: [10.244.1.0/24]\n", "      podCIDRs: [10.244.1.0/24]\n      iptables: node2.rules\n");
const hostGateway = replace("    backend: vxlan #", "    backend: host-gw #");
const routed = changed({ "topology.yaml": hostGateway });
const unmarked = changed({ "topology.yaml": ownRules, "node2.rules": UNMARK });
const unmarkedPlain = changed({ "topology.yaml": both(ownRules, hostGateway), "node2.rules": PLAIN });

const rows: readonly Row[] = [
  {
    id: "S55: behind an Ingress there is one balancing round",
    command: "curl http://www.test.com/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: seenFrom(2, { local: 64, remote: 63 }),
      legs: ["transport host 192.168.56.101:80 nginx", "transport pod 10.96.246.235:80"],
    },
  },
  {
    id: "S66: a pod that is not ready is no endpoint",
    in: left,
    command: "exec pod/nginx -- curl http://through/",
    expect: podSees(READY),
  },
  { id: "S66: nor in headless DNS", in: left, command: "exec pod/nginx -- curl http://direct:8080/", expect: podSees(READY) },
  { id: "S66: published, it is one", in: published, command: "exec pod/nginx -- curl http://through/", expect: podSees(ALL) },
  { id: "S66: and in headless DNS", in: published, command: "exec pod/nginx -- curl http://direct:8080/", expect: podSees(ALL) },
  {
    id: "S70: topologyKeys has no effect, inside",
    in: keys,
    command: "exec pod/nginx -- curl http://10.96.246.235/",
    expect: podSees(READY),
  },
  {
    id: "S70: nor outside",
    in: keys,
    command: "curl node2:31160",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(2, NODE_PORT) },
  },
  {
    id: "S76: iptables mode does not try another endpoint: a dead one's share fails",
    in: dead,
    command: "curl node2:31160",
    expect: {
      verdict: "mixed",
      exit: 1,
      paths: ["1/3 rejected host-unreachable", ...seenFrom(2, NODE_PORT).slice(1)],
    },
  },
  {
    id: "S95: the pod sees the asked node's outgoing address: flannel.1",
    command: "curl node2:31160",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: seenFrom(2, NODE_PORT),
      hops: ["client > node2 > tomcat6-8jxz7", "client > node2 > node3 > tomcat6-gbtt5", "client > node2 > node3 > tomcat6-hvxs5"],
    },
  },
  {
    id: "S95: with host-gw, the node's own",
    in: routed,
    command: "curl node2:31160",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: [
        "10.244.1.11:8080 sees 10.244.1.1 ttl 63",
        "10.244.2.10:8080 sees 10.0.2.5 ttl 62",
        "10.244.2.11:8080 sees 10.0.2.5 ttl 62",
      ].map((path) => `1/3 ${path}`),
    },
  },
  {
    id: "S96: without the mark, flannel's own masquerade still acts on what leaves the node",
    in: unmarked,
    command: "curl node2:31160",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: [
        "1/3 10.244.1.11:8080 sees 192.168.56.1 ttl 63",
        "1/3 10.244.2.10:8080 sees 10.244.1.0 ttl 62",
        "1/3 10.244.2.11:8080 sees 10.244.1.0 ttl 62",
      ],
    },
  },
  {
    id: "S96: on a plain routed network the pod of another node answers the client directly",
    in: unmarkedPlain,
    command: "curl node2:31160",
    expect: {
      verdict: "mixed",
      exit: 1,
      paths: [
        "1/3 10.244.1.11:8080 sees 192.168.56.1 ttl 63",
        "1/3 unanswered reply-not-translated",
        "1/3 unanswered reply-not-translated",
      ],
    },
  },
];
runRows(rows);

test("S95: the reply goes back the way the request came", async () => {
  const { trace } = await traced("curl node2:31160");
  assert.deepEqual(
    trace.paths.at(-1)?.legs[0]?.reply.hops.map(({ netns }) => netns),
    ["pod/default/tomcat6-5f7ccf4cb9-hvxs5", "node/k8s-node3", "node/k8s-node2", "host/client"],
  );
});

test("S96: and that reply never passes the node that translated", async () => {
  const { trace } = await traced("curl node2:31160", unmarkedPlain);
  const hops = trace.paths.at(-1)?.legs[0]?.reply.hops.map(({ netns }) => netns);
  assert.deepEqual(hops, ["pod/default/tomcat6-5f7ccf4cb9-hvxs5", "node/k8s-node3", "host/client"]);
});

test("S85: one name in two manifests is reported, and the later one stands", async () => {
  const cwd = changed({
    "a.yaml":
      "{kind: Service, apiVersion: v1, metadata: {name: my-service}, spec: {type: ExternalName, externalName: my.database.example.com}}\n",
    "b.yaml":
      "{kind: Service, apiVersion: v1, metadata: {name: my-service}, spec: {selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080}], externalIPs: [80.11.12.10]}}\n",
  });
  const { stderr, trace } = await traced("exec pod/nginx -- curl http://my-service/", cwd);
  assert.match(stderr, /KT007.*my-service is defined twice/);
  assert.deepEqual([trace.verdict, trace.pathsTotal], ["delivered", 3]);
});
