/**
 * Where the bundle begins: the real process handed to `main`. Output that is no terminal is written without node's streams,
 * which take longer to load than a trace to walk. A signal ends the process as signals do (a shell shows 130, 143).
 */
import { fstatSync, readFileSync, writeSync } from "node:fs";
import type { Io, Stream } from "./io.ts";
import { main } from "./main.ts";
import { openSession } from "./open.ts";

const calledAs = process.argv[1]?.split(/[\\/]/).at(-1) ?? "";
const io: Io = {
  argv: process.argv.slice(2),
  program: calledAs.startsWith("kubectl-") ? "kubectl ktrace" : "ktrace",
  env: process.env,
  cwd: process.cwd(),
  readStdin: () => readFileSync(0, "utf8"),
  stdout: isTerminal(1) ? terminal(process.stdout) : plainFile(1),
  stderr: isTerminal(2) ? terminal(process.stderr) : plainFile(2),
};
void main(io, openSession).then((status) => {
  process.exitCode = status;
});

/** A terminal is a character device; so is /dev/null, for which asking once more costs nothing that anybody waits for. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false; // closed
  }
}

function terminal(stream: NodeJS.WriteStream): Stream {
  stream.on("error", (error: NodeJS.ErrnoException) => gone(error));
  return {
    write: (text) => {
      stream.write(text);
    },
    isTTY: stream.isTTY === true,
    columns: stream.columns,
  };
}

function plainFile(fd: number): Stream {
  return { write: (text) => writeAll(fd, Buffer.from(text)), isTTY: false, columns: undefined };
}

/** A pipe may take a part, or nothing until its reader has caught up (EAGAIN). */
function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) gone(error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** `ktrace … | head` closes the pipe early: that is the reader's wish, not an error. */
function gone(error: unknown): never {
  if (error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "EBADF")) process.exit(0);
  throw error;
}
