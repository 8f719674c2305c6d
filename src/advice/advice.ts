/**
 * What to change when a request failed. A rule of the reason names the cause and proposes; each proposal is then walked in
 * a cluster that has it, and only one after which every path delivers is offered as a cure.
 */
import type { Reason } from "../linux/reason.ts";
import type { Leg, Path, Trace } from "../trace/trace.ts";
import type { Advice, Case, Change, Counsel, Edit, Setting } from "./case.ts";
import { outcomeText, shortfallText } from "./outcome.ts";
import { RULES } from "./rules.ts";

/** A reader waits for each walk, and in a large cluster deciding it again is the greater part. */
const MAX_WALKS = 12;
const MAX_PODS = 5000;

/** The counsel for one failed path; undefined when nothing more is known than the reason's general advice. */
export function adviceFor(setting: Setting, path: Path): Counsel | undefined {
  const failed = caseOf(setting, path);
  const finding = failed && RULES[failed.reason]?.(failed);
  if (!failed || !finding) return undefined;
  const walks = createWalks();
  const judged = finding.changes.map((change) => judge(failed, change, walks));
  const cures = judged.flatMap(({ advice }) => advice ?? []);
  const last = cures.some(({ walked }) => walked) ? [] : judged.flatMap(({ short }) => short?.() ?? []).slice(0, 1);
  return { because: finding.because, advice: [...last, ...cures] };
}

/** The leg that failed and the reason there: a proxy's 502 and an unanswered lookup are mended where the packet died. */
function caseOf(setting: Setting, path: Path): Case | undefined {
  const leg = path.legs.at(-1);
  if (leg === undefined || path.reason === undefined) return undefined;
  return { ...setting, path, leg, reason: reasonAt(leg, path.reason) };
}

const INDIRECT: ReadonlySet<Reason> = new Set(["upstream-failed", "upstream-timeout", "dns-unreachable", "reply-lost"]);

function reasonAt(leg: Leg, reason: Reason): Reason {
  if (!INDIRECT.has(reason)) return reason;
  if (leg.reply.reason !== undefined) return leg.reply.reason;
  for (const step of leg.hops.at(-1)?.steps.toReversed() ?? []) {
    if (step.kind === "drop") return step.reason;
    if (step.kind === "answer" && step.because?.rule.reason !== undefined) return step.because.rule.reason;
    if (step.kind === "answer" && step.packet.segment.kind === "rst") return "not-listening";
    if (step.kind === "answer" && step.packet.segment.kind === "icmp-error")
      return step.packet.segment.code === 3 ? "not-listening" : "host-unreachable";
  }
  return reason;
}

type Walks = { readonly take: (setting: Setting, isQuestion: boolean) => boolean };
function createWalks(): Walks {
  let left = MAX_WALKS;
  return {
    take: ({ cluster }, isQuestion) => {
      if (left === 0 || (!isQuestion && cluster.pods.length > MAX_PODS)) return false;
      left -= 1;
      return true;
    },
  };
}

type Judged = { readonly advice?: Advice; readonly short?: () => Advice | undefined };

/** A change walked. `short`: it mends this, and something else is then wrong. */
function judge(failed: Case, change: Change, walks: Walks): Judged {
  const { tries } = change;
  const place = change.place === undefined ? {} : { place: change.place };
  const textOf = (names: readonly string[]) => (typeof change.text === "string" ? change.text : change.text(names));
  if (!tries) {
    const outcome = change.outcome === undefined ? {} : { outcome: change.outcome };
    return { advice: { text: textOf([]), ...place, ...outcome, walked: false } };
  }
  const passed: { readonly name: string; readonly trace: Trace }[] = [];
  let short: { readonly name: string; readonly after: Setting } | undefined;
  for (const { name, edit } of tries) {
    const edited = edit();
    if (!walks.take(failed, isQuestion(edited)))
      return { advice: { text: textOf(tries.map((each) => each.name)), ...place, walked: false } };
    const after = failed.walk(edited);
    if (after?.trace.verdict === "delivered") passed.push({ name, trace: after.trace });
    else if (after && !isQuestion(edited) && isAnother(failed.path, after.trace) && (!short || lengthOf(after) > lengthOf(short.after)))
      short = { name, after };
  }
  if (passed.length > 0) {
    const outcome = outcomeText(passed.map(({ trace }) => trace));
    return { advice: { text: textOf(passed.map(({ name }) => name)), ...place, outcome, walked: true } };
  }
  if (!short) return {};
  const { name, after } = short;
  return { short: () => ({ ...secondCure(after, textOf([name]), walks), ...place }) };
}

const isQuestion = ({ objects, topology }: Edit): boolean => objects === undefined && topology === undefined;

/** How far the request gets: of several that fail, the one that gets farthest is the one to go on from. */
const lengthOf = ({ trace }: Setting): number =>
  Math.max(0, ...trace.paths.map(({ legs }) => legs.reduce((sum, { hops }) => sum + hops.length, 0)));

/** What fails now is not what failed before. */
const isAnother = (before: Path, { paths }: Trace): boolean =>
  paths.every(({ verdict, reason, text }) => verdict === "delivered" || reason !== before.reason || text !== before.text);

/** Two mistakes at once: what is wrong after the first change is looked at in its turn. */
function secondCure(after: Setting, first: string, walks: Walks): Advice {
  const path = after.trace.paths.find(({ verdict }) => verdict !== "delivered");
  const failed = path && caseOf(after, path);
  const finding = failed && RULES[failed.reason]?.(failed);
  for (const change of finding?.changes ?? []) {
    const { advice } = failed && change.tries ? judge(failed, change, walks) : {};
    if (!advice?.walked) continue;
    const place = advice.place === undefined ? "" : ` (${advice.place})`;
    return { ...advice, text: `${first}, and then ${advice.text}${place}` };
  }
  return { text: first, outcome: shortfallText(after.trace), walked: true };
}
