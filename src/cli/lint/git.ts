/** What git says: which lines changed since a revision, and where the repository's root is. */
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { type ChangedLines, changedLines } from "../../lint/since.ts";
import { display } from "../../manifests/files.ts";
import { UsageError } from "../../objects/diagnostic.ts";

/** Lines of the working tree that differ from the revision; files that git does not track have changed whole. Names are relative to `cwd`. */
export async function changedSince(revision: string, cwd: string): Promise<ChangedLines> {
  const { spawnSync } = await import("node:child_process");
  const git = (...args: readonly string[]): string | undefined => {
    const { error, status, stdout } = spawnSync("git", ["-c", "core.quotePath=false", ...args], {
      cwd,
      encoding: "utf8",
      maxBuffer: 1 << 30,
      stdio: ["ignore", "pipe", "ignore"],
    });
    if (error) throw new UsageError("--since asks git, and there is no git on the PATH", "install git, or lint without --since");
    return status === 0 ? stdout : undefined;
  };
  const prefix = git("rev-parse", "--show-prefix")?.trimEnd();
  if (prefix === undefined) throw new UsageError("--since asks git, and this directory is in no git repository");
  if (git("rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`) === undefined)
    throw new UsageError(
      `--since: git knows no revision ${JSON.stringify(revision)}`,
      "in CI, fetch it first: a shallow clone has one commit only",
    );
  const diff = git(
    "diff",
    "--unified=0",
    "--no-color",
    "--no-ext-diff",
    "--no-renames",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--end-of-options",
    revision,
    "--",
  );
  const untracked = git("ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/");
  if (diff === undefined || untracked === undefined) throw new UsageError(`--since: git cannot compare with ${JSON.stringify(revision)}`);
  const names = untracked.split("\0").filter((name) => name !== "");
  const root = resolve(
    cwd,
    ...prefix
      .split("/")
      .filter((part) => part !== "")
      .map(() => ".."),
  );
  return new Map([...changedLines(diff, names)].map(([name, lines]) => [display(join(root, name), cwd), lines]));
}

/** The working directory below the root of its repository, `k8s/shop/`; empty at the root and outside any. */
export function repositoryPrefix(cwd: string): string {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    if (existsSync(join(directory, ".git"))) {
      const path = relative(directory, cwd).split(sep).join("/");
      return path === "" ? "" : `${path}/`;
    }
    if (dirname(directory) === directory) return "";
  }
}
