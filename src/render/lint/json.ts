/** A lint report for programs, as schema/lint.schema.json describes it: one document, or one finding a line and a summary last. */
import type { Fix } from "../../lint/fix.ts";
import type { Muted, Report, Reported } from "../../lint/lint.ts";
import type { Place } from "../../objects/source.ts";
import { escapeJson } from "../escape.ts";
import { API_VERSION } from "../json.ts";
import { fingerprint } from "./fingerprint.ts";
import { type LintContext, ruleUrl } from "./report.ts";

/** The document. */
export function* renderLintJson(report: Report, context: LintContext): Generator<string> {
  const document = {
    ...head("LintReport", context),
    summary: summary(report),
    findings: report.findings.map(findingJson),
    ...(context.showMuted && { suppressed: report.muted.map(mutedJson) }),
  };
  yield `${escapeJson(JSON.stringify(document, undefined, 2))}\n`;
}

/** `Finding` lines, then a `Summary`. */
export function* renderLintJsonLines(report: Report, context: LintContext): Generator<string> {
  for (const found of report.findings) yield line({ apiVersion: API_VERSION, kind: "Finding", ...findingJson(found) });
  if (context.showMuted) for (const found of report.muted) yield line({ apiVersion: API_VERSION, kind: "Suppressed", ...mutedJson(found) });
  yield line({ ...head("Summary", context), summary: summary(report) });
}

const line = (value: object): string => `${escapeJson(JSON.stringify(value))}\n`;
const head = (kind: string, { version }: LintContext) => ({ apiVersion: API_VERSION, kind, generator: { name: "ktrace", version } });

function summary({ counts, muted, failed }: Report) {
  const { error, warning, info, fixable, files, objects } = counts;
  return { errors: error, warnings: warning, infos: info, fixable, suppressed: muted.length, files, objects, failed };
}

function findingJson(found: Reported) {
  const { rule, severity, message, at, label, field, about, related, packet, help, fix } = found;
  const [object] = about;
  return {
    code: rule.code,
    name: rule.name,
    severity,
    message,
    location: placeJson(at),
    ...(label !== undefined && { label }),
    ...(object && {
      object: { kind: object.kind, ...(object.namespace !== undefined && { namespace: object.namespace }), name: object.name },
    }),
    ...(field !== "" && { field }),
    ...(related.length > 0 && { related: related.map((each) => ({ location: placeJson(each.at), label: each.label })) }),
    ...(packet && { packet: { command: packet.command, verdict: packet.verdict, reasons: packet.reasons, text: packet.text } }),
    ...(help !== undefined && { help }),
    ...(fix && { fix: fixJson(fix) }),
    fingerprint: fingerprint(found),
    url: ruleUrl(rule.code),
  };
}

const mutedJson = (found: Muted) => ({
  ...findingJson(found),
  suppression: { by: found.by, ...(found.reason !== undefined && { reason: found.reason }) },
});

const fixJson = ({ kind, changes }: Fix) => ({
  kind,
  edits: changes.map(({ at, text }) => ({ location: placeJson(at), text })),
});

const placeJson = ({ file, line: row, column, endLine, endColumn }: Place) => ({ file, line: row, column, endLine, endColumn });
