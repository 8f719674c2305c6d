/**
 * The flows of packets.json in ipvs mode: what a real kernel did with them in iptables mode is what ipvs does too, but for the
 * differences in this table, each with the statement it follows from (no kernel with IPVS was at hand to ask).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { programIpvs } from "../../../src/agents/kube-proxy/ipvs/program.ts";
import { mergeRuleset } from "../../../src/agents/ruleset.ts";
import { createCauseTable } from "../../../src/objects/cause.ts";
import { capture, nodeNamed, oracleCases, oracleCluster } from "./oracle.ts";
import { type Flow, standIn, type Translated } from "./stand-in.ts";

const LOOPBACK = "node ports have no virtual server on loopback";
const FALLS_BACK = "policy Local without a local endpoint falls back to all, unmarked";
const ONLY_LOCAL = "policy Local: the virtual server has the local endpoints alone, for pods and the node too, and nothing is marked";
const NO_SHORT_CIRCUIT = "the node's own request under policy Local is not marked";
const EMPTY = "internalTrafficPolicy Local of a ClusterIP Service: an empty virtual server answers, it does not drop";
const HELD = "kube-ipvs0 holds the address, so a port or Service without endpoints is refused";
const VIP_SOURCE = "the node's source is the Service address, which is masqueraded";
const HERE = "the endpoint that is this node itself has a closed port: refused, as iptables mode's capture could not show";
const PERSISTENT = "a first connection may go to any endpoint; the capture shows those after it";
const NO_POD = "the capture's node had no pod 10.244.2.10 to answer ARP";

/** What ipvs does: the outcomes, and `endpoint` or `endpoint<source after masquerading` of each connection. */
const differences: readonly (readonly [flow: string, expected: string, why: string])[] = [
  ["etp-local-nodeport k8s-node1: outside -> 10.0.2.4:31160", "sent 10.244.1.11:8080 10.244.2.10:8080 10.244.2.11:8080", FALLS_BACK],
  ["etp-local-nodeport k8s-node1: node -> 10.0.2.4:31160", "sent 10.244.1.11:8080 10.244.2.10:8080 10.244.2.11:8080", NO_SHORT_CIRCUIT],
  ["etp-local-nodeport k8s-node1: node -> 127.0.0.1:31160", "refused", LOOPBACK],
  ["etp-local-nodeport k8s-node2: pod -> 10.0.2.5:31160", "sent 10.244.1.11:8080", ONLY_LOCAL],
  ["etp-local-nodeport k8s-node2: endpoint 10.244.1.11 -> 10.0.2.5:31160", "sent 10.244.1.11:8080<10.244.1.1", ONLY_LOCAL],
  ["etp-local-nodeport k8s-node2: node -> 10.0.2.5:31160", "sent 10.244.1.11:8080", ONLY_LOCAL],
  ["etp-local-nodeport k8s-node2: node -> 127.0.0.1:31160", "refused", LOOPBACK],
  ["external-ips k8s-node2: outside -> 198.51.100.11:81", "sent 10.244.2.71:8080", FALLS_BACK],
  ["external-ips k8s-node2: node -> 198.51.100.11:81", "sent 10.244.2.71:8080", NO_SHORT_CIRCUIT],
  ["hostnetwork-endpoints k8s-node2: pod -> 10.96.82.1:80", "refused+sent 10.0.2.15:80", HERE],
  ["hostnetwork-endpoints k8s-node2: node -> 10.96.82.1:80", "refused+sent 10.0.2.15:80<10.0.2.5", HERE],
  ["hostnetwork-endpoints k8s-node2: outside -> 10.96.82.1:443", "refused+sent 10.0.2.15:443<10.0.2.5", HERE],
  ["hostnetwork-endpoints k8s-node2: node -> 10.96.0.1:443", "sent 10.0.2.4:6443<10.0.2.5", VIP_SOURCE],
  ["itp-local k8s-node1: pod -> 10.96.50.1:4317", "refused", EMPTY],
  ["itp-local k8s-node1: node -> 10.96.50.1:4317", "refused", EMPTY],
  ["itp-local k8s-node1: pod -> 10.96.50.2:4317", "sent 10.244.1.50:4317 10.244.2.50:4317 10.244.2.51:4317", FALLS_BACK],
  ["lb-etp-local-health k8s-node1: outside -> 203.0.113.30:80", "sent 10.244.1.64:8080 10.244.2.64:8080 10.244.2.65:8080", FALLS_BACK],
  ["lb-etp-local-health k8s-node1: node -> 203.0.113.30:80", "sent 10.244.1.64:8080 10.244.2.64:8080 10.244.2.65:8080", NO_SHORT_CIRCUIT],
  ["lb-etp-local-health k8s-node1: outside -> 10.0.2.4:30070", "sent 10.244.1.64:8080 10.244.2.64:8080 10.244.2.65:8080", FALLS_BACK],
  ["lb-etp-local-health k8s-node2: node -> 203.0.113.30:80", "sent 10.244.1.64:8080", ONLY_LOCAL],
  ["lb-etp-local-health k8s-node2: pod -> 203.0.113.30:80", "sent 10.244.1.64:8080", ONLY_LOCAL],
  ["low-nodeport k8s-node2: node -> 127.0.0.1:8080", "refused", LOOPBACK],
  [
    "no-cluster-cidr k8s-node2: node -> 10.96.246.235:80",
    "sent 10.244.1.11:8080<10.244.1.1 10.244.2.10:8080<10.244.1.0 10.244.2.11:8080<10.244.1.0",
    VIP_SOURCE,
  ],
  ["no-cluster-cidr k8s-node2: node -> 10.0.2.5:31161", "sent 10.244.1.11:8080", ONLY_LOCAL],
  ["no-endpoints k8s-node2: node -> 198.51.100.40:80", "refused", HELD],
  ["no-endpoints k8s-node2: node -> 203.0.113.40:80", "refused", HELD],
  ["session-affinity k8s-node2: pod -> 10.96.246.235:80", "sent 10.244.1.11:8080 10.244.2.10:8080 10.244.2.11:8080", PERSISTENT],
  [
    "session-affinity k8s-node2: outside -> 10.0.2.5:31160",
    "sent 10.244.1.11:8080<10.244.1.1 10.244.2.10:8080<10.244.1.0 10.244.2.11:8080<10.244.1.0",
    PERSISTENT,
  ],
  ["session-affinity k8s-node2: node -> 10.96.80.1:80", "sent 10.244.1.80:8080<10.244.1.1 10.244.2.80:8080<10.244.1.0", PERSISTENT],
  ["tomcat6-reference k8s-node1: node -> 127.0.0.1:31160", "refused", LOOPBACK],
  ["tomcat6-reference k8s-node2: node -> 127.0.0.1:31160", "refused", LOOPBACK],
  ["tomcat6-reference k8s-node2: pod -> 10.96.246.235:81", "refused", HELD],
  ["tomcat6-reference k8s-node2: node -> 10.96.246.235:81", "refused", HELD],
  ["tomcat6-reference k8s-node2: outside -> 10.96.246.235:81", "refused", HELD],
  ["tomcat6-reference k8s-node2: node -> 10.96.0.1:443", "sent 10.0.2.4:6443<10.0.2.5", VIP_SOURCE],
  [
    "tomcat6-reference k8s-node3: endpoint 10.244.2.11 -> 10.96.246.235:80",
    "sent 10.244.1.11:8080 10.244.2.10:8080 10.244.2.11:8080<10.244.2.1",
    NO_POD,
  ],
  ["tomcat6-reference k8s-node3: pod -> 10.96.246.235:80", "sent 10.244.1.11:8080 10.244.2.10:8080 10.244.2.11:8080", NO_POD],
];

