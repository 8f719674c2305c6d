/**
 * What a real kernel did with some reference flows and some random clusters, written to a file: `tsx record.ts FILE`.
 * It depends on nothing that a seeded fault changes, so one recording judges all of them.
 */
import { writeFileSync } from "node:fs";
import { judgeBatch } from "../../src/lab/judge.ts";
import { openLab, openVariant, readRow, readTable } from "../../test/kernel/kernel-lab.ts";
import { describeFixture, disagreements, type RandomCase, sampleCase, tryCase } from "../../test/kernel/random/case.ts";
import { CASES } from "../../test/kernel/reference-cases.ts";
import type { Recording } from "./recording.ts";

/** Random clusters beside the reference ones. */
const SEEDS = Array.from({ length: 24 }, (_, i) => 1 + i);
/** Each flow this often, so that most of its courses are seen. */
const ROUNDS = 3;
const SLOTS = 3;

async function main(file: string): Promise<void> {
  const recordings: Recording[] = [];
  for (const [index, { variant, flows }] of CASES.entries()) {
    const kernel = await openLab(variant, openVariant(variant));
    try {
      const rows = readTable(flows).map((line) => readRow(line).flow);
      const observeAll = async (): Promise<Tried> => {
        const batch = await kernel.observer.observe(rows);
        return { recording: { kind: "reference", index, batch }, disagreements: disagreements(judgeBatch(kernel.session.world, batch)) };
      };
      for (let round = 0; round < ROUNDS; round++) recordings.push(await steadily(observeAll));
    } finally {
      await kernel.close();
    }
  }
  let next = 0;
  const slot = async (n: number): Promise<void> => {
    for (let seed = SEEDS[next++]; seed !== undefined; seed = SEEDS[next++]) {
      recordings.push(await steadily(() => tryRandom(sampleCase(seed), `j${process.pid}-${n}`)));
    }
  };
  await Promise.all(Array.from({ length: SLOTS }, (_, n) => slot(n)));
  writeFileSync(
    file,
    JSON.stringify(recordings, (_, value) => (typeof value === "bigint" ? Number(value) : value)),
  );
}

type Tried = { readonly recording: Recording; readonly disagreements: readonly string[] };

async function tryRandom(sample: RandomCase, lab: string): Promise<Tried> {
  const outcome = await tryCase(sample, lab);
  if (outcome.kind === "refused") throw new Error(`the input of a fixed seed is refused: ${outcome.text}`);
  const { draft } = sample.cluster;
  const found = disagreements(outcome.judged);
  return {
    recording: { kind: "random", draft, batch: outcome.batch },
    disagreements: found.map((text) => `${text}\n${describeFixture(draft, outcome.flows)}`),
  };
}

/** On a busy machine a packet can be late: what the healthy tree disagrees with is observed again. */
async function steadily(observe: () => Promise<Tried>): Promise<Recording> {
  for (let attempt = 0; ; attempt++) {
    const tried = await observe();
    if (tried.disagreements.length === 0) return tried.recording;
    if (attempt === 2) throw new Error(`the kernel disagrees with the healthy tree:\n${tried.disagreements[0]}`);
  }
}

main(process.argv[2] ?? "recording.json").catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});
