/**
 * The flows of the reference cluster, in tables, one for each way in which it is set up. A line claims what is known of the
 * flow besides; that the kernel does what the tracer says is checked of each.
 */
import type { Topology } from "../../src/objects/topology.ts";
import { onNode, type Variant } from "./kernel-lab.ts";

const sysctls = (name: string, value: Readonly<Record<string, string | number>>) =>
  onNode(name, (node) => ({ ...node, sysctls: { ...node.sysctls, ...value } }));

/** The administrator's own rules on a node. */
const rules =
  (name: string, text: string) =>
  (topology: Topology): Topology => ({
    ...onNode(name, (node) => ({ ...node, iptables: `${name}.rules` }))(topology),
    ruleFiles: { ...topology.ruleFiles, [name]: { file: `${name}.rules`, text } },
  });
const TO_LOOPBACK =
  "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 7777 -j DNAT --to-destination 127.0.0.1:10249\nCOMMIT\n";
const MARKS = "*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -p tcp -m tcp --dport 8080 -j MARK --set-xmark 0x1/0x1\nCOMMIT\n";
const DROPS_MARKS = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m mark --mark 0x1/0x1 -j DROP\nCOMMIT\n";

export const CASES: readonly { readonly variant: Variant; readonly flows: string }[] = [
  {
    variant: { name: "as it is" },
    flows: `
      // from outside, by NodePort
      client tcp 192.168.56.101:31181 delivered sees 10.244.1.1 t63 # pod on the asked node
      client tcp 192.168.56.101:31182 delivered sees 10.244.1.0 t62 # pod on another node
      client tcp 192.168.56.100:31182 delivered sees 10.244.0.0 t62 # node without any of its pods
      client tcp 192.168.56.101:31160 delivered # endpoints on two nodes
      client udp 192.168.56.101:31999 delivered # UDP, endpoints on two nodes
      client udp 192.168.56.101:31183 delivered sees 10.244.1.1 t63 # UDP, pod on the asked node
      client udp 192.168.56.102:31183 delivered sees 10.244.2.0 t62 # UDP, pod on another node
      client tcp 192.168.56.101:31170 delivered sees 192.168.56.1 t64 # hostNetwork endpoint on the asked node: nobody masquerades
      client tcp 192.168.56.101:31173 delivered sees 10.0.2.5 t63 # hostNetwork endpoint on another node
      client tcp 192.168.56.101:31174 delivered sees 192.168.56.101 # an endpoint outside: back to the client itself
      client tcp 192.168.56.101:31161 delivered sees 192.168.56.1 t63 # externalTrafficPolicy Local keeps the source
      client tcp 192.168.56.102:31161 dropped/no-local-endpoints # Local, and none there
      client tcp 192.168.56.101:31111 rejected/no-endpoints # REJECT in INPUT, from the address asked
      client udp 192.168.56.101:31113 rejected/no-endpoints # the same, UDP
      client tcp 192.168.56.101:31112 rejected/host-unreachable # a dead endpoint: the error seems to come from the NodePort address
      client tcp 192.168.56.101:31114 rejected/host-unreachable # a dead endpoint on another node
      client tcp 192.168.56.101:31171 rejected/not-listening # closed port of the pod: its RST comes from the NodePort address
      client udp 192.168.56.101:31172 rejected/not-listening # the same, UDP
      client tcp 192.168.56.101:31180 delivered sees 10.244.1.1 t63 # loadBalancerSourceRanges do not filter the NodePort

      // from outside, to the nodes themselves
      client tcp 192.168.56.101:80 delivered sees 192.168.56.1 t64 # hostNetwork pod
      client tcp 192.168.56.100:80 rejected/not-listening # a node where the DaemonSet has no pod
      client tcp 192.168.56.101:30999 rejected/not-listening # a NodePort nobody uses
      client udp 192.168.56.101:30999 rejected/not-listening # the same, UDP
      client tcp 192.168.56.101:10249 rejected/not-listening # kube-proxy's metrics listen on 127.0.0.1 only
      client icmp 192.168.56.101 delivered # ping
      client tcp 192.168.56.77:80 rejected/host-unreachable # nobody on the LAN has the address
      client tcp 10.0.2.5:80 rejected/no-route # no route

      // from outside, to cluster addresses
      client tcp 10.96.246.235:80 rejected/no-route # ClusterIP without a route
      routed tcp 10.96.246.235:80 delivered # ClusterIP by a route through node2
      routed tcp 10.96.0.81:80 delivered sees 10.244.1.1 t63 # the same, pod on node2
      routed tcp 10.96.0.82:80 delivered sees 10.244.1.0 t62 # the same, pod on node3
      routed tcp 10.96.0.60:80 rejected/no-endpoints # REJECT in FORWARD
      routed udp 10.96.0.60:53 rejected/no-endpoints # the same, UDP
      routed tcp 10.96.0.98:80 rejected/host-unreachable # dead endpoint: the error seems to come from the ClusterIP
      routed tcp 10.96.0.62:80 delivered sees 10.244.1.1 t63 # internalTrafficPolicy Local through the node that has one
      routed tcp 10.96.0.81:81 exits # a port the Service does not have goes out by the default route
      routed icmp 10.96.0.81 exits # so does a ping
      routed tcp 10.96.200.200:80 exits # and an address of no Service
      routed tcp 10.244.1.11:8080 delivered sees 192.168.56.2 t63 # a pod, by the node where it is
      routed tcp 10.244.2.10:8080 delivered sees 10.244.1.0 t62 # a pod of another node
      routed udp 10.244.1.20:9999 delivered sees 192.168.56.2 t63 # a pod, UDP
      routed icmp 10.244.1.11 delivered # ping to a pod
      routed tcp 10.244.1.99:80 rejected/host-unreachable # a dead pod address
      routed tcp 10.244.2.99:80 rejected/host-unreachable # a dead pod address behind the tunnel
      client tcp 203.0.113.80:80 delivered sees 10.244.1.1 t63 # load balancer address, source in range
      routed tcp 203.0.113.80:80 dropped/source-range-denied # source not in range
      client tcp 203.0.113.82:80 delivered sees 10.244.1.0 t62 # external IP
      client tcp 203.0.113.60:80 rejected/no-endpoints # external IP without endpoints: the error comes from the device towards the client
      client tcp 203.0.113.99:80 exits # an address of nobody

      // from a node
      node2 tcp 10.96.0.81:80 delivered sees 10.244.1.1 t64 # ClusterIP, own pod
      node2 tcp 10.96.0.82:80 delivered sees 10.244.1.0 t63 # ClusterIP, pod of another node
      node2 tcp 10.96.246.235:80 delivered # ClusterIP, endpoints on two nodes
      node2 tcp 10.96.0.70:80 delivered sees 10.0.2.5 t64 # ClusterIP to itself: masquerade over lo takes the first device's address
      node2 tcp 10.96.0.73:80 delivered sees 10.0.2.5 t64 # ClusterIP to another node's own port
      node2 tcp 10.96.0.60:80 rejected/no-endpoints # REJECT in OUTPUT
      node2 udp 10.96.0.60:53 rejected/no-endpoints # the same, UDP
      node2 tcp 10.96.0.98:80 rejected/host-unreachable # dead endpoint of its own
      node2 tcp 10.96.0.99:80 rejected/host-unreachable # dead endpoint elsewhere
      node2 tcp 10.96.0.62:80 delivered sees 10.244.1.1 t64 # internalTrafficPolicy Local, one there
      node3 tcp 10.96.0.62:80 dropped/no-local-endpoints # none there
      node2 tcp 10.244.1.11:8080 delivered sees 10.244.1.1 t64 # own pod
      node2 tcp 10.244.2.10:8080 delivered sees 10.244.1.0 t63 # pod of another node
      node2 tcp 10.244.2.10:8080 delivered sees 10.244.1.0 t63 src=10.0.2.5 # the same from the eth0 address
      node2 tcp 10.0.2.5:31181 delivered sees 10.244.1.1 t64 # its own NodePort, pod local
      node2 tcp 10.0.2.5:31182 delivered sees 10.244.1.0 t63 # its own NodePort, pod elsewhere
      node2 tcp 127.0.0.1:31181 delivered sees 10.244.1.1 t64 # NodePort on loopback
      node2 tcp 127.0.0.1:31182 delivered sees 10.244.1.0 t63 # NodePort on loopback, pod elsewhere
      node2 udp 127.0.0.1:31183 delivered sees 10.244.1.1 t64 # NodePort on loopback, UDP
      node2 tcp 127.0.0.1:80 delivered sees 127.0.0.1 t64 # its own port
      node2 tcp 10.0.2.15:31182 delivered sees 10.244.2.1 t63 # another node's NodePort
      node3 tcp 10.0.2.15:31161 delivered sees 10.244.2.0 t63 # its own Local NodePort without local pods
      node2 tcp 203.0.113.82:80 delivered sees 10.244.1.0 t63 # external IP
      node2 tcp 203.0.113.60:80 exits # OUTPUT does not reject for external IPs
      node2 tcp 192.168.56.1:80 delivered sees 192.168.56.101 t64 # a host outside
      node2 tcp 192.0.2.53:80 exits # the internet
      node2 icmp 10.244.2.10 delivered # ping to a pod elsewhere
      node2 tcp 10.244.1.99:80 rejected/host-unreachable # a dead pod of its own

      // from a pod
      nginx tcp 10.96.0.81:80 delivered sees 10.244.1.15 t64 # ClusterIP, same node: bridged, not routed
      nginx tcp 10.96.0.82:80 delivered sees 10.244.1.15 t62 # ClusterIP, other node
      nginx tcp 10.96.246.235:80 delivered # ClusterIP, endpoints on two nodes
      nginx udp 10.96.99.99:9999 delivered # ClusterIP, UDP
      nginx udp 10.96.0.83:9999 delivered sees 10.244.1.15 t64 # ClusterIP, UDP, same node
      nginx udp 10.96.0.10:53 delivered # cluster DNS
      tom1 tcp 10.96.0.81:80 delivered sees 10.244.1.1 t64 # to itself through its Service: hairpin
      nginx tcp 10.96.0.70:80 delivered sees 10.244.1.15 t64 # hostNetwork endpoint on its own node
      nginx tcp 10.96.0.73:80 delivered sees 10.0.2.5 t63 # hostNetwork endpoint on another node
      nginx tcp 10.96.0.72:80 delivered sees 192.168.56.101 t63 # endpoint outside the cluster
      nginx tcp 10.96.0.60:80 rejected/no-endpoints # REJECT in FORWARD, from the bridge's address
      nginx udp 10.96.0.60:53 rejected/no-endpoints # the same, UDP
      nginx tcp 10.96.0.98:80 rejected/host-unreachable # dead endpoint, same node
      nginx tcp 10.96.0.99:80 rejected/host-unreachable # dead endpoint, other node
      nginx tcp 10.96.0.71:80 rejected/not-listening # closed port behind a ClusterIP
      nginx udp 10.96.0.71:53 rejected/not-listening # the same, UDP
      nginx tcp 10.96.0.62:80 delivered sees 10.244.1.15 t64 # internalTrafficPolicy Local, one there
      tom2 tcp 10.96.0.62:80 dropped/no-local-endpoints # none there
      nginx tcp 10.96.0.81:81 exits # a port the Service does not have
      nginx icmp 10.96.0.81 exits # ping to a ClusterIP
      nginx tcp 10.244.1.11:8080 delivered sees 10.244.1.15 t64 # pod of the same node
      nginx tcp 10.244.2.10:8080 delivered sees 10.244.1.15 t62 # pod of another node
      nginx udp 10.244.2.20:9999 delivered sees 10.244.1.15 t62 # the same, UDP
      nginx icmp 10.244.1.11 delivered # ping on the same node
      nginx icmp 10.244.2.10 delivered # ping to another node
      nginx tcp 10.244.1.11:9 rejected/not-listening # closed port, same node
      nginx tcp 10.244.2.10:9 rejected/not-listening # closed port, other node
      nginx udp 10.244.1.11:9 rejected/not-listening # closed UDP port, same node
      nginx udp 10.244.2.10:9 rejected/not-listening # closed UDP port, other node
      nginx tcp 10.244.1.99:80 rejected/host-unreachable # dead pod of its own subnet: its own kernel finds out
      nginx tcp 10.244.2.99:80 rejected/host-unreachable # dead pod of another node: that node says so
      nginx icmp 10.244.2.99 rejected/host-unreachable # the same, ping
      nginx tcp 10.244.1.1:80 delivered sees 10.244.1.15 t64 # its own gateway
      nginx tcp 10.0.2.5:80 delivered sees 10.244.1.15 t64 # own node's port
      nginx tcp 10.0.2.15:80 delivered sees 10.0.2.5 t63 # other node's port
      nginx tcp 10.0.2.4:80 rejected/not-listening # closed port of another node
      nginx tcp 10.0.2.5:31181 delivered sees 10.244.1.1 t64 # own node's NodePort, pod local
      nginx tcp 10.0.2.5:31182 delivered sees 10.244.1.0 t62 # own node's NodePort, pod elsewhere
      tom1 tcp 10.0.2.5:31181 delivered sees 10.244.1.1 t64 # own node's NodePort to itself
      nginx tcp 10.0.2.15:31182 delivered sees 10.244.2.1 t62 # other node's NodePort, pod there
      nginx tcp 10.0.2.15:31181 delivered sees 10.244.2.0 t61 # other node's NodePort, pod back on the first
      tom2 tcp 10.0.2.15:31161 delivered sees 10.244.2.10 t62 # own node's Local NodePort without local pods
      nginx tcp 10.0.2.15:31161 dropped/no-local-endpoints # other node's Local NodePort without local pods
      nginx tcp 192.168.56.1:80 delivered sees 192.168.56.101 t63 # a host outside
      nginx tcp 192.168.56.1:9 rejected/not-listening # a closed port outside
      nginx icmp 192.168.56.1 delivered # ping outside: the id is rewritten like a port
      nginx tcp 192.0.2.53:80 exits # the internet
      nginx tcp 203.0.113.80:80 dropped/source-range-denied # load balancer address, not in range
      nginx tcp 203.0.113.82:80 delivered sees 10.244.1.0 t62 # external IP
      nginx tcp 203.0.113.60:80 rejected/no-endpoints # external IP without endpoints
      nginx tcp 127.0.0.1:80 delivered sees 127.0.0.1 t64 # itself
      nginx tcp 10.244.1.15:80 delivered sees 10.244.1.15 t64 # itself by its address
      nginx tcp 127.0.0.1:9 rejected/not-listening # itself, closed

      // the TTL runs out
      nginx tcp 10.244.1.11:8080 delivered ttl=1 # same subnet: nobody counts
      nginx tcp 10.96.0.81:80 delivered ttl=1 # bridged after DNAT: nobody counts
      nginx tcp 10.244.2.10:8080 looped/ttl-exceeded ttl=1 # at the pod's node
      nginx tcp 10.244.2.10:8080 looped/ttl-exceeded ttl=2 # at the other node, through the tunnel
      nginx tcp 10.244.2.10:8080 delivered ttl=3 # arrives with its last
      nginx tcp 10.96.0.82:80 looped/ttl-exceeded ttl=2 # after DNAT
      nginx udp 10.96.99.99:9999 - ttl=1 # UDP: the error is no error to the socket
      nginx icmp 10.244.2.10 looped/ttl-exceeded ttl=2 # ping
      client tcp 192.168.56.101:31181 looped/ttl-exceeded ttl=1 # NodePort, at the node
      client tcp 192.168.56.101:31182 looped/ttl-exceeded ttl=2 # NodePort, behind the tunnel
      client udp 192.168.56.101:31183 delivered ttl=2 # just enough

      // ways that differ
      crossed tcp 10.0.2.5:80 dropped/invalid-state # the answer comes straight back, and the next packet is INVALID on the way
      crossed udp 10.0.2.5:30999 - # the same way, UDP, to a closed port
      spoofer tcp 10.0.2.5:80 - src=192.168.56.50 # an address that the node looks for elsewhere
      spoofer tcp 192.168.56.101:80 delivered # a node's other address
      spoofer tcp 10.0.2.5:80 dropped/spoofed-source src=10.244.1.1 # the node's own address as source
    `,
  },
  {
    variant: { name: "bridge-nf-call-iptables 0 on node2", topology: sysctls("k8s-node2", { "net.bridge.bridge-nf-call-iptables": 0 }) },
    flows: `
      nginx tcp 10.96.0.81:80 unanswered/reply-not-translated # the answer passes the bridge and misses the NAT
      nginx tcp 10.96.0.62:80 unanswered/reply-not-translated # so with internalTrafficPolicy Local
      nginx udp 10.96.0.83:9999 unanswered # UDP, same node
      nginx tcp 10.96.0.82:80 delivered sees 10.244.1.15 t62 # endpoint on another node
      nginx udp 10.96.99.99:9999 - # UDP, endpoints on two nodes
      nginx tcp 10.244.1.11:8080 delivered sees 10.244.1.15 t64 # pod to pod
      nginx tcp 10.96.0.70:80 delivered sees 10.244.1.15 t64 # hostNetwork endpoint
      nginx tcp 192.0.2.53:80 exits # the internet
      tom1 tcp 10.96.0.81:80 delivered sees 10.244.1.1 t63 # hairpin: masqueraded, so the answer passes the node; routed now
      nginx tcp 10.0.2.5:31181 delivered sees 10.244.1.1 t63 # own node's NodePort
      client tcp 192.168.56.101:31181 delivered sees 10.244.1.1 t63 # from outside nothing changes
      nginx tcp 10.96.0.60:80 rejected/no-endpoints # no endpoints
      nginx tcp 10.96.0.98:80 rejected/host-unreachable # dead endpoint
      nginx tcp 10.96.0.81:80 looped/ttl-exceeded ttl=1 # routed, so it counts
    `,
  },
  {
    variant: { name: "ip_forward 0 on node2", topology: sysctls("k8s-node2", { "net.ipv4.ip_forward": 0 }) },
    flows: `
      client tcp 192.168.56.101:31181 dropped/forwarding-off # NodePort, pod on the node
      client tcp 192.168.56.101:31182 dropped/forwarding-off # NodePort, pod elsewhere
      client tcp 192.168.56.101:31170 delivered # hostNetwork endpoint needs no forwarding
      client tcp 192.168.56.102:31181 - # through the tunnel to node2
      nginx tcp 10.96.0.81:80 dropped/forwarding-off # same node through a ClusterIP
      nginx tcp 10.244.1.11:8080 delivered # bridged
      nginx tcp 10.244.2.10:8080 dropped/forwarding-off # another node
      nginx tcp 192.168.56.1:80 dropped/forwarding-off # outside
      nginx tcp 10.0.2.5:80 delivered # its own node
      node2 tcp 10.96.0.82:80 delivered sees 10.244.1.0 t63 # the node itself does not forward
      node2 tcp 10.96.0.81:80 delivered sees 10.244.1.1 t64 # nor to its own pod
      node1 tcp 10.244.1.11:8080 dropped/forwarding-off # from another node
    `,
  },
  {
    variant: {
      name: "route_localnet 0 everywhere",
      topology: (t) =>
        ["k8s-node1", "k8s-node2", "k8s-node3"].reduce(
          (each, node) => sysctls(node, { "net.ipv4.conf.all.route_localnet": 0 })(each),
          rules("k8s-node2", TO_LOOPBACK)(t),
        ),
    },
    flows: `
      node2 tcp 127.0.0.1:31181 dropped/spoofed-source # the SYN disappears after DNAT
      node2 tcp 127.0.0.1:31182 dropped/spoofed-source # the same, pod elsewhere
      node2 tcp 127.0.0.1:31170 - # hostNetwork endpoint of its own
      node2 tcp 10.0.2.5:31181 delivered sees 10.244.1.1 t64 # by its own address nothing changes
      node2 tcp 127.0.0.1:80 delivered # no NAT, no change
      client tcp 192.168.56.101:7777 dropped/spoofed-source # DNAT to 127.0.0.1 in PREROUTING
    `,
  },
  {
    variant: {
      name: "rp_filter strict on node2",
      topology: sysctls("k8s-node2", { "net.ipv4.conf.all.rp_filter": 1, "net.ipv4.conf.default.rp_filter": 1 }),
    },
    flows: `
      client tcp 192.168.56.101:31181 delivered sees 10.244.1.1 t63 # ordinary flows pass
      client tcp 192.168.56.101:31182 delivered sees 10.244.1.0 t62 # endpoint behind the tunnel
      nginx tcp 10.96.0.82:80 delivered # pod to another node
      nginx tcp 192.168.56.1:80 delivered # pod to the outside
      node2 tcp 127.0.0.1:31182 - # loopback NodePort
      spoofer tcp 10.0.2.5:80 dropped/spoofed-source src=192.168.56.50 # a source that is reached by another device
      spoofer tcp 10.0.2.5:31181 dropped/spoofed-source src=192.168.56.50 # the same to a NodePort
      spoofer tcp 192.168.56.101:80 delivered # its real address
    `,
  },
  {
    variant: {
      name: "rp_filter loose on node2",
      topology: sysctls("k8s-node2", { "net.ipv4.conf.all.rp_filter": 2, "net.ipv4.conf.default.rp_filter": 2 }),
    },
    flows: `
      spoofer tcp 10.0.2.5:80 - src=192.168.56.50 # accepted: some device reaches the source
      spoofer tcp 10.0.2.5:31181 - src=192.168.56.50 # the same to a NodePort
      client tcp 192.168.56.101:31182 delivered # ordinary flows pass
    `,
  },
  {
    variant: {
      name: "FORWARD policy DROP on node2",
      topology: (t) => ({
        ...onNode("k8s-node2", (node) => ({ ...node, iptables: "node2.rules" }))(t),
        ruleFiles: {
          ...t.ruleFiles,
          "k8s-node2": { file: "node2.rules", text: "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n" },
        },
      }),
    },
    flows: `
      client tcp 192.168.56.101:31181 delivered sees 10.244.1.1 t63 # kube-proxy's and flannel's rules accept
      client tcp 192.168.56.101:31182 delivered sees 10.244.1.0 t62 # pod elsewhere
      nginx tcp 10.244.2.10:8080 delivered # pod to pod
      nginx tcp 192.168.56.1:80 delivered # pod to the outside
      routed tcp 10.96.0.81:80 delivered # ClusterIP from outside
      client tcp 192.168.56.101:31174 - # an endpoint outside: marked
      stranded tcp 10.0.2.15:80 dropped/rule-denied # transit between other machines
      stranded tcp 10.0.2.15:31182 dropped/rule-denied # transit to another node's NodePort
      stranded tcp 192.0.2.53:80 dropped/rule-denied # transit to the internet
      nginx tcp 10.96.0.60:80 rejected/no-endpoints # REJECT comes before the policy
    `,
  },
  {
    variant: { name: "hairpin mode off", topology: (t) => ({ ...t, cni: { ...t.cni, hairpinMode: false } }) },
    flows: `
      tom1 tcp 10.96.0.81:80 dropped/hairpin-off # to itself through its Service
      tom1 tcp 10.0.2.5:31181 dropped/hairpin-off # to itself through a NodePort
      nginx tcp 10.96.0.81:80 delivered sees 10.244.1.15 t64 # to another pod of the node
      tom1 tcp 10.96.246.235:80 - # one of three endpoints is itself
    `,
  },
  {
    variant: { name: "host-gw instead of vxlan", topology: (t) => ({ ...t, cni: { ...t.cni, backend: "host-gw" } }) },
    flows: `
      client tcp 192.168.56.101:31181 delivered sees 10.244.1.1 t63 # pod on the asked node
      client tcp 192.168.56.101:31182 delivered sees 10.0.2.5 t62 # the outgoing device is eth0
      nginx tcp 10.96.0.82:80 delivered sees 10.244.1.15 t62 # ClusterIP, other node
      nginx tcp 10.244.2.10:8080 delivered sees 10.244.1.15 t62 # pod to pod
      node2 tcp 10.244.2.10:8080 delivered sees 10.0.2.5 t63 # node to pod
      node2 tcp 10.96.0.82:80 delivered sees 10.0.2.5 t63 # node to ClusterIP
      nginx tcp 10.244.2.99:80 rejected/host-unreachable # dead pod elsewhere
      nginx tcp 10.244.2.10:8080 looped/ttl-exceeded ttl=2 # at the other node
      routed tcp 10.244.2.10:8080 delivered # from outside
    `,
  },
  {
    variant: {
      name: "node3 switched off",
      topology: (t) => ({
        ...t,
        nodes: (t.nodes ?? []).map((node) =>
          node.name === "k8s-node3"
            ? { ...node, interfaces: (node.interfaces ?? []).map((each) => ({ ...each, state: "down" as const })) }
            : node,
        ),
      }),
    },
    flows: `
      client tcp 192.168.56.102:31181 rejected/host-unreachable # nobody answers for the node
      nginx tcp 10.244.2.10:8080 - # its pods are behind a silent tunnel
      client tcp 192.168.56.101:31182 - # NodePort whose only endpoint is there
      nginx tcp 10.0.2.15:80 rejected/host-unreachable # the node itself
    `,
  },
  {
    variant: {
      name: "own rules on two nodes",
      topology: (t) => rules("k8s-node3", DROPS_MARKS)(rules("k8s-node2", `${TO_LOOPBACK}${MARKS}`)(t)),
    },
    flows: `
      client tcp 192.168.56.101:7777 delivered # DNAT to 127.0.0.1, where route_localnet is 1
      nginx tcp 10.244.2.10:8080 delivered sees 10.244.1.15 t62 # node2's mark is not node3's
      client tcp 192.168.56.101:31182 delivered # NodePort, pod elsewhere
      nginx tcp 10.244.1.11:8080 delivered # bridged
    `,
  },
  {
    variant: { name: "the legacy back end", lab: { backend: "legacy" } },
    flows: `
      client tcp 192.168.56.101:31160 delivered # NodePort, endpoints on two nodes
      client tcp 192.168.56.101:31111 rejected/no-endpoints # REJECT
      client tcp 192.168.56.102:31161 dropped/no-local-endpoints # DROP
      nginx tcp 10.96.0.81:80 delivered sees 10.244.1.15 t64 # bridged
      tom1 tcp 10.96.0.81:80 delivered sees 10.244.1.1 t64 # hairpin
      node2 tcp 127.0.0.1:31182 delivered sees 10.244.1.0 t63 # loopback NodePort
      nginx tcp 192.0.2.53:80 exits # the internet
      crossed tcp 10.0.2.5:80 dropped/invalid-state # the asymmetric way
    `,
  },
];
