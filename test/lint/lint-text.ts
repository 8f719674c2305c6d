/** One rule over text, as the command runs it: what it says, and the text after its fix. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readGlobalFlags } from "../../src/cli/flags.ts";
import { expectedQuestion } from "../../src/cli/test-question.ts";
import { decideCluster } from "../../src/cluster/decide.ts";
import { sessionOf } from "../../src/ktrace.ts";
import { applyChanges, fixOf } from "../../src/lint/fix.ts";
import { isPlanned } from "../../src/lint/rule.ts";
import { RULES } from "../../src/lint/rules.ts";
import { type Found, runRules } from "../../src/lint/run.ts";
import { subjectOf } from "../../src/linter.ts";
import { readInput } from "../../src/manifests/input.ts";

/** Command lines are read as `ktrace lint` reads them. */
const questionOf = (command: string) => expectedQuestion(command, readGlobalFlags({}, {}));

export type Judged = { readonly findings: readonly Found[]; readonly fixed: string };

/** The findings of one rule in `f.yaml`, and the file after all of its edits, safe or not. */
export function judge(code: string, manifests: string, topology = "{}"): Judged {
  const rule = RULES.find((each) => each.code === code);
  if (rule === undefined || isPlanned(rule)) throw new Error(`no rule ${code} that runs`);
  const cwd = mkdtempSync(join(tmpdir(), "ktrace-judge-"));
  try {
    writeFileSync(join(cwd, "f.yaml"), manifests);
    writeFileSync(join(cwd, "t.yaml"), `apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec: ${topology.trimStart()}\n`);
    writeFileSync(join(cwd, "more.yaml"), "kind: Namespace\napiVersion: v1\nmetadata: {name: more}\n"); // that something can be read
    const input = readInput({ files: ["f.yaml", "more.yaml"], topology: "t.yaml", cwd });
    const subject = subjectOf(input, () => sessionOf(input, decideCluster(input.objects, input.topology)), { questionOf });
    const { sources } = input;
    const placeOf = ({ source, field }: { source: Parameters<typeof sources.place>[0]; field: Parameters<typeof sources.place>[1] }) =>
      sources.place(source, field);
    const findings = runRules({ rules: [{ rule, severity: rule.severity === "off" ? "info" : rule.severity }], subject, placeOf });
    const changes = findings.flatMap(({ edits }) => fixOf(rule, edits, sources)?.changes ?? []);
    const ordered = [...changes].sort((a, b) => a.start - b.start || a.end - b.end);
    return { findings, fixed: applyChanges(manifests, ordered) };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}
