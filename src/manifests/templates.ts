/** Text that Helm has yet to fill in is recognised, and the command that does it is named. */
import type { Diagnostic } from "../objects/diagnostic.ts";

const ACTION = /\{\{-?\s*[.$\w"(/]/;
const HELP = "this looks like a Helm template; render it first: `helm template CHART | ktrace -f - …`";

/** The remedy for a document that holds a template's actions. */
export const templateHelp = (text: string): string | undefined => (ACTION.test(text) ? HELP : undefined);

/** A finding that quotes an action has that remedy and no other. */
export const withTemplateHelp = (finding: Diagnostic): Diagnostic => {
  const help = templateHelp(finding.message);
  return help === undefined ? finding : { ...finding, help };
};
