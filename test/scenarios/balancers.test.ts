/** Balancers and firewalls in front of the nodes (scenarios S50 to S55, S60, S63 to S65, S80, S81, S102, S113). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, hopLine, pathLine, printed, type Row, replace, runRows, seenFrom, traced } from "./rows.ts";

const END = "  ingressControllers:\n";
const topology = (more: string) => replace(END, `${more}\n${END}`);
const alone = (port: number, to: number, targets: string, more = "") =>
  topology(`  loadBalancers: [{name: lb, address: 192.168.56.200, listens: [{port: ${port}, to: ${to}}], targets: [${targets}]${more}}]`);
const cloud = (more = "") => topology(`  loadBalancers: [{name: cloud, pool: [203.0.113.0/24]${more}}]`);
const local = replace("externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local");
const web = (spec: string) =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer, selector: {app: tomcat6}, ports: [{port: 8765, targetPort: 8080}]${spec}}\n`;
const VIP = ", loadBalancerIP: 203.0.113.7";
const address = "http://203.0.113.7:8765/";

const l4 = changed({ "topology.yaml": alone(80, 31160, "k8s-node1, node2, 192.168.56.102") });
const l4Local = changed({ "topology.yaml": alone(80, 31160, "node1, node2, node3"), "tomcat6-service.yaml": local });
const l4LocalChecked = changed({
  "topology.yaml": alone(80, 31160, "node1, node2, node3", ", healthCheck: true"),
  "tomcat6-service.yaml": local,
});
const l4Nobody = changed({ "topology.yaml": alone(80, 9, "node1, node2", ", healthCheck: true") });
const front = changed({ "topology.yaml": alone(80, 80, "node2, node3") });
const front3 = changed({ "topology.yaml": alone(80, 80, "node1, node2, node3") });
const front3Checked = changed({ "topology.yaml": alone(80, 80, "node1, node2, node3", ", healthCheck: true") });
const vip = changed({ "topology.yaml": cloud(), "web.yaml": web(VIP) });
const vipLocal = changed({ "topology.yaml": cloud(), "web.yaml": web(`${VIP}, externalTrafficPolicy: Local, healthCheckNodePort: 32000`) });
const vipLocalUnchecked = changed({
  "topology.yaml": cloud(", healthCheck: false"),
  "web.yaml": web(`${VIP}, externalTrafficPolicy: Local`),
});
const vipNobody = changed({
  "topology.yaml": cloud(),
  "web.yaml": web(`${VIP}, externalTrafficPolicy: Local`).replace("app: tomcat6", "app: nobody"),
});
const ranges = changed({ "topology.yaml": cloud(), "web.yaml": web(`${VIP}, loadBalancerSourceRanges: [203.0.113.0/24]`) });
const byNodePort = changed({ "topology.yaml": cloud(", forward: nodePort"), "web.yaml": web(VIP) });
const noNodePort = changed({
  "topology.yaml": cloud(", forward: nodePort"),
  "web.yaml": web(`${VIP}, allocateLoadBalancerNodePorts: false`),
});
const noNodePortVip = changed({ "topology.yaml": cloud(), "web.yaml": web(`${VIP}, allocateLoadBalancerNodePorts: false`) });
const byPod = changed({ "topology.yaml": cloud(", forward: pod"), "web.yaml": web(VIP) });
const proxy = changed({ "topology.yaml": cloud(", sources: [130.211.0.0/22]"), "web.yaml": web(VIP) });
const proxyToPods = changed({ "topology.yaml": cloud(", forward: pod, sources: [130.211.0.0/22]"), "web.yaml": web(VIP) });
const dumped = changed({
  "web.yaml": `${web("").trimEnd()}\nstatus: {loadBalancer: {ingress: [{ip: 203.0.113.50, ipMode: Proxy}]}}\n`,
});
const fw = (allow: string, more = "") =>
  changed({ "topology.yaml": topology(`  firewalls: [{name: edge, before: [192.168.56.0/24], allow: [${allow}]}]${more}`) });
const closed = fw("{protocol: TCP, ports: [22]}");
const open = fw("{from: 0.0.0.0/0, protocol: TCP, ports: [30001, 31000-31200]}");
const forOthers = fw("{from: 10.0.0.0/8}");

const throughAll = [1, 2, 3].flatMap((n) => (n === 1 || n === 2 || n === 3 ? seenFrom(n, { local: 63, remote: 62 }, "1/9") : []));
/** One hop more than without a router in front. */
const routed = [1, 2, 3].flatMap((n) => (n === 1 || n === 2 || n === 3 ? seenFrom(n, { local: 62, remote: 61 }, "1/9") : []));
const dropped = (share: string, reason: string) => `${share} dropped ${reason}`;

