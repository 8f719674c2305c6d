/** The part of ktrace.yaml that `ktrace lint` reads: rules and their severities, what is known, what is expected. */
import type { Severity } from "../objects/diagnostic.ts";
import type { Place } from "../objects/source.ts";
import { isMapping, type Yaml, type YamlMapping } from "./yaml/construct.ts";

export type Level = Severity | "off";
/** What a project says of a rule, which it may name by code, prefix or name. `options` are the rule's own. */
export type RuleSetting = { readonly rule: string; readonly level: Level; readonly options: YamlMapping };
export type Override = { readonly files: readonly string[]; readonly rules: readonly RuleSetting[] };
export type Expected = { readonly run: string; readonly to: string; readonly at: Place };
export type ProjectLint = {
  readonly profile?: string;
  readonly rules: readonly RuleSetting[];
  readonly overrides: readonly Override[];
  readonly knownNamespaces: readonly string[];
  readonly failOn?: string;
  readonly baseline?: string;
  readonly expect: readonly Expected[];
};

/** From a file whose form the schema has checked. `placeOf`: where a member of `expect` is written. */
export function projectLint(value: YamlMapping, placeOf: (index: number) => Place): ProjectLint {
  const text = (key: string): string | undefined => (typeof value[key] === "string" ? value[key] : undefined);
  const [profile, failOn, baseline] = [text("profile"), text("failOn"), text("baseline")];
  return {
    ...(profile !== undefined && { profile }),
    rules: settingsOf(value.rules ?? null),
    overrides: mappingsOf(value.overrides ?? null).map(({ files = null, rules = null }) => ({
      files: textsOf(files),
      rules: settingsOf(rules),
    })),
    knownNamespaces: textsOf(value.knownNamespaces ?? null),
    ...(failOn !== undefined && { failOn }),
    ...(baseline !== undefined && { baseline }),
    expect: mappingsOf(value.expect ?? null).flatMap(({ run, to }, index) =>
      typeof run === "string" && typeof to === "string" ? [{ run, to, at: placeOf(index) }] : [],
    ),
  };
}

/** A text, or a list of texts. */
export const textsOf = (value: Yaml): readonly string[] =>
  (Array.isArray(value) ? value : [value]).flatMap((one: Yaml) => (typeof one === "string" ? [one] : []));

const mappingsOf = (value: Yaml): readonly YamlMapping[] => (Array.isArray(value) ? value.filter(isMapping) : []);

function settingsOf(value: Yaml): readonly RuleSetting[] {
  return Object.entries(isMapping(value) ? value : {}).flatMap(([rule, setting]: readonly [string, Yaml]): RuleSetting[] => {
    const [first = null, options = null]: readonly Yaml[] = Array.isArray(setting) ? setting : [setting];
    const level = levelOf(first);
    return level === undefined ? [] : [{ rule, level, options: isMapping(options) ? options : {} }];
  });
}

export const LEVELS: readonly Level[] = ["error", "warning", "info", "off"];

/** kubectl's YAML is that of 1.1, where an unquoted `off` is a boolean. */
export const levelOf = (value: Yaml): Level | undefined => (value === false ? "off" : LEVELS.find((level) => level === value));

/** What is wrong with the severity of a rule; undefined when nothing is. */
export function settingProblem(setting: Yaml): string | undefined {
  const [first = null, options, ...more]: readonly Yaml[] = Array.isArray(setting) ? setting : [setting];
  if (levelOf(first) === undefined) return `must be ${LEVELS.join(", ")}, or a list of one of these and the rule's options`;
  if (options !== undefined && !isMapping(options)) return "has options that are no mapping";
  return more.length > 0 ? "is a list of more than a severity and the rule's options" : undefined;
}
