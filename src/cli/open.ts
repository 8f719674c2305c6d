/** Opens the front door for a command: what the flags name is read and decided once, and findings about it are said on stderr. */
import type { GlobalFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import type { Session } from "./session.ts";

/** The cluster of the flags' files, or of the nearest project file. */
export async function openSession(flags: GlobalFlags, io: Io): Promise<Session> {
  const { openCluster } = await import("../ktrace.ts");
  return openCluster({
    files: flags.filename,
    ...(flags.topology === undefined ? {} : { topology: flags.topology }),
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    cwd: io.cwd,
    stdin: io.readStdin,
  });
}
