/** Hand-made traces of the reference cluster, as the kernel and the walk would report them; and the context to read them. */
import type { Rule, Target } from "../../src/linux/netfilter/rule.ts";
import type { Hook, TableName } from "../../src/linux/netfilter/table.ts";
import type { Link, Route } from "../../src/linux/netns.ts";
import type { Hop, IptablesRuleRef, RuleRef, RuleVisit, Seen, Step } from "../../src/linux/step.ts";
import { fraction, ONE } from "../../src/net/fraction.ts";
import type { Packet, Port, Segment } from "../../src/net/packet.ts";
import type { CauseView, RenderContext } from "../../src/render/context.ts";
import { commentOf } from "../../src/render/rule-words.ts";
import type { Destination, Leg, Path, Reply, Request, Trace } from "../../src/trace/trace.ts";

const CAUSES: ReadonlyMap<number, CauseView> = new Map<number, CauseView>([
  [1, { role: "node-port", object: { kind: "Service", namespace: "default", name: "tomcat6" }, place: "service.yaml:12:7" }],
  [2, { role: "endpoint", object: { kind: "Service", namespace: "default", name: "tomcat6" }, place: "service.yaml:8:3" }],
  [3, { role: "masquerade", note: "externalTrafficPolicy Cluster", place: "service.yaml:9:3" }],
  [4, { role: "overlay", note: "flannel: pods of k8s-node3" }],
  [
    5,
    { role: "listen", object: { kind: "Deployment", namespace: "default", name: "tomcat6" }, place: "deploy.yaml:14:25", note: "declared" },
  ],
  [6, { role: "no-local-endpoints", object: { kind: "Service", namespace: "default", name: "tomcat6" }, place: "service.yaml:9:3" }],
  [7, { role: "ingress", object: { kind: "Ingress", namespace: "default", name: "web" }, place: "ingress.yaml:5:7" }],
  [8, { role: "cluster-ip", object: { kind: "Service", namespace: "default", name: "tomcat6" }, place: "service.yaml:10:5" }],
  [9, { role: "node", place: "topology.yaml:14:7" }],
]);

const NICS: Readonly<Record<string, string>> = {
  "host/client eth0": "192.168.56.0/24",
  "node/k8s-node2 eth1": "192.168.56.0/24",
  "node/k8s-node2 eth0": "10.0.2.0/24",
  "node/k8s-node3 eth0": "10.0.2.0/24",
};

const link = (name: string, ip: string | undefined, master?: string): Link => ({
  name,
  mac: "02:00:00:00:00:01",
  mtu: 1500,
  up: true,
  carrier: true,
  addresses: ip === undefined ? [] : [{ cidr: { ip, length: 24 }, scope: "global" }],
  type: { kind: "dummy" },
  ...(master === undefined ? {} : { master }),
  cause: 0,
});

const LINKS: readonly (readonly [string, Link])[] = [
  ["node/k8s-node2", link("flannel.1", "10.244.1.0")],
  ["node/k8s-node2", link("cni0", "10.244.1.1")],
  ["node/k8s-node2", link("vethtom1", undefined, "cni0")],
  ["node/k8s-node3", link("vethtom2", undefined, "cni0")],
];

export const CONTEXT: RenderContext = {
  generator: { name: "ktrace", version: "0.0.0-test" },
  describe: (netns) => {
    const [kind, ...rest] = netns.split("/");
    const title = rest.join("/");
    if (kind === "node") return { title, kind };
    return kind === "pod" ? { title, kind, note: "Deployment tomcat6", place: "deploy.yaml:1:1" } : { title, kind: "host" };
  },
  cause: (id) => CAUSES.get(id),
  ruleText: (ref) => `-A ${ref.chain} -m comment --comment "${commentOf(ref) ?? ""}" -j X`,
  routeText: (route) =>
    [
      route.to.length === 0 ? "default" : `${route.to.ip}/${route.to.length}`,
      ...(route.via === undefined ? [] : ["via", route.via]),
      "dev",
      route.dev,
    ].join(" "),
  link: (netns, dev) => LINKS.find(([owner, one]) => owner === netns && one.name === dev)?.[1],
  segmentOf: (netns, dev) => NICS[`${netns} ${dev}`],
};

