/** What a real kernel does with flows through the cluster of fixtures/services: asked without the tracer. Needs root. */
import type { FlowAnswer } from "../../src/lab/agents.ts";
import { netnsOfCluster, nftText, restoreText } from "../../src/lab/of-cluster.ts";
import { planLab } from "../../src/lab/plan.ts";
import { down, holdLab, type Lab } from "../../src/lab/run.ts";
import { type ModeName, openServices, SOURCES, type SourceName } from "./cluster.ts";

export type AskedFlow = { readonly source: SourceName; readonly protocol: "tcp" | "udp"; readonly host: string; readonly port: number };
export type Seen = ReadonlySet<string>;

/** Of two backends one goes unseen in 1 of 2000 flows. */
const COPIES = 11;
/** So many connections at once leave a busy machine time to answer each before the first SYN is sent again. */
const SENT = { together: 300, timeoutMs: 900 } as const;
/** Those that are asked again are given more time, in smaller company. */
const CONFIRMED = { together: 60, timeoutMs: 3000 } as const;
const CONFIRMATIONS = 2;
/** Below the node ports, above what pods listen on. */
const PORTS = { first: 20000, last: 29999 } as const;

/**
 * Each flow's outcomes: `10.244.1.11:8080=10.244.1.15`, who answered and whom it saw; else what the client learned. What is not as
 * `expected` is asked again, so that a machine under load is not taken for one that drops packets.
 */
export async function observeFlows(
  mode: ModeName,
  flows: readonly AskedFlow[],
  lab: string,
  expected: (index: number, seen: Seen) => boolean = () => true,
): Promise<readonly Seen[]> {
  const session = openServices(mode);
  await down(lab);
  const held = await holdLab(planLab(session.world, netnsOfCluster(session.cluster), { lab, restoreText, nftText, fastNeighbours: true }));
  try {
    await Promise.all(held.state.namespaces.map(({ id }) => held.agent(id).greet()));
    const ask = asker(held);
    const outcomes = await seenOf(flows, ask, SENT);
    for (let time = 0; time < CONFIRMATIONS; time++) {
      const doubted = outcomes.flatMap((seen, i) => (expected(i, seen) ? [] : [i]));
      const again = await seenOf(
        doubted.flatMap((i) => flows[i] ?? []),
        ask,
        CONFIRMED,
      );
      doubted.forEach((i, k) => {
        outcomes[i] = again[k] ?? new Set();
      });
    }
    return outcomes;
  } finally {
    await held.down();
  }
}

type Ask = (flow: AskedFlow, timeoutMs: number) => Promise<string>;
type Pace = { readonly together: number; readonly timeoutMs: number };

/** One connection of a port of its own. */
function asker(lab: Lab): Ask {
  let port: number = PORTS.first;
  return async ({ source, protocol, host, port: dport }, timeoutMs) => {
    port = port >= PORTS.last ? PORTS.first : port + 1;
    return outcomeOf(await lab.agent(SOURCES[source]).ask({ protocol, dst: host, dport, sport: port, timeoutMs }));
  };
}

/** What is answered is asked a few times more once that is known, since another endpoint may answer then; a client that sticks has its endpoint by then. */
async function seenOf(flows: readonly AskedFlow[], ask: Ask, pace: Pace): Promise<Seen[]> {
  const first = await inBatches(flows, ask, pace);
  const open = first.flatMap((text, i) => (text.includes("=") ? Array.from({ length: COPIES - 1 }, () => i) : []));
  const more = await inBatches(
    open.flatMap((i) => flows[i] ?? []),
    ask,
    pace,
  );
  const seen = first.map((text) => new Set([text]));
  open.forEach((i, k) => {
    seen[i]?.add(more[k] ?? "");
  });
  return seen;
}

async function inBatches(flows: readonly AskedFlow[], ask: Ask, { together, timeoutMs }: Pace): Promise<string[]> {
  const all: string[] = [];
  for (let at = 0; at < flows.length; at += together)
    all.push(...(await Promise.all(flows.slice(at, at + together).map((flow) => ask(flow, timeoutMs)))));
  return all;
}

function outcomeOf({ answer, errno, connected }: FlowAnswer): string {
  if (answer) return `${answer.local}=${answer.peer.replace(/:\d+$/, "")}`;
  if (errno === "ECONNREFUSED") return "refused";
  if (errno !== undefined && errno !== "ETIMEDOUT" && !connected) return "unreachable";
  return connected ? "no-answer" : "timeout";
}
