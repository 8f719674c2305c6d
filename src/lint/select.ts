/** Which rules run, and how severe each is: the profile, then the project file, then the command line. */
import type { Level, Override, RuleSetting } from "../manifests/project-lint.ts";
import { nearest, quote } from "../manifests/words.ts";
import type { YamlMapping } from "../manifests/yaml/construct.ts";
import { type Severity, UsageError } from "../objects/diagnostic.ts";
import { isPlanned, type PlannedRule, type Rule, type RuleText } from "./rule.ts";

export type AnyRule = Rule | PlannedRule;
export const PROFILES = ["default", "strict", "syntax"] as const;
export type Profile = (typeof PROFILES)[number];

export type Selection = {
  readonly profile: Profile;
  readonly settings: readonly RuleSetting[]; // of the project file
  readonly settingsFile: string; // what to call it
  readonly overrides: readonly Override[];
  readonly select: readonly string[]; // only these; none: what the profile has
  readonly extendSelect: readonly string[];
  readonly ignore: readonly string[];
  readonly levels: readonly { readonly rule: string; readonly level: Level }[]; // --error KT402
};
export type Chosen = {
  readonly rule: AnyRule;
  readonly severity: Level;
  readonly origin: string; // who said so
  readonly options: YamlMapping;
};

/** The rules that a word names: a code, a prefix of codes, a name. None is a UsageError that says what was probably meant. */
export function rulesNamed<R extends RuleText>(word: string, rules: readonly R[], where: string): readonly R[] {
  const found = lookupRules(word, rules);
  if (found.length > 0) return found;
  const meant = nearestRule(word, rules);
  throw new UsageError(
    `${where}: no rule ${quote(word)}`,
    meant === undefined ? "`ktrace explain --list` lists the rules" : `did you mean ${meant}?`,
  );
}

/** The same; none for an unknown word. */
export function lookupRules<R extends RuleText>(word: string, rules: readonly R[]): readonly R[] {
  const code = word.toUpperCase();
  if (/^KT\d{0,3}$/.test(code)) return rules.filter((rule) => rule.code.startsWith(code));
  return rules.filter(({ name }) => name === word.toLowerCase());
}

/** The code or name that was probably meant. */
export function nearestRule(word: string, rules: readonly RuleText[]): string | undefined {
  const known = /^kt/i.test(word) ? rules.map(({ code }) => code) : rules.map(({ name }) => name);
  return nearest(/^kt/i.test(word) ? word.toUpperCase() : word, known);
}

/** Every rule with its severity in this run; `off`: it does not run. */
export function chooseRules(rules: readonly AnyRule[], selection: Selection): readonly Chosen[] {
  const { profile, select, extendSelect, ignore, levels, settings, settingsFile } = selection;
  const codes = (words: readonly string[], where: string): ReadonlySet<string> =>
    new Set(words.flatMap((word) => rulesNamed(word, rules, where).map(({ code }) => code)));
  const selected = codes(select, "--select");
  const added = codes(extendSelect, "--extend-select");
  const ignored = codes(ignore, "--ignore");
  const stated = settingsByCode(rules, settings, settingsFile);
  const forced = new Map(
    levels.flatMap(({ rule, level }) => rulesNamed(rule, rules, `--${level}`).map(({ code }) => [code, level] as const)),
  );
  return rules.map((rule) => {
    const { code } = rule;
    const setting = stated.get(code);
    const isAsked = selected.has(code) || added.has(code);
    const isIn = isAsked || (selected.size === 0 && (profile !== "syntax" || rule.needs === "object"));
    const own = setting?.level ?? rule.severity;
    const usual = own === "off" && (isAsked || (profile === "strict" && setting === undefined)) ? awake(rule.severity) : own;
    const force = forced.get(code);
    const severity = force ?? (isIn && !ignored.has(code) ? usual : "off");
    const originOf = (): string => {
      if (force !== undefined) return `--${force}`;
      if (ignored.has(code)) return "--ignore";
      if (!isIn) return selected.size > 0 ? "--select" : `profile ${profile}`;
      if (setting !== undefined) return settingsFile;
      if (usual === own) return "default";
      return isAsked ? "--select" : `profile ${profile}`;
    };
    return { rule, severity, origin: originOf(), options: setting?.options ?? {} };
  });
}

/** A rule that is off by itself tells, and does not judge. */
export const awake = (severity: Level): Severity => (severity === "off" ? "info" : severity);

type Stated = { readonly level: Level; readonly options: YamlMapping };

/** What is said of a code counts more than what is said of its prefix; of two equals the later counts. */
function settingsByCode(rules: readonly AnyRule[], settings: readonly RuleSetting[], file: string): ReadonlyMap<string, Stated> {
  const known = new Map<string, Stated>();
  const width = (word: string): number => (/^KT\d{0,2}$/i.test(word) ? word.length : 5);
  for (const { rule: word, level, options } of [...settings].sort((a, b) => width(a.rule) - width(b.rule)))
    for (const rule of rulesNamed(word, rules, file)) {
      checkOptions(rule, options, file);
      known.set(rule.code, { level, options });
    }
  return known;
}

function checkOptions(rule: RuleText, options: YamlMapping, file: string): void {
  const known = Object.keys(rule.options ?? {});
  const wrong = Object.keys(options).find((key) => !known.includes(key));
  if (wrong === undefined) return;
  const meant = nearest(wrong, known);
  const help = known.length === 0 ? "it has none" : meant === undefined ? `it has ${known.join(", ")}` : `did you mean ${meant}?`;
  throw new UsageError(`${file}: ${rule.code} has no option ${quote(wrong)}`, help);
}

/** The severity that the project file states for a rule's findings in one file; undefined when it states none. */
export function createOverrides(
  rules: readonly AnyRule[],
  { overrides, settingsFile }: Selection,
  matcher: (patterns: readonly string[]) => (file: string) => boolean,
): (code: string, file: string) => Level | undefined {
  const compiled = overrides.map(({ files, rules: settings }) => ({
    holds: matcher(files),
    stated: settingsByCode(rules, settings, settingsFile),
  }));
  return (code, file) => compiled.findLast(({ holds, stated }) => stated.has(code) && holds(file))?.stated.get(code)?.level;
}

/** The rules that run: an override may turn a rule on that is off elsewhere. */
export const running = (chosen: readonly Chosen[], overrides: readonly Override[], rules: readonly AnyRule[]): readonly Chosen[] => {
  const turnedOn = new Set(
    overrides.flatMap(({ rules: settings }) =>
      settings.flatMap(({ rule, level }) => (level === "off" ? [] : lookupRules(rule, rules).map(({ code }) => code))),
    ),
  );
  return chosen.filter(({ rule, severity }) => !isPlanned(rule) && (severity !== "off" || turnedOn.has(rule.code)));
};
