/** What a trace comes to: the verdict, and who takes the request, over which network stacks, seeing whom. */
import type { Reason } from "../linux/reason.ts";
import { addFractions, type Fraction, ZERO } from "../net/fraction.ts";
import type { Destination, Party, Path, Trace, Verdict } from "../trace/trace.ts";

export type Backend = {
  readonly endpoint: string; // "10.244.1.11:8080"
  readonly name: string;
  readonly share: Fraction;
  readonly sees: readonly string[];
  readonly hops: readonly number[];
  readonly ways: readonly string[]; // each way's network stacks, legs joined: "host/client > node/k8s-node2 > pod/…"
  readonly destination: Destination;
};
export type Outcome = {
  readonly from: Party; // who was walked from: in a class of sources, its representative
  readonly verdict: Verdict | "mixed";
  readonly reasons: readonly Reason[];
  readonly backends: readonly Backend[];
  readonly statuses: readonly number[]; // HTTP, where known
  readonly text: string; // of the first path that does not deliver, else of the first
};

export function outcomeOf({ request, verdict, paths }: Trace): Outcome {
  const reasons = [...new Set(paths.flatMap(({ reason }) => reason ?? []))].sort();
  const statuses = [...new Set(paths.flatMap(({ status }) => status ?? []))].sort((a, b) => a - b);
  const telling = paths.find((path) => path.verdict !== "delivered") ?? paths[0];
  return { from: request.from, verdict, reasons, backends: backendsOf(paths), statuses, text: telling?.text ?? "" };
}

type Growing = { readonly destination: Destination; share: Fraction; sees: Set<string>; hops: Set<number>; ways: Set<string> };

/** Who took the request, in the order of addresses. */
function backendsOf(paths: readonly Path[]): Backend[] {
  const found = new Map<string, Growing>();
  for (const { verdict, destination, legs, share } of paths) {
    if (!destination || (verdict !== "delivered" && verdict !== "unanswered" && verdict !== "http-error")) continue;
    const endpoint = destination.port === undefined ? destination.ip : `${destination.ip}:${destination.port}`;
    const known = found.get(endpoint) ?? { destination, share: ZERO, sees: new Set(), hops: new Set(), ways: new Set() };
    known.share = addFractions(known.share, share);
    known.sees.add(destination.clientIPSeen ?? "");
    known.hops.add(legs.reduce((sum, leg) => sum + leg.hops.length, 0));
    known.ways.add(legs.flatMap((leg) => (leg.kind === "dns" ? [] : [leg.hops.map(({ netns }) => netns).join(" > ")])).join(" | "));
    found.set(endpoint, known);
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([endpoint, { destination, share, sees, hops, ways }]) => ({
      endpoint,
      name: destination.name,
      share,
      sees: [...sees].sort(),
      hops: [...hops].sort((a, b) => a - b),
      ways: [...ways].sort(),
      destination,
    }));
}
