/** One line a finding, as gcc prints them and editors parse them. */
import type { Report } from "../../lint/lint.ts";
import { formatPlace } from "../../objects/source.ts";
import { escapeText } from "../escape.ts";

/** `FILE:LINE:COL: severity CODE name: message` */
export function* renderCompact({ findings }: Report): Generator<string> {
  for (const { at, severity, rule, message } of findings)
    yield `${escapeText(formatPlace(at))}: ${severity} ${rule.code} ${rule.name}: ${escapeText(message)}\n`;
}
