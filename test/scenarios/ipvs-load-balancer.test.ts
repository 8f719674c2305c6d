/** ipvs mode: load-balancer addresses, source ranges, ARP and affinity. Each row says which statement it holds to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { both, type Claim, delivered, IPVS, mode, routeTo, topologyOf } from "./modes.ts";
import { changed, replace, runRows, seenFrom } from "./rows.ts";

const VIP = "203.0.113.20";
const TTL = { local: 63, remote: 62 } as const;
const dropped = (reason: string, exit = 1) => ({ verdict: "dropped", exit, paths: [`1 dropped ${reason}`] });

/** The Service with a load balancer's address, and a client that is routed to it by node 2. */
const balanced = (spec: string, edit: (text: string) => string = (text) => text): string =>
  changed({
    "topology.yaml": both(topologyOf(mode(IPVS)), routeTo("203.0.113.0/24", "192.168.56.101")),
    "tomcat6-service.yaml": both(
      replace("  type: NodePort\n", `  type: LoadBalancer\n${spec}`),
      edit,
      (text) => `${text}status: {loadBalancer: {ingress: [{ip: ${VIP}}]}}\n`,
    ),
  });
const open = balanced("");
const rangeOfClient = balanced("  loadBalancerSourceRanges: [192.168.56.0/24]\n");
const rangeOfNodes = balanced("  loadBalancerSourceRanges: [10.0.2.0/24]\n");
const local = balanced("", replace("externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local"));

const claims: readonly Claim[] = [
  {
    id: "outside to a load balancer's address",
    why: "kube-ipvs0 holds it; KUBE-LOAD-BALANCER marks: V(n2)",
    command: `curl http://${VIP}/`,
    in: open,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "pod to a load balancer's address",
    why: "captured on its node, marked whatever the source",
    command: `exec pod/nginx -- curl http://${VIP}/`,
    in: open,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "node to a load balancer's address",
    why: "captured at LOCAL_OUT; its source is the address itself, marked",
    command: `exec node/k8s-node1 -- curl http://${VIP}/`,
    in: open,
    expect: delivered(seenFrom(1, TTL)),
  },
  {
    id: "source range that holds the client",
    why: "KUBE-SOURCE-RANGES-FIREWALL returns for KUBE-LOAD-BALANCER-SOURCE-CIDR",
    command: `curl http://${VIP}/`,
    in: rangeOfClient,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "source range without the client",
    why: "the same chain's last rule drops, in INPUT before IPVS",
    command: `curl http://${VIP}/`,
    in: rangeOfNodes,
    expect: dropped("source-range-denied"),
  },
  {
    id: "source range without the pod",
    why: "pods are filtered like others",
    command: `exec pod/nginx -- curl http://${VIP}/`,
    in: rangeOfClient,
    expect: dropped("source-range-denied", 28),
  },
  {
    id: "source range without the node",
    why: "KUBE-IPVS-OUT-FILTER drops what IPVS sends on for that virtual server with its address as source",
    command: `exec node/k8s-node2 -- curl http://${VIP}/`,
    in: rangeOfClient,
    expect: { verdict: "dropped", exit: 28, paths: Array.from({ length: 3 }, () => "1/3 dropped source-range-denied") },
  },
  {
    id: "source range that holds the node",
    why: "then there is no such rule",
    command: `exec node/k8s-node2 -- curl http://${VIP}/`,
    in: rangeOfNodes,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "source ranges and the node port",
    why: "ranges guard the load balancer's addresses only",
    command: "curl node2:31160",
    in: rangeOfNodes,
    expect: delivered(seenFrom(2, TTL)),
  },
  {
    id: "policy Local at a load balancer's address",
    why: "KUBE-LOAD-BALANCER-LOCAL returns before the mark: the local pod sees the client",
    command: `curl http://${VIP}/`,
    in: local,
    expect: delivered(["1 10.244.1.11:8080 sees 192.168.56.1 ttl 63"]),
  },
  {
    id: "another port of a load balancer's address",
    why: "KUBE-IPVS-FILTER",
    command: `nc ${VIP} 81`,
    in: open,
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected service-port-unknown"] },
  },
];
runRows(claims);

/** A Service address on the client's own network: whoever answers ARP for it gets the packet. */
const onTheWire = (settings: string): string =>
  changed({
    "topology.yaml": topologyOf(mode(settings)),
    "tomcat6-service.yaml": replace("  type: NodePort\n", "  type: NodePort\n  externalIPs: [192.168.56.240]\n"),
  });
runRows([
  {
    id: "ARP for a Service address: a node answers, for kube-ipvs0 makes it local",
    command: "curl http://192.168.56.240/",
    in: onTheWire(IPVS),
    expect: delivered(seenFrom(1, TTL)),
  },
  {
    id: "ARP for a Service address with strictARP: arp_ignore is 1, nobody answers",
    command: "curl http://192.168.56.240/",
    in: onTheWire("    mode: ipvs\n    ipvs: {strictARP: true}\n"),
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected host-unreachable"] },
  },
]);

test("the variants differ", () => assert.equal(new Set([open, rangeOfClient, rangeOfNodes, local]).size, 4));
