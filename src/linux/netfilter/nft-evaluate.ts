/**
 * Walks one nftables base chain, as nft_do_chain does: a jump returns, a goto does not, an accept ends this base chain only.
 * Facts: net/netfilter/nf_tables_core.c, nft_nat.c, nft_masq.c, nft_reject_inet.c, nft_numgen.c.
 */
import type { RuleVisit } from "../step.ts";
import type { NatChange, Observer, TableVerdict } from "./evaluate.ts";
import type { NatFlag, NftArm, NftChain, NftElement, NftRule, NftRuleRef, NftStatement, NftTable, NftTarget, NftVerdict } from "./nft.ts";
import { evaluateTest, fieldText, findElement, keyOf, lookup, type NftContext } from "./nft-match.ts";

type ChainVerdict = TableVerdict | { readonly kind: "return" };

const ACCEPT: TableVerdict = { kind: "accept" };
const RETURN: ChainVerdict = { kind: "return" };
/** NFT_JUMP_STACK_SIZE: the kernel refuses deeper rule sets when they are loaded. */
const MAX_DEPTH = 16;

/** `asked`: the member of a map that led here and says what a refusal further on stands for. */
type Walk = {
  readonly table: NftTable;
  readonly context: () => NftContext;
  readonly observer: Observer;
  readonly asked?: NftRuleRef;
};

/** The verdict of a base chain. `context` is read anew for every expression, for a statement may change the mark. */
export function evaluateBaseChain(table: NftTable, chain: NftChain, context: () => NftContext, observer: Observer): TableVerdict {
  const verdict = evaluateChain({ table, context, observer }, chain, 0);
  if (verdict.kind !== "return") return verdict;
  return chain.base?.policy === "drop" ? { kind: "drop", policyOf: chain.name } : ACCEPT;
}

function evaluateChain(walk: Walk, chain: NftChain, depth: number): ChainVerdict {
  const visits: RuleVisit[] = [];
  let verdict: ChainVerdict = RETURN;
  for (const [position, rule] of chain.rules().entries()) {
    const ref: NftRuleRef = { nft: true, family: walk.table.family, table: walk.table.name, chain: chain.name, position, rule };
    const run = evaluateRule(walk, ref, depth);
    if (walk.observer.evidence)
      visits.push({ ...run.ref, matched: run.failed === undefined, ...(run.failed === undefined ? {} : { failedMatch: run.failed }) });
    if (run.verdict === undefined) continue;
    verdict = run.verdict;
    break;
  }
  walk.observer.left(chain.name, leftAs(verdict, chain), visits, 0);
  return verdict;
}

function leftAs(verdict: ChainVerdict, chain: NftChain): Parameters<Observer["left"]>[1] {
  if (verdict.kind === "return") return chain.base ? `policy-${chain.base.policy}` : "return";
  return verdict.kind === "drop" ? "drop" : "accept";
}

/** `failed`: the expression that said no. `verdict` undefined: the next rule is to be looked at. */
type RuleRun = { readonly ref: NftRuleRef; readonly failed?: number; readonly verdict?: ChainVerdict };

function evaluateRule(walk: Walk, first: NftRuleRef, depth: number): RuleRun {
  let ref = first;
  let undecidable: string | undefined;
  let told = false;
  const tell = (): void => {
    if (!told) walk.observer.matched(ref);
    told = true;
  };
  for (const [at, expression] of ref.rule.expressions.entries()) {
    const context = walk.context();
    if (isTest(expression)) {
      const { holds, element } = evaluateTest(expression, context, walk.table.set);
      if (holds === false) return { ref, failed: at };
      if (holds !== true) undecidable ??= holds.undecidable;
      if (element) ref = withElement(ref, element.set, element.element);
      continue;
    }
    const effect = effectOf(walk, ref, expression, context);
    if (effect === "no-match") return { ref, failed: at };
    ref = effect.ref ?? ref;
    if (effect.kind === "none") continue;
    if (undecidable !== undefined) return { ref, verdict: { kind: "unknown", ref, text: undecidable } };
    tell();
    const verdict = apply(walk, ref, effect, depth);
    if (verdict !== undefined) return { ref, verdict };
  }
  // What is not modelled may be a statement, so its rule is never passed over in silence.
  if (undecidable !== undefined) return { ref, verdict: { kind: "unknown", ref, text: undecidable } };
  tell();
  return { ref };
}

