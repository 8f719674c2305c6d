/**
 * `lab run -- CMD`: the command itself inside the lab, then each of its connections sent again and watched on every interface
 * until each predicted course was taken. Agreement is exit 0, a difference exit 1.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { startObserver } from "../../lab/observe.ts";
import { checkRoot, down, execInside, holdLab } from "../../lab/run.ts";
import { type FlowTrial, flowsOf, type Trial, tryFlows } from "../../lab/trial.ts";
import { parseIp } from "../../net/address.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { escapeText } from "../../render/escape.ts";
import type { Question } from "../../trace/question.ts";
import type { Trace } from "../../trace/trace.ts";
import { clientQuestion, curlQuestion } from "../ask.ts";
import { parseNc, parsePing } from "../client-args.ts";
import type { Call } from "../command.ts";
import { parseCurl } from "../curl-args.ts";
import { parseDig, parseNslookup } from "../dig-args.ts";
import type { GlobalFlags } from "../flags.ts";
import { quoteWords, readNumber } from "../words.ts";
import { cleaningUp } from "./signals.ts";
import { countsOf, planOf } from "./up.ts";

export async function labRun(call: Call, named: string | undefined, words: readonly string[]): Promise<number> {
  checkRoot();
  const { io } = call;
  const question = questionOf(call, words, call.flags);
  const seconds = readNumber(String(call.options.maxTime), 1, 3600, "--max-time");
  const session = await call.open(call.flags, io);
  const trace = session.trace(question);
  const from = trace.request.from.netns;
  if (from === undefined) throw new UsageError(`${trace.request.from.name} has no network stack to run in`);
  const lab = named ?? `run-${process.pid}`;
  const plan = planOf(session, lab, { fastNeighbours: true });
  return cleaningUp(io, lab, async () => {
    const held = await holdLab(plan);
    try {
      io.stdout.write(`lab: ${countsOf(plan)}\n\n${escapeText(from)}$ ${escapeText(quoteWords(words))}\n`);
      const real = await execInside(lab, from, words, { output: "capture", timeoutMs: seconds * 1000 });
      io.stdout.write(escapeLines(real.output));
      io.stdout.write(`${real.timedOut ? `no answer within ${seconds} s` : `exit ${real.status}`}\n\n`);
      const observer = await startObserver(held);
      const client = { ...addressOf(question), ...(question.ttl === undefined ? {} : { ttl: question.ttl }) };
      const trial = await tryFlows(session.world, observer, flowsOf(trace, client));
      await observer.stop();
      return report(call, trace, trial, real);
    } finally {
      await held.down();
      await down(lab);
    }
  });
}

const addressOf = ({ sourceAddress }: Question) => {
  const src = parseIp(sourceAddress ?? "");
  return src === undefined ? {} : { src };
};

function questionOf(call: Call, [program, ...args]: readonly string[], flags: GlobalFlags): Question {
  if (program === "curl")
    return curlQuestion(
      parseCurl(args, (path) => existsSync(resolve(call.io.cwd, path))),
      flags,
    );
  const parse = new Map([
    ["nc", parseNc],
    ["ping", parsePing],
    ["dig", parseDig],
    ["nslookup", parseNslookup],
  ]).get(program ?? "");
  if (parse === undefined || program === undefined)
    throw new UsageError(
      program === undefined ? "lab run needs a command after --" : `lab run compares curl, nc, ping, dig and nslookup, not ${program}`,
      "ktrace lab run -- curl node2:31160; lab up and lab exec run anything",
    );
  const known = (["nc", "ping", "dig", "nslookup"] as const).find((each) => each === program);
  return clientQuestion(known ?? "nc", parse(args), flags);
}

/** Prints what was compared and answers the exit status. */
function report({ io }: Call, trace: Trace, trial: Trial, real: { readonly status: number; readonly timedOut: boolean }): number {
  for (const flow of trial.flows) io.stdout.write(`${flowLine(flow)}\n`);
  const client = clientDifference(trace, real);
  const first = trial.flows.flatMap(({ problems }) => problems)[0] ?? trial.rules[0]?.text ?? client;
  if (first !== undefined) {
    io.stdout.write(`\nDIFFERS from the prediction. The first difference:\n${escapeLines(first)}\n`);
    return 1;
  }
  const unseen = trial.flows.reduce((sum, flow) => sum + flow.unseen, 0);
  const caveat = unseen === 0 ? "" : `; ${unseen} of the predicted courses did not happen to be taken`;
  io.stdout.write(
    `\nAGREES with the prediction: packets on every interface, rewrites, TTL, rules, connection entries, the client${caveat}\n`,
  );
  return 0;
}

function flowLine({ flow, sent, courses, unseen, problems }: FlowTrial): string {
  const to = flow.protocol.startsWith("icmp") ? flow.dst : `${flow.dst}:${flow.dport}`;
  const outcome = problems.length > 0 ? "differs" : `${courses - unseen} of ${courses} predicted courses seen`;
  return `${escapeText(flow.from)} -> ${flow.protocol} ${to}: sent ${sent} times, ${outcome}`;
}

const escapeLines = (text: string): string => text.split("\n").map(escapeText).join("\n");

/** The program's own exit status, against the paths it could have taken. */
function clientDifference(
  { paths }: Trace,
  { status, timedOut }: { readonly status: number; readonly timedOut: boolean },
): string | undefined {
  const silent = paths.some(({ verdict }) => verdict === "dropped" || verdict === "unanswered" || verdict === "exits");
  const open = paths.some(({ verdict }) => verdict === "unknown" || verdict === "exits");
  if (open || (timedOut ? silent : paths.some(({ clientSees }) => clientSees.exitCode === status))) return undefined;
  const predicted = [...new Set(paths.map(({ clientSees }) => clientSees.exitCode))].join(" or ");
  return `the client: predicted exit ${predicted}, ${timedOut ? "it got no answer" : `it ended with ${status}`}`;
}
