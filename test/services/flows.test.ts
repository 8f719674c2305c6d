/**
 * The table of packet flows: one row a claim. `source | destination | protocol | modes | outcome | why`. An outcome is
 * `BACKEND=ADDRESS IT SEES` for every backend that may answer (with many of them, how many at each address), or what the client
 * learns (refused, unreachable, timeout, unresolved; closed: connected, then cut off) and the reason; `sticks`: a second connection of the same client goes where
 * its first went (`--again`). Rows of iptables, nft30 and nft36 were read off a real kernel (tools/observe-flows.ts; Linux 6.18,
 * flannel vxlan) and are held against it again by test/kernel/services.test.ts, but for SCTP, ipMode Proxy and names; rows of ipvs
 * and userspace follow from pkg/proxy/ipvs and pkg/proxy/userspace, as their `why` says.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fractionToNumber } from "../../src/net/fraction.ts";
import type { Path } from "../../src/trace/trace.ts";
import { MODES, type ModeName, openServices, SOURCES } from "./cluster.ts";
import { backendsText, bracketed, type FlowRow, flowFiles, withoutReason } from "./rows.ts";

const UNREACHABLE: readonly (string | undefined)[] = ["host-unreachable", "no-route", "spoofed-source"];

/** What a client learns of a path that ends so. */
function clientView({ verdict, reason, legs }: Path): string {
  if (verdict === "unresolved") return "unresolved";
  if (verdict !== "rejected") return "timeout";
  if (legs.some(({ proxy }) => proxy)) return "closed"; // a process took the connection first
  return UNREACHABLE.includes(reason) ? "unreachable" : "refused";
}

function outcomeOf(path: Path): string {
  const { verdict, reason, destination } = path;
  if (verdict === "delivered" && destination)
    return `${bracketed(destination.ip)}:${destination.port}=${bracketed(destination.clientIPSeen ?? "")}`;
  return `${clientView(path)}${reason === undefined ? "" : ` ${reason}`}`;
}

function traced(mode: ModeName, { source, host, port, protocol }: FlowRow): string {
  const isLarge = "large" in MODES[mode]; // six hundred ways times six hundred tell nothing more
  const { paths } = openServices(mode).trace({
    command: `trace --to ${host}:${port}`,
    program: "trace",
    from: SOURCES[source],
    namespace: "default",
    to: { host, protocol, port },
    evidence: false,
    ...(isLarge ? {} : { again: 1 }),
  });
  const answers = backendsText(paths.map(outcomeOf));
  const sticks = answers.split("=").length > 2 && paths.every(({ again }) => again?.every(({ same }) => fractionToNumber(same) === 1));
  return `${sticks ? "sticks " : ""}${answers}`;
}

for (const { name, rows } of flowFiles())
  test(name, async (t) => {
    for (const row of rows) {
      const { source, host, port, protocol, modes, outcome, why } = row;
      await t.test(`${source} -> ${bracketed(host)}:${port}/${protocol} in ${modes.join(" ")}: ${why}`, () => {
        for (const mode of modes) {
          const found = traced(mode, row);
          assert.equal(/ [a-z]+-/.test(outcome) ? found : withoutReason(found), outcome, mode);
        }
      });
    }
  });
