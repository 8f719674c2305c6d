/** `ktrace lab`: the network of the manifests for real, out of Linux network namespaces. Linux and root only. */
import { UsageError } from "../../objects/diagnostic.ts";
import type { Call, CommandSpec } from "../command.ts";

export const labCommand: CommandSpec = {
  name: "lab",
  usage: "up|run|exec|down|export|list [SOURCE] [-- CMD [ARGS]]",
  summary: "build the network for real, out of Linux network namespaces, and try it (root)",
  help: [
    "  ktrace lab up                                     build it: a namespace for each node, pod and outside host",
    "  ktrace lab exec client -- curl node2:31160        run any program inside one of them",
    "  ktrace lab exec node2 -- tcpdump -ni flannel.1",
    "  ktrace lab list                                   the labs that are up, and what SOURCE can be",
    "  ktrace lab down                                   remove it, and every process in it",
    "  ktrace lab run -- curl node2:31160                up, ask, compare with the prediction, down",
    "  ktrace lab export > lab.sh                        the shell script that does it: sh lab.sh, sh lab.sh down",
    "",
  ].join("\n"),
  declare: (command) => {
    command
      .option("--name <lab>", "which lab, when there are several (default: lab)")
      .option("--all", "with down: every lab")
      .option("--max-time <seconds>", "with run: how long CMD may take", "8");
  },
  run: runLab,
};

/** What the machine cannot do, and a name that is taken, are said as wrong usage is: exit 2. */
async function runLab(call: Call): Promise<number> {
  const [verb, ...words] = call.words;
  const { LabError } = await import("../../lab/error.ts");
  try {
    return await runVerb(verb, words, call);
  } catch (error) {
    throw error instanceof LabError ? new UsageError(error.message) : error;
  }
}

async function runVerb(verb: string | undefined, words: readonly string[], call: Call): Promise<number> {
  const lab = typeof call.options.name === "string" ? call.options.name : undefined;
  switch (verb) {
    case "up":
      noWords(verb, words);
      return (await import("../lab/up.ts")).labUp(call, lab ?? DEFAULT_LAB);
    case "export":
      noWords(verb, words);
      return (await import("../lab/up.ts")).labExport(call, lab ?? DEFAULT_LAB);
    case "down":
      return (await import("../lab/down.ts")).labDown(call, words.length > 0 ? words : lab === undefined ? [DEFAULT_LAB] : [lab]);
    case "list":
      noWords(verb, words);
      return (await import("../lab/down.ts")).labList(call);
    case "exec":
      return (await import("../lab/exec.ts")).labExec(call, lab, words);
    case "run":
      return (await import("../lab/run.ts")).labRun(call, lab, words);
    default:
      throw new UsageError(
        verb === undefined ? "lab needs to know what to do" : `lab does not know ${JSON.stringify(verb)}`,
        "known: up, run, exec, down, export, list",
      );
  }
}

const DEFAULT_LAB = "lab";

function noWords(verb: string, words: readonly string[]): void {
  if (words.length > 0) throw new UsageError(`lab ${verb} takes flags only, not ${JSON.stringify(words[0])}`);
}
