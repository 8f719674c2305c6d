/** Nothing of a Secret is ever shown: lines that may be of one are left out of messages about it or about its neighbours. */

const SECRET = /(?:^|[\s{,"'-])kind["']?\s*:\s*["']?Secret(?:List)?\b/;
/** Where a member of a List begins, as kubectl prints it. */
const MEMBER = /^ {0,2}- ["']?(?:apiVersion|kind|metadata)\b/;

/** Whether the text of a document may hold a Secret. */
export const mayHoldSecret = (document: string): boolean => SECRET.test(document);

/** The line, counted from 1, unless it stands in a document, or a member of a List, that may be a Secret. */
export function shownLine(lines: readonly string[], number: number): string | undefined {
  const at = number - 1;
  if (!mayHoldSecret(partAround(lines, at, (line) => line.startsWith("---")))) return lines[at];
  const member = lines.slice(0, at + 1).findLastIndex((line) => MEMBER.test(line));
  const isInList = member !== -1 && !lines.slice(member, at + 1).some((line) => line.startsWith("---"));
  const part = isInList ? partAround(lines, at, (line) => MEMBER.test(line) || line.startsWith("---")) : undefined;
  return part === undefined || mayHoldSecret(part) ? undefined : lines[at];
}

/** The lines around one, between two that begin a part. */
function partAround(lines: readonly string[], at: number, begins: (line: string) => boolean): string {
  const from = lines.slice(0, at + 1).findLastIndex(begins);
  const length = lines.slice(at + 1).findIndex(begins);
  return lines.slice(Math.max(0, from), length === -1 ? undefined : at + 1 + length).join("\n");
}

/** A reader's message may quote what it stumbled over. */
export const withoutQuotes = (message: string): string => message.replace(/"[^"]*"|'[^']*'|<[^>]*>/g, "(not shown)");
