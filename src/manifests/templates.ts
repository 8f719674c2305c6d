/** What Helm or Kustomize has yet to render is recognised, and the command that does it is named. */
import { basename } from "node:path";
import type { Diagnostic } from "../objects/diagnostic.ts";
import { escapeText } from "./words.ts";

const ACTION = /\{\{-?\s*[.$\w"(/]/;
const HELP = "this looks like a Helm template; render it first: `helm template CHART | ktrace -f - …`";

/** The remedy for a document that holds a template's actions. */
export const templateHelp = (text: string): string | undefined => (ACTION.test(text) ? HELP : undefined);

/** A finding that quotes an action has that remedy and no other. */
export const withTemplateHelp = (finding: Diagnostic): Diagnostic => {
  const help = templateHelp(finding.message);
  return help === undefined ? finding : { ...finding, help };
};

/** Files that are instructions for another tool: what they make has to be read, not they. */
export function needsRendering(file: string): Diagnostic | undefined {
  const name = basename(file);
  const directory = escapeText(file.slice(0, -name.length).replace(/\/$/, "") || ".");
  const command = /^kustomization\.ya?ml$/.test(name)
    ? `kubectl kustomize ${directory}`
    : name === "Chart.yaml"
      ? `helm template ${directory}`
      : undefined;
  if (command === undefined) return undefined;
  const message = name === "Chart.yaml" ? "this is a Helm chart, to be rendered first" : "a kustomization is not applied";
  return {
    code: "needs-rendering",
    severity: "warning",
    message,
    help: `${command} | ktrace -f - …`,
    at: { file, line: 1, column: 1, endLine: 1, endColumn: 1 },
  };
}
