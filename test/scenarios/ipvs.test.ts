/**
 * ipvs mode on the reference cluster. No kernel at hand has IPVS, so each row says which statement it holds to:
 * of kube-proxy's source, of the kernel's (net/netfilter/ipvs), or what was seen of the rules that the real kube-proxy wrote.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { both, type Claim, delivered, IPVS, mode, rejected, routeTo, topologyOf } from "./modes.ts";
import { changed, printed, replace, runRows, seenFrom, traced } from "./rows.ts";

const LOCAL_POLICY = replace("externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local");
const withService = (edit: (text: string) => string, ...topology: readonly ((text: string) => string)[]): string =>
  changed({ "topology.yaml": both(topologyOf(mode(IPVS)), ...topology), "tomcat6-service.yaml": edit });

const ipvs = changed(mode(IPVS));
const ipvs125 = changed(mode(IPVS, "1.25.0"));
const routed = changed({ "topology.yaml": both(topologyOf(mode(IPVS)), routeTo("10.96.0.0/12", "192.168.56.101")) });
const noCidr = changed({
  "topology.yaml": both(topologyOf(mode(IPVS)), (text) => text.replace(/^ {4}clusterCIDR: .*\n/m, '    clusterCIDR: ""\n')),
});
const localPolicy = withService(LOCAL_POLICY);
const bothLocal = withService(replace("externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local\n  internalTrafficPolicy: Local"));
const internalLocal = withService(
  both(replace("  type: NodePort\n", "  internalTrafficPolicy: Local\n"), (text) =>
    text.replace(/^ *(nodePort|externalTrafficPolicy): .*\n/gm, ""),
  ),
);
const nobody = withService((text) => text.replace(/(selector:\n\s+app: )tomcat6/, "$1nobody"));
const external = withService(
  replace("  type: NodePort\n", "  type: NodePort\n  externalIPs: [198.51.100.9]\n"),
  routeTo("198.51.100.0/24", "192.168.56.101"),
);
const POD_PORT = 8080;
const pods = ["10.244.1.11", "10.244.2.10", "10.244.2.11"] as const;
const sees = (source: string, ttls: readonly [number, number, number]): string[] =>
  pods.map((ip, i) => `1/3 ${ip}:${POD_PORT} sees ${source} ttl ${ttls[i]}`);
/** IPVS spends the TTL that FORWARD would (ip_vs_xmit.c decrement_ttl), also for a pod on the asked node and the node's own packets. */
const TTL = { local: 63, remote: 62 } as const;
const A = "pod/tomcat6-5f7ccf4cb9-8jxz7";

