/** Which ipsets kube-proxy makes in ipvs mode, and what each service port puts into them: pkg/proxy/ipvs/ipset.go, syncProxyRules. */
import { addressBits, type Cidr, cidrContains, familyOf, formatCidr, type Ip, networkOf } from "../../../net/address.ts";
import { nodeAddress } from "../node-addresses.ts";
import type { Listed, ServicePort } from "../service-ports.ts";
import type { IpvsContext } from "./context.ts";

/** What follows KUBE- or KUBE-6- in the name. */
export const SET_KEYS = [
  "LOOP-BACK",
  "CLUSTER-IP",
  "EXTERNAL-IP",
  "EXTERNAL-IP-LOCAL",
  "LOAD-BALANCER",
  "LOAD-BALANCER-LOCAL",
  "LOAD-BALANCER-FW",
  "LOAD-BALANCER-SOURCE-CIDR",
  "LOAD-BALANCER-SOURCE-IP",
  "NODE-PORT-TCP",
  "NODE-PORT-LOCAL-TCP",
  "NODE-PORT-UDP",
  "NODE-PORT-LOCAL-UDP",
  "NODE-PORT-SCTP-HASH",
  "NODE-PORT-LOCAL-SCTP-HASH",
  "HEALTH-CHECK-NODE-PORT",
  "IPVS-IPS",
] as const;
export type SetKey = (typeof SET_KEYS)[number];

export type SetDefinition = {
  readonly type: string;
  readonly comment: string;
  readonly of: (context: IpvsContext, port: ServicePort) => readonly string[];
};

const PAIR = "hash:ip,port";
const TRIPLE = "hash:ip,port,ip";
const PORTS = "bitmap:port";
const WITH_LOCAL = "with externalTrafficPolicy=local";

const member = ({ protocol, port }: ServicePort, ip: Ip): string => `${ip},${protocol}:${port.port}`;
const members = (port: ServicePort, ips: readonly Listed<Ip>[]): string[] => ips.map(({ value }) => member(port, value));
const nodePort = (port: ServicePort, protocol: ServicePort["protocol"]): string[] =>
  port.protocol === protocol && port.nodePort !== undefined ? [String(port.nodePort)] : [];
const sctpNodePort = ({ nodePortAddresses }: IpvsContext, port: ServicePort): string[] =>
  port.protocol === "sctp" && port.nodePort !== undefined ? nodePortAddresses.map((ip) => `${ip},sctp:${port.nodePort}`) : [];
const ifLocal = (port: ServicePort, entries: readonly string[]): readonly string[] => (port.externalPolicyLocal ? entries : []);
const isGuarded = (port: ServicePort): boolean => port.sourceRanges.length > 0;

export const SETS: Readonly<Record<SetKey, SetDefinition>> = {
  "LOOP-BACK": {
    type: TRIPLE,
    comment: "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
    of: () => [], // by loopBackMembers: services without a local endpoint are not worth a look
  },
  "CLUSTER-IP": {
    type: PAIR,
    comment: "Kubernetes service cluster ip + port for masquerade purpose",
    of: (_, port) => [member(port, port.clusterIP)],
  },
  "EXTERNAL-IP": {
    type: PAIR,
    comment: "Kubernetes service external ip + port for masquerade and filter purpose",
    of: (_, port) => (port.externalPolicyLocal ? [] : members(port, port.externalIPs)),
  },
  "EXTERNAL-IP-LOCAL": {
    type: PAIR,
    comment: `Kubernetes service external ip + port ${WITH_LOCAL}`,
    of: (_, port) => ifLocal(port, members(port, port.externalIPs)),
  },
  "LOAD-BALANCER": { type: PAIR, comment: "Kubernetes service lb portal", of: (_, port) => members(port, port.vips) },
  "LOAD-BALANCER-LOCAL": {
    type: PAIR,
    comment: `Kubernetes service load balancer ip + port ${WITH_LOCAL}`,
    of: (_, port) => ifLocal(port, members(port, port.vips)),
  },
  "LOAD-BALANCER-FW": {
    type: PAIR,
    comment: "Kubernetes service load balancer ip + port for load balancer with sourceRange",
    of: (_, port) => (isGuarded(port) ? members(port, port.vips) : []),
  },
  "LOAD-BALANCER-SOURCE-CIDR": {
    type: "hash:ip,port,net",
    comment: "Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
    of: (_, port) =>
      members(port, port.vips).flatMap((entry) => port.sourceRanges.map(({ value }) => `${entry},${netText(networkOf(value))}`)),
  },
  "LOAD-BALANCER-SOURCE-IP": {
    type: TRIPLE,
    comment: "Kubernetes service load balancer ip + port + source IP for packet filter purpose",
    of: (context, port) => (letsNodeIn(context, port) ? port.vips.map(({ value }) => `${member(port, value)},${value}`) : []),
  },
  "NODE-PORT-TCP": {
    type: PORTS,
    comment: "Kubernetes nodeport TCP port for masquerade purpose",
    of: (_, port) => nodePort(port, "tcp"),
  },
  "NODE-PORT-LOCAL-TCP": {
    type: PORTS,
    comment: `Kubernetes nodeport TCP port ${WITH_LOCAL}`,
    of: (_, port) => ifLocal(port, nodePort(port, "tcp")),
  },
  "NODE-PORT-UDP": {
    type: PORTS,
    comment: "Kubernetes nodeport UDP port for masquerade purpose",
    of: (_, port) => nodePort(port, "udp"),
  },
  "NODE-PORT-LOCAL-UDP": {
    type: PORTS,
    comment: `Kubernetes nodeport UDP port ${WITH_LOCAL}`,
    of: (_, port) => ifLocal(port, nodePort(port, "udp")),
  },
  "NODE-PORT-SCTP-HASH": {
    type: PAIR,
    comment: "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
    of: sctpNodePort,
  },
  "NODE-PORT-LOCAL-SCTP-HASH": {
    type: PAIR,
    comment: `Kubernetes nodeport SCTP port ${WITH_LOCAL} with type 'hash ip:port'`,
    of: (context, port) => ifLocal(port, sctpNodePort(context, port)),
  },
  "HEALTH-CHECK-NODE-PORT": {
    type: PORTS,
    comment: "Kubernetes health check node port",
    of: (_, port) => (port.healthCheckNodePort === undefined ? [] : [String(port.healthCheckNodePort)]),
  },
  "IPVS-IPS": { type: "hash:ip", comment: "", of: () => [] }, // by boundAddresses
};

/** A prefix of one host prints without its length. */
const netText = (net: Cidr): string => (net.length === addressBits(familyOf(net.ip)) ? net.ip : formatCidr(net));

/** Whether the node itself may reach the load-balancer addresses in spite of the source ranges. */
export function letsNodeIn({ node, family }: IpvsContext, port: ServicePort): boolean {
  const own = nodeAddress(node, family);
  return own !== undefined && port.sourceRanges.some(({ value }) => cidrContains(value, own));
}
