/** Reads input as it was in a git revision. git itself is asked; nothing in the working directory is touched. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Input, type InputRequest, readInput } from "../manifests/input.ts";
import { UsageError } from "../objects/diagnostic.ts";

/** The files of a revision, under the same names as in the working directory. Throws UsageError when git cannot give them. */
export function readRevision(revision: string, request: Omit<InputRequest, "cwd" | "stdin">, cwd: string): Input {
  if (revision === "" || revision.startsWith("-")) throw new UsageError(`${JSON.stringify(revision)} is no revision`, "--git main..HEAD");
  const prefix = git(["rev-parse", "--show-prefix"], cwd).toString().trim();
  const commit = git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`], cwd, revision)
    .toString()
    .trim();
  const dir = mkdtempSync(join(tmpdir(), "ktrace-git-"));
  try {
    const archive = git(["archive", "--format=tar", commit], git(["rev-parse", "--show-toplevel"], cwd).toString().trim());
    const unpacked = spawnSync("tar", ["-x", "-C", dir], { input: archive, stdio: ["pipe", "ignore", "pipe"] });
    if (unpacked.status !== 0) throw new UsageError("the files of a revision could not be unpacked", "is tar installed?");
    const base = join(dir, prefix);
    mkdirSync(base, { recursive: true }); // a directory that the revision does not have holds nothing
    return readInput({ ...request, cwd: base });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const MOST = 1 << 30;

function git(words: readonly string[], cwd: string, revision?: string): Buffer {
  const { status, stdout, stderr, error } = spawnSync("git", [...words], { cwd, maxBuffer: MOST });
  if (error) throw new UsageError("git could not be run", error.message);
  if (status === 0) return stdout;
  if (revision !== undefined) throw new UsageError(`git knows no revision ${JSON.stringify(revision)}`, "--git main..HEAD");
  throw new UsageError("git could not say what the files were", stderr.toString().trim().split("\n")[0] ?? "");
}
