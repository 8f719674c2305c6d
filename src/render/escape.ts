/**
 * Makes text from manifests safe to print: what a terminal would obey, hide or reorder becomes a visible escape.
 * Covered: C0 and C1 controls, DEL, line and paragraph separators, bidirectional controls (UAX #9, "Trojan Source"),
 * zero-width and tag characters, lone surrogates. Not covered: look-alike letters.
 */

/** `a<ESC>[31m` becomes `a\x1b[31m` in visible characters. Escaping twice gives the same as once. */
export function escapeText(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_ALL, visible) : text;
}

/** Every character a terminal may act on, JSON-escaped; the value that the text stands for stays the same. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE_ALL, (found) =>
    found === "\n"
      ? found
      : toUnits(found)
          .map((unit) => `\\u${hex(unit, 4)}`)
          .join(""),
  );
}

const CLASS =
  "\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}\\ud800-\\udfff";
const UNSAFE = new RegExp(`[${CLASS}]`, "u");
const UNSAFE_ALL = new RegExp(`[${CLASS}]`, "gu");

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function visible(found: string): string {
  const code = found.codePointAt(0) ?? 0;
  return SHORT.get(found) ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 1)}}`);
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
const toUnits = (text: string): number[] => Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
