/** A trace on stdout in the format asked for. Loaded with the first answer: renderers and chalk cost start-up time. */

import { invariant } from "../objects/diagnostic.ts";
import type { RenderContext } from "../render/context.ts";
import { formatNamed } from "../render/formats.ts";
import { type Paint, PLAIN } from "../render/paint.ts";
import type { Trace } from "../trace/trace.ts";
import type { GlobalFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { type ColorLevel, colorLevel, isAsciiOnly, widthOf } from "./terminal.ts";

/** Prints the trace, piece by piece as the renderer makes it. */
export async function printTrace(trace: Trace, context: RenderContext, name: string, flags: GlobalFlags, io: Io): Promise<void> {
  const format = formatNamed(name === "yaml" ? "json" : name);
  invariant(format, `no renderer for ${name}`);
  const render = await format.load();
  const options = {
    width: widthOf(io.stdout),
    depth: flags.verbose > 0 ? ("verbose" as const) : ("default" as const),
    paint: await paintOf(colorLevel(flags.color, io.stdout, io.env)),
    ascii: isAsciiOnly(io.stdout, io.env),
    allPaths: flags.allPaths,
  };
  if (name === "yaml") {
    const { yamlOf } = await import("./document.ts");
    io.stdout.write(yamlOf([...render(trace, context, options)].join("")));
  } else for (const piece of render(trace, context, options)) io.stdout.write(piece);
}

/** chalk at the level decided here; its own guess about the terminal is not asked. */
export async function paintOf(level: ColorLevel): Promise<Paint> {
  if (level === 0) return PLAIN;
  const { Chalk } = await import("chalk");
  const chalk = new Chalk({ level });
  return {
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    red: (text) => chalk.red(text),
    green: (text) => chalk.green(text),
    yellow: (text) => chalk.yellow(text),
    cyan: (text) => chalk.cyan(text),
  };
}
