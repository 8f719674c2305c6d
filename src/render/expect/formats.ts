/** Results for other programs: TAP, JUnit's XML, and the document of schema/test-report.schema.json. */
import type { TestResult } from "../../expect/run.ts";
import { formatPlace, type Place } from "../../objects/source.ts";
import { escapeJson, escapeText } from "../escape.ts";
import { API_VERSION } from "../json.ts";

type PlaceOf = (result: TestResult) => Place | undefined;

const failuresOf = ({ asked }: TestResult): string[] =>
  asked.flatMap(({ from, failures }) => failures.map((text) => `from ${from}: ${text}`));

/** Test Anything Protocol, version 14. */
export function renderTap(results: readonly TestResult[]): string {
  const lines = results.flatMap((result, i): string[] => {
    const name = escapeText(result.test.name).replace(/[\\#]/g, (char) => `\\${char}`);
    if (result.outcome === "skipped") return [`ok ${i + 1} - ${name} # SKIP ${escapeText(result.test.skip ?? "")}`];
    const head = `${result.outcome === "passed" ? "ok" : "not ok"} ${i + 1} - ${name}`;
    const failures = failuresOf(result).map((text) => `    - ${JSON.stringify(escapeText(text))}`);
    return failures.length === 0 ? [head] : [head, "  ---", "  failures:", ...failures, "  ..."];
  });
  return `${["TAP version 14", `1..${results.length}`, ...lines].join("\n")}\n`;
}

export function renderJunit(results: readonly TestResult[], placeOf: PlaceOf): string {
  const count = (outcome: TestResult["outcome"]): number => results.filter((each) => each.outcome === outcome).length;
  const cases = results.map((result) => {
    const place = placeOf(result);
    const head = `    <testcase name="${xml(result.test.name)}" classname="${xml(place?.file ?? "expectations")}"${place ? ` file="${xml(place.file)}" line="${place.line}"` : ""}`;
    if (result.outcome === "passed") return `${head}/>`;
    if (result.outcome === "skipped") return `${head}><skipped message="${xml(result.test.skip ?? "")}"/></testcase>`;
    const failures = failuresOf(result);
    return `${head}><failure message="${xml(failures[0] ?? "")}">${xml(failures.join("\n"))}</failure></testcase>`;
  });
  const counts = `tests="${results.length}" failures="${count("failed")}" skipped="${count("skipped")}"`;
  return `${['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites ${counts}>`, `  <testsuite name="ktrace test" ${counts}>`, ...cases, "  </testsuite>", "</testsuites>"].join("\n")}\n`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\n": "&#10;" };
const xml = (text: string): string =>
  text
    .split("\n")
    .map(escapeText)
    .join("\n")
    .replace(/[&<>"'\n]/g, (char) => ENTITIES[char] ?? char);

export function renderTestJson(results: readonly TestResult[], placeOf: PlaceOf): string {
  const count = (outcome: TestResult["outcome"]): number => results.filter((each) => each.outcome === outcome).length;
  const document = {
    apiVersion: API_VERSION,
    kind: "TestReport",
    summary: { tests: results.length, passed: count("passed"), failed: count("failed"), skipped: count("skipped") },
    tests: results.map((result) => {
      const place = placeOf(result);
      return {
        name: result.test.name,
        outcome: result.outcome,
        ...(place ? { at: formatPlace(place) } : {}),
        ...(result.test.skip === undefined ? {} : { skip: result.test.skip }),
        requests: result.asked.map(({ from, trace, failures }) => ({
          from,
          command: trace.request.command,
          verdict: trace.verdict,
          reasons: [...new Set(trace.paths.flatMap(({ reason }) => reason ?? []))].sort(),
          failures,
        })),
      };
    }),
  };
  return `${escapeJson(JSON.stringify(document, undefined, 2))}\n`;
}
