/** What every writer of nftables rules for one node and family needs, and the few expressions that all of them share. */
import type { ClusterNode } from "../../../cluster/cluster.ts";
import type { NftExpression, NftField, NftRule, NftValue, NftVerdict } from "../../../linux/netfilter/nft.ts";
import type { Reason } from "../../../linux/reason.ts";
import { type Cidr, type Family, hostCidr, type Ip } from "../../../net/address.ts";
import type { CauseId } from "../../../net/cause.ts";
import type { CauseTable } from "../../../objects/cause.ts";
import type { EndpointDecision, ProxyEndpoint } from "../endpoints.ts";
import type { NodePortAddresses } from "../node-addresses.ts";
import type { ServicePort } from "../service-ports.ts";
import type { ChainKind } from "./names.ts";

/**
 * The shape of a Service's rules. `first`: a chain an endpoint, captured at 1.30, and still listed by clusters late in 2025.
 * `current`: one rule a Service and a hairpin set; read at 1.36.
 */
export type Form = "first" | "current";

export type NftWriter = {
  readonly form: Form;
  /** Whether filter chains look at packets after DNAT, so that a node's own short-circuited request passes. */
  readonly filtersAfterDnat: boolean;
  readonly family: Family;
  readonly node: ClusterNode;
  readonly causes: CauseTable;
  readonly fixedCause: CauseId;
  readonly ports: () => readonly ServicePort[];
  readonly decide: (port: ServicePort) => EndpointDecision;
  /** Names; asking for one makes the chain or set known to the table. */
  readonly chainName: (kind: ChainKind, port: ServicePort) => string;
  readonly endpointChain: (port: ServicePort, endpoint: ProxyEndpoint) => string;
  readonly affinitySet: (port: ServicePort, endpoint: ProxyEndpoint) => string;
  /** How a packet of the node's own pods is told. */
  readonly localTraffic: { readonly field: NftField; readonly value: NftValue } | undefined;
  readonly nodePorts: NodePortAddresses;
  /** The service ranges of this family whose unallocated addresses are dropped: those that kube-proxy knows. */
  readonly serviceCIDRs: readonly Cidr[];
  readonly masqueradeAll: boolean;
  readonly mark: number;
};

export const word = (text: string | number): NftValue => ({ kind: "word", word: String(text) });
export const address = (ip: Ip): NftValue => ({ kind: "prefix", cidr: hostCidr(ip) });
export const prefix = (cidr: Cidr): NftValue => ({ kind: "prefix", cidr });

export const source = ({ family }: { readonly family: Family }): NftField => (family === 4 ? "ip saddr" : "ip6 saddr");
export const destination = ({ family }: { readonly family: Family }): NftField => (family === 4 ? "ip daddr" : "ip6 daddr");

export const is = (field: NftField, ...values: readonly NftValue[]): NftExpression => ({ kind: "compare", field, values });
export const isNot = (field: NftField, ...values: readonly NftValue[]): NftExpression => ({ kind: "compare", field, not: true, values });
export const inSet = (fields: readonly NftField[], set: string): NftExpression => ({ kind: "lookup", fields, set });
export const byMap = (fields: readonly NftField[], map: string): NftExpression => ({ kind: "vmap", fields, map });
export const verdict = (to: NftVerdict): NftExpression => ({ kind: "verdict", verdict: to });
export const jump = (chain: string): NftExpression => verdict({ kind: "jump", chain });
export const goto = (chain: string): NftExpression => verdict({ kind: "goto", chain });
export const FROM_LOCAL: NftExpression = { kind: "fib", side: "saddr", type: "local" };
export const NEW: NftExpression = { kind: "ct-state", states: ["NEW"] };

export type RuleMore = { readonly comment?: string; readonly reason?: Reason };
export const rule = (cause: CauseId, expressions: readonly NftExpression[], more: RuleMore = {}): NftRule => ({
  expressions,
  cause,
  ...more,
});

/** `jump mark-for-masquerade`, and the statement itself since there is no such chain. */
export const askForMasquerade = ({ form, mark }: NftWriter): NftExpression =>
  form === "first" ? jump("mark-for-masquerade") : { kind: "set-mark", op: "|", value: mark };
