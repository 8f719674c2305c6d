/**
 * The reference cluster on a real kernel: every flow of the tables (reference-cases.ts) goes through real network namespaces that hold the
 * state ktrace's agents wrote, and must go as the tracer says: each interface, rewrite, TTL, rule, answer, and what the
 * client learns. The tables claim what is known of each flow besides; every predicted course must be seen at least once.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { type FlowResult, judgeFlows, openLab, type Row, readRow, readTable } from "./kernel-lab.ts";
import { CASES } from "./reference-cases.ts";

for (const { variant, flows } of CASES) {
  test(variant.name, async (t) => {
    const rows = readTable(flows).map(readRow);
    const kernel = await openLab(variant);
    try {
      const { results, rules } = await judgeFlows(
        kernel,
        rows.map(({ flow }) => flow),
      );
      for (const [i, row] of rows.entries()) await t.test(row.claim, () => checkRow(row, results[i]));
      await t.test("rules hit, and how often", () =>
        assert.deepEqual(
          rules.map(({ text }) => text),
          [],
        ),
      );
    } finally {
      await kernel.close();
    }
  });
}

function checkRow(row: Row, result: FlowResult | undefined): void {
  assert.ok(result && result.judged.length > 0, "it was sent");
  assert.equal(result.problems.length, 0, `the kernel disagrees:\n${result.problems.join("\n\n")}`);
  assert.deepEqual(result.unseen, [], "every predicted course was taken");
  for (const { predicted, observation } of result.judged) {
    if (row.verdict !== undefined) for (const { connection } of predicted) assert.equal(connection.verdict, row.verdict, connection.text);
    if (row.reason !== undefined) for (const { connection } of predicted) assert.equal(connection.reason, row.reason, connection.text);
    if (row.sees !== undefined) assert.equal(observation.serverSaw?.peer.replace(/:\d+$/, ""), row.sees, "whom the server saw");
    if (row.ttl !== undefined) assert.equal(predicted[0]?.connection.arrived?.ttl, row.ttl, "the TTL at the server");
  }
}
