/** The part that depends on no Service, up to 1.23: jumps, KUBE-FORWARD, KUBE-POSTROUTING. KUBE-FIREWALL was kubelet's alone. */
import type { Match, Rule } from "../../../../linux/netfilter/rule.ts";
import type { RulesetPart } from "../../../ruleset.ts";
import { type Context, comment, jump, ruleOf } from "../context.ts";
import { postroutingRules } from "../fixed.ts";
import type { OldRelease } from "./release.ts";

const NEW: Match = { kind: "ctstate", states: ["NEW"] };
const PORTALS = "kubernetes service portals";
const EXTERNAL = "kubernetes externally-visible service portals";

type Jump = readonly [chain: string, to: string, text: string, isNew: boolean];

const outside = (chain: string): Jump => [chain, "KUBE-EXTERNAL-SERVICES", EXTERNAL, true];

/** In the order in which they stand: each was put on top of those before it. */
const filterJumps = ({ refusesOutsideApart, opensHealthChecks }: OldRelease): readonly Jump[] => [
  ...(refusesOutsideApart ? [] : [["INPUT", "KUBE-SERVICES", PORTALS, true] as const]),
  ...(opensHealthChecks ? [["INPUT", "KUBE-NODEPORTS", "kubernetes health check service ports", false] as const] : []),
  outside("INPUT"),
  ["FORWARD", "KUBE-FORWARD", "kubernetes forwarding rules", false],
  ["FORWARD", "KUBE-SERVICES", PORTALS, true],
  ...(refusesOutsideApart ? [outside("FORWARD")] : []),
  ["OUTPUT", "KUBE-SERVICES", PORTALS, true],
];

/** Each jump is inserted at the top when it is missing. */
export function oldFilterJumps({ fixedCause }: Context, old: OldRelease): RulesetPart["builtIn"] {
  const jumps = filterJumps(old);
  return [...new Set(jumps.map(([chain]) => chain))].map((chain) => ({
    chain,
    at: "front",
    ensure: true,
    rules: jumps
      .filter(([from]) => from === chain)
      .map(([, to, text, isNew]) => ruleOf([...(isNew ? [NEW] : []), comment(text)], jump(to), fixedCause)),
  }));
}

const ESTABLISHED: Match = { kind: "ctstate", states: ["RELATED", "ESTABLISHED"] };

/** filter KUBE-FORWARD. */
export function oldForwardRules({ mark, fixedCause, localTraffic }: Context, old: OldRelease): readonly Rule[] {
  const accept = (text: string, range?: Match): Rule =>
    ruleOf([...(range ? [range] : []), comment(text), ESTABLISHED], { kind: "accept" }, fixedCause);
  const range = localTraffic?.kind === "src" ? localTraffic.cidr : undefined;
  const source: Match | undefined = old.forwardsByRange && range ? { kind: "src", cidr: range } : undefined;
  const destination: Match | undefined = old.forwardsByRange && range ? { kind: "dst", cidr: range } : undefined;
  const both = [
    accept("kubernetes forwarding conntrack pod source rule", source),
    accept("kubernetes forwarding conntrack pod destination rule", destination),
  ];
  return [
    ruleOf([{ kind: "ctstate", states: ["INVALID"] }], { kind: "drop" }, fixedCause, "invalid-state"),
    ruleOf([comment("kubernetes forwarding rules"), { kind: "mark", value: mark, mask: mark }], { kind: "accept" }, fixedCause),
    ...(old.forwardsInOneRule ? [accept("kubernetes forwarding conntrack rule")] : old.forwardsByRange && !range ? [] : both),
  ];
}

/** nat KUBE-POSTROUTING. */
export function oldPostroutingRules(context: Context, { clearsMark }: OldRelease): readonly Rule[] {
  if (clearsMark) return postroutingRules(context);
  const { mark, fixedCause } = context;
  const matches: Match[] = [comment("kubernetes service traffic requiring SNAT"), { kind: "mark", value: mark, mask: mark }];
  return [ruleOf(matches, { kind: "masquerade", randomFully: true }, fixedCause)];
}
