/**
 * `ipMasq: true` of the bridge plugin (containernetworking/plugins pkg/ip/ipmasq_iptables_linux.go): a chain a pod that hides
 * it behind the node's address towards anything outside its subnet. Not modelled: the nftables back end.
 */
import { createHash } from "node:crypto";
import type { ClusterPod } from "../../cluster/cluster.ts";
import type { Match, Rule } from "../../linux/netfilter/rule.ts";
import { type Cidr, familyOf, hostCidr, type Ip } from "../../net/address.ts";
import { NO_CAUSE } from "../../net/cause.ts";
import { chainOfRules, partOf, type RulesetPart } from "../ruleset.ts";
import { containerId } from "./names.ts";

export type IpMasqEntry = { readonly network: string; readonly pod: ClusterPod; readonly ip: Ip; readonly subnet: Cidr };

/** IPv4 and IPv6 multicast, which is never masqueraded. */
export const MULTICAST: Readonly<Record<4 | 6, Cidr>> = { 4: { ip: "224.0.0.0", length: 4 }, 6: { ip: "ff00::", length: 8 } };

/** Chain names of CNI plugins are cut to 28 characters (pkg/utils/utils.go MustFormatChainNameWithPrefix). */
export const cniChainName = (prefix: string, network: string, id: string): string =>
  `CNI-${prefix}${createHash("sha512").update(`${network}${id}`).digest("hex")}`.slice(0, 28);

/** nat rules of all pods of a node, in the order in which the pods started. */
export function ipMasqParts(entries: readonly IpMasqEntry[]): RulesetPart[] {
  return ([4, 6] as const).flatMap((family) => {
    const own = entries.filter((entry) => familyOf(entry.ip) === family);
    if (own.length === 0) return [];
    const chains = own.map((entry) => chainOfRules(nameOf(entry), rulesOf(entry)));
    return [partOf(family, "nat", chains, [{ chain: "POSTROUTING", at: "back", rules: own.map(jumpOf) }])];
  });
}

const nameOf = (entry: IpMasqEntry): string => cniChainName("", entry.network, containerId(entry.pod));
const commentOf = (entry: IpMasqEntry): Match => ({ kind: "comment", text: `name: "${entry.network}" id: "${containerId(entry.pod)}"` });

const jumpOf = (entry: IpMasqEntry): Rule => ({
  matches: [{ kind: "src", cidr: hostCidr(entry.ip) }, commentOf(entry)],
  target: { kind: "jump", chain: nameOf(entry) },
  cause: NO_CAUSE,
});

const rulesOf = (entry: IpMasqEntry): Rule[] => [
  { matches: [{ kind: "dst", cidr: entry.subnet }, commentOf(entry)], target: { kind: "accept" }, cause: NO_CAUSE },
  {
    matches: [{ kind: "dst", cidr: MULTICAST[familyOf(entry.ip)], not: true }, commentOf(entry)],
    target: { kind: "masquerade", randomFully: false },
    cause: NO_CAUSE,
  },
];