export const packet = (src: string, sport: Port, dst: string, dport: Port, ttl: number, segment: Segment = { kind: "syn" }): Packet => ({
  family: src.includes(":") ? 6 : 4,
  protocol: segment.kind === "icmp-error" ? "icmp" : "tcp",
  src,
  sport,
  dst,
  dport,
  ttl,
  segment,
});

export const ruleOf = (table: TableName, chain: string, target: Target, cause: number, comment?: string): IptablesRuleRef => {
  const rule: Rule = { matches: comment === undefined ? [] : [{ kind: "comment", text: comment }], target, cause };
  return { family: 4, table, chain, position: 0, rule };
};

const matched = (hook: Hook, ref: RuleRef): Step => ({ kind: "rule", hook, ref });
const jump = (chain: string, to: string, cause = 0, comment?: string) => ruleOf("nat", chain, { kind: "jump", chain: to }, cause, comment);

const EXT = "KUBE-EXT-74O5I7DKKBRLVTFF";
const SVC = "KUBE-SVC-74O5I7DKKBRLVTFF";
const TO_NODE_PORTS = [jump("PREROUTING", "KUBE-SERVICES"), jump("KUBE-SERVICES", "KUBE-NODEPORTS")];
const TO_EXT = jump("KUBE-NODEPORTS", EXT, 1, "default/tomcat6");
const ASK_MASQ = jump(EXT, "KUBE-MARK-MASQ", 3, "masquerade traffic for default/tomcat6 external destinations");
const SET_MARK = ruleOf("nat", "KUBE-MARK-MASQ", { kind: "mark", value: 0x4000, mask: 0x4000 }, 0);
const TO_SVC = jump(EXT, SVC, 2);
const MASQUERADE = ruleOf(
  "nat",
  "KUBE-POSTROUTING",
  { kind: "masquerade", randomFully: true },
  0,
  "kubernetes service traffic requiring SNAT",
);

const route = (ip: string, length: number, dev: string, via?: string, cause = 0): Route => ({
  type: "unicast",
  to: { ip, length },
  dev,
  ...(via === undefined ? {} : { via }),
  metric: 0,
  cause,
});
const local = (ip: string): Route => ({ type: "local", to: { ip, length: 32 }, dev: "lo", metric: 0, cause: 0 });
const seen = (dev: string, direction: "in" | "out", what: Packet, outer?: Packet): Seen => ({
  dev,
  direction,
  packet: what,
  ...(outer ? { outer } : {}),
});

const CLIENT = "192.168.56.1";
const NODE2 = "192.168.56.101";
const C = 49152;

const sent = packet(CLIENT, C, NODE2, 31160, 64);
const clientHop = (what: Packet): Hop => ({
  netns: "host/client",
  out: "eth0",
  packetIn: what,
  packetOut: what,
  steps: [
    { kind: "route", why: "output", dst: what.dst, route: route("192.168.56.0", 24, "eth0"), source: CLIENT, local: false },
    { kind: "send", packet: what, origin: "process" },
  ],
  seen: [seen("eth0", "out", what)],
});

