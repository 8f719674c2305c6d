/**
 * The same request once more, from what the first one left in the kernels: affinity lists, IPVS templates, connections. A new
 * connection has a new port, so only what remembers the client can send it to the same endpoint.
 */
import type { RunState } from "../linux/run.ts";
import { addFractions, type Fraction, ONE, timesFraction, ZERO } from "../net/fraction.ts";
import type { Course } from "./course.ts";
import type { Round, RoundOutcome } from "./trace.ts";

/** All courses of a request in a round, begun with what those before it left. */
export type Ask = (round: number, before: RunState) => readonly Course[];

/** The rounds after a course, each with the share of every way it can end, given that course. */
export function roundsAfter(first: Course, count: number, ask: Ask): Round[] {
  const rounds: Round[] = [];
  let states: readonly Weighted[] = [{ share: ONE, left: first.left }];
  for (let round = 1; round <= count; round++) {
    const outcomes = new Map<string, RoundOutcome>();
    const next = new Map<string, Weighted>();
    for (const { share, left } of states)
      for (const course of ask(round, left)) {
        const part = timesFraction(share, course.share);
        const [ending, memory] = [keyOf(course), memoryOf(course.left)];
        outcomes.set(ending, { ...outcomeOf(course), share: addFractions(outcomes.get(ending)?.share ?? ZERO, part) });
        next.set(memory, { left: course.left, share: addFractions(next.get(memory)?.share ?? ZERO, part) });
      }
    const same = outcomes.get(keyOf(first))?.share ?? ZERO;
    rounds.push({ connection: round + 1, same, outcomes: [...outcomes.values()] });
    states = [...next.values()];
  }
  return rounds;
}

type Weighted = { readonly share: Fraction; readonly left: RunState };

const outcomeOf = ({ verdict, reason, destination }: Course): Omit<RoundOutcome, "share"> => ({
  verdict,
  ...(reason === undefined ? {} : { reason }),
  ...(destination ? { destination } : {}),
});

/** Two courses end alike when the same endpoint takes them, or they fail for the same reason at the same place. */
const keyOf = ({ verdict, reason, destination }: Course): string =>
  [verdict, reason, destination?.ip, destination?.port, destination?.kind, destination?.name].join(" ");

/** What a later connection of this client can depend on; connections themselves have other ports. */
const memoryOf = ({ recent, persistence }: RunState): string =>
  JSON.stringify([
    [...recent].map(([list, addresses]) => [list, [...addresses].sort()]).sort(),
    [...persistence].map(([key, to]) => [key, to.ip, to.port]).sort(),
  ]);

/** The share of connections that end where the first one did, over all paths. */
export const sameShare = (paths: readonly { readonly share: Fraction; readonly again?: readonly Round[] }[], at: number): Fraction =>
  paths.reduce((sum, path) => addFractions(sum, timesFraction(path.share, path.again?.[at]?.same ?? ZERO)), ZERO);
