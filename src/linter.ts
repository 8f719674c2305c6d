/** The front door, as lint is given it: what was read, and a session that opens when a rule first asks about the cluster. */
import type { Session } from "./ktrace.ts";
import { RULES } from "./lint/rules.ts";
import { createSubject, type LintOptions, type Subject } from "./lint/subject.ts";
import type { Input } from "./manifests/input.ts";

/** What the rules look at. `open` is called at most once, and not at all for rules that look at objects only. */
export function subjectOf(input: Input, open: () => Pick<Session, "cluster" | "trace">, options: LintOptions = {}): Subject {
  const { objects, refused, topology, diagnostics, written, files, sources } = input;
  return createSubject({
    objects: [...objects, ...refused],
    topology,
    diagnostics,
    written,
    files,
    textOf: sources.text,
    open,
    options,
    rules: RULES,
  });
}
