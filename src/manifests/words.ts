/** Words of the user's input in our messages: quoted harmlessly, and compared with the words that exist. */

import { distance } from "../objects/near.ts";

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const LONGEST = 60;

/** The text in double quotes, cut, with nothing in it that a terminal would obey. */
export function quote(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return `"${escapeText(cut)}"`;
}

/** The text with control characters spelled out. */
export const escapeText = (text: string): string =>
  text.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The known word that was probably meant: one or two slips away, or the same but for capitals. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const limit = word.length < 3 ? 0 : word.length < 5 ? 1 : 2;
  let best: { readonly word: string; readonly far: number } | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const far = candidate.toLowerCase() === word.toLowerCase() ? 0 : distance(word, candidate);
    if (far <= limit && far < (best?.far ?? Infinity)) best = { word: candidate, far };
  }
  return best?.word;
}
