/**
 * Every feature of a Service that can end a packet, in each mode of kube-proxy that differs: the reason, the sentence that names
 * the deciding feature and object with its place, and a cure that was walked (`*`) or, where nothing can be promised, said (`-`).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ask, counselLines, open, question, SERVICE, TOPOLOGY, type Written } from "./cases.ts";

type Mode = "iptables" | "nftables" | "ipvs";
type Claim = { readonly in: readonly Mode[]; readonly ends: string; readonly because: string; readonly cure: string };
type Row = { readonly feature: string; readonly wrong: readonly Written[]; readonly ask: Ask; readonly claims: readonly Claim[] };

const ALL = ["iptables", "nftables", "ipvs"] as const;
const RULES = ["iptables", "nftables"] as const;
const POD = "pod/nginx";
const NODE2 = "node/k8s-node2";
const NODE3 = "node/k8s-node3";
const SLIP: Written = [SERVICE, "selector:\n    app: tomcat6", "selector:\n    app: tomcat"];
const spec = (field: string): Written => [SERVICE, "sessionAffinity: None\n", `sessionAffinity: None\n  ${field}\n`];
const object = (text: string): Written => [SERVICE, "apiVersion: v1\n", `apiVersion: v1\n${text}\n---\napiVersion: v1\n`];
const BALANCED: Written = [SERVICE, "type: NodePort", "type: LoadBalancer"];
const status = (ingress: string): Written => [SERVICE, "spec:\n", `status: {loadBalancer: {ingress: [${ingress}]}}\nspec:\n`];
const ROUTED: Written = [
  TOPOLOGY,
  "    - name: client\n",
  "    - name: client\n      routes: [{to: 203.0.113.0/24, via: 192.168.56.101}, {to: 10.96.0.0/12, via: 192.168.56.101}]\n",
];
const UNALLOCATED = [
  BALANCED,
  spec("allocateLoadBalancerNodePorts: false"),
  status("{ip: 203.0.113.9}"),
  ROUTED,
  [SERVICE, "      nodePort: 31160 # open on every node\n", ""],
] as const;

const NO_PODS = "Service default/tomcat6 selects app=tomcat, and no pod of namespace default has that (tomcat6-service.yaml:18:10)";
const TAINTED = "runs no ready pod of default/tomcat6: its taint node-role.kubernetes.io/control-plane:NoSchedule keeps them off";
const OTHER_PORT = "Service default/tomcat6 has port 80/TCP, not 81/TCP";
const NO_SUCH_ADDRESS = "No Service has the cluster address 10.96.246.236; default/tomcat6 has 10.96.246.235";

const ROWS: readonly Row[] = [
  {
    feature: "no endpoints, at the cluster IP",
    wrong: [SLIP],
    ask: { to: "10.96.246.235:80", from: POD },
    claims: [
      {
        in: ALL,
        ends: "rejected no-endpoints",
        because: NO_PODS,
        cure: "* selector: {app: tomcat6} (tomcat6-service.yaml:18:10): delivered",
      },
    ],
  },
  {
    feature: "no endpoints, at the node port",
    wrong: [SLIP],
    ask: { to: "10.0.2.5:31160", from: NODE3 },
    claims: [
      {
        in: ALL,
        ends: "rejected no-endpoints",
        because: NO_PODS,
        cure: "* selector: {app: tomcat6} (tomcat6-service.yaml:18:10): delivered",
      },
    ],
  },
  {
    feature: "externalTrafficPolicy Local, no pod here",
    wrong: [[SERVICE, "externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local"]],
    ask: { to: "10.0.2.4:31160", from: NODE3 },
    claims: [
      {
        in: RULES,
        ends: "dropped no-local-endpoints",
        because: `externalTrafficPolicy is Local and k8s-node1 ${TAINTED} (tomcat6-service.yaml:15:26)`,
        cure: "* externalTrafficPolicy: Cluster (tomcat6-service.yaml:15:26): delivered",
      },
    ],
  },
  {
    feature: "internalTrafficPolicy Local, no pod here",
    wrong: [spec("internalTrafficPolicy: Local")],
    ask: { to: "10.96.246.235:80", from: "node/k8s-node1" },
    claims: [
      {
        in: RULES,
        ends: "dropped no-local-endpoints",
        because: `internalTrafficPolicy is Local and k8s-node1 ${TAINTED} (tomcat6-service.yaml:17:26)`,
        cure: "* internalTrafficPolicy: Cluster (tomcat6-service.yaml:17:26): delivered",
      },
    ],
  },
  {
    feature: "loadBalancerSourceRanges",
    wrong: [BALANCED, spec("loadBalancerSourceRanges: [172.16.0.0/12]"), status("{ip: 203.0.113.9}"), ROUTED],
    ask: { to: "203.0.113.9:80" },
    claims: [
      {
        in: ALL,
        ends: "dropped source-range-denied",
        because:
          "Service default/tomcat6 lets only 172.16.0.0/12 use its load-balancer address, and this comes from 192.168.56.1 (tomcat6-service.yaml:18:29)",
        cure: "* add 192.168.56.0/24 to loadBalancerSourceRanges (tomcat6-service.yaml:18:29): delivered",
      },
    ],
  },
  {
    feature: "a cluster IP that no Service has",
    wrong: [],
    ask: { to: "10.96.246.236:80", from: POD },
    claims: [
      {
        in: ["iptables", "ipvs"],
        ends: "exits left-topology",
        because: NO_SUCH_ADDRESS,
        cure: "* ask 10.96.246.235:80, Service default/tomcat6: delivered",
      },
      {
        in: ["nftables"],
        ends: "dropped unallocated-cluster-ip",
        because: NO_SUCH_ADDRESS,
        cure: "* ask 10.96.246.235:80, Service default/tomcat6: delivered",
      },
    ],
  },
  {
    feature: "a port that the Service lacks",
    wrong: [],
    ask: { to: "10.96.246.235:81", from: POD },
    claims: [
      {
        in: ["iptables"],
        ends: "exits left-topology",
        because: `${OTHER_PORT}; no rule rewrites it, so it went the way of all other traffic (tomcat6-service.yaml:19:3)`,
        cure: "* ask 10.96.246.235:80: delivered",
      },
      {
        in: ["nftables", "ipvs"],
        ends: "rejected service-port-unknown",
        because: `${OTHER_PORT} (tomcat6-service.yaml:19:3)`,
        cure: "* ask 10.96.246.235:80: delivered",
      },
    ],
  },
  {
    feature: "a port of a node that is no node port",
    wrong: [],
    ask: { to: "10.0.2.5:31161", from: NODE3 },
    claims: [
      {
        in: ALL,
        ends: "rejected not-listening",
        because: "Nothing on k8s-node2 listens on 31161/TCP, and no Service has that node port",
        cure: "* ask 10.0.2.5:31160, the node port of default/tomcat6: delivered",
      },
    ],
  },
  {
    feature: "a node port at another address than the primary one",
    wrong: [],
    ask: { to: "192.168.56.101:31160", from: NODE3 },
    claims: [
      {
        in: ["nftables"],
        ends: "rejected not-listening",
        because:
          "Node port 31160 of default/tomcat6 is not at 192.168.56.101: kube-proxy on k8s-node2 takes node ports at 10.0.2.5 only, the default of nftables mode (topology.yaml:25:3)",
        cure: "* nodePortAddresses: [10.0.2.5/32, 192.168.56.0/24] of kube-proxy (topology.yaml:25:3): delivered",
      },
    ],
  },
  {
    feature: "a node port on loopback, localhostNodePorts off",
    wrong: [[TOPOLOGY, "mode: iptables\n", "mode: iptables\n    iptables: {localhostNodePorts: false}\n"]],
    ask: { to: "127.0.0.1:31160", from: NODE2 },
    claims: [
      {
        in: ["iptables"],
        ends: "rejected not-listening",
        because:
          "Node port 31160 of default/tomcat6 is not at 127.0.0.1: kube-proxy on k8s-node2 takes node ports at every address but loopback (localhostNodePorts is off) (topology.yaml:25:3)",
        cure: "* iptables.localhostNodePorts: true of kube-proxy (topology.yaml:27:15): delivered",
      },
      {
        in: ["ipvs"],
        ends: "rejected not-listening",
        because:
          "Node port 31160 of default/tomcat6 is not at 127.0.0.1: kube-proxy on k8s-node2 takes node ports at every address but loopback, as ipvs mode does (topology.yaml:25:3)",
        cure: "* ask 10.0.2.5:31160: delivered",
      },
    ],
  },
  {
    feature: "ExternalName",
    wrong: [object("kind: Service\nmetadata: {name: ext}\nspec: {type: ExternalName, externalName: db.example.com}")],
    ask: { to: "ext:5432", from: POD },
    claims: [
      {
        in: ALL,
        ends: "unknown not-modelled",
        because:
          "default/ext is of type ExternalName: the cluster's DNS answers with the name db.example.com, and kube-proxy writes nothing for it (tomcat6-service.yaml:8:42)",
        cure: "- tell its address: `dns: {records: [{name: db.example.com, value: ADDRESS}]}` of the topology: the address is yours to know",
      },
    ],
  },
  {
    feature: "headless: no rules",
    wrong: [
      object(
        "kind: Service\nmetadata: {name: bare}\nspec: {clusterIP: None, selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080}]}",
      ),
    ],
    ask: { to: "bare:80", from: POD },
    claims: [
      {
        in: ALL,
        ends: "rejected not-listening",
        because:
          "default/bare is headless: its name leads to the pods themselves, and no rule turns its port 80 into targetPort 8080 (tomcat6-service.yaml:8:19)",
        cure: "* ask bare:8080: delivered",
      },
    ],
  },
  {
    feature: "allocateLoadBalancerNodePorts false",
    wrong: UNALLOCATED,
    ask: { to: "node2:31160" },
    claims: [
      {
        in: ["iptables", "ipvs"],
        ends: "rejected not-listening",
        because: "default/tomcat6 has no node port: allocateLoadBalancerNodePorts is false (tomcat6-service.yaml:18:34)",
        cure: "* allocateLoadBalancerNodePorts: true, and nodePort: 31160 at its port 80 (tomcat6-service.yaml:18:34): delivered",
      },
      {
        in: ["nftables"], // node2 is its second address there, which takes no node ports
        ends: "rejected not-listening",
        because: "default/tomcat6 has no node port: allocateLoadBalancerNodePorts is false (tomcat6-service.yaml:18:34)",
        cure: "* ask its outside address: 203.0.113.9:80: delivered",
      },
    ],
  },
  {
    feature: "ipMode Proxy, from a pod",
    wrong: [BALANCED, status("{ip: 203.0.113.9, ipMode: Proxy}")],
    ask: { to: "203.0.113.9:80", from: POD },
    claims: [
      {
        in: ALL,
        ends: "exits left-topology",
        because:
          "203.0.113.9 is the balancer's own address: ipMode Proxy of default/tomcat6 keeps it out of every node's rules, so only the balancer answers there (tomcat6-service.yaml:12:61)",
        cure: "* ask its cluster address: 10.96.246.235:80: delivered",
      },
    ],
  },
  {
    feature: "ipMode Proxy, from outside",
    wrong: [BALANCED, status("{ip: 203.0.113.9, ipMode: Proxy}"), ROUTED],
    ask: { to: "203.0.113.9:80" },
    claims: [
      {
        in: ["iptables", "ipvs"],
        ends: "exits left-topology",
        because:
          "203.0.113.9 is the balancer's own address: ipMode Proxy of default/tomcat6 keeps it out of every node's rules, so only the balancer answers there (tomcat6-service.yaml:12:61)",
        cure: "* ask its node port: 192.168.56.100:31160, 192.168.56.101:31160 or 192.168.56.102:31160: delivered",
      },
    ],
  },
];

for (const { feature, wrong, ask, claims } of ROWS)
  for (const claim of claims)
    for (const mode of claim.in)
      test(`${feature}, ${mode} mode: ${claim.ends}`, () => {
        const session = open([...wrong, [TOPOLOGY, "mode: iptables", `mode: ${mode}`]]);
        const trace = session.trace(question(ask));
        assert.deepEqual([...new Set(trace.paths.map(({ verdict, reason }) => `${verdict} ${reason}`))], [claim.ends]);
        const lines = counselLines(session, trace);
        assert.ok(lines.includes(claim.because), lines.join("\n"));
        assert.ok(
          lines.some((each) => each === claim.cure || each.startsWith(`${claim.cure},`)),
          lines.join("\n"),
        );
      });

for (const minor of [17, 20, 23])
  test(`1.${minor}, which marks what it will drop: policy Local is named all the same`, () => {
    const session = open([
      [SERVICE, "externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local"],
      [TOPOLOGY, '# version: "1.36" ', `version: "1.${minor}" #`],
    ]);
    const trace = session.trace(question({ to: "node1:31160" }));
    assert.deepEqual(
      trace.paths.map(({ reason }) => reason),
      ["no-local-endpoints"],
    );
    const lines = counselLines(session, trace);
    assert.ok(lines.includes(`externalTrafficPolicy is Local and k8s-node1 ${TAINTED} (tomcat6-service.yaml:15:26)`), lines.join("\n"));
    assert.ok(
      lines.some((each) => each.startsWith("* externalTrafficPolicy: Cluster (tomcat6-service.yaml:15:26): delivered,")),
      lines.join("\n"),
    );
  });
