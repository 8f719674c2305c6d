/** What every format of a lint report is given, and the words they share. */
import type { Report, Reported } from "../../lint/lint.ts";
import type { Severity } from "../../objects/diagnostic.ts";
import type { Place } from "../../objects/source.ts";
import type { Paint } from "../paint.ts";

export type LintContext = {
  readonly line: (file: string, number: number) => string | undefined;
  readonly width: number;
  readonly paint: Paint;
  readonly version: string;
  readonly program: string; // as a person types it
  /** The working directory below the repository's root, `services/shop/`: code hosts name files from there. */
  readonly prefix: string;
  readonly showMuted: boolean;
};
export type LintRender = (report: Report, context: LintContext) => Iterable<string>;

export const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];

/** Errors first, else as they come: where only so many are shown, the worst must be among them. */
export const bySeverity = (findings: readonly Reported[]): readonly Reported[] =>
  SEVERITIES.flatMap((severity) => findings.filter((one) => one.severity === severity));

/** `2 errors, 1 warning (1 fixable) in 14 files, 61 objects` */
export function summaryText({ counts, muted }: Report): string {
  const { error, warning, info, fixable, files, objects } = counts;
  const found = [error > 0 ? many(error, "error") : "", warning > 0 ? many(warning, "warning") : "", info > 0 ? `${info} info` : ""].filter(
    (part) => part !== "",
  );
  const silenced = muted.length > 0 ? `, ${muted.length} suppressed` : "";
  const notes = fixable > 0 ? ` (${fixable} fixable)` : "";
  return `${found.length === 0 ? "no findings" : found.join(", ")}${notes}${silenced} in ${many(files, "file")}, ${many(objects, "object")}`;
}

export const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** A file as the repository names it: `..` taken out where it can be. */
export function repositoryPath({ file }: Pick<Place, "file">, { prefix }: LintContext): string {
  if (file.startsWith("/")) return file;
  const parts: string[] = [];
  for (const part of `${prefix}${file}`.split("/")) {
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** A finding in one paragraph, for formats without frames. */
export const sentence = ({ message, label, help }: Reported): string =>
  [message, ...(label === undefined ? [] : [` (${label})`]), ...(help === undefined ? [] : [`; ${help}`])].join("");

/** Where a rule's page is. */
export const ruleUrl = (code: string): string => `https://ktrace.dev/rules/${code}`;