function node2Hop(endpoint: string, isLocal: boolean): Hop {
  const sep = ruleOf(
    "nat",
    isLocal ? "KUBE-SEP-Q6SMEY66ISTMDIKU" : "KUBE-SEP-DCOFR52QIAIPCXLS",
    { kind: "dnat", ip: endpoint, ports: { from: 8080, to: 8080 } },
    2,
  );
  const toSep = jump(SVC, sep.chain, 2);
  const source = isLocal ? "10.244.1.1" : "10.244.1.0";
  const out = packet(source, "mport1", endpoint, 8080, 63);
  const outer: Packet = {
    ...packet("10.0.2.5", 53001, "10.0.2.15", 8472, 64, { kind: "datagram" }),
    protocol: "udp",
    inner: { vni: 1, dstMac: "x", packet: out },
  };
  const way = isLocal ? route("10.244.1.0", 24, "cni0") : route("10.244.2.0", 24, "flannel.1", "10.244.2.0", 4);
  const refs = [...TO_NODE_PORTS, TO_EXT, ASK_MASQ];
  const steps: Step[] = [
    { kind: "conntrack", state: "NEW" },
    ...refs.map((ref) => matched("prerouting", ref)),
    matched("prerouting", SET_MARK),
    { kind: "mark", hook: "prerouting", mark: 0x4000, ref: SET_MARK },
    matched("prerouting", TO_SVC),
    matched("prerouting", toSep),
    matched("prerouting", sep),
    {
      kind: "nat",
      hook: "prerouting",
      manip: "dst",
      before: { ip: NODE2, port: 31160 },
      after: { ip: endpoint, port: 8080 },
      because: [...refs, SET_MARK, TO_SVC, toSep, sep],
      cause: 1,
      reverse: false,
    },
    { kind: "route", why: "forward", dst: endpoint, route: way, local: false },
    { kind: "ttl", before: 64, after: 63 },
    matched("postrouting", MASQUERADE),
    {
      kind: "nat",
      hook: "postrouting",
      manip: "src",
      before: { ip: CLIENT, port: C },
      after: { ip: source, port: "mport1" },
      because: [MASQUERADE],
      cause: 0,
      reverse: false,
    },
  ];
  if (isLocal) {
    steps.push({ kind: "bridge", bridge: "cni0", in: "cni0", out: "vethtom1", why: "down" });
    return {
      netns: "node/k8s-node2",
      in: "eth1",
      out: "vethtom1",
      packetIn: sent,
      packetOut: out,
      steps,
      seen: [seen("eth1", "in", sent), seen("cni0", "out", out), seen("vethtom1", "out", out)],
    };
  }
  steps.push({
    kind: "encap",
    dev: "flannel.1",
    vni: 1,
    outer,
    fdb: { mac: "02:00:00:00:00:33", dev: "flannel.1", dst: "10.0.2.15", cause: 0 },
  });
  return {
    netns: "node/k8s-node2",
    in: "eth1",
    out: "eth0",
    packetIn: sent,
    packetOut: out,
    outer,
    steps,
    seen: [seen("eth1", "in", sent), seen("flannel.1", "out", out), seen("eth0", "out", out, outer)],
  };
}

function node3Hop(endpoint: string): Hop {
  const packetIn = packet("10.244.1.0", "mport1", endpoint, 8080, 63);
  const out = { ...packetIn, ttl: 62 };
  const steps: Step[] = [
    { kind: "decap", dev: "flannel.1" },
    { kind: "route", why: "forward", dst: endpoint, route: route("10.244.2.0", 24, "cni0"), local: false },
    { kind: "ttl", before: 63, after: 62 },
  ];
  return {
    netns: "node/k8s-node3",
    in: "eth0",
    out: "vethtom2",
    packetIn,
    packetOut: out,
    steps,
    seen: [seen("eth0", "in", packetIn), seen("flannel.1", "in", packetIn), seen("cni0", "out", out), seen("vethtom2", "out", out)],
  };
}

const podHop = (name: string, arriving: Packet): Hop => ({
  netns: `pod/default/${name}`,
  in: "eth0",
  packetIn: arriving,
  steps: [
    { kind: "route", why: "input", dst: arriving.dst, route: local(arriving.dst), local: true },
    { kind: "accept", socket: { protocol: "tcp", ip: "*", port: 8080, process: "tomcat6", owner: `pod/default/${name}`, cause: 5 } },
  ],
  seen: [seen("eth0", "in", arriving)],
});

const undo = (manip: "src" | "dst"): Step => ({
  kind: "nat",
  hook: "prerouting",
  manip,
  before: { ip: "10.244.1.0", port: "mport1" },
  after: { ip: CLIENT, port: C },
  because: [],
  cause: 0,
  reverse: true,
});

function replyOf(name: string, isLocal: boolean): Reply {
  const answer = packet(NODE2, 31160, CLIENT, C, isLocal ? 63 : 62, { kind: "syn-ack" });
  const bare = (netns: string, steps: readonly Step[] = []): Hop => ({ netns, packetIn: answer, packetOut: answer, steps, seen: [] });
  const middle = isLocal ? [] : [bare("node/k8s-node3")];
  return {
    verdict: "delivered",
    hops: [bare(`pod/default/${name}`), ...middle, bare("node/k8s-node2", [undo("dst"), undo("src")]), bare("host/client")],
  };
}