const rows: readonly Row[] = [
  { id: "S50: two rounds of balancing", in: l4, command: "curl http://lb/", expect: { verdict: "delivered", exit: 0, paths: throughAll } },
  {
    id: "S50: by address, and not only HTTP",
    in: l4,
    command: "nc 192.168.56.200 80",
    expect: { verdict: "delivered", exit: 0, paths: throughAll },
  },
  {
    id: "S51: balancer, Ingress, Service",
    in: front,
    command: "curl -H 'Host: www.test.com' http://lb/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ([2, 3] as const).flatMap((n) => seenFrom(n, { local: 64, remote: 63 }, "1/6")),
    },
  },
  {
    id: "S51: node1 too, and nobody checks",
    in: front3,
    command: "curl -H 'Host: www.test.com' http://lb/",
    expect: {
      verdict: "mixed",
      exit: 1,
      paths: ["1/3 rejected not-listening", ...([2, 3] as const).flatMap((n) => seenFrom(n, { local: 64, remote: 63 }, "1/9"))],
    },
  },
  {
    id: "S51: the same with a health check",
    in: front3Checked,
    command: "curl -H 'Host: www.test.com' http://lb/",
    expect: { verdict: "delivered", exit: 0, paths: ([2, 3] as const).flatMap((n) => seenFrom(n, { local: 64, remote: 63 }, "1/6")) },
  },
  {
    id: "S54: policy Local behind the balancer",
    in: l4Local,
    command: "curl http://lb/",
    expect: {
      verdict: "mixed",
      exit: 1,
      paths: [
        dropped("1/3", "no-local-endpoints"),
        "1/3 10.244.1.11:8080 sees 192.168.56.200 ttl 63",
        "1/6 10.244.2.10:8080 sees 192.168.56.200 ttl 63",
        "1/6 10.244.2.11:8080 sees 192.168.56.200 ttl 63",
      ],
    },
  },
  {
    id: "S54: its health check leaves node1 out, uneven",
    in: l4LocalChecked,
    command: "curl http://lb/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["1/2 10.244.1.11", "1/4 10.244.2.10", "1/4 10.244.2.11"].map((path) => `${path}:8080 sees 192.168.56.200 ttl 63`),
    },
  },
  {
    id: "no target passes",
    in: l4Nobody,
    command: "curl http://lb/",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected load-balancer-no-target"], clientSees: /\(52\) Empty reply/ },
  },
  {
    id: "a port that the balancer does not have",
    in: l4,
    command: "curl http://lb:81/",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected not-listening"] },
  },

  {
    id: "S80: the address is kept up to the node",
    in: vip,
    command: `curl ${address}`,
    expect: { verdict: "delivered", exit: 0, paths: routed },
  },
  {
    id: "S63, S54: type LoadBalancer, Local: node1 leaves",
    in: vipLocal,
    command: `curl ${address}`,
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["1/2 10.244.1.11", "1/4 10.244.2.10", "1/4 10.244.2.11"].map((path) => `${path}:8080 sees 192.168.56.1 ttl 62`),
      hops: ["client > cloud > node2 > tomcat6-8jxz7", "client > cloud > node3 > tomcat6-gbtt5", "client > cloud > node3 > tomcat6-hvxs5"],
    },
  },
  {
    id: "S63 without health checks: a third is lost",
    in: vipLocalUnchecked,
    command: `curl ${address}`,
    expect: {
      verdict: "mixed",
      exit: 1,
      paths: [
        dropped("1/3", "no-local-endpoints"),
        ...["1/3 10.244.1.11", "1/6 10.244.2.10", "1/6 10.244.2.11"].map((path) => `${path}:8080 sees 192.168.56.1 ttl 62`),
      ],
    },
  },
  {
    id: "no node is healthy",
    in: vipNobody,
    command: `curl ${address}`,
    expect: { verdict: "dropped", exit: 1, paths: [dropped("1", "load-balancer-no-target")] },
  },
  {
    id: "a port that no Service has",
    in: vip,
    command: "curl http://203.0.113.7:1/",
    expect: { verdict: "dropped", exit: 1, paths: [dropped("1", "load-balancer-no-target")] },
  },
  {
    id: "nobody owns the address",
    in: vip,
    command: "ping 203.0.113.7",
    expect: { verdict: "dropped", exit: 1, paths: [dropped("1", "load-balancer-no-target")] },
  },
  {
    id: "S63: nodePortAddresses name where health checks are answered too",
    in: changed({
      "topology.yaml": (text) =>
        replace("    mode: iptables\n", "    mode: iptables\n    nodePortAddresses: [10.0.2.0/24]\n")(cloud()(text)),
      "web.yaml": web(`, externalTrafficPolicy: Local, healthCheckNodePort: 32000${VIP}`),
    }),
    command: "curl http://node2:32000/",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected not-listening"] },
  },
  {
    id: "S63: node1 has no pod",
    in: vipLocal,
    command: "curl http://node1:32000/",
    expect: { verdict: "http-error", exit: 1, paths: ["1 http-error no-local-endpoints 503"], clientSees: /503/ },
  },
  {
    id: "S65: the balancer's address is guarded",
    in: ranges,
    command: `curl ${address}`,
    expect: { verdict: "dropped", exit: 1, paths: Array.from({ length: 3 }, () => dropped("1/3", "source-range-denied")) },
  },
  {
    id: "S65: node ports are not",
    in: ranges,
    command: "curl node2:31160",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(2, { local: 63, remote: 62 }) },
  },
  {
    id: "S60: no node port, packets keep the address",
    in: noNodePortVip,
    command: `curl ${address}`,
    expect: { verdict: "delivered", exit: 0, paths: routed },
  },
  {
    id: "S60: balancers that need node ports fail",
    in: noNodePort,
    command: `curl ${address}`,
    expect: { verdict: "dropped", exit: 1, paths: [dropped("1", "load-balancer-no-target")] },
  },
  { id: "to node ports, by packets", in: byNodePort, command: `curl ${address}`, expect: { verdict: "delivered", exit: 0, paths: routed } },
  {
    id: "to pods, by packets: a client next door would be answered past the balancer",
    in: byPod,
    command: `curl ${address}`,
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["10.244.1.11", "10.244.2.10", "10.244.2.11"].map((ip) => `1/3 ${ip}:8080 sees 192.168.56.254 ttl 62`),
      hops: ["client > cloud > node2 > tomcat6-8jxz7", "client > cloud > node3 > tomcat6-gbtt5", "client > cloud > node3 > tomcat6-hvxs5"],
    },
  },
  { id: "a proxy of node ports", in: proxy, command: `curl ${address}`, expect: { verdict: "delivered", exit: 0, paths: throughAll } },
  {
    id: "a proxy of pods: its own address is seen",
    in: proxyToPods,
    command: `curl ${address}`,
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["10.244.1.11", "10.244.2.10", "10.244.2.11"].map((ip) => `1/3 ${ip}:8080 sees 130.211.0.1 ttl 63`),
    },
  },
  {
    id: "S81: from a pod, captured on its node",
    in: vip,
    command: `exec pod/nginx -- curl ${address}`,
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: seenFrom(2, { local: 64, remote: 62 }), // rewritten to a pod of the same bridge, it is bridged and keeps its TTL
      hops: ["nginx > node2 > tomcat6-8jxz7", "nginx > node2 > node3 > tomcat6-gbtt5", "nginx > node2 > node3 > tomcat6-hvxs5"],
    },
  },
  {
    id: "S81: from a node",
    in: vip,
    command: `exec node/k8s-node1 -- curl ${address}`,
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(1, { local: 64, remote: 63 }) },
  },
  {
    id: "S81: ipMode Proxy of a dump, the balancer not in the topology",
    in: dumped,
    command: "exec pod/nginx -- curl http://203.0.113.50:8765/",
    expect: { verdict: "exits", exit: 1, paths: ["1 exits left-topology"] },
  },

  {
    id: "S102: a closed firewall",
    in: closed,
    command: "curl node2:31160",
    expect: { verdict: "dropped", exit: 1, paths: [dropped("1", "firewall-denied")], clientSees: /timed out/ },
  },
  {
    id: "S102: an open one, answers pass",
    in: open,
    command: "curl node2:31160",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: seenFrom(2, { local: 63, remote: 62 }),
      hops: [
        "client > edge > node2 > tomcat6-8jxz7",
        "client > edge > node2 > node3 > tomcat6-gbtt5",
        "client > edge > node2 > node3 > tomcat6-hvxs5",
      ],
    },
  },
  {
    id: "a port that is not allowed",
    in: open,
    command: "nc node2 22",
    expect: { verdict: "dropped", exit: 1, paths: [dropped("1", "firewall-denied")] },
  },
  {
    id: "a source that is not allowed",
    in: forOthers,
    command: "ping node2",
    expect: { verdict: "dropped", exit: 1, paths: [dropped("1", "firewall-denied")] },
  },
  {
    id: "from inside everything passes",
    in: closed,
    command: "exec node/k8s-node2 -- nc 192.168.56.1 80",
    expect: { verdict: "delivered", exit: 0, paths: ["1 192.168.56.1:80 sees 192.168.56.101 ttl 64"] },
  },
];
runRows(rows);

