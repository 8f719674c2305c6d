/** Files in a directory of their own, removed after the test; and findings as one line each. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { Diagnostic } from "../../src/objects/diagnostic.ts";
import { formatPlace } from "../../src/objects/source.ts";

/** Writes the files and returns the directory. */
export function workspace(t: TestContext, files: { readonly [name: string]: string | Uint8Array }): string {
  const directory = mkdtempSync(join(tmpdir(), "ktrace-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

/** `file:line:column severity CODE message` and the help on a second line. */
export const format = ({ at, severity, code, message, help }: Diagnostic): string =>
  `${at !== undefined && "line" in at ? `${formatPlace(at)} ` : ""}${severity} ${code} ${message}${help === undefined ? "" : `\n  ${help}`}`;
