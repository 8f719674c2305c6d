/** The kernel's forwarding could not, or would not, carry the packet on; or the packet left what is modelled. */
import type { Explanation } from "./reasons.ts";

type Forwarding =
  | "forwarding-off"
  | "hairpin-off"
  | "spoofed-source"
  | "blackhole-route"
  | "no-tunnel-peer"
  | "unallocated-cluster-ip"
  | "packet-too-big"
  | "ttl-exceeded"
  | "left-topology"
  | "not-modelled";

export const FORWARDING: Readonly<Record<Forwarding, Explanation>> = {
  "forwarding-off": {
    title: "the machine does not forward packets",
    what: "The packet is for another machine, and this one has net.ipv4.ip_forward (or the IPv6 switch) at 0.",
    why: "packet in > routing: not for me > ip_forward is 0 > dropped without a word\nafter DNAT to a pod this holds even for the node that was asked",
    fix: ["Set `net.ipv4.ip_forward: 1` (IPv6: `net.ipv6.conf.all.forwarding: 1`) on the node; kubeadm's preflight check demands it."],
    clientSees: "curl: (28) Connection timed out.",
  },
  "hairpin-off": {
    title: "a bridge does not send a frame back where it came from",
    what: "A pod asked its own Service and was chosen as the endpoint. The frame must leave by the bridge port that it came in by, and that port's hairpin mode is off.",
    why: "pod > veth > bridge: DNAT to the same pod\nbridge: out port = in port, hairpin off > dropped",
    fix: [
      "Turn hairpin mode on in the CNI configuration (`hairpinMode: true` of the bridge plugin).",
      "Let the pod talk to itself by localhost.",
    ],
    clientSees: "A timeout, but only when chance picks the pod itself.",
  },
  "spoofed-source": {
    title: "the source address cannot be true here",
    what: "The packet came in by a device that answers to its source would not leave by, or with a source that is the machine's own or a loopback address.",
    why: "packet in on eth0, source 192.168.56.1\nroute back to 192.168.56.1 leads out of eth1 > rp_filter 1 or the CNI's anti-spoofing drops it",
    fix: [
      "Send the traffic in by the device that the route back uses.",
      "Set `rp_filter` to 2 (loose) where asymmetric ways are meant.",
      "For node ports on 127.0.0.1: `net.ipv4.conf.all.route_localnet: 1`.",
    ],
    clientSees: "curl: (28) Connection timed out.",
  },
  "blackhole-route": {
    title: "the address lies in a block that is routed to nowhere",
    what: "The node holds this block of pod addresses, no pod has this one, and a blackhole route swallows it.",
    why: "node: longest match is `blackhole 10.244.1.64/26` > dropped",
    fix: ["Check the address: no pod has it.", "If an Endpoints object was written by hand, correct its addresses."],
    clientSees: "A timeout from outside; `Invalid argument` for a process of that node.",
  },
  "no-tunnel-peer": {
    title: "the overlay does not know where that address is",
    what: "The route leads into the tunnel device, but no neighbour or forwarding entry names the node behind it.",
    why: "node: route dev flannel.1 > neighbour 10.244.3.0: none, or fdb for its MAC: none > nothing leaves",
    fix: [
      "See that the node exists and that its overlay agent runs: it publishes the node's tunnel address.",
      "Check the node's pod CIDR: it must be the one that routes were made for.",
    ],
    clientSees: "curl: (28) Connection timed out, or no route to host.",
  },
  "unallocated-cluster-ip": {
    title: "no Service has this cluster IP",
    what: "The address is in the service network, and no Service owns it. kube-proxy in nftables mode drops such packets.",
    why: "node: destination in the service CIDR, in no set of Services > drop (in iptables mode it would leave by the default route)",
    fix: [
      "Ask the cluster IP that `ktrace get services` prints, or the Service's name.",
      "A deleted and recreated Service has a new address: correct what still holds the old one.",
    ],
    clientSees: "curl: (28) Connection timed out.",
  },
  "packet-too-big": {
    title: "the packet does not fit and must not be cut",
    what: "The packet carries DF and is larger than the MTU of the device that it should leave by. Small packets pass, so connections open and then hang.",
    why: "endpoint > node: 1500 bytes, DF\nnode: flannel.1 has MTU 1450 > ICMP 3/4 fragmentation needed, which is often filtered",
    fix: [
      "Set the pods' MTU to the underlay's minus the tunnel header (50 for VXLAN over IPv4).",
      "Let ICMP 3/4 (IPv6: type 2) pass, so that path MTU discovery works.",
    ],
    clientSees: "The connection opens; transfers hang.",
  },
  "ttl-exceeded": {
    title: "the TTL ran out",
    what: "Every router takes one from the TTL; it reached zero. Two machines that send the packet to each other are the usual cause.",
    why: "A > B > A > B > ... ttl 1 > ICMP 11/0 time exceeded",
    fix: [
      "Look for the two machines whose routes point at each other, and correct one of them.",
      "For an external IP or load-balancer IP: some machine must own it, or kube-proxy must have a rule for it.",
    ],
    clientSees: "curl: (7) Failed to connect: No route to host.",
  },
  "left-topology": {
    title: "the packet leaves what the topology describes",
    what: "The next hop is a gateway that is no listed machine. What happens behind it is not known.",
    why: "node: default via 10.0.2.2 > a router that the topology does not list",
    fix: [
      "If the address should be inside the cluster: no Service or pod has it, so it went the way of all other traffic. Check address and port.",
      "If the destination is outside: describe it under `hosts`, with its address and what it listens on.",
    ],
    clientSees: "Unknown: it depends on the world behind the gateway.",
  },
  "not-modelled": {
    title: "something that is not modelled decides here",
    what: "A rule or device on the way does something that ktrace does not model; the trace says what. It stops here instead of guessing.",
    why: "packet > a match or target outside the modelled grammar > unknown",
    fix: [
      "Read in the trace what decides here, and answer it for your packet.",
      "If a rule of a node's own file decides and is not needed, leave it out of the file.",
    ],
    clientSees: "Unknown.",
  },
};
