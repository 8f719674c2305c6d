/** Where the bundle begins: the real process handed to `main`, and what a pipe or a signal does to it. */
import { readFileSync } from "node:fs";
import type { Io, Stream } from "./io.ts";
import { main } from "./main.ts";
import { openSession } from "./open.ts";

const streamOf = (stream: NodeJS.WriteStream): Stream => ({
  write: (text) => {
    stream.write(text);
  },
  isTTY: stream.isTTY === true,
  columns: stream.columns,
});

// `ktrace … | head` closes the pipe early: that is the reader's wish, not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const calledAs = process.argv[1]?.split(/[\\/]/).at(-1) ?? "";
const io: Io = {
  argv: process.argv.slice(2),
  program: calledAs.startsWith("kubectl-") ? "kubectl ktrace" : "ktrace",
  env: process.env,
  cwd: process.cwd(),
  readStdin: () => readFileSync(0, "utf8"),
  stdout: streamOf(process.stdout),
  stderr: streamOf(process.stderr),
};
process.exitCode = await main(io, openSession);
