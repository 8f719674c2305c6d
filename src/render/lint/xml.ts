/** Two XML dialects of CI servers: JUnit (a suite a file, a case a rule that found something) and Checkstyle 4.3. */
import type { Report, Reported } from "../../lint/lint.ts";
import { formatPlace } from "../../objects/source.ts";
import { escapeText } from "../escape.ts";
import { sentence } from "./report.ts";

/** Information does not fail a test: it is what the case prints. */
export function* renderJunit({ findings, counts }: Report): Generator<string> {
  const failures = counts.error + counts.warning;
  const files = [...new Set(findings.map(({ at }) => at.file))];
  const cases = files.map((file) => casesOf(findings.filter(({ at }) => at.file === file)));
  const tests = Math.max(1, cases.flat().length); // a report without a test is an error to some servers
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="ktrace lint" tests="${tests}" failures="${failures}">\n`;
  if (files.length === 0)
    yield '  <testsuite name="ktrace lint" tests="1" failures="0">\n    <testcase name="no findings" classname="ktrace"/>\n  </testsuite>\n';
  for (const [i, file] of files.entries()) {
    const own = cases[i] ?? [];
    const failed = own.reduce((sum, [, list]) => sum + list.filter(isFailure).length, 0);
    yield `  <testsuite name="${xml(file)}" tests="${own.length}" failures="${failed}">\n`;
    for (const [name, list] of own) yield* junitCase(name, file, list);
    yield "  </testsuite>\n";
  }
  yield "</testsuites>\n";
}

const isFailure = ({ severity }: Reported): boolean => severity !== "info";

/** By rule, in the order of their first finding. */
function casesOf(findings: readonly Reported[]): readonly (readonly [string, readonly Reported[]])[] {
  const cases = new Map<string, Reported[]>();
  for (const found of findings) {
    const name = `${found.rule.code} ${found.rule.name}`;
    cases.set(name, [...(cases.get(name) ?? []), found]);
  }
  return [...cases];
}

function* junitCase(name: string, file: string, findings: readonly Reported[]): Generator<string> {
  yield `    <testcase name="${xml(name)}" classname="${xml(file)}">\n`;
  for (const found of findings) {
    const where = `${formatPlace(found.at)}: ${sentence(found)}`;
    if (isFailure(found)) yield `      <failure type="${found.severity}" message="${xml(found.message)}">${xml(where)}</failure>\n`;
    else yield `      <system-out>${xml(where)}</system-out>\n`;
  }
  yield "    </testcase>\n";
}

/** One error a finding. */
export function* renderCheckstyle({ findings }: Report): Generator<string> {
  yield '<?xml version="1.0" encoding="UTF-8"?>\n<checkstyle version="4.3">\n';
  for (const file of new Set(findings.map(({ at }) => at.file))) {
    yield `  <file name="${xml(file)}">\n`;
    for (const found of findings.filter(({ at }) => at.file === file)) {
      const { at, severity, rule } = found;
      yield `    <error line="${at.line}" column="${at.column}" severity="${severity}" message="${xml(sentence(found))}" source="ktrace.${rule.code}"/>\n`;
    }
    yield "  </file>\n";
  }
  yield "</checkstyle>\n";
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&apos;"],
]);

/** Text, of an element or an attribute; characters that XML 1.0 does not have are escaped to words, as a terminal's are, U+FFFE and U+FFFF dropped. */
const xml = (text: string): string =>
  escapeText(text)
    .replaceAll(/[\ufffe\uffff]/g, "")
    .replaceAll(/[&<>"']/g, (found) => ENTITIES.get(found) ?? "");