const TESTS: ReadonlySet<string> = new Set(["compare", "mask", "lookup", "ct-state", "ct-status", "fib", "unknown"]);
type Expression = NftRule["expressions"][number];
const isTest = (expression: Expression): expression is Exclude<Expression, NftStatement> => TESTS.has(expression.kind);

/** The rule with the cause of the set member that decided. */
function withElement(ref: NftRuleRef, set: string, element: NftElement): NftRuleRef {
  if (element.cause === 0) return { ...ref, element: { set, element } };
  const { cause, reason } = element;
  return { ...ref, rule: { ...ref.rule, cause, ...(reason === undefined ? {} : { reason }) }, element: { set, element } };
}

/** The rule with the arm that `numgen` fell on. */
const withArm = (ref: NftRuleRef, arm: Arm, verdict?: NftVerdict): NftRuleRef =>
  withElement(ref, "", { key: [{ kind: "word", word: String(arm.key) }], cause: arm.cause, ...(verdict ? { verdict } : {}) });
type Arm = { readonly key: number; readonly cause: number };
type NftNumgen<T> = { readonly mode: "random" | "inc"; readonly mod: number; readonly arms: readonly NftArm<T>[] };

/** What a statement is about to do; nothing is done yet. */
type Effect =
  | { readonly kind: "none"; readonly ref?: undefined }
  | { readonly kind: "unknown"; readonly text: string; readonly ref?: undefined }
  | { readonly kind: "verdict"; readonly verdict: NftVerdict; readonly ref?: NftRuleRef }
  | { readonly kind: "mark"; readonly mark: number; readonly ref?: undefined }
  | { readonly kind: "nat"; readonly change: NatChange; readonly ref?: NftRuleRef }
  | { readonly kind: "reject"; readonly with: string; readonly ref?: undefined }
  | { readonly kind: "update"; readonly set: string; readonly key: string; readonly ref?: undefined }
  | { readonly kind: "notrack"; readonly ref?: undefined };

function effectOf(walk: Walk, ref: NftRuleRef, statement: NftStatement, context: NftContext): Effect | "no-match" {
  switch (statement.kind) {
    case "note":
      return { kind: "none" };
    case "notrack":
      return { kind: "notrack" };
    case "verdict":
      return { kind: "verdict", verdict: statement.verdict };
    case "vmap":
      return mapped(walk, ref, statement, context);
    case "numgen-vmap": {
      const arm = armOf(statement, context);
      if (typeof arm === "string") return { kind: "unknown", text: arm };
      return arm === undefined ? "no-match" : { kind: "verdict", verdict: arm.value, ref: withArm(ref, arm, arm.value) };
    }
    case "numgen-dnat": {
      const arm = armOf(statement, context);
      if (typeof arm === "string") return { kind: "unknown", text: arm };
      return arm === undefined ? "no-match" : { kind: "nat", change: toTarget("dst", arm.value, []), ref: withArm(ref, arm) };
    }
    case "set-mark":
      return { kind: "mark", mark: markAfter(statement, context.mark) };
    case "dnat":
    case "snat":
      return { kind: "nat", change: toTarget(statement.kind === "dnat" ? "dst" : "src", statement.to, statement.flags) };
    case "masquerade":
      return { kind: "nat", change: { manip: "src", masquerade: true, randomPort: isRandom(statement.flags) } };
    case "redirect":
      return { kind: "nat", change: { ...toTarget("dst", {}, statement.flags), ...portOf(statement), redirect: true } };
    case "reject":
      return rejection(statement.with, context);
    case "update": {
      const key = fieldText(statement.field, context);
      return key === undefined ? "no-match" : { kind: "update", set: statement.set, key };
    }
    default:
      return statement satisfies never;
  }
}

