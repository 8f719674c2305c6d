/**
 * The table of packet flows: one row a claim. `source | destination | protocol | modes | outcome | why`. An outcome is
 * `BACKEND=ADDRESS IT SEES` for every backend that may answer, or what the client learns (refused, unreachable, timeout) and
 * the reason; `sticks`: a second connection of the same client goes where its first went (`--again`). Rows of iptables, nft30
 * and nft36 were read off a real kernel (tools/observe-flows.ts; Linux 6.18, flannel vxlan), but for SCTP, ipMode Proxy, and
 * that either endpoint may be the first of a client that sticks; rows of ipvs and userspace follow from pkg/proxy/ipvs and
 * pkg/proxy/userspace, as their `why` says.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fractionToNumber } from "../../src/net/fraction.ts";
import type { Port } from "../../src/net/packet.ts";
import type { Path } from "../../src/trace/trace.ts";
import { isMode, isSource, type ModeName, openServices, SOURCES } from "./cluster.ts";

const directory = new URL("./", import.meta.url);
const UNREACHABLE: readonly (string | undefined)[] = ["host-unreachable", "no-route", "spoofed-source"];

/** What a client learns of a path that ends so. */
function clientView({ verdict, reason }: Path): string {
  if (verdict !== "rejected") return "timeout";
  return UNREACHABLE.includes(reason) ? "unreachable" : "refused";
}

function outcomeOf(path: Path): string {
  const { verdict, reason, destination } = path;
  if (verdict === "delivered" && destination)
    return `${address(destination.ip, destination.port)}=${bracketed(destination.clientIPSeen ?? "")}`;
  return `${clientView(path)}${reason === undefined ? "" : ` ${reason}`}`;
}

const bracketed = (ip: string): string => (ip.includes(":") ? `[${ip}]` : ip);
const address = (ip: string, port: Port | undefined): string => `${bracketed(ip)}:${port}`;

function traced(mode: ModeName, source: string, destination: string, protocol: string): string {
  assert.ok(isSource(source), source);
  assert.ok(protocol === "tcp" || protocol === "udp" || protocol === "sctp", protocol);
  const session = openServices(mode);
  const cut = destination.lastIndexOf(":");
  const host = destination.slice(0, cut).replace(/^\[|\]$/g, "");
  const { paths } = session.trace({
    command: `trace --to ${destination}`,
    program: "trace",
    from: SOURCES[source],
    namespace: "default",
    to: { host, protocol, port: Number(destination.slice(cut + 1)) },
    evidence: false,
    again: 1,
  });
  const sticks = paths.length > 1 && paths.every(({ again }) => again?.every(({ same }) => fractionToNumber(same) === 1));
  return `${sticks ? "sticks " : ""}${[...new Set(paths.map(outcomeOf))].sort().join(" ")}`;
}

for (const file of readdirSync(directory)
  .filter((name) => name.endsWith(".flows"))
  .sort()) {
  const lines = readFileSync(new URL(file, directory), "utf8").split("\n");
  test(file, async (t) => {
    for (const line of lines.filter((each) => each.trim() !== "" && !each.startsWith("#"))) {
      const [source = "", destination = "", protocol = "", modes = "", outcome = "", why = ""] = line
        .split(" | ")
        .map((cell) => cell.trim());
      await t.test(`${source} -> ${destination}/${protocol} in ${modes}: ${why}`, () => {
        assert.notEqual(why, "", "a row says why");
        for (const mode of modes.split(" ")) {
          assert.ok(isMode(mode), mode);
          const found = traced(mode, source, destination, protocol);
          assert.equal(/ [a-z]+-/.test(outcome) ? found : found.replace(/^(refused|timeout|unreachable) .*/, "$1"), outcome, mode);
        }
      });
    }
  });
}
