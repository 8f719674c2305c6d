/** Nodes in the order in which the scheduler would like them: a binary heap, so that 150,000 pods on 5,000 nodes stay cheap. */

export type Queue<T> = { readonly push: (value: T) => void; readonly pop: () => T | undefined };

/** A heap that gives back the smallest value by `compare`. */
export function createQueue<T>(values: readonly T[], compare: (a: T, b: T) => number): Queue<T> {
  const heap: T[] = [];
  const less = (i: number, j: number): boolean => {
    const [a, b] = [heap[i], heap[j]];
    return a !== undefined && b !== undefined && compare(a, b) < 0;
  };
  const swap = (i: number, j: number): void => {
    const [a, b] = [heap[i], heap[j]];
    if (a === undefined || b === undefined) return;
    heap[i] = b;
    heap[j] = a;
  };
  const push = (value: T): void => {
    let i = heap.push(value) - 1;
    for (let parent = (i - 1) >> 1; i > 0 && less(i, parent); i = parent, parent = (i - 1) >> 1) swap(i, parent);
  };
  const pop = (): T | undefined => {
    swap(0, heap.length - 1);
    const smallest = heap.pop();
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      const child = less(right, left) ? right : left;
      if (!less(child, i)) return smallest;
      swap(i, child);
      i = child;
    }
  };
  for (const value of values) push(value);
  return { push, pop };
}
