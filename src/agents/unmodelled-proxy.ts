/**
 * Stands where a kube-proxy mode is not modelled: whatever that mode would catch ends as `unknown` there, said aloud, and all
 * other traffic of the node is traced as ever. Nothing of this exists on a real node.
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { Match, Rule } from "../linux/netfilter/rule.ts";
import { type Cidr, type Family, familyOf, hostCidr, type Ip, parseIp } from "../net/address.ts";
import type { CauseTable } from "../objects/cause.ts";
import { partOf, type RulesetPart } from "./ruleset.ts";

/** nat rules in front of all others that leave packets to Services undecided, for the reason given. */
export function undecidedServices(cluster: Cluster, text: string, causes: CauseTable): RulesetPart[] {
  const cause = causes.add({ role: "kube-proxy", note: text });
  return ([4, 6] as const).map((family) => {
    const undecided = (matches: readonly Match[]): Rule => ({ matches, target: { kind: "unknown", text }, cause });
    const rules = [
      ...serviceAddresses(cluster, family).map((cidr) => undecided([{ kind: "dst", cidr }])),
      ...(["tcp", "udp", "sctp"] as const).map((protocol) =>
        undecided([
          { kind: "protocol", protocol },
          { kind: "addrtype", side: "dst", type: "LOCAL" },
          { kind: "dport", protocol, ports: cluster.nodePortRange },
        ]),
      ),
    ];
    return partOf(
      family,
      "nat",
      [],
      (["PREROUTING", "OUTPUT"] as const).map((chain) => ({ chain, at: "front" as const, rules })),
    );
  });
}

/** The service prefixes, and the addresses outside them that Services claim. */
function serviceAddresses(cluster: Cluster, family: Family): Cidr[] {
  const claimed = cluster.services.flatMap((service): Ip[] => [
    ...service.clusterIPs.flatMap((ip) => parseIp(ip) ?? []),
    ...service.externalIPs,
    ...service.loadBalancerIngress.flatMap((ingress) => (ingress.ip === undefined ? [] : (parseIp(ingress.ip) ?? []))),
  ]);
  return [...cluster.serviceCIDRs, ...[...new Set(claimed)].map(hostCidr)].filter((cidr) => familyOf(cidr.ip) === family);
}
