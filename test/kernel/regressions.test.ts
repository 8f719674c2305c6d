/** Disagreements with a real kernel that random clusters found, each by its name: the cluster, the flow, what is so. */
import assert from "node:assert/strict";
import test from "node:test";
import { describeDisagreement } from "../../src/lab/judge.ts";
import type { Flow } from "../../src/lab/observe.ts";
import type { Verdict } from "../../src/trace/trace.ts";
import { judgeDraft } from "./random/case.ts";
import { type Base, baseOf } from "./random/cluster.ts";
import type { Change, Draft, ServiceDraft } from "./random/draft.ts";
import { inFamilies, inIpv6 } from "./random/families.ts";
import { changeNode } from "./random/machine-arms.ts";

const SMALL: Base = {
  nodes: 2,
  gateway: false,
  routed: 0,
  twoNics: false,
  swapped: false,
  pods: [0, 0, 1, 1].map((node) => ({ app: "a", node, shape: 1 })),
};
/** Two nodes on one network with two pods each, a client that has a route to the cluster. */
const base: Draft = baseOf(SMALL);

const rule =
  (node: string, table: string, line: string): Change =>
  (draft) => ({ ...draft, rules: [...draft.rules, { node, table, line }] });
const sysctl = (i: number, name: string, value: number): Change => changeNode(i, (node) => ({ ...node, sysctls: { [name]: value } }));

const downNic: Change = (draft) => ({
  ...draft,
  nodes: draft.nodes.map((node) => ({
    ...node,
    interfaces: (node.interfaces ?? []).map((nic) => (nic.name === "eth1" ? { ...nic, state: "down" as const } : nic)),
  })),
});
const service =
  (name: string, spec: ServiceDraft["spec"]): Change =>
  (draft) => ({ ...draft, services: [...draft.services, { name, spec }] });
/** Its endpoint is one pod alone. */
const onePod = (name: string, pod: number): Change => {
  const ports = [{ name: "web", port: 80, protocol: "TCP" as const, targetPort: 8080 }];
  return (draft) =>
    service(name, { type: "ClusterIP", selector: { app: "one" }, clusterIP: "10.96.0.80", ports })({
      ...draft,
      pods: draft.pods.map((each, i) => (i === pod ? { ...each, app: "one" } : each)),
    });
};
const noCni: Change = (draft) => ({ ...draft, cni: { plugin: "none" }, kubeProxy: { mode: "none" } });
const bridgeAlone: Change = (draft) => ({ ...draft, cni: { plugin: "bridge", ipMasq: false, hairpinMode: false } });

type Regression = {
  readonly name: string;
  readonly base?: Draft;
  /** Told in IPv6, the flow too. */
  readonly six?: true;
  readonly changes: readonly Change[];
  readonly flow: Flow;
  readonly verdict: Verdict;
  /** What the client program is told. */
  readonly errno?: string;
};

