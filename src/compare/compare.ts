/**
 * The same flows in several variants of one cluster (kube-proxy modes, Kubernetes releases), and where they differ: the
 * verdict, the backends, the source address that each sees, the number of network stacks on the way.
 */
import type { Reason } from "../linux/reason.ts";
import type { Question } from "../trace/question.ts";
import type { Path, Trace, Verdict } from "../trace/trace.ts";
import type { Flow } from "./flows.ts";

/** One form of the cluster. */
export type Variant = { readonly name: string; readonly trace: (question: Question) => Trace };

export type Backend = {
  readonly endpoint: string; // "10.244.1.11:8080"
  readonly name: string;
  readonly sees: readonly string[];
  readonly hops: readonly number[];
};
export type Result = {
  readonly variant: string;
  readonly verdict: Verdict | "mixed";
  readonly reasons: readonly Reason[];
  readonly backends: readonly Backend[];
  readonly text: string; // of the first path that does not deliver, else of the first
};
export type Aspect = "verdict" | "backends" | "source" | "hops";
export type Change = { readonly flow: Flow; readonly differs: readonly Aspect[]; readonly results: readonly Result[] };
export type Comparison = { readonly variants: readonly string[]; readonly flows: number; readonly changes: readonly Change[] };

/** Asks every flow in every variant, and keeps those that differ. */
export function compareVariants(variants: readonly Variant[], flows: readonly Flow[], namespace: string): Comparison {
  const changes = flows.flatMap((flow): Change[] => {
    const question = questionOf(flow, namespace);
    const results = variants.map((variant) => resultOf(variant.name, variant.trace(question)));
    const shared = results.map(({ backends }) => new Set(backends.map(({ endpoint }) => endpoint)));
    const common = (endpoint: string): boolean => shared.every((set) => set.has(endpoint));
    const differs = ASPECTS.filter((aspect) => new Set(results.map((result) => JSON.stringify(view(aspect, result, common)))).size > 1);
    return differs.length === 0 ? [] : [{ flow, differs, results }];
  });
  return { variants: variants.map(({ name }) => name), flows: flows.length, changes };
}

function questionOf({ from, host, port, protocol }: Flow, namespace: string): Question {
  const to = host.includes(":") && port !== undefined ? `[${host}]:${port}` : port === undefined ? host : `${host}:${port}`;
  return {
    command: `trace --to ${to}${protocol === "tcp" ? "" : ` --protocol ${protocol}`}`,
    program: "trace",
    from,
    namespace,
    to: { host, protocol, ...(port === undefined ? {} : { port }) },
    evidence: false,
  };
}

const ASPECTS: readonly Aspect[] = ["verdict", "backends", "source", "hops"];

/** What of a result is compared under each heading; a backend that not all have differs under `backends` alone. */
function view(aspect: Aspect, { verdict, reasons, backends }: Result, common: (endpoint: string) => boolean): unknown {
  switch (aspect) {
    case "verdict":
      return [verdict, reasons];
    case "backends":
      return backends.map(({ endpoint }) => endpoint);
    case "source":
      return backends.filter(({ endpoint }) => common(endpoint)).map(({ endpoint, sees }) => [endpoint, sees]);
    case "hops":
      return backends.filter(({ endpoint }) => common(endpoint)).map(({ endpoint, hops }) => [endpoint, hops]);
    default:
      return aspect satisfies never;
  }
}

function resultOf(variant: string, { verdict, paths }: Trace): Result {
  const reasons = [...new Set(paths.flatMap(({ reason }) => reason ?? []))].sort();
  const telling = paths.find((path) => path.verdict !== "delivered") ?? paths[0];
  return { variant, verdict, reasons, backends: backendsOf(paths), text: telling?.text ?? "" };
}

/** Who took the request, in the order of addresses. */
function backendsOf(paths: readonly Path[]): Backend[] {
  const found = new Map<string, { name: string; sees: Set<string>; hops: Set<number> }>();
  for (const { verdict, destination, legs } of paths) {
    if (!destination || (verdict !== "delivered" && verdict !== "unanswered" && verdict !== "http-error")) continue;
    const endpoint = destination.port === undefined ? destination.ip : `${destination.ip}:${destination.port}`;
    const known = found.get(endpoint) ?? { name: destination.name, sees: new Set(), hops: new Set() };
    known.sees.add(destination.clientIPSeen ?? "");
    known.hops.add(legs.reduce((sum, leg) => sum + leg.hops.length, 0));
    found.set(endpoint, known);
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([endpoint, { name, sees, hops }]) => ({ endpoint, name, sees: [...sees].sort(), hops: [...hops].sort((a, b) => a - b) }));
}