const shown = (outcomes: readonly string[], connections: readonly Translated[]): string =>
  [outcomes.join("+"), ...new Set(connections.map(({ dnat, snat }) => `${dnat ?? "unchanged"}${snat === null ? "" : `<${snat}`}`))].join(
    " ",
  );

const expected = new Map(differences.map(([flow, text]) => [flow, text]));
const met = new Set<string>();
let flows = 0;
for (const { name, nodes } of oracleCases) {
  for (const node of nodes) {
    const text = capture(name, node, "packets.json");
    if (text === undefined) continue;
    test(`${name} ${node}: packets in ipvs mode`, () => {
      const cluster = oracleCluster(name, "ipvs");
      const { parts, sets, links, ipvs, sysctls } = programIpvs(cluster, nodeNamed(cluster, node), createCauseTable());
      const rules = { ...mergeRuleset(parts), sets };
      const noLocalnet = { ...sysctls, "net.ipv4.conf.all.route_localnet": "0" };
      const { send } = standIn(name, cluster, node, rules, { links, ipvs, sysctls: noLocalnet });
      const captured: { readonly iptables: readonly Flow[] } = JSON.parse(text);
      for (const flow of captured.iptables) {
        flows += 1;
        const claim = `${name} ${node}: ${flow.from} -> ${flow.to}`;
        const sent = send(flow.from, flow.to);
        const same = shown([flow.outcome], [...(flow.connections ?? [])].sort(byEndpoint));
        met.add(claim);
        assert.equal(shown(sent.outcomes, [...sent.connections].sort(byEndpoint)), expected.get(claim) ?? same, claim);
        if (expected.has(claim)) assert.notEqual(expected.get(claim), same, `${claim} is no difference`);
      }
    });
  }
}
test("every flow was walked, and every difference is one of theirs", () => {
  assert.equal(flows, 111);
  assert.deepEqual(
    differences.map(([flow]) => flow).filter((flow) => !met.has(flow)),
    [],
  );
});

const byEndpoint = (a: Translated, b: Translated): number => ((a.dnat ?? "") < (b.dnat ?? "") ? -1 : 1);
