/** `-l`: kubectl's text form of a label selector (apimachinery/pkg/labels/selector.go): `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (x,y)`, `a notin (x)`. */
import { UsageError } from "../../objects/diagnostic.ts";

type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

/** The test that the text stands for; all requirements must hold. Throws UsageError for text that is none. */
export function parseLabelSelector(text: string): Requirement {
  const requirements = splitRequirements(text).map((part) => parseRequirement(part, text));
  return (labels) => requirements.every((holds) => holds(labels));
}

/** At commas outside parentheses. */
function splitRequirements(text: string): string[] {
  const parts = text.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

const KEY = "[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?";
const VALUE = "[-A-Za-z0-9_.]*";
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^)]*)\\)$`);
const EQUAL = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`);
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`);

function parseRequirement(part: string, whole: string): Requirement {
  const set = SET.exec(part);
  if (set) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    return (labels) => (operator === "in") === (Object.hasOwn(labels, key) && values.includes(labels[key] ?? ""));
  }
  const equal = EQUAL.exec(part);
  if (equal) {
    const [, key = "", operator, value = ""] = equal;
    return (labels) => (operator !== "!=") === (Object.hasOwn(labels, key) && labels[key] === value);
  }
  const exists = EXISTS.exec(part);
  if (!exists)
    throw new UsageError(
      `unable to parse the label selector ${JSON.stringify(whole)} at ${JSON.stringify(part)}`,
      "for example app=web,tier!=db or 'app in (a, b)'",
    );
  const [, not, key = ""] = exists;
  return (labels) => (not === "!") !== Object.hasOwn(labels, key);
}
