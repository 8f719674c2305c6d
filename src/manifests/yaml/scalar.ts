/**
 * Plain scalars, resolved as kubectl resolves them: go-yaml v2 below sigs.k8s.io/yaml. That is neither YAML 1.1 nor 1.2:
 * the booleans of 1.1, the octals of both, but no sexagesimal numbers and no dates.
 * Not modelled: integers above 2^53 keep their nearest double (Go keeps 64 bits); no field that is read here is that large.
 */

export type Scalar = string | number | boolean | null;

const TRUE = new Set("y Y yes Yes YES on On ON true True TRUE".split(" "));
const FALSE = new Set("n N no No NO off Off OFF false False FALSE".split(" "));
const NULL = new Set(["", "~", "null", "Null", "NULL"]);
const NOT_A_NUMBER = /^(?:\.nan|\.NaN|\.NAN|[-+]?(?:\.inf|\.Inf|\.INF))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const LONGEST_WORD = 5; // false

const INTEGERS: readonly { readonly form: RegExp; readonly base: number; readonly prefix: number }[] = [
  { form: /^0[bB][01]+$/, base: 2, prefix: 2 },
  { form: /^0[oO][0-7]+$/, base: 8, prefix: 2 },
  { form: /^0[xX][0-9a-fA-F]+$/, base: 16, prefix: 2 },
  { form: /^0[0-7]*$/, base: 8, prefix: 0 },
  { form: /^[1-9][0-9]*$/, base: 10, prefix: 0 },
];

/** The value of an unquoted scalar; undefined for `.inf` and `.nan`, which JSON and so the API cannot say. */
export function readPlain(text: string): Scalar | undefined {
  if (startsLikeNumber(text.charCodeAt(0))) return NOT_A_NUMBER.test(text) ? undefined : (readNumber(text) ?? text);
  if (text.length > LONGEST_WORD) return text;
  if (NULL.has(text)) return null;
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : text;
}

/** How an object's key reads once it is resolved: kubectl makes text of it afterwards, so `on:` is the key "true". */
export function readKey(text: string): string | undefined {
  const value = readPlain(text);
  return value === null || value === undefined ? undefined : String(value);
}

function readNumber(text: string): number | undefined {
  const digits = text.includes("_") ? text.replaceAll("_", "") : text;
  const integer = readInteger(digits);
  if (integer !== undefined) return integer;
  if (text.startsWith("._") || !FLOAT.test(digits)) return undefined;
  const value = Number(digits);
  return Number.isFinite(value) ? value : undefined;
}

function readInteger(digits: string): number | undefined {
  const sign = digits.startsWith("-") ? -1 : 1;
  const unsigned = sign === -1 || digits.startsWith("+") ? digits.slice(1) : digits;
  const found = INTEGERS.find(({ form }) => form.test(unsigned));
  if (found === undefined) return undefined;
  const value = Number.parseInt(unsigned.slice(found.prefix), found.base);
  return value === 0 ? 0 : sign * value; // -0 is 0
}

const startsLikeNumber = (code: number): boolean => (code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46;
