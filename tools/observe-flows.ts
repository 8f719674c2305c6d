/**
 * What a real kernel does with the flows of test/services: `tsx tools/observe-flows.ts MODE < targets` builds the network of
 * fixtures/services in that mode (iptables, nft30, nft36), sends each target from every source and prints one row each,
 * without asking the tracer. A target is `PROTOCOL DESTINATION`. Needs root.
 */
import { readFileSync } from "node:fs";
import { type Observation, startObserver } from "../src/lab/observe.ts";
import { netnsOfCluster, nftText, restoreText } from "../src/lab/of-cluster.ts";
import { planLab } from "../src/lab/plan.ts";
import { down, holdLab } from "../src/lab/run.ts";
import { isMode, openServices, SOURCES } from "../test/services/cluster.ts";

/** Of two backends one goes unseen in 1 of 2000 rows. */
const COPIES = 11;

const mode = process.argv[2] ?? "";
if (!isMode(mode)) throw new Error(`no such mode: ${mode}`);
const session = openServices(mode);
const targets = readFileSync(0, "utf8")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "" && !line.startsWith("#"));
const flows = targets.flatMap((target) => {
  const [protocol = "", destination = ""] = target.split(/\s+/);
  if (protocol !== "tcp" && protocol !== "udp") throw new Error(`not tcp or udp: ${target}`);
  const cut = destination.lastIndexOf(":");
  const dst = destination.slice(0, cut).replace(/^\[|\]$/g, "");
  return Object.entries(SOURCES).map(([name, from]) => ({
    row: `${name} | ${destination} | ${protocol}`,
    flow: { from, protocol, dst, dport: Number(destination.slice(cut + 1)) } as const,
  }));
});

const lab = `obs${process.pid}`;
await down(lab);
const held = await holdLab(planLab(session.world, netnsOfCluster(session.cluster), { lab, restoreText, nftText, fastNeighbours: true }));
try {
  const observer = await startObserver(held);
  const outcomes = flows.map(() => new Set<string>());
  for (let round = 0; round < COPIES; round++) {
    const open = flows.flatMap((_, i) => (round === 0 || [...(outcomes[i] ?? [])].some((text) => text.includes("=")) ? [i] : []));
    const { observations } = await observer.observe(open.flatMap((i) => flows[i]?.flow ?? []));
    observations.forEach((each, k) => {
      outcomes[open[k] ?? -1]?.add(outcomeOf(each));
    });
  }
  await observer.stop();
  flows.forEach(({ row }, i) => {
    process.stdout.write(`${row} | ${mode} | ${[...(outcomes[i] ?? [])].sort().join(" ")}\n`);
  });
} finally {
  await held.down();
}

/** `10.244.1.11:8080=10.244.1.15`: who answered, and whom it saw; else what the client learned. */
function outcomeOf({ client, serverSaw }: Observation): string {
  if (!serverSaw) return client.verdict;
  return `${serverSaw.local}=${serverSaw.peer.replace(/:\d+$/, "")}`;
}
