/** Names from foreign input on their way to a terminal: what would steer it or hide text is shown as `?`, as ls(1) does. */

/** The text without control, format and line-separator characters. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "?");

/** A name as one word of a line: whitespace goes too. */
export const printableWord = (text: string): string => printable(text).replace(/\s/gu, "?");
