/** Refused at once: something on the way answered with an RST or an ICMP error, or the sender's own kernel had no way. */
import type { Explanation } from "./reasons.ts";

type Refused = "no-endpoints" | "not-listening" | "no-route" | "host-unreachable" | "service-port-unknown" | "load-balancer-no-target";

export const REFUSED: Readonly<Record<Refused, Explanation>> = {
  "no-endpoints": {
    title: "the Service has no endpoint",
    what: "The packet was recognised as meant for a Service, but the Service has no ready pod behind this port, so kube-proxy's rule refuses it.",
    why: "client > node: filter, KUBE-SERVICES or KUBE-EXTERNAL-SERVICES\n-j REJECT --reject-with icmp-port-unreachable\nnode > client: ICMP 3/3, which connect() reports as ECONNREFUSED",
    fix: [
      "Compare the Service's selector with the labels of the pods: `ktrace get endpoints` must list an address.",
      "See whether the pods are ready: one that fails its readiness probe is no endpoint.",
      "If targetPort is a name, a container of the pods must declare a port of that name.",
    ],
    clientSees: "curl: (7) Failed to connect: Connection refused. UDP clients get ECONNREFUSED on the next call.",
  },
  "not-listening": {
    title: "nothing listens on that port",
    what: "The packet reached the machine or pod that owns the address, and no process there listens on the port.",
    why: "client > ... > target's socket table: no entry\ntarget > client: RST (for UDP: ICMP 3/3 port unreachable)\nNAT is undone on the way, so the RST seems to come from the address that was asked",
    fix: [
      "Make targetPort the port that the container really listens on.",
      "See on which address the process binds: one bound to 127.0.0.1 cannot be reached from outside its pod.",
      "For a node's address: ask a port that is a node port or that a process of the node listens on.",
    ],
    clientSees: "curl: (7) Failed to connect: Connection refused, at once.",
  },
  "no-route": {
    title: "a routing table has no way there",
    what: "A machine looked up the destination and no route matched, not even a default route.",
    why: "connect() > routing table: no match > ENETUNREACH, no packet leaves\non a router on the way: ICMP 3/0 net unreachable goes back",
    fix: [
      "Ask an address that the client has a route to, for example the node's address on the network they share.",
      "Add a route: in the topology file, `routes` of that machine.",
    ],
    clientSees: "curl: (7) Failed to connect: Network is unreachable, at once.",
  },
  "host-unreachable": {
    title: "nobody answers ARP for that address",
    what: "The routing table says that the destination, or the gateway, is on a directly attached network, but no machine there has the address.",
    why: "last router: who has 10.244.2.99? ... three questions, one second apart, no answer\nlast router > client: ICMP 3/1 host unreachable, after about 3 s",
    fix: [
      "Check the address: a deleted pod's address belongs to nobody.",
      "If an Endpoints or EndpointSlice object was written by hand, correct its addresses.",
      "If the machine exists, give it the address in the topology file, or bring its interface up.",
    ],
    clientSees: "curl: (7) Failed to connect: No route to host, after about 3 seconds.",
  },
  "service-port-unknown": {
    title: "the cluster IP exists, the port does not",
    what: "The address is a Service's cluster IP, but the Service lists no such port. kube-proxy in nftables mode, and ipvs mode from 1.26 on, rejects this.",
    why: "client > node: address is in the set of cluster IPs, no verdict for the port > reject\nnode > client: ICMP 3/3 port unreachable (in iptables mode the packet would leave by the default route instead)",
    fix: [
      "Ask a port that the Service lists under `ports[].port`; the targetPort is the pod's own, not the Service's.",
      "Add the port to the Service.",
    ],
    clientSees: "curl: (7) Failed to connect: Connection refused.",
  },
  "load-balancer-no-target": {
    title: "the load balancer has no healthy target",
    what: "The packet reached a balancer outside the cluster, and no node passes its health check.",
    why: "client > balancer: health check of every node failed > refused or dropped\nwith externalTrafficPolicy Local the check asks healthCheckNodePort, which answers 503 on nodes without a local pod",
    fix: [
      "Run at least one ready pod of the Service on a node that the balancer targets.",
      "See that the balancer's targets or pool name nodes of this cluster.",
    ],
    clientSees: "Connection refused or a timeout, as the balancer is built.",
  },
};
