/**
 * kubelet's own iptables chains (pkg/kubelet/kubelet_network_linux.go, 1.28 and newer): a canary in each table, the hint
 * which back end is in use, and the guard of loopback addresses. Not modelled: KUBE-MARK-DROP and KUBE-MARK-MASQ of older ones.
 */
import type { TableName } from "../../linux/netfilter/table.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { blockLocalnet } from "../kube-proxy/iptables/fixed.ts";
import { chainOfRules, partOf, type RulesetPart } from "../ruleset.ts";

/** Both families; the loopback guard is an IPv4 matter. kubelet starts before kube-proxy, so its part comes first. */
export function programKubeletIptables(causes: CauseTable): readonly RulesetPart[] {
  const cause = causes.add({ role: "node", note: "kubelet" });
  const guard = chainOfRules("KUBE-FIREWALL", [blockLocalnet(cause)]);
  const jumpToGuard = [{ matches: [], target: { kind: "jump", chain: "KUBE-FIREWALL" }, cause }] as const;
  const canaryOf = (family: 4 | 6, table: TableName): RulesetPart => {
    const canary = chainOfRules("KUBE-KUBELET-CANARY", []);
    if (table === "mangle") return partOf(family, table, [canary, chainOfRules("KUBE-IPTABLES-HINT", [])]);
    if (table === "nat" || family === 6) return partOf(family, table, [canary]);
    const jumps = ["OUTPUT", "INPUT"].map((chain) => ({ chain, at: "front", ensure: true, rules: jumpToGuard }) as const);
    return partOf(family, table, [canary, guard], jumps);
  };
  return ([4, 6] as const).flatMap((family) => (["mangle", "nat", "filter"] as const).map((table) => canaryOf(family, table)));
}
