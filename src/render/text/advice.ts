/**
 * `What to change`, numbered when there is a choice: the change, where it is written, and what the same request then gave.
 * Columns where a row fits on one line, else outcome and place below its text.
 */
import type { Advice } from "../context.ts";
import { justify, wrap } from "./layout.ts";
import { type Line, line, padTo, span, textWidth } from "./spans.ts";

const NUMBER = 5; // columns of "  1  "
const GAP = 2;

/** The lines, or none without advice. */
export function adviceLines(advice: readonly Advice[], width: number): Line[] {
  const [only] = advice;
  if (!only) return [];
  if (advice.length === 1) return row(only, `What to change${only.walked ? " (walked)" : ""}: `, 2, width);
  return [line(`What to change${walkedText(advice)}:`), ...rows(advice, width)];
}

/** ` (1 and 2 were walked)` */
function walkedText(advice: readonly Advice[]): string {
  const walked = advice.flatMap((one, i) => (one.walked ? [`${i + 1}`] : []));
  const last = walked.at(-1);
  if (last === undefined) return "";
  if (walked.length === advice.length) return ` (${advice.length === 2 ? "both" : "all"} were walked)`;
  const first = walked.slice(0, -1).join(", ");
  return ` (${first === "" ? `${last} was` : `${first} and ${last} were`} walked)`;
}

/** Rows that fit on a line stand in columns of their own; a longer one, below its text. */
function rows(advice: readonly Advice[], width: number): Line[] {
  const short = advice.filter((one) => one.outcome !== undefined && lengthOf(one) <= width);
  const atPlace = NUMBER + widest(short, ({ text }) => text) + GAP;
  const places = widest(short, ({ place }) => place);
  const atOutcome = atPlace + (places === 0 ? 0 : places + GAP);
  const fit = atOutcome + widest(short, ({ outcome }) => outcome) <= width;
  return advice.flatMap((one, i): Line[] => {
    if (!fit || !short.includes(one)) return row(one, `  ${i + 1}  `, NUMBER, width);
    const head = padTo(line(`  ${i + 1}  ${one.text}`), atPlace);
    const middle = one.place === undefined ? head : [...head, span(one.place, "dim")];
    return [[...padTo(middle, atOutcome), span(one.outcome ?? "")]];
  });
}

const widest = (advice: readonly Advice[], part: (one: Advice) => string | undefined): number =>
  Math.max(0, ...advice.map((one) => textWidth(part(one) ?? "")));

const lengthOf = ({ text, place, outcome }: Advice): number =>
  NUMBER + [text, place, outcome].reduce((sum, part) => sum + (part === undefined ? 0 : textWidth(part) + GAP), -GAP);

/** The text, and on the same line if it fits, else below, what came of it and where it is written. */
function row({ text, place, outcome }: Advice, head: string, indent: number, width: number): Line[] {
  const place1 = place === undefined ? [] : [span(place, "dim")];
  const whole = line(`${head}${text}${outcome === undefined ? "" : `  ${outcome}`}`);
  const [joined, ...more] = justify(whole, place1, width);
  if (joined && more.length === 0 && fits(`${head}${text}`, outcome, width)) return [joined];
  const lines = wrap(line(`${head}${text}`), width, indent);
  if (outcome === undefined && place === undefined) return lines;
  return [...lines, ...justify(line(`${" ".repeat(indent)}${outcome ?? ""}`), place1, width)];
}

const fits = (text: string, outcome: string | undefined, width: number): boolean =>
  textWidth(text) + (outcome === undefined ? 0 : GAP + textWidth(outcome)) <= width;