const claims: readonly Claim[] = [
  {
    id: "S77 outside to a node port",
    why: "KUBE-NODE-PORT marks it, IPVS picks, KUBE-POSTROUTING masquerades: V(n2) as in iptables mode",
    command: "curl node2:31160",
    in: ipvs,
    expect: {
      ...delivered(seenFrom(2, TTL)),
      hops: ["client > node2 > tomcat6-8jxz7", "client > node2 > node3 > tomcat6-gbtt5", "client > node2 > node3 > tomcat6-hvxs5"],
    },
  },
  {
    id: "node without a pod",
    why: "any node serves node ports",
    command: "curl http://192.168.56.100:31160/",
    in: ipvs,
    expect: delivered(seenFrom(1, TTL)),
  },
  {
    id: "pod to cluster IP",
    why: "its source is in clusterCIDR: not marked, not masqueraded",
    command: "exec pod/nginx -- curl http://10.96.246.235/",
    in: ipvs,
    expect: delivered(sees("10.244.1.15", [63, 62, 62])),
  },
  {
    id: "pod to itself through its Service",
    why: "KUBE-LOOP-BACK dst,dst,src: masqueraded to cni0's address; sent by the bridge itself, so without hairpin mode",
    command: `exec ${A} -- curl http://10.96.246.235/`,
    in: ipvs,
    expect: delivered([
      "1/3 10.244.1.11:8080 sees 10.244.1.1 ttl 63",
      "1/3 10.244.2.10:8080 sees 10.244.1.11 ttl 62",
      "1/3 10.244.2.11:8080 sees 10.244.1.11 ttl 62",
    ]),
  },
  {
    id: "node to cluster IP",
    why: "its source is the cluster IP itself, which kube-ipvs0 holds; not in clusterCIDR, so masqueraded",
    command: "exec node/k8s-node2 -- curl http://10.96.246.235/",
    in: ipvs,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "node to cluster IP without a clusterCIDR",
    why: "KUBE-CLUSTER-IP src,dst: what comes from a Service address is masqueraded",
    command: "exec node/k8s-node2 -- curl http://10.96.246.235/",
    in: noCidr,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "outside to cluster IP",
    why: "routed in, off-cluster source: masqueraded",
    command: "curl http://10.96.246.235/",
    in: routed,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "pod to its own node's node port",
    why: "policy Cluster: KUBE-NODE-PORT-TCP marks whatever the source",
    command: "exec pod/nginx -- curl http://10.0.2.5:31160/",
    in: ipvs,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "node port on the address of a CNI device",
    why: "all own addresses but those of kube-ipvs0 have virtual servers, cni0's too",
    command: "exec pod/nginx -- curl http://10.244.1.1:31160/",
    in: ipvs,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "S36 node port on loopback",
    why: "no virtual server for 127.0.0.1",
    command: "exec node/k8s-node2 -- curl http://127.0.0.1:31160/",
    in: ipvs,
    expect: rejected("not-listening", 7),
  },
  {
    id: "S27 ping of a cluster IP, 1.26 and newer",
    why: "KUBE-IPVS-FILTER rejects what no Service port takes",
    command: "exec pod/nginx -- ping 10.96.246.235",
    in: ipvs,
    expect: rejected("service-port-unknown"),
  },
  {
    id: "S27 wrong port of a cluster IP, 1.26 and newer",
    why: "the same",
    command: "exec pod/nginx -- nc 10.96.246.235 81",
    in: ipvs,
    expect: rejected("service-port-unknown"),
  },
  {
    id: "S27 ping of a cluster IP, up to 1.25",
    why: "a local address: the kernel answers",
    command: "exec pod/nginx -- ping 10.96.246.235",
    in: ipvs125,
    expect: delivered(["1 10.96.246.235 sees 10.244.1.15 ttl 64"]),
  },
  {
    id: "S27 wrong port of a cluster IP, up to 1.25",
    why: "a local address where nobody listens: RST",
    command: "exec pod/nginx -- nc 10.96.246.235 81",
    in: ipvs125,
    expect: rejected("not-listening"),
  },
  {
    id: "host port on a cluster IP, up to 1.25",
    why: "kubernetes issue 72236: the node's own ports answer on every Service address",
    command: "exec pod/nginx -- nc 10.96.246.235 10250",
    in: ipvs125,
    expect: delivered(["1 10.96.246.235:10250 sees 10.244.1.15 ttl 64"]),
  },
  {
    id: "host port on a cluster IP, 1.26 and newer",
    why: "KUBE-IPVS-FILTER",
    command: "exec pod/nginx -- nc 10.96.246.235 10250",
    in: ipvs,
    expect: rejected("service-port-unknown"),
  },
  {
    id: "an address of the service CIDR that no Service has",
    why: "no device holds it: it follows the routes",
    command: "exec pod/nginx -- nc 10.96.77.77 80",
    in: ipvs,
    expect: { verdict: "exits", exit: 1, paths: ["1 exits left-topology"] },
  },
  {
    id: "no endpoints, cluster IP",
    why: "ip_vs_leave: ICMP port unreachable",
    command: "exec pod/nginx -- curl http://10.96.246.235/",
    in: nobody,
    expect: rejected("no-endpoints", 7),
  },
  { id: "no endpoints, node port", why: "ip_vs_leave", command: "curl node2:31160", in: nobody, expect: rejected("no-endpoints") },
  {
    id: "no endpoints, node's own request",
    why: "ip_vs_leave, at LOCAL_OUT",
    command: "exec node/k8s-node2 -- curl http://10.96.246.235/",
    in: nobody,
    expect: rejected("no-endpoints", 7),
  },
  {
    id: "S67 policy Local, a pod on the node",
    why: "only local real servers; KUBE-NODE-PORT-LOCAL-TCP returns before the mark: source kept",
    command: "curl node2:31160",
    in: localPolicy,
    expect: delivered(["1 10.244.1.11:8080 sees 192.168.56.1 ttl 63"]),
  },
  {
    id: "S68 policy Local, no pod on the node",
    why: "falls back to all endpoints unmarked; flannel's own masquerade brings the answer back through the node",
    command: "curl http://192.168.56.100:31160/",
    in: localPolicy,
    expect: delivered(seenFrom(1, TTL)),
  },
  {
    id: "policy Local, cluster IP",
    why: "externalTrafficPolicy does not concern it",
    command: "exec pod/nginx -- curl http://10.96.246.235/",
    in: localPolicy,
    expect: delivered(sees("10.244.1.15", [63, 62, 62])),
  },
  {
    id: "both policies Local, no pod on the node",
    why: "syncEndpoint: the node port falls back just the same",
    command: "curl http://192.168.56.100:31160/",
    in: bothLocal,
    expect: delivered(seenFrom(1, TTL)),
  },
  {
    id: "both policies Local, no pod on the node, cluster IP",
    why: "UsesClusterEndpoints: a Service with a node port has a list to fall back to",
    command: "exec node/k8s-node1 -- curl http://10.96.246.235/",
    in: bothLocal,
    expect: delivered(seenFrom(1, TTL)),
  },
  {
    id: "internalTrafficPolicy Local of a ClusterIP Service, no pod on the node",
    why: "seen: an empty virtual server",
    command: "exec node/k8s-node1 -- curl http://10.96.246.235/",
    in: internalLocal,
    expect: rejected("no-local-endpoints", 7),
  },
  {
    id: "internalTrafficPolicy Local of a ClusterIP Service, a pod on the node",
    why: "seen: the local endpoint alone",
    command: "exec pod/nginx -- curl http://10.96.246.235/",
    in: internalLocal,
    expect: delivered(["1 10.244.1.11:8080 sees 10.244.1.15 ttl 63"]),
  },
  {
    id: "external IP from outside",
    why: "held by kube-ipvs0, KUBE-EXTERNAL-IP marks",
    command: "curl http://198.51.100.9/",
    in: external,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "external IP from a pod",
    why: "the same mark for a pod",
    command: "exec pod/nginx -- curl http://198.51.100.9/",
    in: external,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "ingress controller that asks the Service",
    why: "a hostNetwork process is the node itself: masqueraded, for its source is the cluster IP",
    command: "curl http://www.test.com/",
    in: ipvs,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "cluster IP with hostNetwork endpoints",
    why: "a real server that is the node itself is reached without LOCAL_OUT (ip_vs_nat_send_or_cont); the other by flannel's masquerade",
    command: "exec pod/nginx -- nc 10.96.38.18 80",
    in: ipvs,
    expect: delivered(["1/2 10.0.2.15:80 sees 10.0.2.5 ttl 63", "1/2 10.0.2.5:80 sees 10.244.1.15 ttl 64"]),
  },
  {
    id: "UDP",
    why: "a virtual server of UDP; the name server's answer passes IPVS's reply hook",
    command: "nc -u node2 31999",
    in: ipvs,
    expect: delivered(["1/2 10.244.1.20:9999 sees 10.244.1.1 ttl 63", "1/2 10.244.2.20:9999 sees 10.244.1.0 ttl 62"]),
  },
];
runRows(claims);

