/** A file written whole or not at all: beside its place first, then moved there. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { UsageError } from "../../objects/diagnostic.ts";

/** Only the owner may read it: a dump tells much about a cluster. */
export function writeWhole(path: string, shown: string, text: string): void {
  const beside = `${path}.${process.pid}.part`;
  try {
    writeFileSync(beside, text, { mode: 0o600, flag: "wx" });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new UsageError(
      `cannot write ${JSON.stringify(shown)}: ${error instanceof Error && "code" in error ? String(error.code) : "unknown error"}`,
    );
  }
}
