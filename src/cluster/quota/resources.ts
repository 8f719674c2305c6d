/**
 * What containers and pods ask for: requests and limits with the API server's defaults (apis/core/v1/defaults.go), and
 * a pod's effective amounts (component-helpers/resource, PodRequests and PodLimits). Not modelled: pod-level resources.
 */
import type { Container, PodSpec, ResourceList } from "../../objects/api.ts";
import { fieldAt } from "../../objects/record.ts";
import { addQuantities, maxQuantity, parseQuantity, type Quantity } from "./quantity.ts";

export type Amounts = ReadonlyMap<string, Quantity>;
export type Resources = { readonly requests: Amounts; readonly limits: Amounts };

/** A written list; what is no quantity is left out, as the API server would not have taken it. */
export const amountsOf = (list: ResourceList | undefined): Amounts =>
  new Map(
    Object.entries(list ?? {}).flatMap(([name, written]) => {
      const quantity = parseQuantity(written);
      return quantity === undefined ? [] : [[name, quantity] as const];
    }),
  );

/** A container's requests and limits; a request left out is the limit. */
export function containerResources({ resources }: Container): Resources {
  const limits = amountsOf(resources?.limits);
  return { limits, requests: new Map([...limits, ...amountsOf(resources?.requests)]) };
}

/**
 * Containers and sidecars run together; init containers run one by one, each beside the sidecars started before it. The
 * larger of the two is asked for, and the runtime class's overhead on top.
 */
export function podResources(spec: PodSpec): Resources {
  return { requests: effective(spec, "requests"), limits: effective(spec, "limits") };
}

function effective(spec: PodSpec, which: "requests" | "limits"): Amounts {
  let total = sumAmounts((spec.containers ?? []).map((container) => containerResources(container)[which]));
  let sidecars: Amounts = new Map();
  let start: Amounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const own = containerResources(container)[which];
    if (container.restartPolicy === "Always") {
      sidecars = sumAmounts([sidecars, own]);
      total = sumAmounts([total, own]);
      start = mergeAmounts(start, sidecars, maxQuantity);
    } else start = mergeAmounts(start, sumAmounts([sidecars, own]), maxQuantity);
  }
  const all = mergeAmounts(total, start, maxQuantity);
  const overhead = fieldAt(spec, "overhead");
  return overhead === undefined ? all : sumAmounts([all, overheadOf(overhead)]);
}

const overheadOf = (overhead: unknown): Amounts =>
  amountsOf(
    Object.fromEntries(
      ["cpu", "memory", "ephemeral-storage"].flatMap((name) => {
        const written = fieldAt(overhead, name);
        return typeof written === "string" || typeof written === "number" ? [[name, written] as const] : [];
      }),
    ),
  );

/** The sum under each name. */
export const sumAmounts = (lists: readonly Amounts[]): Amounts =>
  lists.reduce((sum, list) => mergeAmounts(sum, list, addQuantities), new Map<string, Quantity>());

/** Both lists' names; where both have one, what `combine` makes of the two. */
export function mergeAmounts(a: Amounts, b: Amounts, combine: (a: Quantity, b: Quantity) => Quantity): Amounts {
  if (b.size === 0) return a;
  const merged = new Map(a);
  for (const [name, quantity] of b) {
    const there = merged.get(name);
    merged.set(name, there === undefined ? quantity : combine(there, quantity));
  }
  return merged;
}

/** As the API prints it; names in code-unit order. */
export const sortedNames = (amounts: Amounts): string[] => [...amounts.keys()].sort();
