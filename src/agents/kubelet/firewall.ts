/**
 * kubelet's own iptables chains (pkg/kubelet/kubelet_network_linux.go): a hint which back end is in use, canaries that tell it
 * when somebody flushed the tables, and the guard of 127/8. Not modelled: the nat chains that it also kept before 1.28,
 * which hold what kube-proxy's hold.
 */
import type { Rule } from "../../linux/netfilter/rule.ts";
import type { Family } from "../../net/address.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { chainOfRules, partOf, type RulesetPart } from "../ruleset.ts";

const FIREWALL = "KUBE-FIREWALL";
const CANARY = "KUBE-KUBELET-CANARY";
const HINT = "KUBE-IPTABLES-HINT";

/** The chains that kubelet makes when it starts, for each family that the node has. */
export function kubeletParts(families: readonly Family[], causes: CauseTable): RulesetPart[] {
  const cause = causes.add({
    role: "kube-proxy",
    note: "kubelet: blocks packets from outside to 127/8, which route_localnet would let in",
  });
  const jump: Rule = { matches: [], target: { kind: "jump", chain: FIREWALL }, cause };
  const guard: Rule = {
    matches: [
      { kind: "src", cidr: { ip: "127.0.0.0", length: 8 }, not: true },
      { kind: "dst", cidr: { ip: "127.0.0.0", length: 8 } },
      { kind: "comment", text: "block incoming localnet connections" },
      { kind: "ctstate", states: ["RELATED", "ESTABLISHED", "DNAT"], not: true },
    ],
    target: { kind: "drop" },
    cause,
    reason: "spoofed-source",
  };
  const canary = chainOfRules(CANARY, []);
  return families.flatMap((family) => [
    partOf(family, "mangle", [chainOfRules(HINT, []), canary]),
    partOf(family, "nat", [canary]),
    family === 4
      ? partOf(
          4,
          "filter",
          [canary, chainOfRules(FIREWALL, [guard])],
          (["INPUT", "OUTPUT"] as const).map((chain) => ({ chain, at: "front" as const, rules: [jump] })),
        )
      : partOf(6, "filter", [canary]),
  ]);
}
