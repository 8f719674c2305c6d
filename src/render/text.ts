/**
 * A trace for people, read from top to bottom: the question, one path in full, its alternatives as a table, the answer.
 * Three depths with one order of content. All text passes `span` (text/spans.ts), which escapes it.
 */

import { formatFraction } from "../net/fraction.ts";
import type { Path, Trace } from "../trace/trace.ts";
import type { RenderContext } from "./context.ts";
import { againLines } from "./text/again.ts";
import { pathsInFull } from "./text/choose.ts";
import { ASCII, UNICODE } from "./text/glyphs.ts";
import { titleOf } from "./text/hop.ts";
import { wrap } from "./text/layout.ts";
import { type Block, pathBlocks } from "./text/legs.ts";
import { commonFolder, rememberPlaces, withoutFolder } from "./text/places.ts";
import { questionLines } from "./text/question.ts";
import type { Scene, TextOptions } from "./text/scene.ts";
import { EMPTY, type Line, line, printLine, span } from "./text/spans.ts";
import { tableLines } from "./text/table.ts";
import { legend } from "./text/verbose.ts";
import { verdictLines } from "./text/verdict.ts";

export type { Depth, TextOptions } from "./text/scene.ts";

/** The whole text, ending in a newline. No control character but the newline leaves it, and no colour but the paint's. */
export function renderText(trace: Trace, context: RenderContext, options: TextOptions): string {
  const memory = rememberPlaces(context);
  const full = layOut(trace, memory.context, options, "");
  const folder = commonFolder(memory.places());
  if (folder === "") return `${full.join("\n")}\n`;
  const short = layOut(trace, withoutFolder(memory.context, folder), options, folder);
  return `${(short.length < full.length ? short : full).join("\n")}\n`;
}

function layOut(trace: Trace, context: RenderContext, options: TextOptions, folder: string): string[] {
  const scene: Scene = { context, options, glyphs: options.ascii ? ASCII : UNICODE };
  const shown = pathsInFull(trace.paths, options.allPaths);
  const story = options.depth === "summary" ? summaryLines(scene, shown) : fullLines(scene, trace, shown);
  const table = tableLines(scene, trace, options.depth === "summary" ? [] : shown);
  const paint = (lines: readonly Line[]) => lines.map((one) => printLine(one, options.paint));
  const question = paint(questionLines(trace.request, folder, options.width));
  const parts = [
    question,
    paint(story),
    table,
    paint(againLines(scene, trace)),
    paint([...legendLines(options, story), ...verdictLines(scene, trace)]),
  ];
  return parts.filter((part) => part.length > 0).flatMap((part, i) => (i === 0 ? part : ["", ...part]));
}

/** Every path told in full; blocks that an earlier path has shown are named, not repeated. */
function fullLines(scene: Scene, trace: Trace, shown: readonly Path[]): Line[] {
  const told = new Set<string>();
  return shown.flatMap((path, i) => {
    const blocks = pathBlocks(scene, path);
    const heading = shown.length > 1 ? [...(i > 0 ? [EMPTY] : []), pathHeading(trace, path), EMPTY] : [];
    const fresh = i === 0 ? blocks : withoutTold(scene, blocks, told);
    for (const block of blocks) told.add(keyOf(block.lines));
    return [...heading, ...fresh.flatMap((block) => block.lines)];
  });
}

const pathHeading = (trace: Trace, path: Path): Line =>
  line(
    span(`WAY ${trace.paths.indexOf(path) + 1} of ${trace.pathsTotal}`, "bold"),
    `  ${path.verdict}, share `,
    span(formatFraction(path.share), "cyan"),
  );

/** The common beginning with a path told before, folded to one line of names. */
function withoutTold(scene: Scene, blocks: readonly Block[], told: ReadonlySet<string>): Block[] {
  const common = blocks.findIndex((block) => !told.has(keyOf(block.lines)));
  const upTo = common < 0 ? blocks.length : common;
  const names = blocks.slice(0, upTo).flatMap((block) => (block.hop ? [titleOf(scene.context.describe(block.hop.netns))] : []));
  if (names.length === 0) return [...blocks];
  return [{ lines: [line(span(`${names.join(", ")}: as above`, "dim"))] }, ...blocks.slice(upTo)];
}

const keyOf = (lines: readonly Line[]): string => lines.map((one) => one.map(({ text }) => text).join("")).join("\n");

/** One line a leg: the hops and what each did to the packet. */
function summaryLines(scene: Scene, shown: readonly Path[]): Line[] {
  const { shows } = scene.glyphs;
  return shown.flatMap((path) =>
    path.legs.flatMap((leg) => {
      const way = leg.hops.map((hop) => {
        const did = hop.steps.flatMap((step) =>
          step.kind === "nat"
            ? [`${step.manip === "dst" ? "dnat" : "snat"} ${step.after.ip}`]
            : step.kind === "encap"
              ? ["vxlan"]
              : step.kind === "drop"
                ? ["DROP"]
                : step.kind === "answer"
                  ? ["answer"]
                  : [],
        );
        return `${titleOf(scene.context.describe(hop.netns))}${did.length > 0 ? ` (${did.join(", ")})` : ""}`;
      });
      return wrap(line(span(leg.kind === "dns" ? "dns  " : "way  ", "dim"), way.join(` ${shows} `)), scene.options.width, 5);
    }),
  );
}

/** Under `-v`, what `c` and `m1` stand for. */
function legendLines(options: TextOptions, story: readonly Line[]): Line[] {
  if (options.depth !== "verbose") return [];
  const symbols = new Set<string>();
  for (const one of story)
    for (const { text } of one) for (const found of text.matchAll(/:(c\d*|m\d+)(?= |$)/g)) if (found[1]) symbols.add(found[1]);
  const lines = legend(symbols);
  return lines.length === 0 ? [] : [line(span("Symbols:", "dim")), ...lines, EMPTY];
}
