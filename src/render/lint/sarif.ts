/**
 * SARIF 2.1.0 (OASIS, errata 01), within what GitHub's code scanning takes: 25,000 results, texts of 1,024 characters, one
 * location a result, paths from the repository's root.
 */
import type { Fix } from "../../lint/fix.ts";
import type { Muted, Report, Reported } from "../../lint/lint.ts";
import type { RuleText } from "../../lint/rule.ts";
import type { Severity } from "../../objects/diagnostic.ts";
import type { Place } from "../../objects/source.ts";
import { escapeJson, escapeText } from "../escape.ts";
import { fingerprint, hash } from "./fingerprint.ts";
import { bySeverity, type LintContext, repositoryPath, ruleUrl } from "./report.ts";

const MOST_RESULTS = 25_000;
const MOST_TEXT = 1024;
const LEVELS: Readonly<Record<Severity, "error" | "warning" | "note">> = { error: "error", warning: "warning", info: "note" };
const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/** Only what lets somebody in, or lets somebody take over traffic, is a matter of security (CVSS scale). */
const SECURITY: ReadonlyMap<string, string> = new Map([
  ["KT308", "7.0"],
  ["KT505", "7.0"],
  ["KT513", "4.0"],
]);

/** The log, one run. */
export function* renderSarif(report: Report, context: LintContext): Generator<string> {
  const index = new Map(report.rules.map(({ code }, i) => [code, i]));
  const lines = countLines();
  const results = bySeverity(report.findings)
    .slice(0, MOST_RESULTS)
    .map((found) => resultOf(found, index, lines, context));
  const muted = context.showMuted
    ? report.muted.slice(0, MOST_RESULTS - results.length).map((found) => mutedResult(found, index, lines, context))
    : [];
  const log = {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "ktrace",
            semanticVersion: context.version,
            informationUri: "https://ktrace.dev",
            rules: report.rules.map(ruleOf),
          },
        },
        automationDetails: { id: "ktrace/" },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { "%SRCROOT%": { description: { text: "The root of the repository." } } },
        invocations: [{ executionSuccessful: true }],
        results: [...results, ...muted],
      },
    ],
  };
  yield `${escapeJson(JSON.stringify(log, undefined, 2))}\n`;
}

function ruleOf({ code, name, title, why, severity, needs, bad, good }: RuleText) {
  const level = severity === "off" ? "none" : LEVELS[severity];
  const security = SECURITY.get(code);
  const examples = [bad.manifests && `Wrong:\n\n${fence(bad.manifests)}`, good.manifests && `Right:\n\n${fence(good.manifests)}`].filter(
    (part) => part !== undefined,
  );
  return {
    id: code,
    name,
    shortDescription: { text: cut(title) },
    fullDescription: { text: cut(`${title}. ${why}`) },
    help: { text: `${why}\n\nktrace explain ${code}`, markdown: [`${why}`, ...examples, `\`ktrace explain ${code}\``].join("\n\n") },
    helpUri: ruleUrl(code),
    defaultConfiguration: { level, ...(severity === "off" && { enabled: false }) },
    properties: {
      tags: ["kubernetes", "networking", needs],
      precision: "very-high",
      "problem.severity": severity === "error" ? "error" : severity === "warning" ? "warning" : "recommendation",
      ...(security !== undefined && { "security-severity": security }),
    },
  };
}

