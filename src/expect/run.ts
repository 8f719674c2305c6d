/** Runs tests: each asks its sources, in the cluster as it is or as it would be, and compares. */
import type { Cluster } from "../cluster/cluster.ts";
import { matchesGlob } from "../cluster/workloads/pins.ts";
import type { Manifests } from "../compare/changes.ts";
import type { Reachable } from "../compare/matrix.ts";
import { type Opener, openRunning } from "../compare/stay.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { PlacedExpectation } from "../objects/expectation.ts";
import type { Question } from "../trace/question.ts";
import type { Trace } from "../trace/trace.ts";
import { judge } from "./judge.ts";
import { vary } from "./what-if.ts";
import { namesOfSource, sourcesOfTest } from "./who-asks.ts";

/** One request of a test. */
export type Asked = { readonly from: string; readonly trace: Trace; readonly failures: readonly string[]; readonly world: Reachable };
export type TestResult = {
  readonly test: PlacedExpectation;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly asked: readonly Asked[];
};
export type TestRequest = {
  readonly tests: readonly PlacedExpectation[];
  readonly input: Manifests;
  readonly open: Opener;
  readonly opened: Reachable;
  /** What a test asks from one source, as a question to a cluster. */
  readonly questionOf: (test: PlacedExpectation, from: string, cluster: Cluster) => Question;
};

/** All results in the order of the tests. A test that asks nonsense is a UsageError: it must not pass, nor hide the others' sense. */
export function runTests({ tests, input, open, opened, questionOf }: TestRequest): readonly TestResult[] {
  const worlds = new Map<string, Reachable>(); // tests of one what-if share a cluster
  const worldOf = ({ whatIf, namespace = "default", name }: PlacedExpectation): Reachable => {
    if (!whatIf) return opened;
    const key = JSON.stringify([whatIf, namespace]);
    const known = worlds.get(key);
    if (known) return known;
    const { input: varied, moves } = vary(input, opened.cluster, whatIf, namespace);
    const world = openRunning(open, varied, opened, moves);
    if (!world) throw new UsageError(`test ${JSON.stringify(name)}: its whatIf makes no cluster`);
    worlds.set(key, world);
    return world;
  };
  return tests.map((test): TestResult => {
    if (test.skip !== undefined) return { test, outcome: "skipped", asked: [] };
    const world = worldOf(test);
    const asked = sourcesOfTest(world.cluster, test).map((from) => askFrom(test, from, world, questionOf));
    return { test, outcome: asked.some(({ failures }) => failures.length > 0) ? "failed" : "passed", asked };
  });
}

function askFrom(test: PlacedExpectation, from: string, world: Reachable, questionOf: TestRequest["questionOf"]): Asked {
  const trace = world.trace(questionOf(test, from, world.cluster));
  const { only, ...expected } = test.expect;
  const rest = only === undefined ? expected : onlyThose(world.cluster, test, from, only, expected);
  return { from, trace, failures: judge(world.cluster, trace, rest), world };
}

/** `only`: a source that is listed has to be delivered, any other must not be; what is unknown is neither. */
function onlyThose(
  cluster: Cluster,
  test: PlacedExpectation,
  from: string,
  only: readonly string[],
  expected: PlacedExpectation["expect"],
): PlacedExpectation["expect"] {
  const names = namesOfSource(cluster, from, test.namespace ?? "default");
  const isListed = only.some((pattern) => names.some((name) => matchesGlob(pattern, name)));
  return isListed ? { verdict: "delivered", ...expected } : { verdict: NOT_DELIVERED };
}
const NOT_DELIVERED = ["rejected", "dropped", "unresolved", "http-error", "unanswered", "looped"];
