/** Opens the front door for a command: what the flags name is read and decided once, and findings about it are said on stderr. */
import { type Diagnostic, UsageError } from "../objects/diagnostic.ts";
import type { GlobalFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import type { Session } from "./session.ts";
import { diagnosticText } from "./trouble.ts";

/** With these the cluster is not the one that was meant, and no answer about it can be trusted. */
const FATAL: ReadonlySet<string> = new Set(["KT001", "topology-invalid-value"]);
const MOST = 10; // findings said one by one; a trace is no linter

/** The cluster of the flags' files, or of the nearest project file. Input that cannot be read is a UsageError. */
export async function openSession(flags: GlobalFlags, io: Io): Promise<Session> {
  const { openCluster } = await import("../ktrace.ts");
  const session = openCluster({
    files: flags.filename,
    ...(flags.topology === undefined ? {} : { topology: flags.topology }),
    ...(flags.apply.length === 0 ? {} : { apply: flags.apply }),
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    ...(flags.kubernetesVersion === undefined ? {} : { kubernetesVersion: flags.kubernetesVersion }),
    ...(flags.config === undefined ? {} : { config: flags.config }),
    cwd: io.cwd,
    stdin: io.readStdin,
  });
  const { unknownFieldFindings } = await import("./unknown-fields.ts");
  const unknown = flags.quiet ? [] : unknownFieldFindings(session.input.written);
  const findings = [...session.input.diagnostics, ...session.cluster.diagnostics, ...unknown].map((one) => withPlace(one, session));
  refuseUnreadable(findings);
  if (!flags.quiet) sayFindings(findings, session, io);
  return session;
}

/** Throws UsageError when a part of the input could not be read. */
export function refuseUnreadable(findings: readonly Diagnostic[]): void {
  const fatal = findings.filter((one) => one.severity === "error" && FATAL.has(one.code));
  if (fatal.length > 0)
    throw new UsageError(`${fatal.length === 1 ? "a part" : `${fatal.length} parts`} of the input cannot be read`, undefined, fatal);
}

function withPlace(finding: Diagnostic, session: Session): Diagnostic {
  const { at, ...rest } = finding;
  if (at === undefined || "line" in at) return finding;
  const place = session.input.sources.place(at.source, at.field);
  return place === undefined ? rest : { ...rest, at: place };
}

/** Errors and warnings: what the API server would refuse, or what the input cannot mean. Notes are for lint. */
function sayFindings(findings: readonly Diagnostic[], session: Session, io: Io): void {
  const said = findings.filter(({ severity }) => severity !== "info");
  for (const one of said.slice(0, MOST)) io.stderr.write(diagnosticText(one, io, session.input.sources.line));
  if (said.length > MOST) io.stderr.write(`… and ${said.length - MOST} more findings about the input\n`);
}
