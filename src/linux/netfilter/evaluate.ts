/**
 * Walks one iptables table's chain at a hook, as ipt_do_table does: rules in order, jumps with a return stack, the built-in
 * chain's policy at the end. Facts: net/ipv4/netfilter/ip_tables.c.
 */
import type { Ip } from "../../net/address.ts";
import type { Port } from "../../net/packet.ts";
import type { IptablesRuleRef, RuleRef, RuleVisit } from "../step.ts";
import type { HookContext } from "./hook-context.ts";
import { evaluateMatch } from "./match.ts";
import type { Rule, Target } from "./rule.ts";
import type { Chain, IptablesTable } from "./table.ts";

export type NatChange = {
  readonly manip: "src" | "dst";
  readonly ip?: Ip;
  readonly port?: Port;
  readonly masquerade?: boolean;
  readonly redirect?: boolean;
  readonly randomPort: boolean;
};

export type TableVerdict =
  | { readonly kind: "accept" }
  | { readonly kind: "drop"; readonly ref?: RuleRef; readonly policyOf?: string }
  | { readonly kind: "reject"; readonly with: string; readonly ref: RuleRef }
  | { readonly kind: "nat"; readonly change: NatChange; readonly ref: RuleRef }
  | { readonly kind: "unknown"; readonly ref: RuleRef; readonly text: string };

/** What the evaluator tells its caller while it goes. */
export type Observer = {
  readonly matched: (ref: RuleRef) => void;
  /** `named`: the rule with a reason that led to the mark, itself or the jump to its chain. */
  readonly marked: (ref: RuleRef, mark: number, named?: RuleRef) => void;
  readonly untracked: () => void;
  /** A chain was left; `skipped` rules were not looked at, for an index said that they cannot match. */
  readonly left: (
    chain: string,
    verdict: "accept" | "drop" | "return" | "policy-accept" | "policy-drop",
    visits: readonly RuleVisit[],
    skipped: number,
  ) => void;
  readonly evidence: boolean;
};

type ChainVerdict = TableVerdict | { readonly kind: "return" };

const ACCEPT: TableVerdict = { kind: "accept" };
const RETURN: ChainVerdict = { kind: "return" };
/** Deeper nesting than any sane rule set; the kernel refuses loops when rules are loaded. */
const MAX_DEPTH = 64;

/** The verdict of a table's built-in chain. `context` is read anew for every rule, for a MARK changes it. */
export function evaluateTable(
  family: 4 | 6,
  table: IptablesTable,
  builtIn: string,
  context: () => HookContext,
  observer: Observer,
): TableVerdict {
  const chain = table.chain(builtIn);
  if (!chain) return ACCEPT;
  const verdict = evaluateChain({ family, table, context, observer }, chain, 0);
  if (verdict.kind !== "return") return verdict;
  return chain.policy === "drop" ? { kind: "drop", policyOf: builtIn } : ACCEPT;
}

type Walk = {
  readonly family: 4 | 6;
  readonly table: IptablesTable;
  readonly context: () => HookContext;
  readonly observer: Observer;
  /** The innermost jump under way whose rule has a reason. */
  readonly asked?: IptablesRuleRef;
};

function evaluateChain(walk: Walk, chain: Chain, depth: number): ChainVerdict {
  const { observer } = walk;
  const visits: RuleVisit[] = [];
  const looked = chain.candidates?.(walk.context().packet);
  const entries = looked ?? chain.rules().map((rule, position) => ({ position, rule }));
  const skipped = looked && observer.evidence ? chain.rules().length - looked.length : 0;
  let verdict: ChainVerdict = RETURN;
  for (const entry of entries) {
    const { rule } = entry;
    const ref = refTo(walk, chain.name, entry);
    const answer = evaluateRule(rule, walk.context());
    if (observer.evidence)
      visits.push({ ...ref, matched: answer.kind === "yes", ...(answer.kind === "no" ? { failedMatch: answer.at } : {}) });
    if (answer.kind === "no") continue;
    if (answer.kind === "undecidable") {
      if (cannotMatter(rule.target)) continue;
      verdict = { kind: "unknown", ref, text: answer.why };
      break;
    }
    observer.matched(ref);
    const step = applyTarget(walk, ref, rule.target, depth);
    if (step === undefined) continue;
    verdict = step;
    break;
  }
  const said =
    verdict.kind === "return" && chain.policy
      ? (`policy-${chain.policy}` as const)
      : verdict.kind === "return"
        ? "return"
        : verdict.kind === "drop"
          ? "drop"
          : "accept";
  observer.left(chain.name, said, visits, skipped);
  return verdict;
}

