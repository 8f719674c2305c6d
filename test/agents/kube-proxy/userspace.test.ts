/** The rules of userspace mode, as pkg/proxy/userspace/proxier.go of 1.20 asks iptables for them, in iptables-save's words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { programUserspace } from "../../../src/agents/kube-proxy/userspace/program.ts";
import { proxiedPortLookup, proxySockets } from "../../../src/agents/kube-proxy/userspace/proxied-ports.ts";
import { mergeRuleset } from "../../../src/agents/ruleset.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { printRule } from "../../../src/dialects/iptables/print-rule.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { sampleCluster, sampleNode, sampleService } from "../sample-cluster.ts";

const ready = { ready: true, serving: true, terminating: false };
const cluster: Cluster = sampleCluster({
  version: { major: 1, minor: 20, text: "1.20.2" },
  kubeProxy: { mode: "userspace" },
  services: [
    sampleService("dns", { clusterIPs: ["10.96.0.10"], ports: [{ index: 0, name: "dns", protocol: "UDP", port: 53, targetPort: 53 }] }),
    sampleService("sctp", { clusterIPs: ["10.96.0.11"], ports: [{ index: 0, name: "", protocol: "SCTP", port: 80, targetPort: 80 }] }),
    sampleService("web", {
      type: "LoadBalancer",
      clusterIPs: ["10.96.0.7"],
      externalIPs: ["198.51.100.9"],
      loadBalancerIngress: [{ ip: "203.0.113.9" }],
      externalTrafficPolicy: "Local",
      ports: [{ index: 0, name: "", protocol: "TCP", port: 80, targetPort: 8080, nodePort: 31160 }],
    }),
  ],
  slices: [
    {
      namespace: "default",
      name: "web-abcde",
      service: "web",
      labels: {},
      addressType: "IPv4",
      ports: [{ name: "", protocol: "TCP", port: 8080 }],
      endpoints: [
        { addresses: ["10.244.2.10"], nodeName: "k8s-node3", ...ready },
        { addresses: ["10.244.1.11"], nodeName: "k8s-node2", ...ready },
        { addresses: ["10.244.1.12"], nodeName: "k8s-node2", ...ready, ready: false },
      ],
    },
  ],
});

test("portals, node ports and the door in INPUT", () => {
  const tables = mergeRuleset(programUserspace(cluster, sampleNode(2), createCauseTable())).tables(4);
  const lines = tables.flatMap((table) =>
    table.names().flatMap((name) => (table.chain(name)?.rules() ?? []).map((rule) => `${table.name} ${printRule(rule, name)}`)),
  );
  const PORTALS = 'nat -A CHAIN -m comment --comment "handle ClusterIPs; NOTE: this must be before the NodePort rules" -j KUBE-PORTALS-WHO';
  const NODE_PORTS =
    'nat -A CHAIN -m addrtype --dst-type LOCAL -m comment --comment "handle service NodePorts; NOTE: this must be the last rule in the chain" -j KUBE-NODEPORT-WHO';
  const of = (line: string, chain: string, who: string): string => line.replace("CHAIN", chain).replace("WHO", who);
  assert.deepEqual(lines, [
    of(PORTALS, "PREROUTING", "CONTAINER"),
    of(NODE_PORTS, "PREROUTING", "CONTAINER"),
    of(PORTALS, "OUTPUT", "HOST"),
    of(NODE_PORTS, "OUTPUT", "HOST"),
    'nat -A KUBE-NODEPORT-CONTAINER -p tcp -m comment --comment "default/web" -m tcp --dport 31160 -j REDIRECT --to-ports 32769',
    'nat -A KUBE-NODEPORT-HOST -p tcp -m comment --comment "default/web" -m tcp --dport 31160 -j DNAT --to-destination 10.0.2.5:32769',
    'nat -A KUBE-PORTALS-CONTAINER -d 10.96.0.10/32 -p udp -m comment --comment "default/dns:dns" -m udp --dport 53 -j REDIRECT --to-ports 32768',
    'nat -A KUBE-PORTALS-CONTAINER -d 10.96.0.7/32 -p tcp -m comment --comment "default/web" -m tcp --dport 80 -j REDIRECT --to-ports 32769',
    'nat -A KUBE-PORTALS-CONTAINER -d 198.51.100.9/32 -p tcp -m comment --comment "default/web" -m tcp --dport 80 -m physdev ! --physdev-is-in -j REDIRECT --to-ports 32769',
    'nat -A KUBE-PORTALS-CONTAINER -d 198.51.100.9/32 -p tcp -m comment --comment "default/web" -m tcp --dport 80 -m addrtype --dst-type LOCAL -j REDIRECT --to-ports 32769',
    'nat -A KUBE-PORTALS-CONTAINER -d 203.0.113.9/32 -p tcp -m comment --comment "default/web" -m tcp --dport 80 -j REDIRECT --to-ports 32769',
    'nat -A KUBE-PORTALS-HOST -d 10.96.0.10/32 -p udp -m comment --comment "default/dns:dns" -m udp --dport 53 -j DNAT --to-destination 10.0.2.5:32768',
    'nat -A KUBE-PORTALS-HOST -d 10.96.0.7/32 -p tcp -m comment --comment "default/web" -m tcp --dport 80 -j DNAT --to-destination 10.0.2.5:32769',
    'nat -A KUBE-PORTALS-HOST -d 198.51.100.9/32 -p tcp -m comment --comment "default/web" -m tcp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.0.2.5:32769',
    'nat -A KUBE-PORTALS-HOST -d 203.0.113.9/32 -p tcp -m comment --comment "default/web" -m tcp --dport 80 -j DNAT --to-destination 10.0.2.5:32769',
    'filter -A INPUT -m comment --comment "Ensure that non-local NodePort traffic can flow" -j KUBE-NODEPORT-NON-LOCAL',
    'filter -A KUBE-NODEPORT-NON-LOCAL -p tcp -m comment --comment "default/web" -m tcp --dport 32769 -m state --state NEW -j ACCEPT',
  ]);
});

test("kube-proxy listens where the rules lead, and knows whom for: every ready endpoint, whatever the traffic policy", () => {
  const sockets = proxySockets(cluster, sampleNode(2), createCauseTable());
  assert.deepEqual(
    sockets.map(({ protocol, port, ip, process, owner }) => [protocol, port, ip, process, owner]),
    [
      ["udp", 32768, "*", "kube-proxy", "node/k8s-node2"],
      ["tcp", 32769, "*", "kube-proxy", "node/k8s-node2"],
    ],
  );
  const lookup = proxiedPortLookup(cluster, createCauseTable());
  assert.deepEqual(lookup("k8s-node1", "tcp", 32769)?.endpoints, [
    { ip: "10.244.1.11", port: 8080 },
    { ip: "10.244.2.10", port: 8080 },
  ]);
  assert.deepEqual(lookup("k8s-node1", "udp", 32768)?.endpoints, []);
  assert.equal(lookup("k8s-node1", "tcp", 32768), undefined);
  assert.equal(lookup("nowhere", "tcp", 32769), undefined);
  assert.equal(
    proxiedPortLookup({ ...cluster, kubeProxy: { mode: "iptables" } }, createCauseTable())("k8s-node1", "tcp", 32769),
    undefined,
  );
});
