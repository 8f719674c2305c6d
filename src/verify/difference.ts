/** One point in which a real node is not what was predicted, and what a comparison of one capture hands back. */
import type { Link, Netns } from "../linux/netns.ts";
import type { CauseId } from "../net/cause.ts";

export type Area = "rule" | "chain" | "policy" | "route" | "address" | "link" | "neighbour" | "fdb" | "connection" | "packet";

export type Difference = {
  readonly area: Area;
  /** `changed`: both have it, not the same. `misplaced`: both have it, in another order. */
  readonly kind: "missing" | "unexpected" | "changed" | "misplaced";
  readonly where: string; // "nat KUBE-SVC-74O5I7DKKBRLVTFF", "ip route"
  readonly predicted?: string;
  readonly found?: string;
  /** What in the input made the predicted thing. */
  readonly cause?: CauseId;
  readonly likely: string;
  readonly at?: { readonly file: string; readonly line: number };
  /** The rules, routes and entries it is about, as the walk names them. */
  readonly keys: readonly string[];
};

/** Something on the node that no agent of the prediction writes: Docker's chains, a firewall's, another CNI plugin's. */
export type Foreign = {
  readonly where: string;
  readonly owner?: string; // "Docker", when the name tells
  readonly count: number;
  /** What the grammar does not cover in it. Empty: understood. */
  readonly notUnderstood: readonly string[];
  readonly keys: readonly string[];
};

/** What one capture says: where it differs, and the node's network stack as it was captured. */
export type Compared = {
  readonly differences: readonly Difference[];
  readonly foreign: readonly Foreign[];
  readonly notes: readonly string[];
  /** Nothing in it is of a kind that can be held against the prediction. */
  readonly isIncomparable?: boolean;
  /** The predicted stack with what was captured in place of what was predicted. */
  readonly captured: Netns;
};

/** How the walk and the comparison name the same thing. */
export const ruleKey = (family: string | number, table: string, chain: string, text: string): string =>
  `rule ${family} ${table} ${chain} ${text}`;
export const isVeth = ({ type }: Link): boolean => type.kind === "veth";

/** What is in the one and not in the other; doubles count. */
export function without<T>(all: readonly T[], others: readonly T[], keyOf: (value: T) => string): T[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(keyOf(other), (left.get(keyOf(other)) ?? 0) + 1);
  return all.filter((value) => {
    const key = keyOf(value);
    const count = left.get(key) ?? 0;
    if (count > 0) left.set(key, count - 1);
    return count === 0;
  });
}
