/** What a command is, for the program that lists it and for the shell completions made from the same list. */
import type { Command } from "commander";
import type { GlobalFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import type { OpenSession } from "./session.ts";

/** One call of a command. */
export type Call = {
  readonly words: readonly string[]; // what stands after the command's name, its own flags taken out unless `raw`
  readonly options: Readonly<Record<string, unknown>>; // the command's own flags
  readonly flags: GlobalFlags;
  readonly io: Io;
  readonly open: OpenSession;
  readonly commands: readonly CommandSpec[]; // all there are, for completion
};

export type CommandSpec = {
  readonly name: string;
  readonly usage: string; // after the name
  readonly summary: string;
  readonly help?: string; // printed below the flags
  /** The words after the name belong to another program (curl, nc…) and come as they are. */
  readonly raw?: boolean;
  readonly declare?: (command: Command) => void;
  readonly run: (call: Call) => Promise<number>;
};
