/** A rule decided: the packet was thrown away, or refused, by a filter that someone wrote. */
import type { Explanation } from "./reasons.ts";

type ByRule =
  | "rule-denied"
  | "firewall-denied"
  | "no-local-endpoints"
  | "source-range-denied"
  | "policy-denied"
  | "invalid-state"
  | "reply-not-translated"
  | "reply-lost";

export const RULES: Readonly<Record<ByRule, Explanation>> = {
  "rule-denied": {
    title: "a rule of the node's own firewall denies it",
    what: "A DROP or REJECT rule, or a chain policy, that neither kube-proxy nor the CNI wrote took the packet.",
    why: "packet > filter INPUT or FORWARD: the node's own rule, or policy DROP\ndropped: silence; rejected: ICMP or RST at once",
    fix: [
      "Allow the traffic in the node's firewall: the rule is named in the trace.",
      "If FORWARD has policy DROP (docker sets it), allow the pod network in both directions.",
    ],
    clientSees: "A timeout after a DROP; connection refused after a REJECT.",
  },
  "firewall-denied": {
    title: "a firewall outside the cluster denies it",
    what: "A packet filter of the topology stands before the destination and does not allow this source, protocol and port.",
    why: "client > firewall: no `allow` entry matches > dropped\nanswers of allowed connections pass",
    fix: ["Add an `allow` entry for the source, protocol and port (a cloud's security group).", "Ask a port that is allowed already."],
    clientSees: "curl: (28) Connection timed out.",
  },
  "no-local-endpoints": {
    title: "policy Local, and this node has no endpoint",
    what: "The Service's traffic policy is Local: a node hands packets only to pods of its own, and this node runs none.",
    why: 'client > node: KUBE-EXT finds no local endpoint, no DNAT\nfilter KUBE-EXTERNAL-SERVICES: -j DROP "has no local endpoints"\nno answer at all, so that a balancer\'s other nodes may be tried',
    fix: [
      "Ask a node that runs a pod of the Service.",
      "Set `externalTrafficPolicy: Cluster` (for cluster IPs `internalTrafficPolicy: Cluster`); pods then see a node's address instead of the client's.",
      "Run a pod on every node that is asked: a DaemonSet, or a toleration for the node's taint.",
    ],
    clientSees: "curl: (28) Connection timed out, after about 2 minutes.",
  },
  "source-range-denied": {
    title: "the client is outside loadBalancerSourceRanges",
    what: "The Service lists the networks that may use its load balancer, and the client's address is in none of them.",
    why: "client > node: KUBE-FW: source matches no listed range\nfilter KUBE-PROXY-FIREWALL: -j DROP",
    fix: [
      "Add the client's network to `loadBalancerSourceRanges`.",
      "If a proxy or NAT stands before the node, list the address that it sends from.",
    ],
    clientSees: "curl: (28) Connection timed out.",
  },
  "policy-denied": {
    title: "a NetworkPolicy does not allow it",
    what: "A policy selects the pod, so that only listed traffic is allowed, and none of its rules lists this packet.",
    why: "pod selected by a policy > default deny in that direction > no rule lists the peer and port > DROP\nthe address compared is the one after NAT",
    fix: [
      "Add a rule with the peer and the port to the policy, or another policy that allows it: allowances add up.",
      "Remember both ends: egress of the sender and ingress of the receiver must allow it.",
      "For names, allow egress to kube-dns: UDP and TCP port 53.",
    ],
    clientSees: "curl: (28) Connection timed out.",
  },
  "invalid-state": {
    title: "conntrack never saw the connection begin",
    what: "A packet in the middle of a connection met a node that has seen only one direction of it. The node calls it INVALID and a rule drops it.",
    why: "SYN through node A, SYN-ACK past node A\nnext packet through node A: conntrack state INVALID\nKUBE-FORWARD: --ctstate INVALID -j DROP",
    fix: [
      "Make both directions take the same way: remove the route that sends one of them through another node.",
      "Ask the node's address on the network that the client is attached to.",
    ],
    clientSees: "The connection opens and then hangs until it times out.",
  },
  "reply-not-translated": {
    title: "the answer comes from an address that was not asked",
    what: "The request was rewritten on its way, but the answer took a way past the machine that did it, and kept the endpoint's own address.",
    why: "client > node: dst service > pod (DNAT)\npod > client directly, source still the pod's\nclient has no such connection: RST to the pod, and goes on waiting",
    fix: [
      "Set `net.bridge.bridge-nf-call-iptables: 1` on the node, so that bridged answers pass NAT.",
      "Let the answer return through the node that rewrote the request: route, or masquerade.",
    ],
    clientSees: "curl: (28) Connection timed out.",
  },
  "reply-lost": {
    title: "the request arrived, the answer did not",
    what: "The endpoint got the request and answered; the answer was lost on its way. The trace shows where.",
    why: "client > ... > endpoint: accepted\nendpoint > ...: dropped, rejected or without a route",
    fix: [
      "Look at the reply's own block: its end has the reason.",
      "Give the endpoint's machine a route back to the address that it sees as the client.",
    ],
    clientSees: "curl: (28) Connection timed out.",
  },
};