export const request: Request = {
  command: "curl node2:31160",
  program: "curl",
  url: "http://node2:31160/",
  from: { kind: "host", name: "client", netns: "host/client", ip: CLIENT },
  to: { host: "node2", ip: NODE2, port: 31160, protocol: "tcp" },
};

const base = {
  kind: "transport",
  from: request.from,
  to: request.to,
  name: { host: "node2", ip: NODE2, how: "node-name", detail: "node k8s-node2, eth1: your network", cause: 9 },
} as const;

function nodePortPath(name: string, ip: string): Path {
  const isLocal = ip.startsWith("10.244.1.");
  const last = packet(isLocal ? "10.244.1.1" : "10.244.1.0", "mport1", ip, 8080, isLocal ? 63 : 62);
  const hops = [clientHop(sent), node2Hop(ip, isLocal), ...(isLocal ? [] : [node3Hop(ip)]), podHop(name, last)];
  const destination: Destination = {
    kind: "pod",
    namespace: "default",
    name,
    node: isLocal ? "k8s-node2" : "k8s-node3",
    ip,
    port: 8080,
    process: "tomcat6",
    clientIPSeen: last.src,
    ttl: last.ttl,
  };
  return {
    share: fraction(1, 3),
    verdict: "delivered",
    text: "curl gets its answer from node2:31160",
    destination,
    legs: [{ ...base, hops, destination, reply: replyOf(name, isLocal) }],
    clientSees: { exitCode: 0, message: "" },
  };
}

const NONE: Reply = { verdict: "none", hops: [] };

/** client → node2:31160, three endpoints, all delivered. */
export const nodePortTrace: Trace = {
  request,
  verdict: "delivered",
  clientSees: { exitCode: 0, message: "" },
  paths: [
    nodePortPath("tomcat6-8jxz7", "10.244.1.11"),
    nodePortPath("tomcat6-gbtt5", "10.244.2.10"),
    nodePortPath("tomcat6-hvxs5", "10.244.2.11"),
  ],
  pathsTotal: 3,
  warnings: [],
  assumed: [{ what: "k8s-node2 has a default route by 10.0.2.2", key: "spec.nodes[1].routes" }],
};

const single = (path: Path): Trace => ({
  request,
  verdict: path.verdict,
  clientSees: path.clientSees,
  paths: [path],
  pathsTotal: 1,
  warnings: [],
  assumed: [],
});
const TIMED_OUT = { exitCode: 28, message: "curl: (28) Failed to connect to node2 port 31160: Connection timed out" };

/** The same with policy Local and no endpoint on the node asked: dropped in INPUT. */
export const dropTrace: Trace = (() => {
  const rule = ruleOf("filter", "KUBE-EXTERNAL-SERVICES", { kind: "drop" }, 6, "default/tomcat6 has no local endpoints");
  const hop: Hop = {
    netns: "node/k8s-node2",
    in: "eth1",
    packetIn: sent,
    steps: [
      ...[...TO_NODE_PORTS, TO_EXT].map((ref) => matched("prerouting", ref)),
      { kind: "route", why: "input", dst: NODE2, route: local(NODE2), local: true },
      matched("input", rule),
      { kind: "drop", reason: "no-local-endpoints", because: rule, text: "a rule drops it" },
    ],
    seen: [seen("eth1", "in", sent)],
  };
  return single({
    share: ONE,
    verdict: "dropped",
    reason: "no-local-endpoints",
    text: "k8s-node2 has no endpoint of default/tomcat6",
    legs: [{ ...base, hops: [clientHop(sent), hop], reply: NONE }],
    clientSees: TIMED_OUT,
  });
})();

/** No route: the client's own kernel refuses. */
export const noRouteTrace: Trace = {
  ...single({
    share: ONE,
    verdict: "rejected",
    reason: "no-route",
    text: "client has no route to 10.0.2.5",
    legs: [{ ...base, hops: [], reply: NONE }],
    clientSees: { exitCode: 7, message: "curl: (7) Failed to connect to 10.0.2.5 port 31160: Network is unreachable" },
  }),
};

