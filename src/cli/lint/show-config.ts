/** `ktrace lint --show-config`: every setting and rule, and who said so. */
import type { Chosen } from "../../lint/select.ts";
import type { Project } from "../../manifests/project.ts";
import { escapeJson, escapeText } from "../../render/escape.ts";
import type { Call } from "../command.ts";
import type { Settings, Stated } from "./settings.ts";

/** As text, or with -o json as one document. */
export function showConfig({ io }: Call, settings: Settings, chosen: readonly Chosen[], project: Project | undefined): void {
  const { profile, failOn, maxWarnings, baseline, format } = settings;
  const values: readonly (readonly [string, Stated<string | number> | undefined])[] = [
    ["profile", profile],
    ["failOn", failOn],
    ["maxWarnings", maxWarnings],
    ["baseline", baseline],
    ["output", format],
  ];
  const rules = chosen.map(({ rule, severity, origin }) => ({
    code: rule.code,
    name: rule.name,
    severity: "planned" in rule ? "planned" : severity,
    origin: "planned" in rule ? "not built yet" : origin,
  }));
  if (format.value === "json") {
    const stated = Object.fromEntries(values.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
    const document = {
      apiVersion: "ktrace.dev/v1alpha1",
      kind: "LintConfig",
      ...(project && { file: project.file }),
      settings: stated,
      rules,
    };
    io.stdout.write(`${escapeJson(JSON.stringify(document, undefined, 2))}\n`);
    return;
  }
  const lines = [
    `config: ${project?.file ?? "none"}`,
    ...values.flatMap(([key, value]) => (value === undefined ? [] : [`${`${key}: ${value.value}`.padEnd(24)}  # ${value.origin}`])),
    "rules:",
    ...rules.map(({ code, name, severity, origin }) => `  ${`${code}: ${severity}`.padEnd(16)}  # ${origin}  (${name})`),
  ];
  io.stdout.write(`${lines.map(escapeText).join("\n")}\n`);
}
