/**
 * The output formats of a trace: one file and one line each. Loaded when asked for, for start-up time is felt.
 * `yaml` is the JSON document as the manifests room prints YAML; the command line does that.
 */
import type { Trace } from "../trace/trace.ts";
import type { RenderContext } from "./context.ts";
import type { TextOptions } from "./text/scene.ts";

/** The output in pieces, each to be written as it comes. */
export type Render = (trace: Trace, context: RenderContext, options: TextOptions) => Iterable<string>;
export type Format = { readonly name: string; readonly title: string; readonly load: () => Promise<Render> };

export const FORMATS: readonly Format[] = [
  { name: "text", title: "for people", load: async () => text(await import("./text.ts")) },
  { name: "json", title: "one document", load: async () => json(await import("./json.ts")) },
  { name: "jsonl", title: "one path a line", load: async () => jsonLines(await import("./json.ts")) },
];

export const formatNamed = (name: string): Format | undefined => FORMATS.find((format) => format.name === name);

const text =
  ({ renderText }: typeof import("./text.ts")): Render =>
  (trace, context, options) => [renderText(trace, context, options)];

const json =
  ({ renderJsonText }: typeof import("./json.ts")): Render =>
  (trace, context) => [renderJsonText(trace, context)];

const jsonLines = ({ renderJsonLines }: typeof import("./json.ts")): Render =>
  function* (trace, context) {
    for (const one of renderJsonLines(trace, context)) yield `${one}\n`;
  };