const REGRESSIONS: readonly Regression[] = [
  {
    name: "the echo id in what an ICMP error quotes is translated back, as a port is",
    changes: [],
    flow: { from: "pod/default/p1", protocol: "icmp", dst: "10.0.2.250", dport: 0 },
    verdict: "rejected",
    errno: "EHOSTUNREACH",
  },
  {
    name: "packets start with net.ipv4.ip_default_ttl: requests",
    changes: [sysctl(0, "net.ipv4.ip_default_ttl", 5)],
    flow: { from: "node/n1", protocol: "tcp", dst: "10.244.2.2", dport: 8080 },
    verdict: "delivered",
  },
  {
    name: "packets start with net.ipv4.ip_default_ttl: what the kernel answers",
    changes: [sysctl(0, "net.ipv4.ip_default_ttl", 5)],
    flow: { from: "host/client", protocol: "udp", dst: "10.0.2.11", dport: 9 },
    verdict: "rejected",
    errno: "ECONNREFUSED",
  },
  {
    name: "a datagram whose way is gone after DNAT in OUTPUT: send() is told EINVAL",
    changes: [
      sysctl(0, "net.ipv4.conf.all.route_localnet", 0),
      rule("n1", "nat", "-A OUTPUT -p udp -m udp --dport 7777 -j DNAT --to-destination 10.244.2.2:5353"),
    ],
    flow: { from: "node/n1", protocol: "udp", dst: "127.0.0.1", dport: 7777, src: "127.0.0.1" },
    verdict: "rejected",
    errno: "EINVAL",
  },
  {
    name: "TCP does not look at that errno, and waits",
    changes: [
      sysctl(0, "net.ipv4.conf.all.route_localnet", 0),
      rule("n1", "nat", "-A OUTPUT -p tcp -m tcp --dport 7777 -j DNAT --to-destination 10.244.2.2:8080"),
    ],
    flow: { from: "node/n1", protocol: "tcp", dst: "127.0.0.1", dport: 7777, src: "127.0.0.1" },
    verdict: "dropped",
  },
  {
    name: "a node tells itself, over lo, that the far end of its tunnel is silent",
    changes: [
      changeNode(1, (node) => ({ ...node, interfaces: (node.interfaces ?? []).map((each) => ({ ...each, state: "down" as const })) })),
    ],
    flow: { from: "node/n1", protocol: "tcp", dst: "10.244.2.2", dport: 8080 },
    verdict: "dropped",
  },
  {
    name: "physdev: a bridged packet has both its ports in POSTROUTING",
    changes: [rule("n1", "mangle", "-A POSTROUTING -m physdev --physdev-is-bridged -j MARK --set-xmark 0x4000/0x4000")],
    flow: { from: "pod/default/p1", protocol: "tcp", dst: "10.244.1.3", dport: 8080 },
    verdict: "delivered",
  },
  {
    name: "physdev: a routed packet keeps the port that it came in by",
    changes: [rule("n1", "filter", "-A FORWARD -m physdev --physdev-in veth+ -j DROP")],
    flow: { from: "pod/default/p1", protocol: "tcp", dst: "10.244.2.2", dport: 8080 },
    verdict: "dropped",
  },
  {
    name: "an answer whose rules depend on a port drawn at random is unknown, not lost",
    changes: [
      rule("n1", "nat", "-A POSTROUTING -d 10.244.2.0/24 -j MASQUERADE --random-fully"),
      rule("n1", "raw", "-A PREROUTING -p tcp -m tcp --dport 8080 -j DROP"),
    ],
    flow: { from: "node/n1", protocol: "tcp", dst: "10.244.2.2", dport: 8080, src: "10.0.2.11" },
    verdict: "unknown",
  },
  {
    name: "flannel without its interface makes no tunnel and no routes",
    changes: [(draft) => ({ ...draft, cni: { plugin: "flannel", backend: "vxlan", iface: "eth1" } })],
    flow: { from: "pod/default/p1", protocol: "tcp", dst: "10.244.2.2", dport: 8080 },
    verdict: "rejected",
    errno: "ENETUNREACH",
  },
  {
    name: "MASQUERADE borrows the first address of all devices, of one that is down, too",
    base: baseOf({ ...SMALL, nodes: 1, gateway: true, twoNics: true, swapped: true }),
    changes: [downNic],
    flow: { from: "node/n1", protocol: "tcp", dst: "10.96.0.1", dport: 443 },
    verdict: "delivered",
  },
  {
    name: "a ping to oneself is answered, and the answer is not taken for another request",
    changes: [rule("n1", "filter", "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT")],
    flow: { from: "node/n1", protocol: "icmp", dst: "127.0.0.1", dport: 0 },
    verdict: "delivered",
  },
  {
    name: "the RST of REJECT --reject-with tcp-reset meets the nat rules of POSTROUTING",
    changes: [rule("n1", "filter", "-A INPUT -p tcp -m tcp --dport 22 -j REJECT --reject-with tcp-reset")],
    flow: { from: "host/client", protocol: "tcp", dst: "10.0.2.11", dport: 22 },
    verdict: "rejected",
    errno: "ECONNREFUSED",
  },
  {
    name: "a RST that finds no neighbour is told to the machine that sent it, over lo",
    changes: [
      rule("n1", "nat", "-A POSTROUTING -d 10.0.2.12/32 -j SNAT --to-source 10.0.2.99"),
      rule("n2", "filter", "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT"),
    ],
    flow: { from: "node/n1", protocol: "tcp", dst: "10.0.2.12", dport: 9 },
    verdict: "dropped",
  },
  {
    name: "so is an echo reply",
    changes: [
      rule("n1", "nat", "-A POSTROUTING -d 10.0.2.12/32 -j SNAT --to-source 10.0.2.99"),
      rule("n2", "filter", "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT"),
    ],
    flow: { from: "node/n1", protocol: "icmp", dst: "10.0.2.12", dport: 0 },
    verdict: "unanswered",
  },
  {
    name: "a router tells the sender of a RST that it has no way for it: of no connection any more, for the RST deleted it",
    changes: [
      changeNode(0, (node) => ({ ...node, routes: [{ to: "10.244.1.0/26", type: "unreachable" }] })),
      rule("n2", "filter", "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT"),
      rule("n2", "filter", "-A INPUT -m conntrack --ctstate INVALID -j ACCEPT"),
    ],
    flow: { from: "pod/default/p1", protocol: "tcp", dst: "10.244.2.1", dport: 9 },
    verdict: "dropped",
  },
  {
    name: "tunnel packets that INPUT drops begin a connection each",
    changes: [rule("n2", "filter", ":INPUT DROP")],
    flow: { from: "node/n2", protocol: "icmp", dst: "10.244.1.2", dport: 0 },
    verdict: "unanswered",
  },
  {
    name: "conntrack sleeps while no rule asks for it: IPv6",
    six: true,
    changes: [noCni],
    flow: { from: "host/client", protocol: "udp", dst: "10.0.2.11", dport: 9 },
    verdict: "rejected",
    errno: "ECONNREFUSED",
  },
  {
    name: "a host that forwards nothing says that it knows no way: IPv6",
    six: true,
    changes: [changeNode(0, (node) => ({ ...node, routes: [{ to: "198.51.100.0/24", via: "10.0.2.201" }] }))],
    flow: { from: "node/n1", protocol: "tcp", dst: "198.51.100.7", dport: 80 },
    verdict: "rejected",
    errno: "ENETUNREACH",
  },
  {
    name: "an unreachable route is no other than none to whom it is forwarded for: IPv6",
    six: true,
    changes: [changeNode(0, (node) => ({ ...node, routes: [{ to: "203.0.113.0/24", type: "unreachable" }] }))],
    flow: { from: "host/client", protocol: "tcp", dst: "203.0.113.7", dport: 80 },
    verdict: "rejected",
    errno: "ENETUNREACH",
  },
  {
    name: "from ::1 a packet leaves, and is refused where it arrives",
    six: true,
    changes: [],
    flow: { from: "pod/default/p1", protocol: "tcp", dst: "10.244.1.3", dport: 8080, src: "127.0.0.1" },
    verdict: "dropped",
  },
  {
    name: "TCP does not answer at a link's anycast address",
    six: true,
    changes: [bridgeAlone],
    flow: { from: "pod/default/p1", protocol: "tcp", dst: "10.244.1.0", dport: 8080 },
    verdict: "dropped",
  },
  {
    name: "a ping to it is answered from another address",
    six: true,
    changes: [bridgeAlone],
    flow: { from: "pod/default/p1", protocol: "icmpv6", dst: "10.244.1.0", dport: 0 },
    verdict: "delivered",
  },
  {
    name: "a Service's pod behind the same bridge needs no forwarding: IPv6",
    six: true,
    changes: [bridgeAlone, onePod("one", 1), sysctl(0, "net.ipv4.ip_forward", 0)],
    flow: { from: "pod/default/p1", protocol: "tcp", dst: "10.96.0.80", dport: 80 },
    verdict: "delivered",
  },
  {
    name: "in IPv4 it does",
    changes: [bridgeAlone, onePod("one", 1), sysctl(0, "net.ipv4.ip_forward", 0)],
    flow: { from: "pod/default/p1", protocol: "tcp", dst: "10.96.0.80", dport: 80 },
    verdict: "dropped",
  },
];

for (const { name, base: own = base, six, changes, flow, verdict, errno } of REGRESSIONS)
  test(name, async () => {
    const made = changes.reduce((each, change) => change(each), own);
    const [draft, asked] = six ? [inFamilies(made, "6"), inSix(flow)] : [made, flow];
    const { judged } = await judgeDraft(draft, [asked], `g${process.pid}`);
    const [only] = judged.flows;
    assert.ok(only);
    assert.deepEqual(only.judgement.differences, [], describeDisagreement(only));
    assert.deepEqual(judged.rules, []);
    for (const { connection } of only.predicted) assert.equal(connection.verdict, verdict, connection.text);
    assert.equal(only.observation.client.errno, errno);
  });

const inSix = (flow: Flow): Flow => ({
  ...flow,
  dst: inIpv6(flow.dst),
  ...(flow.src === undefined ? {} : { src: inIpv6(flow.src) }),
});