test("S81: ipMode Proxy: a pod's request goes out to the balancer, which opens its own", async () => {
  const { trace } = await traced(`exec pod/nginx -- curl ${address}`, proxy);
  assert.equal(trace.verdict, "delivered");
  assert.deepEqual(new Set(trace.paths.map((path) => path.legs.map((leg) => leg.hops.at(-1)?.netns)[0])), new Set(["host/cloud"]));
  assert.deepEqual(trace.paths.map(pathLine), throughAll);
});

test("S63: who answers 200, and with how many", async () => {
  for (const [node, count] of [
    ["node2", 1],
    ["node3", 2],
  ] as const) {
    const { trace, status } = await traced(`curl http://${node}:32000/anything`, vipLocal);
    assert.equal(status, 0);
    assert.deepEqual([trace.verdict, trace.paths[0]?.status], ["delivered", 200]);
    assert.match(trace.paths[0]?.text ?? "", new RegExp(`"localEndpoints":${count},`));
  }
});

test("a balancer's hops are those of a router", async () => {
  const { trace } = await traced(`curl ${address}`, vip);
  assert.deepEqual(trace.paths.map(hopLine).slice(0, 3), [
    "client > cloud > node1 > node2 > tomcat6-8jxz7",
    "client > cloud > node1 > node3 > tomcat6-gbtt5",
    "client > cloud > node1 > node3 > tomcat6-hvxs5",
  ]);
});

