/**
 * Many random cases, several labs at a time: while one batch waits for its timeouts the next network is built. Each case has
 * a seed of its own, so that `--runs 1 --seed S` repeats it. A disagreement is shrunk by fast-check, with real labs.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { isLate } from "../../../src/lab/judge.ts";
import { describeFixture, disagreements, type Focus, type Outcome, type RandomCase, randomCase, tryCase } from "./case.ts";
import { addCoverage, type Coverage, emptyCoverage } from "./coverage.ts";
import { writeFixture } from "./draft.ts";

export type RunRequest = {
  /** One case each. */
  readonly seeds: readonly number[];
  readonly slots: number;
  /** How long one disagreement may be shrunk. */
  readonly shrinkMs: number;
  readonly say?: (text: string) => void;
};
/** `isConfirmed`: it happened again when the same was tried again. */
export type Failure = { readonly seed: number; readonly isConfirmed: boolean; readonly text: string };
export type RunResult = {
  readonly cases: number;
  readonly pairs: number;
  readonly refused: ReadonlyMap<string, number>;
  readonly verdicts: ReadonlyMap<string, number>;
  readonly arms: ReadonlyMap<string, number>;
  readonly coverage: Coverage;
  readonly failures: readonly Failure[];
};

/** Beyond these the run stops: something is wrong with all of it. */
const MOST_FAILURES = Number(process.env.KTRACE_MOST_FAILURES ?? 5);

export async function runRandom(request: RunRequest): Promise<RunResult> {
  const counts = {
    cases: 0,
    pairs: 0,
    refused: new Map<string, number>(),
    verdicts: new Map<string, number>(),
    arms: new Map<string, number>(),
    coverage: emptyCoverage(),
    failures: [] as Failure[],
  };
  const count = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);
  const note = (value: RandomCase, outcome: Outcome): void => {
    counts.cases += 1;
    if (outcome.kind === "refused") {
      count(counts.refused, outcome.text);
      return;
    }
    counts.pairs += outcome.flows.length;
    for (const arm of value.cluster.arms) count(counts.arms, arm);
    for (const { judgement } of outcome.judged.flows) count(counts.verdicts, judgement.nearest?.connection.verdict ?? "none");
    addCoverage(counts.coverage, outcome.judged);
  };
  let next = 0;
  const slot = async (n: number): Promise<void> => {
    while (next < request.seeds.length && counts.failures.filter(({ isConfirmed }) => isConfirmed).length < MOST_FAILURES) {
      const seed = request.seeds[next] ?? 0;
      next += 1;
      const failure = await oneSeed(seed, `r${process.pid}-${n}`, request, note);
      if (failure) {
        counts.failures.push(failure);
        request.say?.(`seed ${failure.seed}: ${failure.text}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: request.slots }, (_, n) => slot(n)));
  return counts;
}

/** The case of one seed. The first try counts; further ones only shrink. */
async function oneSeed(
  seed: number,
  lab: string,
  { shrinkMs }: RunRequest,
  note: (value: RandomCase, outcome: Outcome) => void,
): Promise<Failure | undefined> {
  let isFirst = true;
  let focus: Focus | undefined;
  let unconfirmed: string | undefined;
  let found: Disagreement | undefined; // fast-check tells nothing of a try that its time limit cut off
  const holds = async (value: RandomCase): Promise<void> => {
    const wasFirst = isFirst;
    isFirst = false;
    const tried = await tryCase(value, lab, focus);
    if (wasFirst) note(value, tried);
    if (tried.kind === "refused") return;
    let outcome = tried;
    let texts = disagreements(outcome.judged);
    if (wasFirst && texts.length > 0) {
      focus = focusOf(outcome);
      unconfirmed = texts.join("\n\n");
      const again = await confirm(value, lab, focus);
      if (again) [outcome, texts, unconfirmed] = [again, disagreements(again.judged), undefined];
      else return;
    }
    if (texts.length === 0) return;
    found = new Disagreement(texts.join("\n\n"), describeFixture(value.cluster.draft, outcome.flows));
    throw found;
  };
  let pending: Promise<void> = Promise.resolve(); // fast-check leaves the last try running when its time is over
  const property = fc.asyncProperty(randomCase, (value) => {
    pending = holds(value);
    return pending;
  });
  const result = await fc.check(property, { seed, numRuns: 1, unbiased: true, interruptAfterTimeLimit: shrinkMs });
  await pending.catch(() => {});
  if (unconfirmed !== undefined) return { seed, isConfirmed: false, text: `once, and not again: ${unconfirmed}` };
  if (!result.failed) return undefined;
  const [smallest] = result.counterexample ?? [];
  const error = result.errorInstance ?? found;
  if (!(error instanceof Disagreement)) return { seed, isConfirmed: true, text: `${error instanceof Error ? error.stack : error}` };
  const dir = mkdtempSync(join(tmpdir(), `ktrace-counterexample-${seed}-`));
  if (smallest) writeFixture(smallest.cluster.draft, dir);
  return {
    seed,
    isConfirmed: true,
    text: `the kernel disagrees (${result.numShrinks} steps smaller, files in ${dir}):\n${error.message}\n\n${error.fixture}`,
  };
}

/**
 * The same once more, twice: on a busy machine a packet can be late. Flows with a random course are sent often. What a client
 * saw that had sent its SYN twice, to two endpoints perhaps, confirms nothing.
 */
async function confirm(
  value: RandomCase,
  lab: string,
  focus: Focus | undefined,
): Promise<(Outcome & { readonly kind: "judged" }) | undefined> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const outcome = await tryCase(value, lab, focus, focus ? COPIES : 1);
    if (outcome.kind !== "judged") continue;
    const { flows, rules } = outcome.judged;
    const onTime = flows.filter(({ observation }) => !isLate(observation));
    if (disagreements({ flows: onTime, rules }).length > 0) return outcome;
  }
  return undefined;
}
const COPIES = 4;

/** The flows that disagree; further tries send no others. All of them when only the rules do. */
function focusOf(outcome: Outcome & { readonly kind: "judged" }): Focus | undefined {
  const places = outcome.judged.flows.flatMap(({ judgement }, i) => (judgement.differences.length > 0 ? (outcome.places[i] ?? []) : []));
  return places.length > 0 ? new Set(places) : undefined;
}

class Disagreement extends Error {
  readonly fixture: string;
  constructor(message: string, fixture: string) {
    super(message);
    this.fixture = fixture;
  }
}
