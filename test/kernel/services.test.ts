/**
 * The table of test/services read off a real kernel once more: every row of iptables and nftables mode that asks for an address
 * over TCP or UDP. Names and SCTP are asked of no lab.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { MODES, type ModeName } from "../services/cluster.ts";
import { type AskedFlow, observeFlows, type Seen } from "../services/observe.ts";
import { backendsText, bracketed, type FlowRow, flowFiles, withoutReason } from "../services/rows.ts";

const OBSERVED: readonly ModeName[] = [
  "iptables",
  "ipt17",
  "ipt20",
  "ipt23",
  "nft30",
  "nft34",
  "nft36",
  "iptables-large",
  "nft30-large",
  "nft36-large",
];
const isAddress = (host: string): boolean => /^[0-9.]+$|:/.test(host);

const rows = flowFiles().flatMap((file) => file.rows);
let observed = 0;

for (const mode of OBSERVED) {
  assert.notEqual(MODES[mode].mode, "ipvs");
  const asked = rows.flatMap((row): { readonly row: FlowRow; readonly flow: AskedFlow }[] => {
    const { source, protocol, host, port, modes } = row;
    if (!modes.includes(mode) || !isAddress(host) || protocol === "sctp") return [];
    return [{ row, flow: { source, protocol, host, port } }];
  });
  test(`${mode}: ${asked.length} rows`, async (t) => {
    const outcomes = await observeFlows(
      mode,
      asked.map(({ flow }) => flow),
      `svc${process.pid}`,
      (i, seen) => agrees(asked[i]?.row, seen),
    );
    for (const [i, { row }] of asked.entries()) {
      observed += 1;
      await t.test(`${row.source} -> ${bracketed(row.host)}:${row.port}/${row.protocol}: ${row.why}`, () => {
        const seen = outcomes[i] ?? new Set();
        assert.ok(agrees(row, seen), `claimed: ${row.outcome}\nseen: ${backendsText([...seen])}`);
      });
    }
  });
}

/** What sticks goes to one of its backends, always the same; of a thousand some are seen; else every backend was seen. */
function agrees(row: FlowRow | undefined, seen: Seen): boolean {
  const outcome = withoutReason(row?.outcome ?? "");
  const claimed = outcome.split(" ");
  if (claimed[0] === "sticks") return seen.size === 1 && claimed.includes([...seen].join());
  if (!/^\d+x/.test(outcome)) return backendsText([...seen]) === outcome;
  const kinds = new Set(claimed.map((each) => each.replace(/^\d+x/, "")));
  return seen.size > 1 && [...seen].every((each) => kinds.has(each.replace(/:\d+=/, "=")));
}

test("no row went unobserved", () => assert.ok(observed > 1000, String(observed)));
