/** One random case: a cluster and the flows sent through it together, observed once on a real kernel and judged. */
import fc from "fast-check";
import type { Session } from "../../../src/ktrace.ts";
import { describeDisagreement, type JudgedBatch, judgeBatch } from "../../../src/lab/judge.ts";
import { type Flow, type ObservedBatch, startObserver } from "../../../src/lab/observe.ts";
import { netnsOfCluster, nftText, restoreText } from "../../../src/lab/of-cluster.ts";
import { planLab } from "../../../src/lab/plan.ts";
import { down, holdLab } from "../../../src/lab/run.ts";
import { UsageError } from "../../../src/objects/diagnostic.ts";
import { randomDraft } from "./cluster.ts";
import { type Draft, filesOf, openDraft } from "./draft.ts";
import { type FlowSketch, flowSketch, flowsOf } from "./flows.ts";

export const FLOWS = 10;

export const randomCase = fc.record({
  cluster: randomDraft,
  flows: fc.array(flowSketch, { minLength: FLOWS, maxLength: FLOWS, size: "max" }),
});
/** Places of the sketches that count, when not all do. */
export type Focus = ReadonlySet<number>;
export type RandomCase = {
  readonly cluster: { readonly draft: Draft; readonly arms: readonly string[] };
  readonly flows: readonly FlowSketch[];
};

export type Outcome =
  | {
      readonly kind: "judged";
      readonly session: Session;
      readonly flows: readonly Flow[];
      readonly places: readonly number[];
      readonly batch: ObservedBatch;
      readonly judged: JudgedBatch;
    }
  /** The input is refused, as a user would be told. */
  | { readonly kind: "refused"; readonly text: string };

/** Builds the network in a lab of this name, sends the flows, judges, removes it. */
export async function tryCase({ cluster, flows: sketches }: RandomCase, lab: string, focus?: Focus, copies = 1): Promise<Outcome> {
  const session = opened(cluster.draft);
  if (typeof session === "string") return { kind: "refused", text: session };
  const sent = flowsOf(session, sketches)
    .filter(({ place }) => focus?.has(place) !== false)
    .flatMap((each) => Array.from({ length: copies }, () => each));
  const flows = sent.map(({ flow }) => flow);
  const batch = await observed(session, cluster.draft.backend, flows, lab);
  return { kind: "judged", session, flows, places: sent.map(({ place }) => place), batch, judged: judgeBatch(session.world, batch) };
}

export type Judged = { readonly observed: ObservedBatch; readonly judged: JudgedBatch };

/** Sends flows through a cluster that was made by hand. */
export async function judgeDraft(draft: Draft, flows: readonly Flow[], lab: string): Promise<Judged> {
  const session = openDraft(draft);
  const batch = await observed(session, draft.backend, flows, lab);
  return { observed: batch, judged: judgeBatch(session.world, batch) };
}

/** The case of a seed. */
export function sampleCase(seed: number): RandomCase {
  const [sample] = fc.sample(randomCase, { seed, numRuns: 1, unbiased: true });
  if (!sample) throw new Error("fast-check made nothing");
  return sample;
}

async function observed(session: Session, backend: Draft["backend"], flows: readonly Flow[], name: string): Promise<ObservedBatch> {
  await down(name);
  const options = { lab: name, restoreText, nftText, fastNeighbours: true, backend };
  const lab = await holdLab(planLab(session.world, netnsOfCluster(session.cluster), options));
  try {
    const observer = await startObserver(lab);
    try {
      return await observer.observe(flows);
    } finally {
      await observer.stop();
    }
  } finally {
    await lab.down();
  }
}

function opened(draft: Draft): Session | string {
  try {
    return openDraft(draft);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** What both sides disagree on, in words; empty when they agree. */
export function disagreements({ flows, rules }: JudgedBatch): string[] {
  const different = flows.filter(({ judgement }) => judgement.differences.length > 0).map(describeDisagreement);
  return [...different, ...rules.map(({ text }) => `rules: ${text}`)];
}

/** A counterexample as files and a command. */
export function describeFixture(draft: Draft, flows: readonly Flow[]): string {
  const files = Object.entries(filesOf(draft)).map(([name, text]) => `--- ${name}\n${text.trimEnd()}`);
  const asked = flows.map(
    ({ from, protocol, dst, dport, ttl, src }) =>
      `$ ktrace -f manifests.yaml -t topology.yaml --from ${from} trace --to ${protocol === "icmp" ? dst : `${dst}:${dport}`} --protocol ${protocol}${ttl === undefined ? "" : `  # TTL ${ttl}`}${src === undefined ? "" : `  # from ${src}`}`,
  );
  return [...files, `--- iptables back end: ${draft.backend}`, ...asked].join("\n");
}
