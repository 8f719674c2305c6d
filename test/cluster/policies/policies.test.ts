/** What NetworkPolicies let through, by the API's own words: isolation, union of rules, peers, ports. */
import assert from "node:assert/strict";
import test from "node:test";
import { blockHolds, blockMeets, createPolicies, type Peer, type Ruling } from "../../../src/cluster/policies/policies.ts";
import { type Direction, directionsOf, type PolicyPod, rulesOf } from "../../../src/cluster/policies/rules.ts";
import type { NetworkPolicy } from "../../../src/objects/api.ts";

type Spec = NonNullable<NetworkPolicy["spec"]>;
const policy = (spec: Spec, namespace = "default"): NetworkPolicy => ({
  kind: "NetworkPolicy",
  apiVersion: "networking.k8s.io/v1",
  metadata: { name: "p", namespace },
  spec,
  source: { file: "p.yaml", offset: 0, path: [] },
});
type TestPod = PolicyPod & { readonly ips: readonly string[] };
const pod = (app: string, namespace = "default", more: Partial<TestPod> = {}): TestPod => ({
  namespace,
  labels: { app },
  hostNetwork: false,
  containers: [{ ports: [{ name: "http", containerPort: 8080 }] }],
  ips: ["10.244.1.5"],
  ...more,
});
const namespaces = [
  { name: "default", labels: { "kubernetes.io/metadata.name": "default" } },
  { name: "shop", labels: { "kubernetes.io/metadata.name": "shop", team: "a" } },
];
const WEB = pod("web");
const peerOf = (one: TestPod): Peer => ({ kind: "pod", pod: one });
const address = (...ips: string[]): Peer => ({ kind: "addresses", ips });
const ruling = (
  specs: readonly Spec[],
  direction: Direction,
  peer: Peer,
  port = 8080,
  protocol: "TCP" | "UDP" = "TCP",
): Ruling["verdict"] =>
  createPolicies(
    specs.map((spec) => policy(spec)),
    { namespaces },
  ).judge(WEB, direction, peer, { protocol, port }).verdict;

const OF_WEB = { podSelector: { matchLabels: { app: "web" } } };
const FROM = (...from: NonNullable<NonNullable<Spec["ingress"]>[number]["from"]>): Spec => ({ ...OF_WEB, ingress: [{ from }] });

