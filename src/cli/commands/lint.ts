/** `ktrace lint [PATH…]`: mistakes in manifests, with the packet that proves them. */
import type { CommandSpec } from "../command.ts";

const words = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...value.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()])),
];

export const lintCommand: CommandSpec = {
  name: "lint",
  usage: "[PATH…] [flags]",
  summary: "find mistakes in manifests, proved by a simulated packet where one is needed",
  help: [
    "Without PATH and -f the project file says what is read. RULES are codes (KT402), prefixes (KT4) and",
    "names. Exit status 1 when there is a finding of the severity of --fail-on or above; 2 when flags,",
    "configuration or input cannot be used.",
    "",
    "  ktrace lint k8s/",
    "  ktrace lint k8s/ --select KT4 -o compact",
    "  ktrace lint k8s/ --output-file sarif:ktrace.sarif --exit-zero",
    "  helm template CHART | ktrace lint - --stdin-filename CHART",
    "",
  ].join("\n"),
  declare: (command) => {
    command
      .option("--profile <name>", "default; strict: information fails and rules that are off run; syntax: one object at a time")
      .option("--select <rules>", "only these rules", words)
      .option("--extend-select <rules>", "these rules too", words)
      .option("--ignore <rules>", "not these rules", words)
      .option("--error <rules>", "findings of these rules are errors", words)
      .option("--warn <rules>", "… warnings", words)
      .option("--info <rules>", "… information", words)
      .option("--off <rules>", "these rules do not run", words)
      .option("--fail-on <severity>", "error, warning, info or never (default: error)")
      .option("--max-warnings <n>", "fail on more warnings than that")
      .option("--fix <level>", "mend what can be mended: --fix or --fix=safe keep the meaning, --fix=unsafe may change it")
      .option("--diff", "print what --fix would change, and write nothing")
      .option("--baseline <file>", "findings that this file lists are not reported")
      .option("--write-baseline", "write all findings into the baseline file (default: ktrace-baseline.json)")
      .option("--prune-baseline", "take what is found no more out of the baseline file")
      .option("--no-inline-config", "ignore comments and annotations that suppress findings")
      .option("--report-unused-suppressions", "suppressions that suppress nothing are errors (KT902)")
      .option("--show-suppressed", "json, jsonl, sarif: list suppressed findings too")
      .option("--output-file <format:path>", "write a report to a file; may be repeated", words)
      .option("--stdin-filename <name>", "what standard input is called in findings")
      .option("--since <ref>", "only findings on lines that changed since a git revision")
      .option("--changed-since <rev>", "the same as --since")
      .option("--exit-zero", "exit with 0 whatever is found")
      .option("--show-config", "print the configuration and where each part comes from");
  },
  run: async (call) => {
    const { runLint } = await import("../lint/run.ts");
    return runLint(call);
  },
};
