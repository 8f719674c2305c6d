/** The orders that lists of the decided cluster are in: by code units, the same in every locale. */
import { type Ip, ipToBigInt } from "../net/address.ts";

export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

type Named = { readonly namespace?: string; readonly name: string };
/** Namespace, then name. */
export const byNamespaceAndName = (a: Named, b: Named): number =>
  byCodeUnits(a.namespace ?? "", b.namespace ?? "") || byCodeUnits(a.name, b.name);

/** Values under each key, keys and values in the order of first sight. */
export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

/** Numeric order of two addresses of one family. */
export const compareIps = (a: Ip, b: Ip): number => {
  const [first, second] = [ipToBigInt(a), ipToBigInt(b)];
  return first < second ? -1 : first > second ? 1 : 0;
};
