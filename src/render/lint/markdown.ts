/** A table for a pull request's comment (65,536 characters at most) and for GitHub's step summary (1 MiB). */
import type { Report, Reported } from "../../lint/lint.ts";
import { formatPlace } from "../../objects/source.ts";
import { escapeText } from "../escape.ts";
import { bySeverity, type LintContext, summaryText } from "./report.ts";

const MOST = 60_000;

/** A heading, the summary, and as many findings as fit, the worst first. */
export function* renderMarkdown(report: Report, context: LintContext): Generator<string> {
  yield `### ktrace lint: ${report.failed ? "failed" : "passed"}\n\n${plain(summaryText(report))}\n`;
  if (report.findings.length === 0) return;
  yield "\n| severity | rule | where | what |\n|---|---|---|---|\n";
  const rows = bySeverity(report.findings);
  let length = 0;
  for (const [i, found] of rows.entries()) {
    const text = row(found);
    length += text.length;
    if (length > MOST) {
      yield `\n… and ${rows.length - i} more: run \`${context.program} lint\` to see them.\n`;
      return;
    }
    yield text;
  }
}

function row({ severity, rule, at, message, label, help, packet }: Reported): string {
  const parts = [
    plain(message),
    ...(label === undefined ? [] : [plain(label)]),
    ...(packet === undefined ? [] : [`${code(packet.command)}: ${plain(packet.text === "" ? packet.verdict : packet.text)}`]),
    ...(help === undefined ? [] : [`**help**: ${plain(help)}`]),
  ];
  return `| ${severity} | ${rule.code} ${rule.name} | ${code(formatPlace(at))} | ${parts.join("<br>")} |\n`;
}

/** Text in which nothing is markup, a link, an image or a mention. */
const plain = (text: string): string =>
  escapeText(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[\\`*_{}[\]()#+!|~$]/g, (found) => `&#${found.charCodeAt(0)};`)
    .replaceAll("@", "@\u2060")
    .replaceAll("://", ":&#47;&#47;");

/** Code with nothing in it that could end it. A bar would end the cell, even in code. */
const code = (text: string): string => `\`${escapeText(text).replaceAll("`", "'").replaceAll("|", "\\|")}\``;
