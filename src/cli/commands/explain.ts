/**
 * `ktrace explain CODE`: what a reason code means, why it happens, and what to change. `ktrace explain service.spec.FIELD`: what a
 * field does to packets, and in which releases. `ktrace explain KT402`: a rule of lint. `--list`: all that can be asked for.
 */
import { nearest } from "../../manifests/words.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { CommandSpec } from "../command.ts";
import { chooseFormat } from "../flags.ts";
import { foldText, widthOf } from "../terminal.ts";

export const explainCommand: CommandSpec = {
  name: "explain",
  usage: "[CODE | RULE | service.spec[.FIELD]] [--list] [-o json]",
  summary: "explain a reason code, a rule of lint, or a Service's field; without one, list the codes",
  help: [
    "  ktrace explain no-endpoints",
    "  ktrace explain KT402",
    "  ktrace explain service.spec.externalTrafficPolicy",
    "  ktrace explain --list",
    "",
  ].join("\n"),
  declare: (command) => {
    command.option("--list", "list rules, reason codes and fields");
  },
  run: async ({ words, flags, io, options }) => {
    const format = chooseFormat(flags.output, ["text", "json"], "text");
    const { explainText, isReason, REASON_CODES, REASONS } = await import("../../render/explain/reasons.ts");
    const [word, ...more] = words;
    const width = widthOf(io.stdout);
    if (more.length > 0) throw new UsageError(`explain takes one word, not also ${JSON.stringify(more[0])}`);
    if (options.list === true) {
      if (word !== undefined) throw new UsageError("explain --list takes no word");
      io.stdout.write(await listAll(format));
      return 0;
    }
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
      const rules = await explainRules(word, format, width);
      if (rules !== undefined) {
        io.stdout.write(rules);
        return 0;
      }
      const near = nearest(word, REASON_CODES) ?? (await nearestRuleTo(word));
      throw new UsageError(
        `nothing is called ${JSON.stringify(word)}`,
        near === undefined ? "ktrace explain lists the codes" : `did you mean ${near}?`,
      );
    }
    io.stdout.write(format === "json" ? document("Explanation", listed(word)) : foldText(explainText(word), width));
    return 0;
  },
};

/** One rule in full, or the list of those with that prefix; undefined for a word that names none. */
async function explainRules(word: string, format: string, width: number): Promise<string | undefined> {
  const { RULES } = await import("../../lint/rules.ts");
  const { lookupRules } = await import("../../lint/select.ts");
  const { ruleJson, ruleRows, ruleText } = await import("../../render/explain/lint-rule.ts");
  const found = lookupRules(word, RULES);
  const [first, ...more] = found;
  if (first === undefined) return undefined;
  if (format === "json")
    return more.length === 0 ? document("Rule", ruleJson(first)) : document("RuleList", { rules: found.map(ruleJson) });
  return more.length === 0 ? ruleText(first, width) : `${ruleRows(found).join("\n")}\n`;
}

async function nearestRuleTo(word: string): Promise<string | undefined> {
  const { RULES } = await import("../../lint/rules.ts");
  const { nearestRule } = await import("../../lint/select.ts");
  return nearestRule(word, RULES);
}

/** Rules, reason codes and fields: every word that can be explained. */
async function listAll(format: string): Promise<string> {
  const { RULES } = await import("../../lint/rules.ts");
  const { ruleRows } = await import("../../render/explain/lint-rule.ts");
  const { isReason, REASON_CODES, REASONS } = await import("../../render/explain/reasons.ts");
  const { FIELDS } = await import("../../render/explain/fields/fields.ts");
  if (format === "json") {
    const rules = RULES.map((rule) => ({
      code: rule.code,
      name: rule.name,
      severity: rule.severity,
      title: rule.title,
      planned: "planned" in rule,
    }));
    const reasons = REASON_CODES.map((code) => ({ code, ...(isReason(code) && { title: REASONS[code].title }) }));
    return document("ExplanationList", { rules, reasons, fields: FIELDS.map(({ path }) => path) });
  }
  const section = (title: string, rows: readonly string[]): string => `${title}\n${rows.map((row) => `  ${row}\n`).join("")}`;
  return [
    section("rules of lint", ruleRows(RULES)),
    section("reasons", REASON_CODES),
    section(
      "fields",
      FIELDS.map(({ path }) => path),
    ),
  ].join("\n");
}

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
