/** The pages of docs/rules/ as they should be, by file name. */
import { RULES } from "../../../src/lint/rules.ts";
import { rulePage, rulesIndex } from "../../../src/render/explain/lint-rule.ts";

export const rulePages = (): ReadonlyMap<string, string> =>
  new Map([["README.md", rulesIndex(RULES)], ...RULES.map((rule) => [`${rule.code}.md`, rulePage(rule)] as const)]);
