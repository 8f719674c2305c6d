/**
 * What a real kernel does with the flows of test/services: `tsx tools/observe-flows.ts MODE < targets` builds the network of
 * fixtures/services in that mode (iptables, nft30, nft36), sends each target from every source and prints one row each,
 * without asking the tracer. A target is `PROTOCOL DESTINATION`. Needs root. test/kernel/services.test.ts asks the same.
 */
import { readFileSync } from "node:fs";
import { isMode, isSource, SOURCES } from "../test/services/cluster.ts";
import { type AskedFlow, observeFlows } from "../test/services/observe.ts";
import { backendsText, readDestination } from "../test/services/rows.ts";

const mode = process.argv[2] ?? "";
if (!isMode(mode)) throw new Error(`no such mode: ${mode}`);
const targets = readFileSync(0, "utf8")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "" && !line.startsWith("#"));
const asked = targets.flatMap((target) => {
  const [protocol = "", destination = ""] = target.split(/\s+/);
  if (protocol !== "tcp" && protocol !== "udp") throw new Error(`not tcp or udp: ${target}`);
  return Object.keys(SOURCES)
    .filter(isSource)
    .map((source): { readonly text: string; readonly flow: AskedFlow } => ({
      text: `${source} | ${destination} | ${protocol}`,
      flow: { source, protocol, ...readDestination(destination) },
    }));
});
const outcomes = await observeFlows(
  mode,
  asked.map(({ flow }) => flow),
  `obs${process.pid}`,
);
asked.forEach(({ text }, i) => {
  process.stdout.write(`${text} | ${mode} | ${backendsText([...(outcomes[i] ?? [])])}\n`);
});
