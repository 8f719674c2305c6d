/** The last paragraph: how it ends, what the client program prints, the one surprising fact, what to change. */
import type { Reason } from "../../linux/reason.ts";
import { addFractions, equalFractions, type Fraction, formatFraction, ONE, ZERO } from "../../net/fraction.ts";
import type { Path, Trace, Verdict } from "../../trace/trace.ts";
import type { Advice, Counsel } from "../context.ts";
import { REASONS } from "../explain/reasons.ts";
import type { Tone } from "../paint.ts";
import { adviceLines } from "./advice.ts";
import { primaryOf } from "./choose.ts";
import { wrap } from "./layout.ts";
import type { Scene } from "./scene.ts";
import { type Line, line, type Span, span } from "./spans.ts";
import { surpriseText } from "./surprise.ts";

export function verdictLines(scene: Scene, trace: Trace): Line[] {
  const path = primaryOf(trace.paths);
  if (path === undefined) return [line(span(trace.verdict, "bold"))];
  const { width } = scene.options;
  const counsel = scene.context.advice?.(path);
  return [
    ...endings(trace).flatMap((ending) => endingLines(trace, ending, width)),
    ...(path.verdict === "delivered" ? surpriseText(scene, trace) : []).flatMap((text) => wrap(line(text), width)),
    ...becauseLines(scene, counsel),
    ...adviceLines(counsel?.advice ?? generalAdvice(path), width),
    ...trace.warnings.flatMap((text) => wrap(line(span(`Mind: ${text}`, "yellow")), scene.options.width, 6)),
    ...assumedLines(scene, trace),
  ];
}

/** Paths that end the same way. */
type Ending = { readonly verdict: Verdict; readonly reason: Path["reason"]; readonly paths: readonly Path[]; readonly share: Fraction };

/** Failures first: they are what the reader came for. */
function endings(trace: Trace): Ending[] {
  const found = new Map<string, Ending>();
  for (const path of trace.paths) {
    const key = `${path.verdict} ${path.reason ?? ""} ${path.status ?? ""}`;
    const known = found.get(key) ?? { verdict: path.verdict, reason: path.reason, paths: [], share: ZERO };
    found.set(key, { ...known, paths: [...known.paths, path], share: addFractions(known.share, path.share) });
  }
  const all = [...found.values()];
  return [...all.filter(({ verdict }) => verdict !== "delivered"), ...all.filter(({ verdict }) => verdict === "delivered")];
}

function endingLines(trace: Trace, ending: Ending, width: number): Line[] {
  const path = primaryOf(ending.paths);
  if (!path) return [];
  const good = ending.verdict === "delivered";
  const tone: Tone = good ? "green" : ending.verdict === "exits" ? "yellow" : "red";
  const ways = `${ending.paths.length} of ${trace.pathsTotal} ${trace.pathsTotal === 1 ? "way" : "ways"}${shareText(trace, ending)}`;
  const reason = ending.reason === undefined ? "" : `, ${ending.reason}`;
  const { program } = trace.request;
  const { message, exitCode } = path.clientSees;
  const literal = message !== "" && !(good && program === "curl");
  const sentence = good ? deliveredText(trace, path) : path.text;
  const status = ending.verdict === "exits" || ending.verdict === "unknown" ? "" : `exit ${exitCode}`; // nobody knows those
  const exit = literal || status === "" ? "" : `, ${status}`;
  return [
    ...wrap([span(ending.verdict, tone), ...line(` (${ways})${reason}: ${sentenceOf(`${sentence}${exit}`)}`)], width),
    ...(literal ? messageLines(program, message, status, width) : []),
  ];
}

/** Who answers whom. What curl prints is the server's own text, which nobody knows here. */
function deliveredText({ request, paths }: Trace, path: Path): string {
  const proxy = path.legs.find((leg) => leg.proxy !== undefined && leg.proxy.status === undefined)?.proxy;
  const { destination } = path;
  if (proxy && destination) return `${proxy.process} passes on what ${paths.length > 1 ? "the pod" : destination.name} answers`;
  if (request.program === "dig" || request.program === "nslookup") return path.text;
  const { host, port } = request.to;
  return `${request.program} gets its answer from ${host}${port === undefined ? "" : `:${port}`}`;
}

/** The share of connections, when it does not follow from counting the ways. */
function shareText(trace: Trace, ending: Ending): string {
  if (equalFractions(ending.share, ONE)) return "";
  const even = trace.paths.every((path) => path.share.num * BigInt(trace.pathsTotal) === path.share.den);
  return even ? "" : `, ${formatFraction(ending.share)} of connections`;
}

const sentenceOf = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The client's own words stand on their own lines, to be recognised. */
function messageLines(program: string, message: string, code: string, width: number): Line[] {
  const rows = message.split("\n").map(expandTabs);
  const name: Span = span(`${program} prints  `, "dim");
  const pad: Span = { text: " ".repeat(program.length + 9) };
  return rows.flatMap((row, i) => {
    const end = i === rows.length - 1 && code !== "" ? [span(`   ${code}`, "dim")] : [];
    const whole = line("  ", i === 0 ? name : pad, row, ...end);
    return rows.length > 1 ? [whole] : wrap(whole, width, program.length + 13);
  });
}

/** Tabs to blanks, a stop every eight columns. */
const expandTabs = (text: string): string => text.split("\t").reduce((done, part) => `${done}${" ".repeat(8 - (done.length % 8))}${part}`);

/** What decided, in the words of the objects: a sentence a line, with its place. */
const becauseLines = (scene: Scene, counsel: Counsel | undefined): Line[] =>
  (counsel?.because ?? []).flatMap(({ text, place }) =>
    wrap(line(text, ...(place === undefined ? [] : [" ", span(`(${place})`, "dim")]), "."), scene.options.width),
  );

/** A lost reply is mended where it was lost. */
const deeperReason = (legs: Path["legs"], reason: Reason): Reason => {
  const lost = legs.findLast((leg) => leg.reply.reason !== undefined)?.reply.reason;
  return reason === "reply-lost" && lost !== undefined ? lost : reason;
};

/** Nothing more is known than the code: its general advice. */
function generalAdvice({ reason, legs }: Path): Advice[] {
  if (reason === undefined) return [];
  return REASONS[deeperReason(legs, reason)].fix.map((text) => ({ text, walked: false }));
}

/** At most two lines, for a default rarely decides; `-v` lists all. */
function assumedLines(scene: Scene, { assumed }: Trace): Line[] {
  const shown = scene.options.depth === "verbose" ? assumed : assumed.slice(0, 2);
  const more = assumed.length - shown.length;
  return shown.flatMap(({ what, key }, i) => {
    const tail = more > 0 && i === shown.length - 1 ? ` (and ${more} more: -v)` : "";
    return wrap(line(span(`Assumed: ${what}${key === undefined ? "" : ` (${key})`}${tail}`, "dim")), scene.options.width, 9);
  });
}
