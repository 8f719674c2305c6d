/** A lint rule in words: `ktrace explain KT402`, the page of the documentation, and the list of all. */
import type { Example, FixKind, Needs, PlannedRule, Rule } from "../../lint/rule.ts";
import { fold } from "../lint/text.ts";

type AnyRule = Rule | PlannedRule;

const NEEDS: Readonly<Record<Needs, string>> = {
  object: "looks at one object at a time",
  graph: "looks at objects together",
  "data-plane": "walks packets through the network that the manifests make, and shows the one that proves the finding",
};
const FIXES: Readonly<Record<FixKind, string>> = {
  no: "None; it is mended by hand",
  safe: "`ktrace lint --fix` mends it: the meaning stays, or the API server refused the object anyway",
  unsafe: "`ktrace lint --fix=unsafe` mends it; the meaning may change, so read the diff",
  suggest: "A change is shown, and never made by itself",
};

const plannedFor = (rule: AnyRule): string | undefined => ("planned" in rule ? rule.planned : undefined);

/** Everything about one rule, folded to a width; examples stay as they are. */
export function ruleText(rule: AnyRule, width: number): string {
  const { code, name, title, why, needs, fix, bad, good, mutedBy = [], options = {} } = rule;
  const planned = plannedFor(rule);
  const prose = (text: string, indent = ""): string[] => fold(text, width - indent.length).map((line) => indent + line);
  const optionLines = Object.entries(options).flatMap(([key, what]) => prose(`${key}: ${what}`, "  "));
  const lines = [
    `${code} ${name} (${severityOf(rule)})`,
    ...prose(title),
    "",
    ...prose(why),
    "",
    ...(planned === undefined ? [] : [...prose(`Planned: it does not run yet. It waits for ${planned}.`), ""]),
    ...exampleLines("Wrong", bad),
    ...exampleLines("Right", good),
    "How it knows",
    ...prose(`It ${NEEDS[needs]}.`, "  "),
    "",
    "Fix",
    ...prose(`${FIXES[fix]}.`, "  "),
    "",
    ...(mutedBy.length === 0 ? [] : ["Left out when", ...prose(`${mutedBy.join(", ")} names the cause for the same object.`, "  "), ""]),
    ...(optionLines.length === 0 ? [] : ["Options, in ktrace.yaml", ...optionLines, ""]),
    "To suppress it",
    ...[
      [`# ktrace-ignore ${code} -- reason`, "at the end of the line, or alone above it"],
      [`ignore.ktrace.dev/${name}: reason`, "an annotation of the object"],
      [`rules: {${code}: off}`, "in ktrace.yaml"],
    ].map(([text = "", where = ""]) => `  ${text.padEnd(name.length + 28)}  ${where}`),
  ];
  return `${lines.join("\n")}\n`;
}

const severityOf = (rule: AnyRule): string => (plannedFor(rule) === undefined ? rule.severity : `planned, ${rule.severity}`);

function exampleLines(name: string, { manifests, topology }: Example): string[] {
  const block = (title: string, text: string): string[] => [
    title,
    ...text
      .trimEnd()
      .split("\n")
      .map((line) => (line === "" ? "" : `  ${line}`)),
    "",
  ];
  return [
    ...(manifests === undefined ? [] : block(name, manifests)),
    ...(topology === undefined ? [] : block(`${name}: the topology's spec`, topology)),
  ];
}

/** A rule's page, in Markdown. */
export function rulePage(rule: AnyRule): string {
  const { code, name, title, why, needs, fix, bad, good, mutedBy = [], options = {} } = rule;
  const planned = plannedFor(rule);
  const settings = Object.entries(options).map(([key, what]) => `- \`${key}\`: ${what}`);
  const parts = [
    `# ${code} ${name}`,
    `${capital(title)}.`,
    `Severity: ${rule.severity}. It ${NEEDS[needs]}. Fix: ${FIXES[fix]}.`,
    ...(planned === undefined ? [] : [`**Planned**: it does not run yet. It waits for ${planned}.`]),
    `## Why\n\n${why}`,
    ...examplePart("Wrong", bad),
    ...examplePart("Right", good),
    ...(mutedBy.length === 0
      ? []
      : [`## Left out\n\nwhen ${mutedBy.map((other) => `[${other}](${other}.md)`).join(", ")} names the cause for the same object.`]),
    ...(settings.length === 0 ? [] : [`## Options\n\n${settings.join("\n")}`]),
    `## To suppress it\n\n\`# ktrace-ignore ${code} -- reason\` at the end of the line or alone above it, or the annotation\n\`ignore.ktrace.dev/${name}: "reason"\`. More: [lint](../lint.md).`,
  ];
  return `${parts.join("\n\n")}\n`;
}

function examplePart(name: string, { manifests, topology }: Example): string[] {
  const block = (title: string, text: string): string => `## ${title}\n\n\`\`\`yaml\n${text.trimEnd()}\n\`\`\``;
  return [
    ...(manifests === undefined ? [] : [block(name, manifests)]),
    ...(topology === undefined ? [] : [block(`${name}: the topology's spec`, topology)]),
  ];
}

/** The page that lists them. */
export function rulesIndex(rules: readonly AnyRule[]): string {
  const rows = rules.map((rule) => {
    const { code, name, needs, fix, title } = rule;
    return `| [${code}](${code}.md) | ${name} | ${severityOf(rule)} | ${needs} | ${fix} | ${title.replaceAll("|", "\\|")} |`;
  });
  return `# The rules of ktrace lint\n\nWritten by \`npm run docs\` from the rules themselves. How to use them: [lint](../lint.md).\n\n| code | name | severity | looks at | fix | finds |\n|---|---|---|---|---|---|\n${rows.join("\n")}\n`;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** One line a rule. */
export function ruleRows(rules: readonly AnyRule[]): string[] {
  const widest = Math.max(0, ...rules.map(({ name }) => name.length));
  return rules.map((rule) => `${rule.code}  ${rule.name.padEnd(widest)}  ${severityOf(rule)}`);
}

/** For -o json. */
export function ruleJson(rule: AnyRule): object {
  const { code, name, severity, needs, fix, title, why, bad, good, mutedBy, options } = rule;
  const planned = plannedFor(rule);
  return {
    code,
    name,
    severity,
    needs,
    fix,
    title,
    why,
    bad,
    good,
    ...(mutedBy && { mutedBy }),
    ...(options && { options }),
    ...(planned !== undefined && { planned }),
  };
}
