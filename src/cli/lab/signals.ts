/** An interrupted lab cleans up after itself: the first SIGINT, SIGTERM or SIGHUP removes it, then the process ends as signals do. */
import { down, sweepHelpers } from "../../lab/run.ts";
import type { Io } from "../io.ts";

const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs the body; a signal meanwhile takes the lab down. What the body then throws is of no interest any more. */
export async function cleaningUp<T>(io: Io, lab: string, body: () => Promise<T>): Promise<T> {
  let isInterrupted = false;
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const handle = (): void => {
      if (isInterrupted) return;
      isInterrupted = true;
      io.stderr.write(`ktrace: interrupted: removing lab ${lab}\n`);
      down(lab)
        .catch((error: unknown) => io.stderr.write(`ktrace: error: ${error instanceof Error ? error.message : String(error)}\n`))
        .finally(() => {
          sweepHelpers(lab);
          process.exit(STATUS[signal]);
        });
    };
    process.on(signal, handle);
    return { signal, handle };
  });
  try {
    return await body();
  } catch (error) {
    if (isInterrupted) await new Promise(() => {}); // the handler ends the process
    throw error;
  } finally {
    for (const { signal, handle } of handlers) process.off(signal, handle);
  }
}
