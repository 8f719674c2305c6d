/** A lint report for people: each finding with the line it is about, as compilers print it. */
import type { Report, Reported } from "../../lint/lint.ts";
import { formatPlace, type Place } from "../../objects/source.ts";
import { escapeText } from "../escape.ts";
import type { Tone } from "../paint.ts";
import { frameOf } from "./frame.ts";
import type { LintContext } from "./report.ts";

const TONES: Readonly<Record<Reported["severity"], Tone>> = { error: "red", warning: "yellow", info: "cyan" };

/** One block a finding; nothing when there is none. */
export function* renderLintText(report: Report, context: LintContext): Generator<string> {
  for (const found of report.findings) yield `${findingText(found, context)}\n`;
}

function findingText(found: Reported, context: LintContext): string {
  const { paint, program } = context;
  const { rule, severity, message, at, label, related, packet, help, fix } = found;
  const tone = paint[TONES[severity]];
  const gutter = String(Math.max(at.line, ...related.map((each) => each.at.line))).length;
  const pad = " ".repeat(gutter);
  const bar = paint.dim(`${pad} |`);
  const note = (name: string, lines: readonly string[]): string[] =>
    lines.map((line, i) => `${pad} ${i === 0 ? `= ${paint.bold(`${name}:`)}` : " ".repeat(name.length + 3)} ${line}`);
  const inner = context.width - gutter - 4;
  const folded = (name: string, text: string): string[] => note(name, fold(escapeText(text), inner - name.length));
  const hint =
    fix === undefined || fix.kind === "suggest" ? "" : `   (fix available: ${program} lint --fix${fix.kind === "unsafe" ? "=unsafe" : ""})`;
  const main = block(at, label, "^", tone, gutter, context);
  const others = related.flatMap((each) => {
    const lines = block(each.at, each.label, "-", paint.cyan, gutter, context);
    return [bar, `${pad}${paint.dim(":::")} ${escapeText(formatPlace(each.at))}`, ...lines];
  });
  return [
    `${tone(`${severity}[${rule.code}]`)} ${rule.name}: ${paint.bold(escapeText(message))}`,
    `${pad}${paint.dim("-->")} ${escapeText(formatPlace(at))}`,
    ...(main.length > 0 ? [bar, ...main] : []),
    ...others,
    ...(packet === undefined ? [] : note("packet", [escapeText(packet.command), ...fold(proofText(packet), inner - 6)])),
    ...(help === undefined && hint === "" ? [] : folded("help", `${help ?? "this can be mended"}${hint}`)),
    ...(fix?.kind === "suggest" ? suggestion(found, context, note) : []),
    ...note("see", [`${program} explain ${rule.code}`]),
    "",
  ].join("\n");
}

/** How the request ends, in the words that `ktrace explain` takes, and its course. */
const proofText = ({ text, verdict, reasons }: NonNullable<Reported["packet"]>): string =>
  escapeText(`${verdict}${reasons.length === 0 ? "" : ` (${reasons.join(", ")})`}${text === "" ? "" : `: ${text}`}`);

/** The line and its marks; nothing for a line that cannot be shown. */
function block(
  at: Place,
  label: string | undefined,
  mark: string,
  tone: (text: string) => string,
  gutter: number,
  context: LintContext,
): string[] {
  const line = context.line(at.file, at.line);
  if (line === undefined) return label === undefined ? [] : [`${context.paint.dim(`${" ".repeat(gutter)} |`)} ${tone(escapeText(label))}`];
  const room = Math.max(30, context.width - gutter - 3);
  const endColumn = at.endLine === at.line ? at.endColumn : line.length + 1;
  const { text, start, end } = frameOf({ line, column: at.column, endColumn, room });
  const bar = context.paint.dim(`${" ".repeat(gutter)} |`);
  const number = context.paint.dim(`${String(at.line).padStart(gutter)} |`);
  const marks = `${bar} ${" ".repeat(start)}${tone(mark.repeat(end - start))}`;
  const shown = label === undefined ? "" : escapeText(label);
  const source = `${number}${text.trimEnd() === "" ? "" : ` ${text.trimEnd()}`}`;
  if (shown === "") return [source, marks];
  if (end + 1 + shown.length <= room) return [source, `${marks} ${tone(shown)}`];
  return [source, marks, ...fold(shown, room - 2).map((part) => `${bar}   ${tone(part)}`)];
}

/** A change that is never made by itself, as the lines before and after. */
function suggestion({ fix }: Reported, context: LintContext, note: (name: string, lines: readonly string[]) => string[]): string[] {
  const [change, ...more] = fix?.changes ?? [];
  if (change === undefined || more.length > 0 || change.at.line !== change.at.endLine || change.text.includes("\n")) return [];
  const line = context.line(change.at.file, change.at.line);
  if (line === undefined || line.length > context.width) return [];
  const after = line.slice(0, change.at.column - 1) + change.text + line.slice(change.at.endColumn - 1);
  const tidy = (text: string): string => escapeText(text.trim().replaceAll("\t", " "));
  return note("suggestion", [context.paint.red(`- ${tidy(line)}`), context.paint.green(`+ ${tidy(after)}`)]);
}

/** Words folded to a width; a word that is longer stays whole. */
export function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(" ")) {
    if (current !== "" && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word.trimStart();
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return [...lines, current];
}