function mapped(walk: Walk, ref: NftRuleRef, statement: NftStatement & { kind: "vmap" }, context: NftContext): Effect | "no-match" {
  const { map, fields } = statement;
  const set = typeof map === "string" ? walk.table.set(map) : undefined;
  if (typeof map === "string" && !set) return { kind: "unknown", text: `no map ${map}` };
  const key = keyOf(fields, context);
  const found = set ? lookup(set, fields, context) : key && typeof map !== "string" ? findElement(map, key, fields) : undefined;
  if (found === undefined) return "no-match";
  if (found.undecidable !== undefined) return { kind: "unknown", text: found.undecidable };
  const { element } = found;
  if (element?.verdict === undefined) return "no-match";
  return { kind: "verdict", verdict: element.verdict, ref: withElement(ref, typeof map === "string" ? map : "", element) };
}

/** The arm that `numgen random` fell on; the text says why it cannot be known. */
function armOf<T>({ mode, mod, arms }: NftNumgen<T>, context: NftContext): NftArm<T> | string | undefined {
  if (mode === "inc") return `numgen inc mod ${mod} counts packets that ktrace has not seen`;
  const fallen = mod <= 1 ? 0 : context.chooseAmong(mod);
  return arms.find(({ key }) => key === fallen);
}

function markAfter({ op, value }: NftStatement & { kind: "set-mark" }, mark: number): number {
  if (op === "=") return value;
  if (op === "|") return (mark | value) >>> 0;
  return (op === "&" ? mark & value : mark ^ value) >>> 0;
}

const isRandom = (flags: readonly NatFlag[]): boolean => flags.includes("random") || flags.includes("fully-random");
const portOf = ({ port }: { readonly port?: number }): { readonly port?: number } => (port === undefined ? {} : { port });

const toTarget = (manip: "src" | "dst", to: Partial<NftTarget>, flags: readonly NatFlag[]): NatChange => ({
  manip,
  ...(to.ip === undefined ? {} : { ip: to.ip }),
  ...portOf(to),
  randomPort: isRandom(flags),
});

/** `icmp`, `icmpv6` and `icmpx` name the same kinds; a TCP reset is only for TCP, other packets go on. */
function rejection(how: string | undefined, { packet }: NftContext): Effect | "no-match" {
  if (how === "tcp reset") return packet.protocol === "tcp" ? { kind: "reject", with: "tcp-reset" } : "no-match";
  const word = how?.replace(/^icmp(x|v6)? /, "") ?? "port-unreachable";
  return { kind: "reject", with: word === "prot-unreachable" ? "proto-unreachable" : word };
}

function apply(walk: Walk, ref: NftRuleRef, effect: Exclude<Effect, { kind: "none" }>, depth: number): ChainVerdict | undefined {
  switch (effect.kind) {
    case "verdict":
      return applyVerdict(walk, ref, effect.verdict, depth);
    case "mark":
      walk.observer.marked(ref, effect.mark);
      return undefined;
    case "nat":
      return { kind: "nat", change: effect.change, ref };
    case "reject":
      return { kind: "reject", with: effect.with, ref: withReason(walk, ref) };
    case "update":
      walk.context().remember(effect.set, effect.key);
      return undefined;
    case "notrack":
      walk.observer.untracked();
      return undefined;
    case "unknown":
      return { kind: "unknown", ref, text: effect.text };
    default:
      return effect satisfies never;
  }
}

/** A refusal without a reason of its own has that of the map that led to it. */
function withReason({ asked }: Walk, ref: NftRuleRef): NftRuleRef {
  if (ref.rule.reason !== undefined || asked?.rule.reason === undefined) return ref;
  const { cause, reason } = asked.rule;
  return { ...ref, rule: { ...ref.rule, cause, reason } };
}

function applyVerdict(walk: Walk, ref: NftRuleRef, verdict: NftVerdict, depth: number): ChainVerdict | undefined {
  switch (verdict.kind) {
    case "accept":
      return ACCEPT;
    case "drop":
      return { kind: "drop", ref: withReason(walk, ref) };
    case "return":
      return RETURN;
    case "continue":
      return undefined;
    case "jump":
    case "goto": {
      const chain = walk.table.chain(verdict.chain);
      if (!chain || depth >= MAX_DEPTH)
        return { kind: "unknown", ref, text: chain ? "chains nested too deep" : `no chain ${verdict.chain}` };
      const inner = evaluateChain(ref.rule.reason === undefined ? walk : { ...walk, asked: ref }, chain, depth + 1);
      return inner.kind === "return" && verdict.kind === "jump" ? undefined : inner;
    }
    default:
      return verdict satisfies never;
  }
}
