/** iproute2's lines: words in pairs of key and value, and flags that stand alone. */

/** The value after a key, undefined when the key is missing. */
export const valueAfter = (words: readonly string[], key: string): string | undefined => {
  const at = words.indexOf(key);
  return at < 0 ? undefined : words[at + 1];
};

export const wordsOf = (line: string): string[] => line.split(/\s+/).filter((word) => word !== "");

/** A decimal number of at most nine digits, undefined for anything else. */
export const numberOf = (word: string | undefined): number | undefined =>
  word !== undefined && /^\d{1,9}$/.test(word) ? Number(word) : undefined;

export const isMac = (word: string | undefined): word is string => word !== undefined && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(word);

/** What a parser made of a text; lines that it could not use are kept, never dropped in silence. */
export type Parsed<T> = { readonly entries: readonly T[]; readonly unread: readonly string[] };

/** Reads a text line by line; empty lines are nothing. */
export function parseLines<T>(text: string, read: (line: string) => T | undefined): Parsed<T> {
  const entries: T[] = [];
  const unread: string[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const entry = read(line);
    if (entry === undefined) unread.push(line);
    else entries.push(entry);
  }
  return { entries, unread };
}
