/**
 * `ktrace explain CODE`: what a reason code means, why it happens, and what to change. `ktrace explain service.spec.FIELD`: what a
 * field does to packets, and in which releases.
 */
import { nearest } from "../../manifests/words.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { CommandSpec } from "../command.ts";
import { chooseFormat } from "../flags.ts";
import { foldText, widthOf } from "../terminal.ts";

export const explainCommand: CommandSpec = {
  name: "explain",
  usage: "[CODE | service.spec[.FIELD]] [-o json]",
  summary: "explain a reason code or a Service's field; without one, list the codes",
  help: ["  ktrace explain no-endpoints", "  ktrace explain service.spec.externalTrafficPolicy", ""].join("\n"),
  run: async ({ words, flags, io }) => {
    const format = chooseFormat(flags.output, ["text", "json"], "text");
    const { explainText, isReason, REASON_CODES, REASONS } = await import("../../render/explain/reasons.ts");
    const [word, ...more] = words;
    const width = widthOf(io.stdout);
    if (more.length > 0) throw new UsageError(`explain takes one word, not also ${JSON.stringify(more[0])}`);
    const listed = (code: string) => ({ code, ...(isReason(code) ? REASONS[code] : {}) });
    if (word === undefined) {
      const widest = Math.max(...REASON_CODES.map((code) => code.length));
      const rows = REASON_CODES.map((code) => `${code.padEnd(widest)}  ${isReason(code) ? REASONS[code].title : ""}\n`);
      io.stdout.write(
        format === "json" ? document("ExplanationList", { reasons: REASON_CODES.map(listed) }) : foldText(rows.join(""), width),
      );
      return 0;
    }
    if (word.includes(".")) {
      const { fields, text } = await explainField(word);
      io.stdout.write(format === "json" ? document(fields.kind, fields.body) : foldText(text, width));
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

type Explained = { readonly fields: { readonly kind: string; readonly body: object }; readonly text: string };

/** A field, or the list of them for `service.spec` alone. */
async function explainField(word: string): Promise<Explained> {
  const { FIELDS, fieldPath, fieldText, lookupField, versionRange } = await import("../../render/explain/fields/fields.ts");
  if (fieldPath(word) === "service.spec") {
    const widest = Math.max(...FIELDS.map(({ path }) => path.length));
    const rows = FIELDS.map((field) => `${field.path.padEnd(widest)}  ${versionRange(field)}\n`);
    return { fields: { kind: "FieldList", body: { fields: FIELDS } }, text: rows.join("") };
  }
  const field = lookupField(word);
  if (field) return { fields: { kind: "Field", body: field }, text: fieldText(field) };
  const near = nearest(
    fieldPath(word),
    FIELDS.map(({ path }) => path),
  );
  throw new UsageError(
    `no field ${JSON.stringify(word)} is explained here`,
    near === undefined ? "ktrace explain service.spec lists the fields" : `did you mean ${near}?`,
  );
}

const document = (kind: string, fields: object): string =>
  `${JSON.stringify({ apiVersion: "ktrace.dev/v1alpha1", kind, ...fields }, null, 2)}\n`;
