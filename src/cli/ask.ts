/** Puts one question to the cluster and prints the answer: the common end of curl, nc, ping, dig, trace and exec. */

import type { Question } from "../trace/question.ts";
import type { Trace } from "../trace/trace.ts";
import type { ClientRequest } from "./client-args.ts";
import type { Call } from "./command.ts";
import type { CurlRequest } from "./curl-args.ts";
import { chooseFormat, type GlobalFlags, TRACE_FORMATS } from "./flags.ts";
import { quoteWords } from "./words.ts";

/** What curl was asked, as a question. */
export function curlQuestion(request: CurlRequest, flags: GlobalFlags): Question {
  return {
    ...commonQuestion(request.command, flags),
    program: "curl",
    to: { host: request.host, port: request.port, protocol: "tcp" },
    http: request.http,
    ...(request.family === undefined ? {} : { family: request.family }),
    ...(request.localPort === undefined ? {} : { localPort: request.localPort }),
    ...(request.sourceAddress === undefined ? {} : { sourceAddress: request.sourceAddress }),
  };
}

/** What nc, ping, dig or nslookup was asked, as a question. */
export function clientQuestion(program: Question["program"], request: ClientRequest, flags: GlobalFlags): Question {
  return {
    ...commonQuestion(request.command, flags),
    program,
    to: { host: request.host, ...(request.port === undefined ? {} : { port: request.port }), protocol: request.protocol },
    ...(request.family === undefined ? {} : { family: request.family }),
    ...(request.localPort === undefined ? {} : { localPort: request.localPort }),
    ...(request.sourceAddress === undefined ? {} : { sourceAddress: request.sourceAddress }),
    ...(request.ttl === undefined ? {} : { ttl: request.ttl }),
    ...(request.type === undefined ? {} : { type: request.type }),
    ...(request.server === undefined ? {} : { server: request.server }),
    ...(request.lookup === undefined ? {} : { lookup: request.lookup }),
  };
}

/** The parts that every question has. */
export const commonQuestion = (command: readonly string[], flags: GlobalFlags) => ({
  command: quoteWords(command),
  from: flags.from,
  namespace: flags.namespace ?? "default",
  evidence: flags.verbose > 0,
  ...(flags.again > 0 ? { again: flags.again } : {}),
});

type AnswerOptions = {
  /** Exit as the client program would. */
  readonly clientExit?: boolean;
  /** What the client program itself prints at the end, below a text trace. */
  readonly epilogue?: (trace: Trace) => string;
};

/** Traces, prints in the format asked for, and answers the exit status. */
export async function answer(call: Call, flags: GlobalFlags, question: Question, options: AnswerOptions = {}): Promise<number> {
  const format = chooseFormat(flags.output, TRACE_FORMATS, "text");
  const session = await call.open(flags, call.io);
  const trace = session.trace(question);
  const { printTrace } = await import("./print.ts");
  await printTrace(trace, session.context, format, flags, call.io);
  if (format === "text") call.io.stdout.write(options.epilogue?.(trace) ?? "");
  return options.clientExit || flags.curlExitCodes ? clientStatus(trace) : trace.verdict === "delivered" ? 0 : 1;
}

/**
 * The client program's own exit status (dig's is 0 for any answer, NXDOMAIN too); when the paths differ, the first that is not 0. A packet that left the model, or met
 * what is not modelled, is no success that a script may build on.
 */
function clientStatus(trace: Trace): number {
  const statuses = trace.paths.map(({ verdict, clientSees }) => {
    const answered = verdict === "delivered" || verdict === "http-error" || verdict === "unresolved";
    return clientSees.exitCode === 0 && !answered ? 1 : clientSees.exitCode;
  });
  return statuses.find((status) => status !== 0) ?? 0;
}

/** Notes go to stderr, unless asked to be quiet. */
export function note(call: Call, flags: GlobalFlags, lines: readonly string[]): void {
  if (!flags.quiet) for (const line of lines) call.io.stderr.write(`ktrace: note: ${line}\n`);
}
