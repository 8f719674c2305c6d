/**
 * Text that wants to be JSON and is YAML by luck: kubectl from 1.35 on tries YAML after JSON has failed, earlier ones refuse it
 * (k8s.io/apimachinery/pkg/util/yaml, YAMLOrJSONDecoder). Finds the usual slip, outside of strings.
 */

export type JsonSlip = { readonly message: string; readonly help: string; readonly start: number; readonly end: number };

const TOKEN = /"(?:[^"\\\n]|\\.)*"|(,)\s*[\]}]|(\/\/|\/\*|#)|(')/g;

/** What keeps a document from being JSON; undefined when it is none of the usual slips. */
export function jsonSlip(text: string): JsonSlip | undefined {
  for (const match of text.matchAll(TOKEN)) {
    const [, comma, comment, quote] = match;
    const at = { start: match.index, end: match.index + 1 };
    if (comma !== undefined) return { message: "a comma before the closing bracket: JSON has none there", help: "remove the comma", ...at };
    if (comment !== undefined)
      return { message: "a comment: JSON has none", help: "remove it, or write YAML, in which it begins with #", ...at };
    if (quote !== undefined) return { message: "a single quote: JSON has double ones only", help: 'write "', ...at };
  }
  return undefined;
}
