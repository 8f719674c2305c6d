/**
 * The nodes in the order in which one set of pods would like them, drawn from a pool that all sets with the same demands
 * share: 10,000 Deployments on 5,000 nodes must not sort 5,000 nodes each.
 */
import type { ClusterNode } from "../cluster.ts";
import type { HostPort } from "./host-ports.ts";
import { createQueue, type Queue } from "./node-queue.ts";
import type { Taken } from "./resource-fit.ts";

/** One node while pods are being put on it. */
export type Seat = {
  readonly node: ClusterNode;
  readonly rank: number;
  pods: number;
  readonly ports: HostPort[];
  readonly taken: Taken;
  readonly allocatable?: ReadonlyMap<string, number>;
};
/** A node that would have the pod, as far as other pods do not matter. */
export type Welcome = { readonly seat: Seat; readonly penalty: number };
export type Candidate = Welcome & { readonly own: number };

/** Entries remember the count of pods that they were sorted by; counts only grow, so a stale one moves back when it comes up. */
export type Pool = Queue<Welcome & { readonly pods: number }>;

export const createPool = (welcome: readonly Welcome[]): Pool =>
  createQueue(
    welcome.map((each) => ({ ...each, pods: each.seat.pods })),
    (a, b) => a.penalty - b.penalty || a.pods - b.pods || a.seat.rank - b.seat.rank,
  );

export type Line = {
  readonly next: () => Candidate | undefined;
  readonly putBack: (candidate: Candidate) => void;
  /** Gives the nodes back to the pool. */
  readonly close: () => void;
};

/** `ownPods` tells how many pods of the set a node has already. */
export function openLine(pool: Pool, ownPods: (seat: Seat) => number): Line {
  const drawn = createQueue<Candidate>([], byPreference);
  let fresh = 0; // drawn nodes without a pod of the set: while there is one, the pool holds nothing better
  const putBack = (candidate: Candidate): void => {
    drawn.push(candidate);
    if (candidate.own === 0) fresh++;
  };
  return {
    next: () => {
      while (fresh === 0) {
        const entry = drawFrom(pool);
        if (!entry) break;
        putBack({ seat: entry.seat, penalty: entry.penalty, own: ownPods(entry.seat) });
      }
      const best = drawn.pop();
      if (best?.own === 0) fresh--;
      return best;
    },
    putBack,
    close: () => {
      for (let each = drawn.pop(); each; each = drawn.pop()) pool.push({ seat: each.seat, penalty: each.penalty, pods: each.seat.pods });
    },
  };
}

function drawFrom(pool: Pool): Welcome | undefined {
  for (;;) {
    const entry = pool.pop();
    if (!entry || entry.pods === entry.seat.pods) return entry;
    pool.push({ ...entry, pods: entry.seat.pods });
  }
}

const byPreference = (a: Candidate, b: Candidate): number =>
  a.penalty - b.penalty || a.own - b.own || a.seat.pods - b.seat.pods || a.seat.rank - b.seat.rank;
