/**
 * kubelet's own iptables chains (pkg/kubelet/kubelet_network_linux.go): a canary in each table, the hint which back end is in
 * use, and the guard of loopback addresses. Up to 1.26 also KUBE-MARK-DROP, with the rule that drops what it marked (KEP-3178);
 * not its copies of kube-proxy's KUBE-MARK-MASQ and KUBE-POSTROUTING.
 */
import type { Version } from "../../cluster/cluster.ts";
import type { Rule } from "../../linux/netfilter/rule.ts";
import type { TableName } from "../../linux/netfilter/table.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { blockLocalnet } from "../kube-proxy/iptables/fixed.ts";
import { isAtLeast } from "../kube-proxy/names.ts";
import { chainOfRules, partOf, type RulesetPart } from "../ruleset.ts";

/** Both families; the loopback guard is an IPv4 matter. kubelet starts before kube-proxy, so its part comes first. */
export function programKubeletIptables(causes: CauseTable, version: Version): readonly RulesetPart[] {
  const cause = causes.add({ role: "node", note: "kubelet" });
  const drops = isAtLeast(version, 27) ? [] : [dropMarked(cause)];
  const marks = isAtLeast(version, 27) ? [] : [chainOfRules("KUBE-MARK-DROP", [markForDrop(cause)])];
  const guardOf = (family: 4 | 6) => chainOfRules("KUBE-FIREWALL", [...drops, ...(family === 4 ? [blockLocalnet(cause)] : [])]);
  const jumpToGuard = [{ matches: [], target: { kind: "jump", chain: "KUBE-FIREWALL" }, cause }] as const;
  const canaryOf = (family: 4 | 6, table: TableName): RulesetPart => {
    const canary = chainOfRules("KUBE-KUBELET-CANARY", []);
    if (table === "mangle") return partOf(family, table, [canary, chainOfRules("KUBE-IPTABLES-HINT", [])]);
    if (table === "nat") return partOf(family, table, [canary, ...marks]);
    if (family === 6 && drops.length === 0) return partOf(family, table, [canary]);
    const jumps = ["OUTPUT", "INPUT"].map((chain) => ({ chain, at: "front", ensure: true, rules: jumpToGuard }) as const);
    return partOf(family, table, [canary, guardOf(family)], jumps);
  };
  return ([4, 6] as const).flatMap((family) => (["mangle", "nat", "filter"] as const).map((table) => canaryOf(family, table)));
}

/** `--iptables-drop-bit`, 15. */
const DROP_MARK = 0x8000;

const markForDrop = (cause: number): Rule => ({ matches: [], target: { kind: "mark", value: DROP_MARK, mask: DROP_MARK }, cause });

/** In INPUT and OUTPUT alone: what is forwarded goes on, marked or not. */
const dropMarked = (cause: number): Rule => ({
  matches: [
    { kind: "comment", text: "kubernetes firewall for dropping marked packets" },
    { kind: "mark", value: DROP_MARK, mask: DROP_MARK },
  ],
  target: { kind: "drop" },
  cause,
});
