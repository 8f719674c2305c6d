/** Results for people: a line a test, or a dot; of each that failed what was expected, and the trace of the first source. */
import type { Covered } from "../../expect/coverage.ts";
import type { Asked, TestResult } from "../../expect/run.ts";
import { formatPlace, type Place } from "../../objects/source.ts";
import { escapeText } from "../escape.ts";
import type { Paint } from "../paint.ts";

export type TestLayout = {
  readonly paint: Paint;
  readonly placeOf: (result: TestResult) => Place | undefined;
  /** The trace, as the trace commands print it. */
  readonly traceText: (asked: Asked) => string;
};

const MOST_SOURCES = 5;

export function renderTests(results: readonly TestResult[], layout: TestLayout): string {
  return `${results.flatMap((result) => linesOf(result, layout)).join("\n")}\n${summaryOf(results)}\n`;
}

/** A character a test, then what failed. */
export function renderDots(results: readonly TestResult[], layout: TestLayout): string {
  const dots = results.map(({ outcome }) => (outcome === "passed" ? "." : outcome === "failed" ? layout.paint.red("F") : "s")).join("");
  const failed = results.filter(({ outcome }) => outcome === "failed");
  return `${[dots, "", ...failed.flatMap((result) => linesOf(result, layout))].join("\n")}\n${summaryOf(results)}\n`;
}

function linesOf(result: TestResult, { paint, placeOf, traceText }: TestLayout): string[] {
  const { test, outcome, asked } = result;
  const name = escapeText(test.name);
  if (outcome === "passed") return [`${paint.green("ok")}    ${name}${asked.length > 1 ? paint.dim(`  (${asked.length} sources)`) : ""}`];
  if (outcome === "skipped") return [`skip  ${name}: ${escapeText(test.skip ?? "")}`];
  const place = placeOf(result);
  const failed = asked.filter(({ failures }) => failures.length > 0);
  const [first] = failed;
  const more = failed.length - MOST_SOURCES;
  return [
    `${paint.red("FAIL")}  ${paint.bold(name)}${place ? `  ${escapeText(formatPlace(place))}` : ""}`,
    ...failed
      .slice(0, MOST_SOURCES)
      .flatMap(({ from, failures }) => failures.map((text) => `      from ${escapeText(from)}: ${escapeText(text)}`)),
    ...(more > 0 ? [`      and ${more} more sources`] : []),
    ...(first
      ? [
          "",
          ...traceText(first)
            .trimEnd()
            .split("\n")
            .map((line) => (line === "" ? "" : `      ${line}`)),
          "",
        ]
      : []),
  ];
}

export function summaryOf(results: readonly TestResult[]): string {
  const count = (outcome: TestResult["outcome"]): number => results.filter((each) => each.outcome === outcome).length;
  const requests = results.reduce((sum, { asked }) => sum + asked.length, 0);
  const skipped = count("skipped");
  return `${count("passed")} passed, ${count("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""} (${requests} ${requests === 1 ? "request" : "requests"})`;
}

export function renderCoverage(covered: readonly Covered[]): string {
  const missing = covered.filter(({ isAsked }) => !isAsked);
  const asked = covered.length - missing.length;
  return `${[...missing.map(({ what }) => `not asked  ${escapeText(what)}`), `${asked} of ${covered.length} Service ports, Ingress routes and policies are asked by a test`].join("\n")}\n`;
}
