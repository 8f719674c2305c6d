/**
 * The words of one iptables-save or iptables-restore line. Quoting as libxtables reads it: inside double or single quotes a
 * backslash takes the next character as it is; outside them it is an ordinary character.
 */

/** `raw` is the word as written, with its quotes, so that what is not understood can be printed back unchanged. */
export type Token = { readonly text: string; readonly raw: string; readonly quoted: boolean };

/** The words of a line, or undefined when a quote is not closed. */
export function tokenize(line: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  while (at < line.length) {
    if (isBlank(line[at])) {
      at += 1;
      continue;
    }
    const end = wordEnd(line, at);
    if (end === undefined) return undefined;
    const raw = line.slice(at, end);
    tokens.push({ text: unquote(raw), raw, quoted: raw.startsWith('"') || raw.startsWith("'") });
    at = end;
  }
  return tokens;
}

/** As libxtables' xtables_save_string writes an argument: bare only when nothing but letters, digits, `_` and `-` is in it. */
export function quoteArgument(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, "\\$&")}"`;
}

/** The words as one text again. */
export const rawText = (tokens: readonly Token[]): string => tokens.map((token) => token.raw).join(" ");

const isBlank = (char: string | undefined): boolean => char === " " || char === "\t" || char === "\r";

function wordEnd(line: string, start: number): number | undefined {
  let quote: string | undefined;
  let at = start;
  for (; at < line.length; at += 1) {
    const char = line[at];
    if (quote === undefined && isBlank(char)) break;
    if (quote !== undefined && char === "\\") at += 1;
    else if (quote === undefined && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = undefined;
  }
  return quote === undefined ? at : undefined;
}

function unquote(raw: string): string {
  let text = "";
  let quote: string | undefined;
  for (let at = 0; at < raw.length; at += 1) {
    const char = raw[at] ?? "";
    if (quote === undefined && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = undefined;
    else if (quote !== undefined && char === "\\") text += raw[++at] ?? "";
    else text += char;
  }
  return text;
}