/** The request arrives, the answer dies on node3. */
export const unansweredTrace: Trace = (() => {
  const path = nodePortPath("tomcat6-gbtt5", "10.244.2.10");
  const answer = packet("10.244.2.10", 8080, "10.244.1.0", "mport1", 64, { kind: "syn-ack" });
  const rule = ruleOf("filter", "FORWARD", { kind: "drop" }, 0, "site firewall");
  const hops: Hop[] = [
    {
      netns: "pod/default/tomcat6-gbtt5",
      out: "eth0",
      packetIn: answer,
      packetOut: answer,
      steps: [{ kind: "send", packet: answer, origin: "process" }],
      seen: [seen("eth0", "out", answer)],
    },
    {
      netns: "node/k8s-node3",
      in: "vethtom2",
      packetIn: answer,
      steps: [{ kind: "drop", reason: "rule-denied", because: rule, text: "a rule drops it" }],
      seen: [seen("vethtom2", "in", answer)],
    },
  ];
  const [leg] = path.legs;
  const legs: Leg[] = leg ? [{ ...leg, reply: { verdict: "dropped", reason: "rule-denied", hops } }] : [];
  return single({
    ...path,
    share: ONE,
    verdict: "unanswered",
    reason: "reply-lost",
    text: "the answer is lost on k8s-node3",
    legs,
    clientSees: TIMED_OUT,
  });
})();

/** client → nginx on node2 → tomcat6: two legs. */
export const ingressTrace: Trace = (() => {
  const asked = packet(CLIENT, C, NODE2, 80, 64);
  const to = { host: "www.test.com", ip: NODE2, port: 80, protocol: "tcp" } as const;
  const front: Hop = {
    netns: "node/k8s-node2",
    in: "eth1",
    packetIn: asked,
    steps: [
      ...TO_NODE_PORTS.map((ref) => matched("prerouting", ref)),
      { kind: "route", why: "input", dst: NODE2, route: local(NODE2), local: true },
      { kind: "accept", socket: { protocol: "tcp", ip: "*", port: 80, process: "nginx", owner: "pod/ingress-nginx/nginx-x", cause: 0 } },
    ],
    seen: [seen("eth1", "in", asked)],
  };
  const proxy = {
    process: "nginx",
    netns: "node/k8s-node2",
    host: "www.test.com",
    path: "/",
    rule: "www.test.com/ -> tomcat6:80",
    text: "",
    cause: 7,
  };
  const answer: Reply = {
    verdict: "delivered",
    hops: [
      { netns: "node/k8s-node2", packetIn: packet(NODE2, 80, CLIENT, C, 64, { kind: "syn-ack" }), steps: [], seen: [] },
      { netns: "host/client", packetIn: packet(NODE2, 80, CLIENT, C, 64, { kind: "syn-ack" }), steps: [], seen: [] },
    ],
  };
  const first: Leg = {
    kind: "transport",
    from: request.from,
    to,
    hops: [clientHop(asked), front],
    reply: answer,
    proxy,
    destination: { kind: "pod", namespace: "ingress-nginx", name: "nginx-x", node: "k8s-node2", ip: NODE2, port: 80, clientIPSeen: CLIENT },
  };
  const path = nodePortPath("tomcat6-8jxz7", "10.244.1.11");
  const upstream = packet("10.0.2.5", 49153, "10.96.246.235", 80, 64);
  const entry = jump("KUBE-SERVICES", SVC, 8, "default/tomcat6 cluster IP");
  const own: Hop = {
    netns: "node/k8s-node2",
    out: "vethtom1",
    packetIn: upstream,
    packetOut: packet("10.244.1.1", "mport1", "10.244.1.11", 8080, 64),
    steps: [
      {
        kind: "route",
        why: "output",
        dst: "10.96.246.235",
        route: route("0.0.0.0", 0, "eth0", "10.0.2.2"),
        source: "10.0.2.5",
        local: false,
      },
      { kind: "send", packet: upstream, origin: "process" },
      matched("output", entry),
      {
        kind: "nat",
        hook: "output",
        manip: "dst",
        before: { ip: "10.96.246.235", port: 80 },
        after: { ip: "10.244.1.11", port: 8080 },
        because: [entry],
        cause: 8,
        reverse: false,
      },
      { kind: "route", why: "reroute", dst: "10.244.1.11", route: route("10.244.1.0", 24, "cni0"), local: false },
    ],
    seen: [seen("cni0", "out", upstream), seen("vethtom1", "out", upstream)],
  };
  const second: Leg = {
    kind: "transport",
    from: { kind: "pod", namespace: "ingress-nginx", name: "nginx-x", ip: "10.0.2.5" },
    to: { host: "tomcat6", ip: "10.96.246.235", port: 80, protocol: "tcp" },
    hops: [own, podHop("tomcat6-8jxz7", packet("10.244.1.1", "mport1", "10.244.1.11", 8080, 64))],
    reply: replyOf("tomcat6-8jxz7", true),
    ...(path.destination ? { destination: path.destination } : {}),
  };
  return {
    ...single({ ...path, share: ONE, legs: [first, second], text: "nginx on k8s-node2 answers with what tomcat6 sent" }),
    request: { ...request, command: "curl http://www.test.com/", url: "http://www.test.com/" },
  };
})();

