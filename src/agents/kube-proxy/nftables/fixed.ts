/**
 * The chains of table kube-proxy that do not depend on any Service: pkg/proxy/nftables/proxier.go (setupNFTables), the base
 * chains before and since 1.34, and the few chains that look a packet up.
 */
import type { NftChain, NftExpression, NftField, NftRule } from "../../../linux/netfilter/nft.ts";
import type { Hook } from "../../../linux/netfilter/table.ts";
import { type Cidr, networkOf } from "../../../net/address.ts";
import { askForMasquerade, byMap, destination, inSet, is, isNot, jump, NEW, type NftWriter, prefix, rule, source } from "./context.ts";

type Base = readonly [name: string, type: "filter" | "nat", hook: Hook, priority: number, jumps: readonly string[]];

const ENDPOINTS = "service-endpoints-check";
const NODE_PORTS = "nodeport-endpoints-check";
const FIREWALL = "firewall-check";
const CLUSTER_IPS = "cluster-ips-check";

const NAT: readonly Base[] = [
  ["nat-prerouting", "nat", "prerouting", -100, ["services"]],
  ["nat-output", "nat", "output", -100, ["services"]],
  ["nat-postrouting", "nat", "postrouting", 100, ["masquerading"]],
];
const BASES: Readonly<Record<"beforeDnat" | "afterDnat", readonly Base[]>> = {
  beforeDnat: [
    ["filter-prerouting", "filter", "prerouting", -110, [FIREWALL]],
    ["filter-input", "filter", "input", -110, [NODE_PORTS, ENDPOINTS]],
    ["filter-forward", "filter", "forward", -110, [ENDPOINTS, CLUSTER_IPS]],
    ["filter-output", "filter", "output", -110, [ENDPOINTS, FIREWALL]],
    ["filter-output-post-dnat", "filter", "output", -90, [CLUSTER_IPS]],
    ...NAT,
  ],
  afterDnat: [
    ["filter-prerouting-pre-dnat", "filter", "prerouting", -110, [FIREWALL]],
    ["filter-output-pre-dnat", "filter", "output", -110, [FIREWALL]],
    ["filter-input", "filter", "input", 0, [NODE_PORTS, ENDPOINTS]],
    ["filter-forward", "filter", "forward", 0, [ENDPOINTS, CLUSTER_IPS]],
    ["filter-output", "filter", "output", 0, [ENDPOINTS, CLUSTER_IPS]],
    ...NAT,
  ],
};

/** All of them, in the order in which they are made. */
export function fixedChains(writer: NftWriter): readonly NftChain[] {
  const to = destination(writer);
  const key: readonly NftField[] = [to, "meta l4proto", "th dport"];
  const chain = (name: string, rules: readonly (readonly NftExpression[])[]): NftChain =>
    chainOf(
      name,
      rules.map((expressions) => rule(writer.fixedCause, expressions)),
    );
  return [
    ...BASES[writer.filtersAfterDnat ? "afterDnat" : "beforeDnat"].map((base) => baseChain(writer, base)),
    chain(NODE_PORTS, [[...toNodePorts(writer), byMap(["meta l4proto", "th dport"], "no-endpoint-nodeports")]]),
    chain(ENDPOINTS, [[byMap(key, "no-endpoint-services")]]),
    chain(FIREWALL, [[byMap(key, "firewall-ips")]]),
    chainOf("services", [
      ...clusterIpMasquerade(writer),
      rule(writer.fixedCause, [byMap(key, "service-ips")]),
      rule(writer.fixedCause, [...toNodePorts(writer), byMap(["meta l4proto", "th dport"], "service-nodeports")]),
    ]),
    chain("masquerading", masquerading(writer)),
    chainOf(CLUSTER_IPS, clusterIpsCheck(writer)),
    ...(writer.form === "first" ? [chain("mark-for-masquerade", [[{ kind: "set-mark", op: "|", value: writer.mark }]])] : []),
    { ...chain("reject-chain", [[{ kind: "reject" }]]), comment: "helper for @no-endpoint-services / @no-endpoint-nodeports" },
  ];
}

export const chainOf = (name: string, rules: readonly NftRule[]): NftChain => ({ name, rules: () => rules });

/** Filter chains look at the first packet of a connection only. */
function baseChain({ fixedCause }: NftWriter, [name, type, hook, priority, jumps]: Base): NftChain {
  const rules = jumps.map((to) => rule(fixedCause, [...(type === "filter" ? [NEW] : []), jump(to)]));
  return { ...chainOf(name, rules), base: { type, hook, priority, policy: "accept" } };
}

/** The addresses that serve node ports: a set, or all but loopback. */
function toNodePorts(writer: NftWriter): readonly NftExpression[] {
  const to = destination(writer);
  if (!writer.nodePorts.matchAll) return [inSet([to], "nodeport-ips")];
  const loopback: Cidr = writer.family === 4 ? { ip: "127.0.0.0", length: 8 } : { ip: "::1", length: 128 };
  return [{ kind: "fib", side: "daddr", type: "local" }, isNot(to, prefix(loopback))];
}

/** Newer rules ask for masquerading of cluster IP traffic once for all Services. */
function clusterIpMasquerade(writer: NftWriter): readonly NftRule[] {
  const { form, localTraffic: local, masqueradeAll, fixedCause } = writer;
  if (form === "first" || (!masqueradeAll && !local)) return [];
  const toClusterIp = inSet([destination(writer)], "cluster-ips");
  if (masqueradeAll || !local) return [rule(fixedCause, [toClusterIp, askForMasquerade(writer)])];
  const comment = "masquerade clusterIP traffic from outside cluster";
  return [rule(fixedCause, [toClusterIp, isNot(local.field, local.value), askForMasquerade(writer)], { comment })];
}

function masquerading(writer: NftWriter): readonly (readonly NftExpression[])[] {
  const { form, mark } = writer;
  const unmark: NftExpression = { kind: "set-mark", op: "^", value: mark };
  const masquerade: NftExpression = { kind: "masquerade", flags: ["fully-random"] };
  if (form === "first")
    return [
      [
        { kind: "mask", mask: mark, value: 0 },
        { kind: "verdict", verdict: { kind: "return" } },
      ],
      [unmark],
      [masquerade],
    ];
  const hairpin = inSet([source(writer), destination(writer), "meta l4proto", "th dport"], "hairpin-connections");
  return [
    [{ kind: "mask", mask: mark, not: true, value: 0 }, unmark, masquerade],
    [{ kind: "ct-status", status: ["dnat"] }, hairpin, masquerade],
  ];
}

/** A cluster IP on a port that no Service has; and an address of a known service range that nobody has. */
function clusterIpsCheck(writer: NftWriter): readonly NftRule[] {
  const { fixedCause, serviceCIDRs } = writer;
  const to = destination(writer);
  const unknownPort = rule(fixedCause, [inSet([to], "cluster-ips"), { kind: "reject" }], {
    comment: "Reject traffic to invalid ports of ClusterIPs",
    reason: "service-port-unknown",
  });
  if (serviceCIDRs.length === 0) return [unknownPort];
  const ranges = serviceCIDRs.map((cidr) => prefix(networkOf(cidr)));
  const unallocated = rule(fixedCause, [is(to, ...ranges), { kind: "verdict", verdict: { kind: "drop" } }], {
    comment: "Drop traffic to unallocated ClusterIPs",
    reason: "unallocated-cluster-ip",
  });
  return [unknownPort, unallocated];
}