const schedulers: readonly (readonly [scheduler: string, paths: number, assumed: RegExp | undefined])[] = [
  ["rr", 3, undefined],
  ["wrr", 3, undefined],
  ["lc", 3, /lc looks at open connections/],
  ["wlc", 3, /wlc looks at open connections/],
  ["sed", 3, /sed looks at open connections/],
  ["nq", 3, /nq looks at open connections/],
  ["sh", 1, /sh: a client address always gets the same/],
  ["dh", 1, /dh: a destination address always gets the same/],
  ["mh", 1, /mh: a client address and port always gets the same/],
];
for (const [scheduler, paths, assumed] of schedulers) {
  test(`S78: scheduler ${scheduler}`, async () => {
    const cluster = changed(mode(`    mode: ipvs\n    ipvs: {scheduler: ${scheduler}}\n`));
    const { trace } = await traced("curl node2:31160", cluster);
    assert.deepEqual([trace.paths.length, trace.verdict], [paths, "delivered"]);
    assert.deepEqual(new Set(trace.paths.map(({ share }) => share)), new Set([paths === 3 ? "1/3" : "1"]));
    const said = trace.assumed.map(({ what }) => what).filter((what) => what.startsWith("scheduler"));
    if (assumed === undefined) assert.deepEqual(said, []);
    else assert.match(said.join(), assumed);
  });
}

test("S77: a request passes INPUT and leaves by OUTPUT and POSTROUTING, its answer passes FORWARD", async () => {
  const { trace } = await traced("-v curl node2:31160", ipvs);
  const [path] = trace.paths;
  const [leg] = path?.legs ?? [];
  const chainsOf = (
    hops: typeof leg extends undefined
      ? never
      : readonly {
          readonly netns: string;
          readonly steps: readonly { readonly kind: string; readonly table?: string; readonly chain?: string }[];
        }[],
  ) =>
    hops
      .filter(({ netns }) => netns === "node/k8s-node2")
      .flatMap(({ steps }) =>
        steps.flatMap((step) => (step.kind === "chain" && /^[A-Z]+$/.test(step.chain ?? "") ? [`${step.table} ${step.chain}`] : [])),
      );
  assert.ok(leg);
  assert.deepEqual(chainsOf(leg.hops), [
    "mangle PREROUTING",
    "nat PREROUTING",
    "mangle INPUT",
    "filter INPUT",
    "mangle OUTPUT",
    "filter OUTPUT",
    "mangle POSTROUTING",
    "nat POSTROUTING",
  ]);
  assert.deepEqual(chainsOf(leg.reply.hops), ["mangle PREROUTING", "mangle FORWARD", "filter FORWARD", "mangle POSTROUTING"]);
});

