/** Text as a YAML scalar that reads back as the same text, for edits: plain where that is safe, in double quotes elsewhere. */

const PLAIN = /^[A-Za-z][\w./-]*$/;
const NOT_TEXT = /^(?:true|false|yes|no|on|off|y|n|null)$/i;

export const textScalar = (text: string): string => (PLAIN.test(text) && !NOT_TEXT.test(text) ? text : JSON.stringify(text));

/** `key: value`, both text. */
export const textEntry = (key: string, value: string): string =>
  `${/^[A-Za-z][\w./-]*$/.test(key) && !NOT_TEXT.test(key) ? key : JSON.stringify(key)}: ${textScalar(value)}`;