/** Two of three ways delivered, one refused by the pod. */
export const mixedTrace: Trace = (() => {
  const [first, second, third] = nodePortTrace.paths;
  if (!first || !second || !third) throw new Error("three paths");
  const [leg] = third.legs;
  const rst = packet("10.244.2.11", 8080, "10.244.1.0", "mport1", 64, { kind: "rst" });
  const hops = (leg?.hops ?? []).map(
    (hop): Hop => (hop.netns.startsWith("pod/") ? { ...hop, steps: [{ kind: "answer", packet: rst }] } : hop),
  );
  const back: Reply = {
    verdict: "delivered",
    hops: [
      { netns: "pod/default/tomcat6-hvxs5", packetIn: rst, steps: [], seen: [] },
      { netns: "host/client", packetIn: { ...rst, src: NODE2, sport: 31160 }, steps: [], seen: [] },
    ],
  };
  const refused: Path = {
    ...third,
    verdict: "rejected",
    reason: "not-listening",
    text: "nothing listens on 10.244.2.11:8080",
    legs: leg ? [{ ...leg, hops, reply: back }] : [],
    clientSees: { exitCode: 7, message: "curl: (7) Failed to connect to node2 port 31160: Connection refused" },
  };
  const { clientSees: _, ...rest } = nodePortTrace;
  return { ...rest, verdict: "mixed", paths: [first, second, refused] };
})();

/** The dropped request with every rule looked at, as `-v` asks for it. */
export const evidenceTrace: Trace = (() => {
  const [path] = dropTrace.paths;
  const [leg] = path?.legs ?? [];
  const [first, node] = leg?.hops ?? [];
  const [toServices, toNodePorts] = TO_NODE_PORTS;
  if (!path || !leg || !first || !node || !toServices || !toNodePorts) throw new Error("sample");
  const https = jump("KUBE-SERVICES", "KUBE-SVC-OTHER", 0, "default/kubernetes:https cluster IP");
  const other: RuleRef = {
    ...https,
    rule: { ...https.rule, matches: [{ kind: "dport", protocol: "tcp", ports: { from: 443, to: 443 } }] },
  };
  const chain = (name: string, visits: RuleVisit[], skipped: number, verdict: "return" | "policy-accept" = "return"): Step => ({
    kind: "chain",
    hook: "prerouting",
    table: "nat",
    chain: name,
    verdict,
    visits,
    skipped,
  });
  const steps: Step[] = [
    chain("KUBE-NODEPORTS", [{ ...TO_EXT, matched: true }], 7),
    chain(
      "KUBE-SERVICES",
      [
        { ...other, matched: false, failedMatch: 0 },
        { ...toNodePorts, matched: true },
      ],
      4,
    ),
    chain("PREROUTING", [{ ...toServices, matched: true }], 0, "policy-accept"),
    ...node.steps,
  ];
  return { ...dropTrace, paths: [{ ...path, legs: [{ ...leg, hops: [first, { ...node, steps }] }] }] };
})();

export const SAMPLES: readonly (readonly [string, Trace])[] = [
  ["node port", nodePortTrace],
  ["policy Local", dropTrace],
  ["no route", noRouteTrace],
  ["answer lost", unansweredTrace],
  ["ingress", ingressTrace],
  ["mixed", mixedTrace],
  ["evidence", evidenceTrace],
];