test("S17: kube-ipvs0 holds every cluster IP on every node, and is down", async () => {
  const lines = await printed("exec node/k8s-node1 -- ip a show kube-ipvs0", ipvs);
  assert.match(lines[0] ?? "", /kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN/);
  for (const ip of ["10.96.246.235", "10.96.0.1", "10.96.0.10"])
    assert.ok(lines.some((line) => line.includes(`inet ${ip}/32 scope global kube-ipvs0`)));
  assert.equal(
    (await printed("exec node/k8s-node1 -- ip a")).some((line) => line.includes("10.96.")),
    false,
  );
});

test("S77: ipvsadm -Ln and ipset list on a node", async () => {
  const servers = await printed("exec node/k8s-node2 -- ipvsadm -Ln", ipvs);
  const of31160 = servers.filter((line) => line.includes(":31160"));
  assert.deepEqual(
    of31160,
    ["10.0.2.5", "10.244.1.0", "10.244.1.1", "172.17.0.1", "192.168.56.101"].map((ip) => `TCP  ${ip}:31160 rr`),
  );
  const at = servers.indexOf("TCP  10.96.246.235:80 rr");
  assert.deepEqual(
    servers.slice(at + 1, at + 4).map((line) => line.trimEnd()),
    pods.map((ip) => `  -> ${`${ip}:8080`.padEnd(28)} Masq    1      0          0`),
  );
  const set = await printed("exec node/k8s-node2 -- ipset list KUBE-NODE-PORT-TCP", ipvs);
  assert.deepEqual(set.slice(-3), ["Number of entries: 1", "Members:", "31160"]);
});

test("127.0.0.1 and a node port up to 1.23: kube-proxy's held socket takes the connection and reads nothing", async () => {
  const held = changed(mode(IPVS, "1.23.0"));
  const { trace, status } = await traced("exec node/k8s-node2 -- curl http://127.0.0.1:31160/", held);
  assert.deepEqual([trace.verdict, trace.paths.map(({ reason }) => reason), status], ["unanswered", ["not-listening"], 28]);
  assert.match(trace.paths[0]?.text ?? "", /kube-proxy holds the port open and reads nothing/);
  const nc = await traced("exec node/k8s-node2 -- nc -z 127.0.0.1 31160", held);
  assert.match(nc.trace.paths[0]?.clientSees.message ?? "", /succeeded/); // the handshake is all that nc asks for
});

for (const [version, line] of [
  ["1.17.3", /^tcp6 +0 +0 :::31160 +:::\* +LISTEN +-\/kube-proxy/], // one socket of "tcp" takes both families
  ["1.18.0", /^tcp +0 +0 0\.0\.0\.0:31160 +0\.0\.0\.0:\* +LISTEN +-\/kube-proxy/],
  ["1.23.0", /^tcp +0 +0 0\.0\.0\.0:31160 /],
  ["1.24.0", undefined],
] as const)
  for (const node of ["node1", "node2", "node3"])
    test(`S34: netstat -anlp | grep 31160 on ${node} of ${version}`, async () => {
      const lines = await printed(`exec node/${node} -- netstat -anlp`, changed(mode("    mode: iptables # the default\n", version)));
      const found = lines.filter((each) => each.includes(":31160 "));
      assert.equal(found.length, line === undefined ? 0 : 1);
      if (line) assert.match(found[0] ?? "", line);
    });

test("S34: who holds a node port, by release", async () => {
  const listeners = async (settings: string, version: string): Promise<number> => {
    const cluster = changed(mode(settings, version));
    return (await printed("exec node/k8s-node2 -- ss -ltnp", cluster)).filter((line) => /:31160 .*"kube-proxy"/.test(line)).length;
  };
  assert.deepEqual([await listeners(IPVS, "1.23.0"), await listeners(IPVS, "1.24.0")], [1, 0]);
  assert.equal(await listeners("    mode: iptables # the default\n", "1.17.3"), 1);
  assert.equal(await listeners("    mode: userspace\n", "1.25.0"), 1);
});