const rows: readonly (readonly [string, Ruling["verdict"], Ruling["verdict"]])[] = [
  ["no policy", ruling([], "Ingress", peerOf(pod("a"))), "open"],
  ["a policy of other pods", ruling([{ podSelector: { matchLabels: { app: "db" } } }], "Ingress", peerOf(pod("a"))), "open"],
  ["an empty podSelector takes every pod", ruling([{ podSelector: {} }], "Ingress", peerOf(pod("a"))), "denied"],
  ["without egress rules egress is open", ruling([OF_WEB], "Egress", peerOf(pod("a"))), "open"],
  ["policyTypes Egress alone isolates egress", ruling([{ ...OF_WEB, policyTypes: ["Egress"] }], "Egress", peerOf(pod("a"))), "denied"],
  ["and leaves ingress open", ruling([{ ...OF_WEB, policyTypes: ["Egress"] }], "Ingress", peerOf(pod("a"))), "open"],
  ["an empty rule lets everything pass", ruling([{ ...OF_WEB, ingress: [{}] }], "Ingress", address("203.0.113.9")), "allowed"],
  ["an empty list nothing", ruling([{ ...OF_WEB, ingress: [] }], "Ingress", address("203.0.113.9")), "denied"],
  ["policies add up", ruling([{ podSelector: {} }, FROM({ podSelector: {} })], "Ingress", peerOf(pod("a"))), "allowed"],
  ["podSelector alone looks into its own namespace", ruling([FROM({ podSelector: {} })], "Ingress", peerOf(pod("a", "shop"))), "denied"],
  [
    "namespaceSelector takes all pods of it",
    ruling([FROM({ namespaceSelector: { matchLabels: { team: "a" } } })], "Ingress", peerOf(pod("a", "shop"))),
    "allowed",
  ],
  [
    "both in one peer have to hold",
    ruling([FROM({ namespaceSelector: {}, podSelector: { matchLabels: { app: "b" } } })], "Ingress", peerOf(pod("a", "shop"))),
    "denied",
  ],
  [
    "two peers are alternatives",
    ruling([FROM({ namespaceSelector: {} }, { podSelector: { matchLabels: { app: "b" } } })], "Ingress", peerOf(pod("a", "shop"))),
    "allowed",
  ],
  [
    "a pod on its node's network is no pod to a selector",
    ruling([FROM({ podSelector: {} })], "Ingress", peerOf(pod("a", "default", { hostNetwork: true }))),
    "denied",
  ],
  [
    "but its address is in a block",
    ruling([FROM({ ipBlock: { cidr: "10.244.0.0/16" } })], "Ingress", peerOf(pod("a", "default", { hostNetwork: true }))),
    "allowed",
  ],
  [
    "except takes out",
    ruling([FROM({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.244.0.0/16"] } })], "Ingress", address("10.244.0.1")),
    "denied",
  ],
  [
    "one of several addresses is enough",
    ruling([FROM({ ipBlock: { cidr: "10.0.0.0/8" } })], "Ingress", address("192.0.2.1", "10.0.0.1")),
    "allowed",
  ],
  [
    "a port is TCP unless it is said",
    ruling([{ ...OF_WEB, ingress: [{ ports: [{ port: 8080 }] }] }], "Ingress", address("192.0.2.1"), 8080, "UDP"),
    "denied",
  ],
  [
    "a protocol without port is all of its ports",
    ruling([{ ...OF_WEB, ingress: [{ ports: [{ protocol: "UDP" }] }] }], "Ingress", address("192.0.2.1"), 5, "UDP"),
    "allowed",
  ],
  [
    "a name is that of the pod's port",
    ruling([{ ...OF_WEB, ingress: [{ ports: [{ port: "http" }] }] }], "Ingress", address("192.0.2.1")),
    "allowed",
  ],
  [
    "a range up to endPort",
    ruling([{ ...OF_WEB, ingress: [{ ports: [{ port: 8000, endPort: 8080 }] }] }], "Ingress", address("192.0.2.1")),
    "allowed",
  ],
  [
    "and no further",
    ruling([{ ...OF_WEB, ingress: [{ ports: [{ port: 8000, endPort: 8079 }] }] }], "Ingress", address("192.0.2.1")),
    "denied",
  ],
  [
    "a name in egress is looked up in the pod that is called",
    ruling(
      [{ ...OF_WEB, policyTypes: ["Egress"], egress: [{ ports: [{ port: "db" }] }] }],
      "Egress",
      peerOf(pod("d", "default", { containers: [{ ports: [{ name: "db", containerPort: 5432 }] }] })),
      5432,
    ),
    "allowed",
  ],
];
for (const [name, got, wanted] of rows) test(`policies: ${name}`, () => assert.equal(got, wanted));

test("policies: none guards a pod on its node's network", () => {
  const { judge, isolating } = createPolicies([policy({ podSelector: {} })], { namespaces });
  const host = pod("web", "default", { hostNetwork: true });
  assert.deepEqual(isolating(host, "Ingress"), []);
  assert.equal(judge(host, "Ingress", address("192.0.2.1"), { protocol: "TCP", port: 80 }).verdict, "open");
});

test("policies: a ruling names its rules, or all policies that isolate", () => {
  const allowing = policy(FROM({ podSelector: {} }));
  const { judge } = createPolicies([policy({ podSelector: {} }), allowing], { namespaces });
  const port = { protocol: "TCP" as const, port: 8080 };
  const allowed = judge(WEB, "Ingress", peerOf(pod("a")), port);
  assert.deepEqual(allowed.verdict === "allowed" && allowed.rules.map(({ policy: by, field }) => [by === allowing, field]), [
    [true, ["spec", "ingress", 0]],
  ]);
  const denied = judge(WEB, "Ingress", address("192.0.2.1"), port);
  assert.equal(denied.verdict === "denied" && denied.policies.length, 2);
});

test("policies: directions by default, and rules of a direction that is not listed", () => {
  assert.deepEqual(directionsOf(policy({})), ["Ingress"]);
  assert.deepEqual(directionsOf(policy({ egress: [] })), ["Ingress"]);
  assert.deepEqual(directionsOf(policy({ egress: [{}] })), ["Ingress", "Egress"]);
  assert.deepEqual(rulesOf(policy({ policyTypes: ["Ingress"], egress: [{}] }), "Egress"), []);
});

test("policies: blocks", () => {
  assert.equal(blockHolds(undefined, "192.0.2.1"), false);
  assert.equal(blockHolds({ cidr: "fd00::/8" }, "fd00::1"), true);
  assert.equal(blockMeets({ cidr: "0.0.0.0/0" }, { ip: "10.244.0.0", length: 16 }), true);
  assert.equal(blockMeets({ cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] }, { ip: "10.244.0.0", length: 16 }), false);
  assert.equal(blockMeets({ cidr: "0.0.0.0/0", except: ["10.244.1.0/24"] }, { ip: "10.244.0.0", length: 16 }), true);
});
