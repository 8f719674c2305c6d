/**
 * service.spec: type, selector, ports and the Service's own addresses. Defaults: kubernetes pkg/apis/core/v1/defaults.go; releases:
 * the feature gates' history (pkg/features/kube_features.go) and the KEPs named.
 */
import type { FieldText } from "./field.ts";

export const SERVICE_ADDRESSES: readonly FieldText[] = [
  {
    path: "service.spec.type",
    type: "string",
    what: "How the Service is reached: ClusterIP (inside only), NodePort (also at a port of every node), LoadBalancer (also at a balancer's address), ExternalName (a DNS alias). Mind the capitals.",
    packets: "Each type adds entrances to those of the one before. ExternalName has none: no address, no rule, only a CNAME.",
    default: "ClusterIP",
    since: "1.0",
    note: "ExternalName came with 1.4 (DNS) and needs CoreDNS or kube-dns.",
  },
  {
    path: "service.spec.selector",
    type: "map[string]string",
    what: "The labels that a pod of the same namespace must all have to be an endpoint. Without a selector, Endpoints or EndpointSlices are written by hand.",
    packets: "No pod matches: kube-proxy rejects the connection, and the client sees it refused.",
    since: "1.0",
  },
  {
    path: "service.spec.ports",
    type: "[]ServicePort",
    what: "What is served: `port` on the Service's addresses, `targetPort` on the pods (a number, or the name of a container port), `nodePort` on the nodes. Several ports need names.",
    packets:
      "DNAT turns address:port into pod:targetPort. `port` is open on no node and `nodePort` on no pod. A container that declares no port may listen all the same.",
    default: "protocol TCP; targetPort as port; nodePort out of 30000-32767 when the type wants one",
    since: "1.0",
    note: "TCP and UDP on one LoadBalancer Service are allowed for good since 1.26.",
  },
  {
    path: "service.spec.clusterIP",
    type: "string",
    what: "The Service's address inside the cluster, out of the service range. `None` makes it headless: DNS then answers the pods' addresses. It cannot be changed afterwards.",
    packets: "No interface has the address (but kube-ipvs0 in ipvs mode); every node translates it to a pod's before it routes the packet.",
    default: "the API server picks a free one",
    since: "1.0",
    note: "From 1.26 on, free addresses are first taken from above the range's static band.",
  },
  {
    path: "service.spec.clusterIPs",
    type: "[]string",
    what: "The addresses inside the cluster, at most one of each family. The first equals clusterIP.",
    packets:
      "Each family has rules of its own: iptables and ip6tables, or the tables ip and ip6 of nftables. Nothing translates between the families.",
    default: "[clusterIP], and a second address when ipFamilyPolicy asks for it",
    since: "1.20",
  },
  {
    path: "service.spec.ipFamilies",
    type: "[]string",
    what: "IPv4, IPv6 or both, in the order of clusterIPs. A family that the cluster does not have is refused.",
    packets: "kube-proxy makes rules for these families alone, to endpoints of the same family.",
    default: "the cluster's first family",
    since: "1.20",
    note: "Dual stack is on by default from 1.21 and stable in 1.23; 1.16 to 1.19 had a single field ipFamily (alpha).",
  },
  {
    path: "service.spec.ipFamilyPolicy",
    type: "string",
    what: "SingleStack; PreferDualStack (two addresses where the cluster has two families, else one); RequireDualStack (refused where it has not).",
    packets: "It decides how many cluster addresses there are, nothing else.",
    default: "SingleStack",
    since: "1.20",
    note: "Stable in 1.23.",
  },
  {
    path: "service.spec.externalIPs",
    type: "[]string",
    what: "Addresses outside the cluster's care at which nodes also accept the Service's ports. Somebody else must route them to a node.",
    packets: "Every node captures packets to these addresses, its own pods' too, and masquerades them under policy Cluster.",
    since: "1.1",
    deprecated: "1.36",
    note: "Still works in 1.36: the gate AllowServiceExternalIPs is on (KEP-5707).",
    instead: "type LoadBalancer, or a Gateway",
  },
  {
    path: "service.spec.externalName",
    type: "string",
    what: "With type ExternalName: the DNS name that this Service is an alias of.",
    packets:
      "The client asks DNS, gets a CNAME, and connects to that name's address itself. Ports are not mapped, and HTTP's Host header stays the Service's name.",
    since: "1.4",
  },
];
