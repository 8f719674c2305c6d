/** Every reason code explained: `ktrace explain CODE` prints it, and a trace that ends so takes its `fix` as advice. */
import type { Reason } from "../../linux/reason.ts";
import { FORWARDING } from "./forwarding.ts";
import { NAMES_AND_HTTP } from "./names-and-http.ts";
import { REFUSED } from "./refused.ts";
import { RULES } from "./rules.ts";

export type Explanation = {
  readonly title: string; // a few words, no full stop
  readonly what: string; // what happened to the packet
  readonly why: string; // the mechanism, as a picture of the packet's way
  readonly fix: readonly string[]; // what to change, likeliest first; one sentence each
  readonly clientSees: string; // what curl, nc or ping then say
};

export const REASONS: Readonly<Record<Reason, Explanation>> = { ...REFUSED, ...RULES, ...FORWARDING, ...NAMES_AND_HTTP };

/** Whether a word is a reason code. */
export const isReason = (word: string): word is Reason => Object.hasOwn(REASONS, word);

/** All codes in order, for the list that `ktrace explain` prints. */
export const REASON_CODES: readonly string[] = Object.keys(REASONS).sort();

/** One explanation as plain text. */
export function explainText(reason: Reason): string {
  const { title, what, why, fix, clientSees } = REASONS[reason];
  const indented = why
    .split("\n")
    .map((row) => `  ${row}`)
    .join("\n");
  const fixes = fix.map((text) => `  - ${text}`).join("\n");
  return `${reason}: ${title}\n\n${what}\n\nThe packet\n${indented}\n\nThe client sees\n  ${clientSees}\n\nWhat to change\n${fixes}\n`;
}
