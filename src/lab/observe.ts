/**
 * Real connections through a lab, many at a time, and all that could be seen of them: what the client program learned, whom
 * the server saw, every interface's packets, connection entries, and the rules whose counters grew.
 */
import type { NetnsId } from "../linux/netns.ts";
import type { Ip } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";
import type { FlowAnswer } from "./agents.ts";
import { type Sighting, startCapture } from "./capture.ts";
import { indexByPort, type PortIndex, packetsOf } from "./flow.ts";
import type { Lab } from "./run.ts";
import { type CtEntry, newHits, type RuleHit, readCounters } from "./tables.ts";

/** One connection to try. `src`: the address to bind to. */
export type Flow = {
  readonly from: NetnsId;
  readonly protocol: Protocol;
  readonly dst: Ip;
  readonly dport: number;
  readonly src?: Ip;
  readonly ttl?: number;
  readonly timeoutMs?: number;
};

/** `no-answer`: the handshake came through, the answer to the client's next packet did not. */
export type ClientVerdict = "answered" | "refused" | "unreachable" | "timeout" | "no-answer";

export type Observation = {
  readonly flow: Flow;
  readonly sport: number; // or the echo id
  readonly client: { readonly verdict: ClientVerdict; readonly errno?: string; readonly ms: number };
  /** The server's own words, when its answer came back. */
  readonly serverSaw?: { readonly server: string; readonly local: string; readonly peer: string };
  readonly sightings: readonly Sighting[];
  readonly conntrack: readonly CtEntry[];
};

/** Flows that were sent together. Counters cannot tell them apart. */
export type ObservedBatch = { readonly observations: readonly Observation[]; readonly rulesHit: readonly RuleHit[] };

export type Observer = {
  readonly observe: (flows: readonly Flow[]) => Promise<ObservedBatch>;
  readonly stop: () => Promise<void>;
};

/** Below the first retransmission of a SYN, 1 s. */
const PATIENCE_MS = 900;
const FIRST_PORT = 20000;
const LAST_PORT = 29999; // NodePorts begin at 30000

/** Gets a lab ready to be observed: neighbours known, captures running, connection tables empty. */
export async function startObserver(lab: Lab): Promise<Observer> {
  const { namespaces } = lab.state;
  await Promise.all(namespaces.map(({ id }) => lab.agent(id).greet()));
  const capture = await startCapture(lab, namespaces);
  let counters = await countersOf(lab);
  let nextPort = FIRST_PORT;
  const port = (): number => {
    nextPort = nextPort > LAST_PORT ? FIRST_PORT + 1 : nextPort + 1;
    return nextPort - 1;
  };
  return {
    observe: async (flows) => {
      const asked = flows.map((flow) => ({ flow, sport: port() }));
      const answers = await askAll(lab, asked);
      const rulesHit = newHits(counters, await countersOf(lab));
      const { sightings, entries } = await capture.drain();
      counters = await countersOf(lab); // a late packet counts for nobody
      const index = indexByPort(sightings, entries);
      return { observations: asked.map((each, i) => observation(each, answers[i], index)), rulesHit };
    },
    stop: () => capture.stop(),
  };
}

type Asked = { readonly flow: Flow; readonly sport: number };

const countersOf = async (lab: Lab): Promise<RuleHit[]> => (await Promise.all(lab.state.namespaces.map(readCounters))).flat();

const askAll = (lab: Lab, asked: readonly Asked[]): Promise<FlowAnswer[]> =>
  Promise.all(
    asked.map(({ flow: { from, timeoutMs, ...request }, sport }) =>
      lab.agent(from).ask({ ...request, sport, timeoutMs: timeoutMs ?? PATIENCE_MS }),
    ),
  );

function observation({ flow, sport }: Asked, answer: FlowAnswer | undefined, index: PortIndex): Observation {
  const { errno, ms = 0 } = answer ?? {};
  return {
    flow,
    sport,
    client: { verdict: verdictOf(answer), ms, ...(errno === undefined ? {} : { errno }) },
    ...(answer?.answer ? { serverSaw: answer.answer } : {}),
    ...packetsOf({ protocol: flow.protocol, sport }, index),
  };
}

function verdictOf(answer: FlowAnswer | undefined): ClientVerdict {
  if (answer?.answer) return "answered";
  if (answer?.errno === "ECONNREFUSED") return "refused";
  if (answer?.errno !== undefined && answer.errno !== "ETIMEDOUT") return answer.connected ? "no-answer" : "unreachable";
  return answer?.connected ? "no-answer" : "timeout";
}
