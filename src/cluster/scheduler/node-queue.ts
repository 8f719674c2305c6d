/** Nodes in the order in which the scheduler would like them: a binary heap, so that 150,000 pods on 5,000 nodes stay cheap. */

export type Queue<T> = { readonly push: (value: T) => void; readonly pop: () => T | undefined };

/** A heap that gives back the smallest value by `compare`. Values move through a hole, one write a level. */
export function createQueue<T>(values: readonly T[], compare: (a: T, b: T) => number): Queue<T> {
  const heap: T[] = [];
  const push = (value: T): void => {
    let i = heap.push(value) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || compare(value, parent) >= 0) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = value;
  };
  const pop = (): T | undefined => {
    const smallest = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return last;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      let child = heap[down];
      if (child === undefined) break;
      const right = heap[down + 1];
      if (right !== undefined && compare(right, child) < 0) {
        child = right;
        down += 1;
      }
      if (compare(child, last) >= 0) break;
      heap[i] = child;
      i = down;
    }
    heap[i] = last;
    return smallest;
  };
  for (const value of values) push(value);
  return { push, pop };
}
