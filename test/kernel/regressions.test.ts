/** Disagreements with a real kernel that random clusters found, each by its name: the cluster, the flow, what is so. */
import assert from "node:assert/strict";
import test from "node:test";
import { describeDisagreement } from "../../src/lab/judge.ts";
import type { Flow } from "../../src/lab/observe.ts";
import type { Verdict } from "../../src/trace/trace.ts";
import { judgeDraft } from "./random/case.ts";
import { baseOf } from "./random/cluster.ts";
import type { Change, Draft } from "./random/draft.ts";
import { changeNode } from "./random/machine-arms.ts";

/** Two nodes on one network with two pods each, a client that has a route to the cluster. */
const base: Draft = baseOf({
  nodes: 2,
  gateway: false,
  routed: 0,
  twoNics: false,
  swapped: false,
  pods: [0, 0, 1, 1].map((node) => ({ app: "a", node, shape: 1 })),
});

const rule =
  (node: string, table: string, line: string): Change =>
  (draft) => ({ ...draft, rules: [...draft.rules, { node, table, line }] });
const sysctl = (i: number, name: string, value: number): Change => changeNode(i, (node) => ({ ...node, sysctls: { [name]: value } }));

type Regression = {
  readonly name: string;
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
];

for (const { name, changes, flow, verdict, errno } of REGRESSIONS)
  test(name, async () => {
    const draft = changes.reduce((each, change) => change(each), base);
    const { judged } = await judgeDraft(draft, [flow], `g${process.pid}`);
    const [only] = judged.flows;
    assert.ok(only);
    assert.deepEqual(only.judgement.differences, [], describeDisagreement(only));
    assert.deepEqual(judged.rules, []);
    for (const { connection } of only.predicted) assert.equal(connection.verdict, verdict, connection.text);
    assert.equal(only.observation.client.errno, errno);
  });
