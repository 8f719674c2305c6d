/**
 * The same flows in several variants of one cluster (kube-proxy modes, Kubernetes releases), and where they differ: the
 * verdict, the backends, the source address that each sees, the number of network stacks on the way.
 */
import type { Question } from "../trace/question.ts";
import type { Trace } from "../trace/trace.ts";
import { questionOf } from "./ask.ts";
import type { Flow } from "./flows.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

/** One form of the cluster. */
export type Variant = { readonly name: string; readonly trace: (question: Question) => Trace };

export type Result = Outcome & { readonly variant: string };
export type Aspect = "verdict" | "backends" | "source" | "hops";
export type Change = { readonly flow: Flow; readonly differs: readonly Aspect[]; readonly results: readonly Result[] };
export type Comparison = { readonly variants: readonly string[]; readonly flows: number; readonly changes: readonly Change[] };

/** Asks every flow in every variant, and keeps those that differ. */
export function compareVariants(variants: readonly Variant[], flows: readonly Flow[], namespace: string): Comparison {
  const changes = flows.flatMap((flow): Change[] => {
    const question = questionOf(flow, namespace);
    const results = variants.map((variant) => ({ variant: variant.name, ...outcomeOf(variant.trace(question)) }));
    const shared = results.map(({ backends }) => new Set(backends.map(({ endpoint }) => endpoint)));
    const common = (endpoint: string): boolean => shared.every((set) => set.has(endpoint));
    const differs = ASPECTS.filter((aspect) => new Set(results.map((result) => JSON.stringify(view(aspect, result, common)))).size > 1);
    return differs.length === 0 ? [] : [{ flow, differs, results }];
  });
  return { variants: variants.map(({ name }) => name), flows: flows.length, changes };
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
