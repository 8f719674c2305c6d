/** A finding's identity as one word: the same as long as it is the same code, object and field, whatever its line. */
import { createHash } from "node:crypto";
import type { Reported } from "../../lint/lint.ts";

export const fingerprint = ({ rule, object, field, nth }: Pick<Reported, "rule" | "object" | "field" | "nth">): string =>
  hash(JSON.stringify([rule.code, object, field, nth]));

export const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);
