/** GitLab's code quality report: an array, empty when there is nothing to say. */
import type { Report, Reported } from "../../lint/lint.ts";
import { escapeJson, escapeText } from "../escape.ts";
import { fingerprint } from "./fingerprint.ts";
import { type LintContext, repositoryPath, sentence } from "./report.ts";

const SEVERITIES: Readonly<Record<Reported["severity"], "info" | "minor" | "major">> = { error: "major", warning: "minor", info: "info" };

/** One issue a finding. */
export function* renderGitlab({ findings }: Report, context: LintContext): Generator<string> {
  const issues = findings.map((found) => ({
    description: escapeText(sentence(found)),
    check_name: found.rule.code,
    fingerprint: fingerprint(found),
    severity: SEVERITIES[found.severity],
    location: { path: repositoryPath(found.at, context), lines: { begin: found.at.line, end: found.at.endLine } },
  }));
  yield `${escapeJson(JSON.stringify(issues, undefined, 2))}\n`;
}
