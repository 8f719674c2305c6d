/** The commander program: global flags, the list of commands, help, and commander's errors in our words. */
import { Command, CommanderError } from "commander";
import { UsageError } from "../objects/diagnostic.ts";
import { VERSION } from "../version.ts";
import type { CommandSpec } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { addGlobalFlags, joinAgain, readGlobalFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import type { OpenSession } from "./session.ts";
import { foldText, widthOf } from "./terminal.ts";

/** Runs the command that the words name; answers the exit status. Wrong usage is thrown. */
export async function runProgram(io: Io, open: OpenSession): Promise<number> {
  if (io.argv.length === 0) {
    io.stdout.write(shortHelp(io.program));
    return 0;
  }
  const named = commandsNamed(io.argv);
  try {
    return await parse(named, io, open);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // With every command declared, commander knows which one was meant.
    if (error.code === "commander.unknownCommand" && named !== COMMANDS) return await runAll(io, open);
    if (error.exitCode === 0) return 0;
    throw inOurWords(error, io.program);
  }
}

/** The commands that some word names: declaring the others with all their flags would take longer than reading the line. */
function commandsNamed(argv: readonly string[]): readonly CommandSpec[] {
  const named = COMMANDS.filter((spec) => argv.includes(spec.name));
  const wantsHelp = argv.some((word) => word === "help" || word === "-h" || word === "--help");
  return named.length === 0 || wantsHelp ? COMMANDS : named;
}

async function runAll(io: Io, open: OpenSession): Promise<number> {
  try {
    return await parse(COMMANDS, io, open);
  } catch (error) {
    throw error instanceof CommanderError ? inOurWords(error, io.program) : error;
  }
}

async function parse(specs: readonly CommandSpec[], io: Io, open: OpenSession): Promise<number> {
  const done = { status: 0 };
  const program = buildProgram(specs, io, open, (status) => {
    done.status = status;
  });
  await program.parseAsync(joinAgain(io.argv), { from: "user" });
  return done.status;
}

function buildProgram(specs: readonly CommandSpec[], io: Io, open: OpenSession, finish: (status: number) => void): Command {
  const program = addGlobalFlags(new Command(io.program))
    .description("Walks a packet through the network that Kubernetes manifests describe, offline.")
    .usage("[flags] COMMAND …")
    .version(VERSION, "--version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [COMMAND]", "print help of a command")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: io.stdout.write, writeErr: () => undefined, getOutHelpWidth: () => widthOf(io.stdout) })
    .configureHelp({ minWidthToWrap: 20, subcommandTerm: (command) => command.name() })
    .addHelpText("after", `\n${foldText(examples(io.program), widthOf(io.stdout))}`);
  for (const spec of specs) addCommand(program, spec, io, open, finish);
  return program;
}

function addCommand(program: Command, spec: CommandSpec, io: Io, open: OpenSession, finish: (status: number) => void): void {
  const command = program.command(spec.name).summary(spec.summary).description(spec.summary).usage(spec.usage).argument("[words...]");
  if (spec.raw) command.allowUnknownOption().passThroughOptions().helpOption("--help", "print help");
  else addGlobalFlags(command).helpOption("-h, --help", "print help");
  spec.declare?.(command);
  if (spec.help !== undefined)
    command.addHelpText("after", `\n${foldText(spec.help.replaceAll("ktrace ", `${io.program} `), widthOf(io.stdout))}`);
  command.action(async () => {
    if (spec.raw && asksForHelp(command.args)) command.help();
    const flags = readGlobalFlags(program.opts(), spec.raw ? {} : command.opts());
    finish(await spec.run({ words: command.args, options: command.opts(), flags, io, open, commands: COMMANDS }));
  });
}

/** `--help` among the words of another program's command line; after `--` it is that program's. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).includes("--help");
}

/** `error: unknown option '--x'\n(Did you mean --y?)` as a message and a help line. */
function inOurWords(error: CommanderError, program: string): UsageError {
  if (error.code === "commander.help") return new UsageError("which command?", `${program} --help lists them`);
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const hint = /\((Did you mean .*)\)/.exec(rest.join(" "))?.[1];
  return new UsageError(first, hint === undefined ? `${program} --help lists commands and flags` : hint.replace(/^D/, "d"));
}

const examples = (program: string): string =>
  [
    "Examples:",
    `  ${program} curl node2:31160                                  what happens to this request, hop by hop`,
    `  ${program} exec pod/nginx -- curl http://tomcat6/            the same from inside a pod`,
    `  ${program} get pods -o wide                                  the cluster that the manifests describe`,
    "",
  ].join("\n");

const shortHelp = (program: string): string =>
  [
    `${program} walks a packet through the network that Kubernetes manifests describe, offline.`,
    "",
    examples(program),
    `Commands: ${COMMANDS.map((spec) => spec.name).join(", ")}`,
    `More: ${program} --help`,
    "",
  ].join("\n");
