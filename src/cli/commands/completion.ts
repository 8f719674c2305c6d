/** `ktrace completion SHELL`: a script for bash, zsh or fish, made from the list of commands. */

import { Command } from "commander";
import { nearest } from "../../manifests/words.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { LINT_FORMAT_NAMES } from "../../render/lint/formats.ts";
import type { CommandSpec } from "../command.ts";
import { LONG_FLAGS } from "../flags.ts";

type Named = Pick<CommandSpec, "name" | "summary" | "declare">;
const SHELLS = ["bash", "zsh", "fish"] as const;

export const completionCommand: CommandSpec = {
  name: "completion",
  usage: "bash|zsh|fish",
  summary: "print a completion script for a shell",
  help: ['  eval "$(ktrace completion bash)"', ""].join("\n"),
  run: async ({ words: [asked], io, commands }) => {
    const shell = SHELLS.find((known) => known === asked);
    if (shell === undefined) {
      const near = asked === undefined ? undefined : nearest(asked, SHELLS);
      throw new UsageError(
        asked === undefined ? "completion for which shell?" : `no completion for ${JSON.stringify(asked)}`,
        `known: ${SHELLS.join(", ")}${near ? `; did you mean ${near}?` : ""}`,
      );
    }
    io.stdout.write(SCRIPTS[shell](commands));
    return 0;
  },
};

const flagWords = LONG_FLAGS.map((spec) => `--${spec.name}`).join(" ");

/** The flags that a command has besides. */
function ownFlags({ declare }: Named): string {
  const command = new Command();
  declare?.(command);
  return command.options.map(({ long }) => long ?? "").join(" ");
}

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], (commands: readonly Named[]) => string>> = {
  bash: (commands) => `_ktrace() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  case $before in
    -f|--filename|-t|--topology) COMPREPLY=($(compgen -f -- "$word")); return ;;
    -o|--output)
      local formats="text wide json jsonl yaml"
      [[ " \${COMP_WORDS[*]} " == *" lint "* ]] && formats="${LINT_FORMAT_NAMES.join(" ")}"
      COMPREPLY=($(compgen -W "$formats" -- "$word")); return ;;
    --color) COMPREPLY=($(compgen -W "auto always never" -- "$word")); return ;;
  esac
  local i
  if [[ $word == -* ]]; then
    local flags="${flagWords}"
    for ((i = 1; i < COMP_CWORD; i++)); do
      case \${COMP_WORDS[i]} in
${commands
  .map((command) => ({ name: command.name, flags: ownFlags(command) }))
  .filter(({ flags }) => flags !== "")
  .map(({ name, flags }) => `        ${name}) flags+=" ${flags}" ;;`)
  .join("\n")}
      esac
    done
    COMPREPLY=($(compgen -W "$flags" -- "$word")); return
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in ${commands.map(({ name }) => name).join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;; esac
  done
  COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")} help" -- "$word"))
}
complete -F _ktrace ktrace
`,
  zsh: (commands) => `#compdef ktrace
_ktrace() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    '${name}:${summary.replaceAll("'", "'\\''").replaceAll(":", "\\:")}'`).join("\n")}
  )
  _arguments -C '*'{-f,--filename}'[manifests]:file:_files' {-t,--topology}'[topology]:file:_files' \\
    {-n,--namespace}'[namespace]:namespace:' {-o,--output}'[format]:format:(text wide json jsonl yaml)' \\
    '1:command:{_describe command commands}' '*::words:_files'
}
compdef _ktrace ktrace
`,
  fish: (commands) =>
    [
      "complete -c ktrace -f",
      ...commands.map(
        ({ name, summary }) => `complete -c ktrace -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", "\\'")}'`,
      ),
      "complete -c ktrace -s f -l filename -r -F -d 'manifests'",
      "complete -c ktrace -s t -l topology -r -F -d 'topology file'",
      "complete -c ktrace -s n -l namespace -x -d 'namespace'",
      "complete -c ktrace -s o -l output -x -a 'text wide json jsonl yaml' -d 'output format'",
      "",
    ].join("\n"),
};
