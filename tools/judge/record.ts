/**
 * What a real kernel did with some reference flows and some random clusters, written to a file: `tsx record.ts FILE`.
 * It depends on nothing that a seeded fault changes, so one recording judges all of them.
 */
import { writeFileSync } from "node:fs";
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
      for (let round = 0; round < ROUNDS; round++)
        recordings.push({ kind: "reference", index, batch: await kernel.observer.observe(rows) });
    } finally {
      await kernel.close();
    }
  }
  let next = 0;
  const slot = async (n: number): Promise<void> => {
    for (let seed = SEEDS[next++]; seed !== undefined; seed = SEEDS[next++]) {
      const batch = await steadily(sampleCase(seed), `j${process.pid}-${n}`);
      if (batch) recordings.push(batch);
    }
  };
  await Promise.all(Array.from({ length: SLOTS }, (_, n) => slot(n)));
  writeFileSync(
    file,
    JSON.stringify(recordings, (_, value) => (typeof value === "bigint" ? Number(value) : value)),
  );
}

/** On a busy machine a packet can be late: what the healthy tree disagrees with is observed again. */
async function steadily(sample: RandomCase, lab: string): Promise<Recording | undefined> {
  for (let attempt = 0; ; attempt++) {
    const outcome = await tryCase(sample, lab);
    if (outcome.kind === "refused") return undefined;
    const texts = disagreements(outcome.judged);
    if (texts.length === 0) return { kind: "random", draft: sample.cluster.draft, batch: outcome.batch };
    if (attempt === 2)
      throw new Error(`the kernel disagrees with the healthy tree:\n${texts[0]}\n${describeFixture(sample.cluster.draft, outcome.flows)}`);
  }
}

main(process.argv[2] ?? "recording.json").catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});
