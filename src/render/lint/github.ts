/** GitHub's workflow commands: annotations on the lines of a pull request. Ten of a level and step are shown, so errors come first. */
import type { Report, Reported } from "../../lint/lint.ts";
import { escapeText } from "../escape.ts";
import { bySeverity, type LintContext, repositoryPath, sentence, summaryText } from "./report.ts";

const COMMANDS: Readonly<Record<Reported["severity"], string>> = { error: "error", warning: "warning", info: "notice" };

/** One command a finding, and the summary. */
export function* renderGithub(report: Report, context: LintContext): Generator<string> {
  for (const found of bySeverity(report.findings)) yield command(found, context);
  if (report.findings.length > 0) yield `::notice title=ktrace lint::${data(summaryText(report))}\n`;
}

function command(found: Reported, context: LintContext): string {
  const { severity, rule, at } = found;
  const { line, endLine, column, endColumn } = at;
  const columns = line === endLine ? `,col=${column},endColumn=${endColumn}` : ""; // columns of several lines are refused
  const properties = `file=${property(repositoryPath(at, context))},line=${line},endLine=${endLine}${columns},title=${property(`${rule.code} ${rule.name}`)}`;
  return `::${COMMANDS[severity]} ${properties}::${data(sentence(found))}\n`;
}

/** actions/toolkit: escapeData and escapeProperty. */
const data = (text: string): string => escapeText(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
