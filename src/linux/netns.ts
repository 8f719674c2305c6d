/**
 * One network stack: what `ip -n NETNS addr|route|neigh`, `bridge fdb`, `ss -l`, `sysctl` and the netfilter tables would
 * show. Plain data, written by agents and read by the kernel. Not modelled: VRFs, XFRM, tc, XDP.
 */
import type { Cidr, Family, Ip } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import type { Protocol } from "../net/packet.ts";
import type { Netfilter } from "./netfilter/table.ts";
import type { VirtualServers } from "./virtual-server.ts";

/** "node/k8s-node2", "pod/default/nginx", "host/client". */
export type NetnsId = string;

/** The far end of a virtual cable. */
export type LinkEnd = { readonly netns: NetnsId; readonly link: string };

/** How a link hands on a frame. */
export type LinkKind =
  | { readonly kind: "loopback" }
  | { readonly kind: "device"; readonly segment: string } // a NIC on an Ethernet segment, by the segment's name
  | { readonly kind: "veth"; readonly peer: LinkEnd }
  | { readonly kind: "bridge" }
  | { readonly kind: "vxlan"; readonly vni: number; readonly local: Ip; readonly dev: string; readonly port: number }
  | { readonly kind: "dummy" };

/** Scope host only for addresses of lo; the kernel never picks those as a source for another device. */
export type LinkAddress = { readonly cidr: Cidr; readonly scope: "global" | "host" | "link" };

export type Link = {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly carrier: boolean; // false: `state DOWN <NO-CARRIER>`, as an unused docker0
  readonly addresses: readonly LinkAddress[];
  readonly type: LinkKind;
  readonly master?: string; // the bridge it is a port of
  readonly hairpin?: boolean; // bridge port: may send a frame back out where it came in
  readonly cause: CauseId;
};

export type RouteType = "unicast" | "local" | "broadcast" | "blackhole" | "unreachable" | "prohibit";
export type Route = {
  readonly type: RouteType;
  readonly to: Cidr;
  readonly via?: Ip; // absent: the destination is on-link
  readonly dev?: string; // absent for blackhole, unreachable, prohibit
  /** A multipath route: all next hops, of one weight; `via` and `dev` are those of the first. */
  readonly nexthops?: readonly { readonly via: Ip; readonly dev: string }[];
  readonly src?: Ip; // preferred source, for local senders and MASQUERADE
  readonly metric: number;
  readonly onlink?: boolean;
  readonly proto?: "kernel" | "static" | "boot";
  readonly scope?: "global" | "link" | "host";
  readonly anycast?: boolean; // an IPv6 router's address of all routers on a link
  readonly cause: CauseId;
  readonly assumed?: boolean;
};

export type Neighbour = { readonly ip: Ip; readonly dev: string; readonly mac: string; readonly cause: CauseId };
/** VXLAN forwarding entry: frames to `mac` go to the tunnel end `dst`. */
export type FdbEntry = { readonly mac: string; readonly dev: string; readonly dst: Ip; readonly cause: CauseId };

/** Something that receives packets at a local address and port. */
export type ListeningSocket = {
  readonly protocol: Protocol;
  readonly ip: Ip | "*"; // the address bound to; "*" for all
  readonly port: number;
  readonly process: string; // for `ss -p` and people: "nginx", "kubelet"
  readonly owner: string; // who this is, opaque to the kernel: "pod/default/tomcat6-…", "node/k8s-node2"
  readonly cause: CauseId;
  readonly assumed?: boolean;
  /** Of one bound to "*": the only family it takes, or that it is an IPv6 socket which takes both. Absent: as the stack has them. */
  readonly families?: 4 | 6 | "both";
  /** Its process accepts no connection and reads nothing; the kernel itself still shakes hands until the backlog is full. */
  readonly isDeaf?: true;
};

export type Netns = {
  readonly id: NetnsId;
  readonly hostname: string;
  readonly links: readonly Link[]; // in creation order, lo first: the order decides the source when a device has no address
  readonly routes: readonly Route[]; // table main, without the local table, which follows from the addresses
  readonly neighbours: readonly Neighbour[]; // permanent entries only
  readonly fdb: readonly FdbEntry[];
  readonly sysctls: Readonly<Record<string, string>>; // dotted names; what is absent has the kernel's default
  readonly netfilter: Netfilter;
  readonly sockets: readonly ListeningSocket[];
  /** Absent: the ip_vs module is not in use here. */
  readonly ipvs?: VirtualServers;
  readonly cause: CauseId;
};

/** All the network stacks there are, made when first asked for, and who is plugged into which Ethernet segment. */
export type World = {
  readonly netns: (id: NetnsId) => Netns | undefined;
  /** Every NIC on the segment. */
  readonly segment: (name: string) => readonly LinkEnd[];
  /** Network stacks that own the address, so that ARP on a large segment need not build every node. A superset is allowed. */
  readonly owners: (ip: Ip) => readonly NetnsId[];
  /** Whether a gateway that answers no ARP is where the packet leaves the model (an unlisted router), not a dead machine. */
  readonly isOutsideGateway: (netns: NetnsId, via: Ip) => boolean;
};

export const hasFamily = (netns: Netns, family: Family): boolean =>
  netns.links.some((link) => link.addresses.some((address) => address.cidr.ip.includes(":") === (family === 6)));
