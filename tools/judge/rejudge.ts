/**
 * Holds a recording of the real kernel against this tree's predictions: `tsx rejudge.ts FILE`. Prints the first
 * disagreement of each kind and exits 1, or 0 when there is none. Run in a tree with a fault in it.
 */
import { readFileSync } from "node:fs";
import { judgeBatch } from "../../src/lab/judge.ts";
import { openVariant } from "../../test/kernel/kernel-lab.ts";
import { openDraft } from "../../test/kernel/random/draft.ts";
import { CASES } from "../../test/kernel/reference-cases.ts";
import type { Recording } from "./recording.ts";

const recordings: readonly Recording[] = JSON.parse(readFileSync(process.argv[2] ?? "recording.json", "utf8"));
let disagreements = 0;
let shown = "";
for (const recording of recordings) {
  const variant = recording.kind === "reference" ? CASES[recording.index]?.variant : undefined;
  const session = recording.kind === "random" ? openDraft(recording.draft) : variant && openVariant(variant);
  if (!session) continue;
  const { flows, rules } = judgeBatch(session.world, recording.batch);
  const differences = [...flows.flatMap(({ judgement }) => judgement.differences), ...rules];
  disagreements += differences.length;
  const [first] = differences;
  if (first && shown === "") shown = `${variant?.name ?? "a random cluster"}: ${first.about}: ${first.text.replace(/\s*\n\s*/g, " ")}`;
}
process.stdout.write(`${disagreements} ${shown}\n`);
process.exit(disagreements > 0 ? 1 : 0);
