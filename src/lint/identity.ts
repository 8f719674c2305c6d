/** What a finding is, without its line: the same finding in the next run, in a baseline file, and in a code scanning service. */
import { formatPath } from "../objects/violation.ts";
import type { Found } from "./run.ts";

export type Identity = { readonly code: string; readonly object: string; readonly field: string };

/** Code, object and field path. What is about no object is about its file. */
export function identityOf({ rule, about, mark, at }: Pick<Found, "rule" | "about" | "mark" | "at">): Identity {
  const [first] = about;
  const object =
    first === undefined ? `file ${at.file}` : `${first.kind} ${first.namespace === undefined ? "" : `${first.namespace}/`}${first.name}`;
  return { code: rule.code, object, field: mark === undefined ? "" : formatPath(mark.field) };
}

export const identityKey = ({ code, object, field }: Identity): string => JSON.stringify([code, object, field]);

/** Each finding's identity with a number: the second of two that are alike has 2. */
export function numbered<F extends Pick<Found, "rule" | "about" | "mark" | "at">>(
  findings: readonly F[],
): readonly (Identity & { readonly nth: number })[] {
  const seen = new Map<string, number>();
  return findings.map((found) => {
    const identity = identityOf(found);
    const key = identityKey(identity);
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    return { ...identity, nth };
  });
}
