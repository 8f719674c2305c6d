/** Rows of what one rule says of one input: `SEVERITY TEXT-AT-THE-PLACE: MESSAGE`, one a finding; none when all is well. */
import assert from "node:assert/strict";
import test from "node:test";
import type { PlannedRule, Rule } from "../../src/lint/rule.ts";
import type { Found } from "../../src/lint/run.ts";
import { lintExample } from "./examples.ts";

export type Case = {
  readonly name: string;
  readonly rule: Rule | PlannedRule;
  readonly manifests?: string;
  readonly topology?: string;
  readonly says: readonly string[];
  /** The texts that its edits would write. */
  readonly writes?: readonly string[];
};

/** What is underlined: the text of one line, or of the first line of several. */
function textAt({ at }: Found, example: string): string {
  if (at.file !== "example.yaml") return at.file;
  const line = example.split("\n")[at.line - 1] ?? "";
  return line.slice(at.column - 1, at.endLine === at.line ? at.endColumn - 1 : undefined);
}

export function runCases(cases: readonly Case[]): void {
  for (const { name, rule, manifests = "", topology, says, writes } of cases)
    test(`${rule.code}: ${name}`, () => {
      const { findings, example } = lintExample(rule.code, { manifests, ...(topology === undefined ? {} : { topology }) }, [rule]);
      assert.deepEqual(
        findings.map((found) => `${found.severity} ${textAt(found, example)}: ${found.message}`),
        says,
      );
      const edits = findings.flatMap((found) => (found.edits ?? []).flatMap((edit) => (edit.kind === "remove" ? [] : [edit.text])));
      if (writes) assert.deepEqual(edits, writes);
    });
}

/** A workload of one container `c`, whose fields besides name and image are given as flow YAML. */
export const workload = (
  kind: string,
  name: string,
  container = "",
  more: { readonly spec?: string; readonly pod?: string } = {},
): string =>
  `kind: ${kind}
apiVersion: ${kind === "ReplicationController" ? "v1" : "apps/v1"}
metadata: {name: ${name}}
spec:
  ${kind === "ReplicationController" ? `selector: {app: ${name}}` : `selector: {matchLabels: {app: ${name}}}`}${more.spec ? `\n  ${more.spec}` : ""}
  template: {metadata: {labels: {app: ${name}}}, spec: {${more.pod ? `${more.pod}, ` : ""}containers: [{name: c, image: x${container ? `, ${container}` : ""}}]}}
---
`;
