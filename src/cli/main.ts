/** ktrace's command line: runs one command and answers its exit status. All trouble ends here. */
import type { Io } from "./io.ts";
import { runProgram } from "./program.ts";
import type { OpenSession } from "./session.ts";
import { reportTrouble } from "./trouble.ts";

/** 0: every path delivered, nothing found. 1: some path not delivered. 2: wrong usage, unreadable input, a bug. */
export async function main(io: Io, open: OpenSession): Promise<number> {
  try {
    return await runProgram(io, open);
  } catch (error) {
    return reportTrouble(error, io);
  }
}
