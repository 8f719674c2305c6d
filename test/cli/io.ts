/** A process made of strings, for running the command line inside a test. */

import type { Io } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";
import { openSession } from "../../src/cli/open.ts";

export type Outcome = { readonly status: number; readonly stdout: string; readonly stderr: string };
export type Around = {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly env?: Io["env"];
  readonly tty?: boolean;
  readonly columns?: number;
  readonly program?: Io["program"];
};

/** Runs `ktrace WORDS` here and now. */
export async function ktrace(words: readonly string[], around: Around = {}): Promise<Outcome> {
  const out = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({
    write: (text: string) => {
      out[name] += text;
    },
    isTTY: around.tty ?? false,
    columns: around.columns,
  });
  const io: Io = {
    argv: words,
    program: around.program ?? "ktrace",
    env: around.env ?? {},
    cwd: around.cwd ?? process.cwd(),
    readStdin: () => around.stdin ?? "",
    stdout: stream("stdout"),
    stderr: stream("stderr"),
  };
  const status = await main(io, openSession);
  return { status, ...out };
}
