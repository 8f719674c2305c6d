/** What every writer of iptables rules for one node and family needs, and the few rule parts that all of them share. */
import type { ClusterNode } from "../../../cluster/cluster.ts";
import type { Match, PortRange, Rule, Target } from "../../../linux/netfilter/rule.ts";
import type { Reason } from "../../../linux/reason.ts";
import { type Cidr, type Family, hostCidr, type Ip } from "../../../net/address.ts";
import type { CauseId } from "../../../net/cause.ts";
import type { CauseRole, CauseTable } from "../../../objects/cause.ts";
import type { PathPart } from "../../../objects/source.ts";
import type { EndpointDecision, ProxyEndpoint } from "../endpoints.ts";
import type { NodePortAddresses } from "../node-addresses.ts";
import type { ServicePort } from "../service-ports.ts";

/** XLB up to 1.23, SVL and EXT since. */
export type ChainPrefix = "SVC" | "SVL" | "EXT" | "FW" | "XLB";

export type Context = {
  readonly family: Family;
  readonly node: ClusterNode;
  readonly causes: CauseTable;
  readonly fixedCause: CauseId;
  readonly decide: (port: ServicePort) => EndpointDecision;
  /** Every endpoint of the port in whatever condition. */
  readonly endpointsOf: (port: ServicePort) => readonly ProxyEndpoint[];
  /** Chain names; asking for one makes the chain known to the table. */
  readonly chainName: (prefix: ChainPrefix, port: ServicePort) => string;
  readonly endpointChain: (port: ServicePort, endpoint: ProxyEndpoint) => string;
  readonly localTraffic: Match | undefined;
  readonly nodePorts: NodePortAddresses;
  readonly localhostNodePorts: boolean;
  readonly masqueradeAll: boolean;
  readonly mark: number; // the masquerade bit
  /** With more than 1,000 endpoints the comments of endpoint rules are left out. */
  readonly isLarge: () => boolean;
  readonly commentsNameEndpoints: boolean; // from 1.26
  readonly liberalTcp: boolean; // net.netfilter.nf_conntrack_tcp_be_liberal
};

/** `-m tcp` without an option. */
export const ALL: PortRange = { from: 0, to: 0xffff };
export const MARK_MASQ = "KUBE-MARK-MASQ";

export const jump = (chain: string): Target => ({ kind: "jump", chain });
export const comment = (text: string): Match => ({ kind: "comment", text });
export const source = (cidr: Cidr): Match => ({ kind: "src", cidr });
export const destination = (ip: Ip): Match => ({ kind: "dst", cidr: hostCidr(ip) });
export const negated = (match: Match): Match => ({ ...match, not: true });
export const protocolOf = ({ protocol }: ServicePort): Match => ({ kind: "protocol", protocol });
export const dport = ({ protocol }: ServicePort, port: number): Match => ({ kind: "dport", protocol, ports: { from: port, to: port } });

/** `-d IP -p PROTO -m comment --comment … -m PROTO --dport PORT` */
export const toAddress = (port: ServicePort, ip: Ip, text: string): readonly Match[] => [
  destination(ip),
  protocolOf(port),
  comment(text),
  dport(port, port.port.port),
];

export function ruleOf(matches: readonly Match[], target: Target, cause: CauseId, reason?: Reason): Rule {
  return reason === undefined ? { matches, target, cause } : { matches, target, cause, reason };
}

/** A cause that points into the Service. */
export function serviceCause(
  { causes }: Pick<Context, "causes">,
  { service }: ServicePort,
  role: CauseRole,
  path: readonly PathPart[],
  note?: string,
): CauseId {
  return causes.add({
    role,
    object: { kind: "Service", namespace: service.namespace, name: service.name },
    ...(service.origin ? { source: service.origin.source, field: [...service.origin.field, ...path] } : {}),
    ...(note === undefined ? {} : { note }),
  });
}

/** A cause that points to the endpoint's pod, or to the EndpointSlice when no pod stands behind it. */
export function endpointCause({ causes }: Pick<Context, "causes">, { endpoint, slice }: ProxyEndpoint, role: CauseRole): CauseId {
  const { pod, origin } = endpoint;
  return causes.add({
    role,
    object: pod ? { kind: "Pod", ...pod } : { kind: "EndpointSlice", namespace: slice.namespace, name: slice.name },
    ...(origin ? { source: origin.source, field: origin.field } : {}),
  });
}

/** The path of one field of this port. */
export const portField = ({ port }: ServicePort, field: string): readonly PathPart[] => ["spec", "ports", port.index, field];

/** What the filter table does with a port that has nowhere to go; undefined when it has. */
export function refusalOf(
  context: Pick<Context, "decide" | "family" | "node">,
  port: ServicePort,
  has: "hasInternal" | "hasExternal",
): Refusal | undefined {
  const decision = context.decide(port);
  if (decision[has]) return undefined;
  const { service } = port;
  const name = `${service.namespace}/${service.name}`;
  if (decision.hasEndpoints) {
    const policy = has === "hasInternal" ? "internalTrafficPolicy" : "externalTrafficPolicy";
    const note = `no endpoint of ${name} runs on ${context.node.name}, and ${policy} is Local`;
    return {
      target: { kind: "drop" },
      text: `${port.text} has no local endpoints`,
      reason: "no-local-endpoints",
      note,
      field: ["spec", policy],
    };
  }
  const answer = context.family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  const note = `${name} has no ready endpoint on any node`;
  return {
    target: { kind: "reject", with: answer },
    text: `${port.text} has no endpoints`,
    reason: "no-endpoints",
    note,
    field: ["spec", "selector"],
  };
}
export type Refusal = {
  readonly target: Target;
  readonly text: string; // the rule's comment
  readonly reason: "no-endpoints" | "no-local-endpoints";
  readonly note: string; // the same for people
  readonly field: readonly PathPart[]; // of the Service: what decided
};
