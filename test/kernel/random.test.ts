/**
 * Random clusters and flows on a real kernel: everything that the tracer says of them must be so. A fixed set of seeds, or
 * as many as one likes: `npm run test:kernel -- --runs 2000 --seed 7` (KTRACE_RUNS, KTRACE_SEED).
 */
import assert from "node:assert/strict";
import test from "node:test";
import { describeCoverage } from "./random/coverage.ts";
import { runRandom } from "./random/run.ts";

const CASES = Number(process.env.KTRACE_RUNS ?? 205);
const SEED = Number(process.env.KTRACE_SEED ?? 1);
const SLOTS = Number(process.env.KTRACE_SLOTS ?? 4);
/** What may end where the model does. */
const MOST_OPEN = 0.05;

test(`${CASES} random clusters from seed ${SEED}`, async (t) => {
  const started = process.hrtime.bigint();
  const result = await runRandom({
    seeds: Array.from({ length: CASES }, (_, i) => SEED + i),
    slots: SLOTS,
    shrinkMs: 90_000,
    say: (text) => process.stdout.write(text),
  });
  const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n);
  const { pairs, verdicts, refused, failures } = result;
  const open = (verdicts.get("unknown") ?? 0) + (verdicts.get("exits") ?? 0);
  t.diagnostic(
    `${pairs} pairs of ${result.cases} clusters in ${seconds} s; ${open} ended unknown or exits; ${failures.length} disagreements`,
  );
  process.stdout.write(`${describeCounts("arms", result.arms)}\n${describeCoverage(result.coverage)}\n`);

  const confirmed = failures.filter(({ isConfirmed }) => isConfirmed);
  await t.test("hardly anything happens only once", () => assert.ok(failures.length - confirmed.length <= Math.ceil(CASES * 0.01)));
  await t.test("no disagreement", () =>
    assert.equal(confirmed.length, 0, confirmed.map(({ seed, text }) => `seed ${seed}: ${text}`).join("\n\n")),
  );
  await t.test("few pairs end where the model does", () => assert.ok(open <= pairs * MOST_OPEN, `${open} of ${pairs}`));
  await t.test("hardly any cluster is refused", () => {
    const all = [...refused.values()].reduce((sum, n) => sum + n, 0);
    assert.ok(all <= Math.ceil(result.cases * 0.02), describeCounts("refused", refused));
  });
});

const describeCounts = (about: string, counts: ReadonlyMap<string, number>): string =>
  `${about}: ${[...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, n]) => `${name} ${n}`)
    .join(" · ")}`;
