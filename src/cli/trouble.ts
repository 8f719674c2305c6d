/**
 * How trouble is said: `ktrace: error: WHAT`, the place with its line of the file, what to do. On stderr; with `-o json` as
 * one document of kind Error on stdout too, so that a script can read it. A bug of ours is one line, unless KTRACE_DEBUG is set.
 */

import type { Sources } from "../manifests/sources.ts";
import { type Diagnostic, UsageError } from "../objects/diagnostic.ts";
import type { Place } from "../objects/source.ts";
import { escapeJson, escapeText } from "../render/escape.ts";
import { codeFrame } from "./frame.ts";
import type { Io } from "./io.ts";

const MOST = 20; // findings said one by one; all of them stand in the JSON

/** Says what went wrong and answers the exit status: 2 for wrong usage, unreadable input and bugs alike. */
export function reportTrouble(error: unknown, io: Io): number {
  const usage = error instanceof UsageError ? error : bugReport(error, io);
  if (wantsJson(io.argv)) io.stdout.write(`${errorDocument(usage)}\n`);
  io.stderr.write(`ktrace: error: ${escapeText(usage.message)}\n`);
  for (const diagnostic of usage.diagnostics.slice(0, MOST)) io.stderr.write(diagnosticText(diagnostic, io));
  if (usage.diagnostics.length > MOST) io.stderr.write(`… and ${usage.diagnostics.length - MOST} more\n`);
  if (usage.help !== undefined) io.stderr.write(`  help: ${escapeText(usage.help)}\n`);
  if (!(error instanceof UsageError) && io.env.KTRACE_DEBUG && error instanceof Error) io.stderr.write(`${error.stack ?? ""}\n`);
  return 2;
}

function bugReport(error: unknown, io: Io): UsageError {
  const message = error instanceof Error ? error.message : String(error);
  const said = message.startsWith("ktrace bug:") ? message : `ktrace bug: ${message}`;
  return new UsageError(said, io.env.KTRACE_DEBUG ? undefined : "set KTRACE_DEBUG=1 to see where, and please report it");
}

/** A finding about the input, with the line it points at. */
export function diagnosticText(diagnostic: Diagnostic, io: Io, lineOf?: Sources["line"]): string {
  const place = placeOf(diagnostic);
  const lines = [`${diagnostic.severity}[${diagnostic.code}]: ${escapeText(diagnostic.message)}`];
  if (place !== undefined) lines.push(...codeFrame(place, io.cwd, lineOf));
  if (diagnostic.help !== undefined) lines.push(`   = help: ${escapeText(diagnostic.help)}`);
  return `${lines.join("\n")}\n`;
}

/** A place found already. What is thrown before the input was read whole has no other. */
const placeOf = ({ at }: Diagnostic): Place | undefined => (at !== undefined && "line" in at ? at : undefined);

function errorDocument(error: UsageError): string {
  const findings = error.diagnostics.map((diagnostic) => {
    const place = placeOf(diagnostic);
    return {
      code: diagnostic.code,
      severity: diagnostic.severity,
      message: diagnostic.message,
      ...(diagnostic.help === undefined ? {} : { help: diagnostic.help }),
      ...(place === undefined ? {} : { location: place }),
    };
  });
  const document = {
    apiVersion: "ktrace.dev/v1alpha1",
    kind: "Error",
    message: error.message,
    ...(error.help === undefined ? {} : { help: error.help }),
    ...(findings.length === 0 ? {} : { findings }),
  };
  return escapeJson(JSON.stringify(document, null, 2));
}

/** The command line may be what is broken, so the format is looked for without parsing it. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  return words.some((word, at) => {
    const value = /^(?:-o|--output)$/.test(word) ? words[at + 1] : /^(?:-o=?|--output=)(.+)$/.exec(word)?.[1];
    return value === "json" || value === "jsonl";
  });
}