test("S80: EXTERNAL-IP", async () => {
  const pending = changed({ "web.yaml": web("") });
  const row = (lines: readonly string[]) =>
    lines
      .find((line) => line.startsWith("web "))
      ?.split(/ +/)
      .slice(1, 5);
  assert.equal(row(await printed("-q get svc", pending))?.[2], "<pending>");
  assert.match(row(await printed("-q get svc", pending))?.[3] ?? "", /^8765:3\d{4}\/TCP$/);
  assert.equal(row(await printed("-q get svc", vip))?.[2], "203.0.113.7");
  assert.equal(row(await printed("-q get svc", noNodePortVip))?.[3], "8765/TCP");
});

for (const [name, spec, why] of [
  ["S80: no provider", "", /no load balancer of the topology has a pool/],
  ["S64: an address outside the pool", ", loadBalancerIP: 198.51.100.7", /lies in no pool/],
  ["a class that nobody serves", ", loadBalancerClass: example.com/x", /class "example.com\/x"/],
] as const)
  test(`${name}: KT306`, async () => {
    const cwd = changed({ "web.yaml": web(spec), ...(spec === "" ? {} : { "topology.yaml": cloud() }) });
    const { stderr } = await traced("curl node2:31160", cwd);
    assert.match(stderr, /KT306/);
    assert.match(stderr, why);
  });
