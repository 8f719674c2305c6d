/** `ktrace diff OLD NEW`: which flows an edit of the manifests changes, and which line of it is the cause. */
import type { Input } from "../../manifests/input.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { Call, CommandSpec } from "../command.ts";
import { chooseFormat } from "../flags.ts";

const FORMATS = ["text", "json", "markdown"] as const;

export const diffCommand: CommandSpec = {
  name: "diff",
  usage: "OLD NEW | --git REV..REV",
  summary: "which flows change between two inputs, grouped by the edited lines that cause it",
  help: [
    "OLD and NEW are files, directories (with a ktrace.yaml: what that names) or - for standard input. With --git the input is read",
    "from two revisions: -f, or the ktrace.yaml of each. An edit is named as a cause when undoing it alone changes the flow",
    "again, or making it alone changes it. Exit status 1 when any flow differs.",
    "",
    "  ktrace diff before.yaml after.yaml -t topology.yaml",
    "  ktrace diff --git main..HEAD",
    "  ktrace diff --git main --only broken -o markdown",
    "",
  ].join("\n"),
  declare: (command) => {
    command
      .option("--git <revisions>", "OLD..NEW; with one revision, what is in the working directory is NEW")
      .option("--only <what>", "broken: only flows that were delivered and are not any more")
      .option("--pods", "ask every workload's pods directly too");
  },
  run: async (call) => {
    const format = chooseFormat(call.flags.output, FORMATS, "text");
    const { only } = call.options;
    if (only !== undefined && only !== "broken") throw new UsageError(`--only: no ${JSON.stringify(only)}`, "known: broken");
    const { old, now } = await readBoth(call);
    const { refuseUnreadable } = await import("../open.ts");
    refuseUnreadable([...old.diagnostics, ...now.diagnostics]);
    const { diffOf } = await import("../../compare/diff.ts");
    const { opener } = await import("../reopen.ts");
    const open = await opener(now);
    const diff = diffOf(old, now, open, { onlyBroken: only === "broken", pods: call.options.pods === true });
    const { renderDiff, renderDiffJson, renderDiffMarkdown } = await import("../../render/diff.ts");
    const placeOf: Parameters<typeof renderDiffJson>[1] = (source, field, side) =>
      (side === "old" ? old : now).sources.place(source, field);
    const { colorLevel } = await import("../terminal.ts");
    const { paintOf } = await import("../print.ts");
    const paint = await paintOf(colorLevel(call.flags.color, call.io.stdout, call.io.env));
    const text = {
      text: () => renderDiff(diff, { placeOf, paint }),
      json: () => renderDiffJson(diff, placeOf),
      markdown: () => renderDiffMarkdown(diff, placeOf),
    };
    call.io.stdout.write(text[format]());
    return diff.changes.length === 0 ? 0 : 1;
  },
};

type Both = { readonly old: Input; readonly now: Input };

async function readBoth(call: Call): Promise<Both> {
  const { git } = call.options;
  if (typeof git === "string") return await fromGit(call, git);
  const [old, now, extra] = call.words;
  if (old === undefined || now === undefined || extra !== undefined)
    throw new UsageError("diff takes two inputs, OLD and NEW", "ktrace diff before.yaml after.yaml, or ktrace diff --git main..HEAD");
  if (old === "-" && now === "-") throw new UsageError("only one of OLD and NEW can be standard input");
  if (call.flags.filename.length > 0)
    throw new UsageError("diff takes OLD and NEW, not -f", "with --git, -f names the files of both revisions");
  return { old: await readOne(call, old), now: await readOne(call, now) };
}

/** A directory with a project file is what that file says; anything else is read as -f reads it. */
async function readOne({ flags, io }: Call, path: string): Promise<Input> {
  const { existsSync, statSync } = await import("node:fs");
  const { join, resolve } = await import("node:path");
  const { readInput } = await import("../../manifests/input.ts");
  const absolute = resolve(io.cwd, path);
  const topology = flags.topology === undefined ? {} : { topology: resolve(io.cwd, flags.topology) };
  const isProject = path !== "-" && existsSync(join(absolute, "ktrace.yaml")) && statSync(absolute).isDirectory();
  if (isProject) return readInput({ files: [], cwd: absolute, ...topology });
  return readInput({ files: [path], cwd: io.cwd, stdin: io.readStdin, ...topology });
}

async function fromGit(call: Call, revisions: string): Promise<Both> {
  if (call.words.length > 0) throw new UsageError("with --git there is no OLD and NEW", "name the files of both revisions with -f");
  const { readRevision } = await import("../git.ts");
  const [old = "", now] = revisions.split("..");
  const request = { files: call.flags.filename, ...(call.flags.topology === undefined ? {} : { topology: call.flags.topology }) };
  const { readInput } = await import("../../manifests/input.ts");
  return {
    old: readRevision(old, request, call.io.cwd),
    now:
      now === undefined || now === ""
        ? readInput({ ...request, cwd: call.io.cwd, stdin: call.io.readStdin })
        : readRevision(now, request, call.io.cwd),
  };
}
