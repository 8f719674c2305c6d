/** The last paragraph: how it ends, what the client program prints, the one surprising fact, what to change. */
import type { Reason } from "../../linux/reason.ts";
import { addFractions, equalFractions, type Fraction, formatFraction, ONE, ZERO } from "../../net/fraction.ts";
import type { Path, Trace, Verdict } from "../../trace/trace.ts";
import type { Advice } from "../context.ts";
import { REASONS } from "../explain/reasons.ts";
import type { Tone } from "../paint.ts";
import { primaryOf } from "./choose.ts";
import { justify, wrap } from "./layout.ts";
import type { Scene } from "./scene.ts";
import { type Line, line, type Span, span } from "./spans.ts";
import { surpriseText } from "./surprise.ts";

export function verdictLines(scene: Scene, trace: Trace): Line[] {
  const path = primaryOf(trace.paths);
  if (path === undefined) return [line(span(trace.verdict, "bold"))];
  const { width } = scene.options;
  return [
    ...endings(trace).flatMap((ending) => endingLines(trace, ending, width)),
    ...(path.verdict === "delivered" ? surpriseText(scene, trace) : []).flatMap((text) => wrap(line(text), width)),
    ...adviceLines(scene, path),
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
  const exit = literal ? "" : `, exit ${exitCode}`;
  return [
    ...wrap([span(ending.verdict, tone), ...line(` (${ways})${reason}: ${sentenceOf(`${sentence}${exit}`)}`)], width),
    ...(literal ? messageLines(program, message, `exit ${exitCode}`) : []),
  ];
}

/** Who answers whom. What curl prints is the server's own text, which nobody knows here. */
function deliveredText({ request, paths }: Trace, path: Path): string {
  const proxy = path.legs.find((leg) => leg.proxy !== undefined && leg.proxy.status === undefined)?.proxy;
  const { destination } = path;
  if (proxy && destination) return `${proxy.process} passes on what ${paths.length > 1 ? "the pod" : destination.name} answers`;
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
function messageLines(program: string, message: string, code: string): Line[] {
  const rows = message.split("\n");
  const name: Span = span(`${program} prints  `, "dim");
  const pad: Span = { text: " ".repeat(program.length + 9) };
  return rows.map((row, i) => line("  ", i === 0 ? name : pad, row, ...(i === rows.length - 1 ? [span(`   ${code}`, "dim")] : [])));
}

/** `What to change:`, numbered when there is a choice. */
function adviceLines(scene: Scene, path: Path): Line[] {
  const advice = adviceFor(scene, path);
  const { width } = scene.options;
  if (advice.length === 0) return [];
  const [only] = advice;
  if (advice.length === 1 && only) return adviceRow(`What to change: ${only.text}`, only, width, 0);
  return [line("What to change:"), ...advice.flatMap((one, i) => adviceRow(`  ${i + 1}  ${one.text}`, one, width, 5))];
}

function adviceRow(text: string, { place, outcome }: Advice, width: number, hang: number): Line[] {
  const right = [outcome, place].filter((part) => part !== undefined).join("  ");
  const lines = wrap(line(text), right === "" ? width : width - 2, hang);
  const last = lines.at(-1);
  return right === "" || !last ? lines : [...lines.slice(0, -1), ...justify(last, line(span(right, "dim")), width)];
}

/** A lost reply is mended where it was lost. */
const deeperReason = (path: Path, reason: Reason): Reason => {
  const lost = path.legs.findLast((leg) => leg.reply.reason !== undefined)?.reply.reason;
  return reason === "reply-lost" && lost !== undefined ? lost : reason;
};

function adviceFor(scene: Scene, path: Path): readonly Advice[] {
  const own = scene.context.advice?.(path) ?? [];
  if (own.length > 0 || path.reason === undefined) return own;
  return REASONS[deeperReason(path, path.reason)].fix.map((text) => ({ text }));
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