const fence = (text: string): string => `\`\`\`yaml\n${text.trimEnd()}\n\`\`\``;
const cut = (text: string): string => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT - 1)}…` : text);

type Counter = (key: string) => number;

function countLines(): Counter {
  const seen = new Map<string, number>();
  return (key) => {
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count;
  };
}

function resultOf(found: Reported, index: ReadonlyMap<string, number>, lines: Counter, context: LintContext) {
  const { rule, severity, at, related, packet, fix } = found;
  const lineHash = hash(JSON.stringify([rule.code, repositoryPath(at, context), (context.line(at.file, at.line) ?? "").trim()])).slice(
    0,
    16,
  );
  return {
    ruleId: rule.code,
    ruleIndex: index.get(rule.code) ?? -1,
    level: LEVELS[severity],
    message: { text: messageText(found) },
    locations: [{ physicalLocation: physical(at, context) }],
    ...(related.length > 0 && {
      relatedLocations: related.map((each, i) => ({
        id: i + 1,
        physicalLocation: physical(each.at, context),
        message: { text: literal(each.label) },
      })),
    }),
    partialFingerprints: { primaryLocationLineHash: `${lineHash}:${lines(lineHash)}`, "ktrace/v1": fingerprint(found) },
    ...(packet && { codeFlows: [{ message: { text: literal(packet.command) }, threadFlows: [{ locations: flowOf(found, context) }] }] }),
    ...(fix && { fixes: [fixOf(fix, found, context)] }),
  };
}

const mutedResult = (found: Muted, index: ReadonlyMap<string, number>, lines: Counter, context: LintContext) => ({
  ...resultOf(found, index, lines, context),
  suppressions: [
    {
      kind: found.by === "baseline" ? "external" : "inSource",
      status: "accepted",
      ...(found.reason !== undefined && { justification: escapeText(found.reason) }),
    },
  ],
});

/** What is so is the first sentence; then each related place by its number, and what to do. */
function messageText({ message, label, related, help }: Reported): string {
  const places = related.map(({ label: text }, i) => `[${literal(text).replaceAll(/[[\]]/g, "")}](${i + 1}).`);
  const sentences = [message, ...(label === undefined ? [] : [label])].map((text) => `${literal(text)}.`);
  return [...sentences, ...places, ...(help === undefined ? [] : [`Help: ${literal(help)}.`])].join(" ");
}

/** Text in which brackets make no link (SARIF 3.11.6), and nothing steers a terminal. */
const literal = (text: string): string => {
  const shown = escapeText(text);
  return /\]\(/.test(shown) ? shown.replaceAll(/[\\[\]]/g, "\\$&") : shown;
};

/** The request, what it rests on, and how it ends. */
function flowOf({ at, related, packet }: Reported, context: LintContext) {
  if (packet === undefined) return [];
  const steps: readonly { readonly place: Place; readonly text: string }[] = [
    { place: at, text: packet.command },
    ...related.map((each) => ({ place: each.at, text: each.label })),
    { place: at, text: packet.text === "" ? [packet.verdict, ...packet.reasons].join(", ") : packet.text },
  ];
  return steps.map(({ place, text }) => ({ location: { physicalLocation: physical(place, context), message: { text: literal(text) } } }));
}

function fixOf({ changes }: Fix, { help, message }: Reported, context: LintContext) {
  const files = [...new Set(changes.map(({ file }) => file))];
  return {
    description: { text: literal(help ?? message) },
    artifactChanges: files.map((file) => ({
      artifactLocation: artifact({ file }, context),
      replacements: changes
        .filter((change) => change.file === file)
        .map(({ at, text }) => ({ deletedRegion: region(at), ...(text !== "" && { insertedContent: { text } }) })),
    })),
  };
}

const physical = (at: Place, context: LintContext) => ({ artifactLocation: artifact(at, context), region: region(at) });
const artifact = (at: Pick<Place, "file">, context: LintContext) => ({ uri: uriOf(repositoryPath(at, context)), uriBaseId: "%SRCROOT%" });
const uriOf = (path: string): string => path.split("/").map(encodeSegment).join("/");

/** A lone surrogate has no encoding. */
const encodeSegment = (segment: string): string => encodeURIComponent(segment.replaceAll(/[\ud800-\udfff]/gu, "\ufffd"));

const region = ({ line, column, endLine, endColumn }: Place) => ({ startLine: line, startColumn: column, endLine, endColumn });