/** The position in a long chain is counted when somebody prints it. */
const refTo = (walk: Walk, chain: string, entry: { readonly position: number; readonly rule: Rule }): IptablesRuleRef => ({
  family: walk.family,
  table: walk.table.name,
  chain,
  rule: entry.rule,
  get position() {
    return entry.position;
  },
});

type RuleAnswer =
  | { readonly kind: "yes" }
  | { readonly kind: "no"; readonly at: number }
  | { readonly kind: "undecidable"; readonly why: string };
const YES: RuleAnswer = { kind: "yes" };

/** Matches in order, as the kernel does: one that says no ends the rule, so a later undecidable one is never asked. */
function evaluateRule(rule: Rule, context: HookContext): RuleAnswer {
  let why: string | undefined;
  for (let at = 0; at < rule.matches.length; at++) {
    const match = rule.matches[at];
    if (!match) continue;
    const answer = evaluateMatch(match, context);
    if (answer === false) return { kind: "no", at };
    if (answer !== true) why ??= answer.undecidable;
  }
  return why === undefined ? YES : { kind: "undecidable", why };
}

/** A rule without effect on this packet's course need not be decided. */
const cannotMatter = (target: Target): boolean => target.kind === "none" || target.kind === "log";

/** The verdict of a matched rule's target, or undefined when the next rule is to be looked at. */
function applyTarget(walk: Walk, ref: IptablesRuleRef, target: Target, depth: number): ChainVerdict | undefined {
  switch (target.kind) {
    case "none":
    case "log":
      return undefined;
    case "accept":
      return ACCEPT;
    case "drop":
      return { kind: "drop", ref };
    case "return":
      return RETURN;
    case "notrack":
      walk.observer.untracked();
      return undefined;
    case "jump":
    case "goto":
      return enter(walk, ref, target, depth);
    case "reject":
      return { kind: "reject", with: target.with, ref };
    case "mark":
      walk.observer.marked(
        ref,
        ((walk.context().mark & ~target.mask) ^ target.value) >>> 0,
        ref.rule.reason === undefined ? walk.asked : ref,
      );
      return undefined;
    case "dnat":
    case "snat":
    case "masquerade":
    case "redirect":
      return natVerdict(ref, target);
    case "unknown":
      return { kind: "unknown", ref, text: target.text };
    default:
      return target satisfies never;
  }
}

function enter(walk: Walk, ref: IptablesRuleRef, target: Target & { kind: "jump" | "goto" }, depth: number): ChainVerdict | undefined {
  const chain = walk.table.chain(target.chain);
  if (!chain || depth >= MAX_DEPTH) return { kind: "unknown", ref, text: chain ? "chains nested too deep" : `no chain ${target.chain}` };
  const verdict = evaluateChain(ref.rule.reason === undefined ? walk : { ...walk, asked: ref }, chain, depth + 1);
  // After a goto, the end of the other chain is the end of this one.
  return verdict.kind === "return" && target.kind === "jump" ? undefined : verdict;
}

function natVerdict(ref: RuleRef, target: Target & { kind: "dnat" | "snat" | "masquerade" | "redirect" }): TableVerdict {
  if (target.kind === "masquerade") return { kind: "nat", ref, change: { manip: "src", masquerade: true, randomPort: target.randomFully } };
  const range = target.ports;
  if (range && range.from !== range.to) return { kind: "unknown", ref, text: `a port range ${range.from}-${range.to}` };
  const port = range ? { port: range.from } : {};
  if (target.kind === "redirect") return { kind: "nat", ref, change: { manip: "dst", redirect: true, ...port, randomPort: false } };
  if (target.ipTo !== undefined) return { kind: "unknown", ref, text: `an address range to ${target.ipTo}` };
  const ip = target.ip === undefined ? {} : { ip: target.ip };
  return {
    kind: "nat",
    ref,
    change: {
      manip: target.kind === "dnat" ? "dst" : "src",
      ...ip,
      ...port,
      randomPort: target.random === true || target.randomFully === true,
    },
  };
}
