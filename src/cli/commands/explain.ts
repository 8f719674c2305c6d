/** `ktrace explain CODE`: what a reason code means, why it happens, and what to change. */
import { nearest } from "../../manifests/words.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { CommandSpec } from "../command.ts";
import { chooseFormat } from "../flags.ts";
import { foldText, widthOf } from "../terminal.ts";

export const explainCommand: CommandSpec = {
  name: "explain",
  usage: "[CODE] [-o json]",
  summary: "explain a reason code; without one, list them",
  help: ["  ktrace explain no-endpoints", ""].join("\n"),
  run: async ({ words, flags, io }) => {
    const format = chooseFormat(flags.output, ["text", "json"], "text");
    const { explainText, isReason, REASON_CODES, REASONS } = await import("../../render/explain/reasons.ts");
    const [word, ...more] = words;
    const width = widthOf(io.stdout);
    if (more.length > 0) throw new UsageError(`explain takes one code, not also ${JSON.stringify(more[0])}`);
    const listed = (code: string) => ({ code, ...(isReason(code) ? REASONS[code] : {}) });
    if (word === undefined) {
      const widest = Math.max(...REASON_CODES.map((code) => code.length));
      const rows = REASON_CODES.map((code) => `${code.padEnd(widest)}  ${isReason(code) ? REASONS[code].title : ""}\n`);
      io.stdout.write(
        format === "json" ? document("ExplanationList", { reasons: REASON_CODES.map(listed) }) : foldText(rows.join(""), width),
      );
      return 0;
    }
    if (!isReason(word)) {
      const near = nearest(word, REASON_CODES);
      throw new UsageError(
        `nothing is called ${JSON.stringify(word)}`,
        near === undefined ? "ktrace explain lists the codes" : `did you mean ${near}?`,
      );
    }
    io.stdout.write(format === "json" ? document("Explanation", listed(word)) : foldText(explainText(word), width));
    return 0;
  },
};

const document = (kind: string, fields: object): string =>
  `${JSON.stringify({ apiVersion: "ktrace.dev/v1alpha1", kind, ...fields }, null, 2)}\n`;
