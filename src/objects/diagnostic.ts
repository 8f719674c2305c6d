/**
 * Trouble has three kinds. The user's YAML: a Diagnostic, a value, collected, never thrown. The command line and
 * unreadable input: a UsageError, thrown once, exit status 2. Ourselves: a broken `invariant`, never caught to carry on.
 */
import type { PathPart, Place, Source } from "./source.ts";

export type Severity = "error" | "warning" | "info";

/** What is wrong in the input. `code` is a lint rule's (KT001) or a kebab-case word for what no rule covers. */
export type Diagnostic = {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string; // what is so, with the real names and numbers
  readonly help?: string; // what to do next, one line
  /** A position known already, or the object and field that one can be looked up from. */
  readonly at?: Place | { readonly source: Source; readonly field: readonly PathPart[] };
};

/** Wrong usage or unreadable input. The message is one line; diagnostics follow it. Exit status 2. */
export class UsageError extends Error {
  readonly help: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
  constructor(message: string, help?: string, diagnostics: readonly Diagnostic[] = []) {
    super(message);
    this.name = "UsageError";
    this.help = help;
    this.diagnostics = diagnostics;
  }
}

/** Throws when ktrace itself broke a promise. */
export function invariant(claim: unknown, promise: string): asserts claim {
  if (!claim) throw new Error(`ktrace bug: ${promise}`);
}
