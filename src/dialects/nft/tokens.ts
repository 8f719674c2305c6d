/** The words of nft's language: braces, commas and line ends stand alone; a comma inside a word (`dynamic,timeout`) stays in it. */

export type NftToken = { readonly text: string; readonly quoted: boolean; readonly line: number };

/** A line end or `;` becomes a token ";". An open quote ends with its line. */
export function tokenizeNft(text: string): readonly NftToken[] {
  const tokens: NftToken[] = [];
  let line = 1;
  for (const found of text.matchAll(TOKEN)) {
    const [all] = found;
    if (all === "\n") tokens.push({ text: ";", quoted: false, line: line++ });
    else if (all.startsWith("#") || /^[ \t\r]/.test(all)) continue;
    else if (all === "\\\n") line += 1;
    else if (all.startsWith('"')) tokens.push({ text: all.replace(/^"|"$/g, ""), quoted: true, line });
    else tokens.push(...splitCommas(all).map((word) => ({ text: word, quoted: false, line })));
  }
  return tokens;
}

const TOKEN = /[ \t\r]+|\\\n|\n|#[^\n]*|"[^"\n]*"?|[{};]|[^\s{};"]+/g;

/** `a,` is a word and a comma, `a,b` one word. */
function splitCommas(word: string): string[] {
  const core = word.replace(/,+$/, "");
  const commas = word.length - core.length;
  return [...(core === "" ? [] : [core]), ...Array.from({ length: commas }, () => ",")];
}

/** The words as one text again. */
export const rawText = (tokens: readonly NftToken[]): string =>
  tokens
    .map(({ text, quoted }) => (quoted ? `"${text}"` : text))
    .join(" ")
    .replaceAll(" ,", ",");
