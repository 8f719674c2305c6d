/** Which of several names or numbers was probably meant: edit distance (Damerau: a swap of neighbours is one error). */

export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const above = rows[i - 1] ?? [];
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const plain = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : plain;
      row.push(Math.min(plain, swapped));
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}

/** Longer words are not compared: no name in Kubernetes is, and the table above grows with the square. */
const LONGEST = 253;

/** How far apart two words are, if one may be a slip for the other: two errors, or a third of a longer word. */
export function slip(a: string, b: string): number | undefined {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  const longer = Math.max(x.length, y.length);
  const most = Math.max(2, Math.floor(longer / 3));
  if (longer > LONGEST || Math.abs(x.length - y.length) > most) return undefined;
  const found = distance(x, y);
  return found <= most && found < longer ? found : undefined;
}

/** Those that `word` is most probably a slip for; none is nearer than another. */
export function nearest<T>(word: string, values: readonly T[], nameOf: (value: T) => string): T[] {
  const found = values.flatMap((value) => {
    const far = slip(word, nameOf(value));
    return far === undefined ? [] : [{ value, far }];
  });
  const least = Math.min(...found.map(({ far }) => far));
  return found.filter(({ far }) => far === least).map(({ value }) => value);
}
