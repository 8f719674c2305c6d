/**
 * The part of kube-proxy's iptables that does not depend on any Service: jumps from the built-in chains, KUBE-FORWARD,
 * KUBE-FIREWALL, KUBE-MARK-MASQ, KUBE-POSTROUTING (pkg/proxy/iptables/proxier.go, iptablesJumpChains and syncProxyRules).
 */
import type { Match, Rule } from "../../../linux/netfilter/rule.ts";
import type { RulesetPart } from "../../ruleset.ts";
import { type Context, comment, jump, ruleOf } from "./context.ts";

const NEW: Match = { kind: "ctstate", states: ["NEW"] };
const BALANCER = "kubernetes load balancer firewall";
const HEALTH = "kubernetes health check service ports";
const EXTERNAL = "kubernetes externally-visible service portals";
const PORTALS = "kubernetes service portals";

type Jump = readonly [chain: string, to: string, text: string | undefined, isNew: boolean];

/** In the order in which they stand. */
const FILTER_JUMPS: readonly Jump[] = [
  ["INPUT", "KUBE-FIREWALL", undefined, false],
  ["INPUT", "KUBE-PROXY-FIREWALL", BALANCER, true],
  ["INPUT", "KUBE-NODEPORTS", HEALTH, false],
  ["INPUT", "KUBE-EXTERNAL-SERVICES", EXTERNAL, true],
  ["FORWARD", "KUBE-PROXY-FIREWALL", BALANCER, true],
  ["FORWARD", "KUBE-FORWARD", "kubernetes forwarding rules", false],
  ["FORWARD", "KUBE-SERVICES", PORTALS, true],
  ["FORWARD", "KUBE-EXTERNAL-SERVICES", EXTERNAL, true],
  ["OUTPUT", "KUBE-FIREWALL", undefined, false],
  ["OUTPUT", "KUBE-PROXY-FIREWALL", BALANCER, true],
  ["OUTPUT", "KUBE-SERVICES", PORTALS, true],
];
const NAT_JUMPS: readonly Jump[] = [
  ["PREROUTING", "KUBE-SERVICES", PORTALS, false],
  ["OUTPUT", "KUBE-SERVICES", PORTALS, false],
  ["POSTROUTING", "KUBE-POSTROUTING", "kubernetes postrouting rules", false],
];

/** Each jump is inserted at the top when it is missing, as `iptables -C || iptables -I` does. */
export function jumpsOf({ fixedCause }: Context, table: "filter" | "nat"): RulesetPart["builtIn"] {
  const jumps = table === "filter" ? FILTER_JUMPS : NAT_JUMPS;
  const chains = [...new Set(jumps.map(([chain]) => chain))];
  return chains.map((chain) => ({
    chain,
    at: "front",
    ensure: true,
    rules: jumps
      .filter(([from]) => from === chain)
      .map(([, to, text, isNew]) =>
        ruleOf([...(isNew ? [NEW] : []), ...(text === undefined ? [] : [comment(text)])], jump(to), fixedCause),
      ),
  }));
}

/** Martian packets: to 127.0.0.0/8 from elsewhere, which route_localnet would otherwise let in. kubelet's rule is the same. */
export const blockLocalnet = (cause: number): Rule =>
  ruleOf(
    [
      { kind: "src", cidr: { ip: "127.0.0.0", length: 8 }, not: true },
      { kind: "dst", cidr: { ip: "127.0.0.0", length: 8 } },
      comment("block incoming localnet connections"),
      { kind: "ctstate", states: ["RELATED", "ESTABLISHED", "DNAT"], not: true },
    ],
    { kind: "drop" },
    cause,
    "spoofed-source",
  );

/** filter KUBE-FIREWALL: empty when node ports are not served on loopback. */
export const firewallRules = ({ localhostNodePorts, fixedCause }: Context): readonly Rule[] =>
  localhostNodePorts ? [blockLocalnet(fixedCause)] : [];

/** filter KUBE-FORWARD. */
export function forwardRules({ mark, liberalTcp, fixedCause }: Context): readonly Rule[] {
  const invalid = ruleOf([{ kind: "ctstate", states: ["INVALID"] }], { kind: "drop" }, fixedCause, "invalid-state");
  return [
    ...(liberalTcp ? [] : [invalid]),
    ruleOf([comment("kubernetes forwarding rules"), { kind: "mark", value: mark, mask: mark }], { kind: "accept" }, fixedCause),
    ruleOf(
      [comment("kubernetes forwarding conntrack rule"), { kind: "ctstate", states: ["RELATED", "ESTABLISHED"] }],
      { kind: "accept" },
      fixedCause,
    ),
  ];
}

/** nat KUBE-MARK-MASQ: `--or-mark`. */
export const markRules = ({ mark, fixedCause }: Context): readonly Rule[] => [
  ruleOf([], { kind: "mark", value: mark, mask: mark }, fixedCause),
];

/** nat KUBE-POSTROUTING: marked packets lose the mark (`--xor-mark`) and are masqueraded. */
export const postroutingRules = ({ mark, fixedCause }: Context): readonly Rule[] => [
  ruleOf([{ kind: "mark", value: mark, mask: mark, not: true }], { kind: "return" }, fixedCause),
  ruleOf([], { kind: "mark", value: mark, mask: 0 }, fixedCause),
  ruleOf([comment("kubernetes service traffic requiring SNAT")], { kind: "masquerade", randomFully: true }, fixedCause),
];
