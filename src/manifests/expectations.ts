/** The Expectations documents of an input: checked against schema/expectations.schema.json, every test with its place. */
import expectationsSchema from "../../schema/expectations.schema.json" with { type: "json" };
import { type Diagnostic, UsageError } from "../objects/diagnostic.ts";
import type { Expectation, PlacedExpectation } from "../objects/expectation.ts";
import type { TopologyDocument } from "./objects.ts";
import { dropNulls } from "./old-versions.ts";
import { checkSchema, type Definitions } from "./schema.ts";
import type { Sources } from "./sources.ts";
import { describeViolation } from "./violations.ts";
import { quote } from "./words.ts";
import { isMapping } from "./yaml/construct.ts";

const SCHEMAS: Definitions = expectationsSchema.$defs;
type File = { readonly tests: readonly Expectation[] };

/** All tests of all documents, in order. A UsageError with every place when one is not as the schema says. */
export function readExpectations(documents: readonly TopologyDocument[], sources: Sources): readonly PlacedExpectation[] {
  const problems: Diagnostic[] = [];
  const tests = documents.flatMap(({ value, source }): PlacedExpectation[] => {
    const file = dropNulls(value);
    const violations = checkSchema(SCHEMAS, "Expectations", file);
    problems.push(...violations.map((violation) => describeViolation(violation, "expectations", source)));
    if (violations.length > 0 || !isFile(file)) return [];
    return file.tests.map((test, i) => ({ ...test, source, field: ["tests", i] }));
  });
  problems.push(...tests.flatMap(contradictions));
  const names = new Set<string>();
  for (const { name, source, field } of tests) {
    if (names.has(name))
      problems.push(problem(`two tests are called ${quote(name)}`, "names tell results apart", source, [...field, "name"]));
    names.add(name);
  }
  if (problems.length === 0) return tests;
  const placed = problems.map((one) => {
    const at = one.at && "source" in one.at ? sources.place(one.at.source, one.at.field) : one.at;
    return at ? { ...one, at } : one;
  });
  throw new UsageError("the expectations cannot be used", "`ktrace schema expectations` prints all keys", placed);
}

/** What the schema has checked, said to the compiler. */
const isFile = (value: unknown): value is File => isMapping(value) && Array.isArray(value.tests);

function contradictions({ name, to, run, from, fromEach, expect, source, field }: PlacedExpectation): Diagnostic[] {
  const at = (key: string) => [...field, key];
  return [
    ...((to === undefined) === (run === undefined)
      ? [problem(`test ${quote(name)} must have either \`to\` or \`run\``, "to: svc/web:80, or run: curl -k https://web/", source, field)]
      : []),
    ...(from !== undefined && fromEach !== undefined
      ? [problem(`test ${quote(name)} has both from and fromEach`, "remove one", source, at("fromEach"))]
      : []),
    ...(expect.only !== undefined && fromEach === undefined
      ? [
          problem(`test ${quote(name)} expects \`only\` some sources, and asks from one`, "say fromEach: who is asked", source, [
            ...at("expect"),
            "only",
          ]),
        ]
      : []),
    ...(Object.keys(expect).length === 0
      ? [problem(`test ${quote(name)} expects nothing`, "expect: {verdict: delivered}", source, at("expect"))]
      : []),
  ];
}

const problem = (message: string, help: string, source: PlacedExpectation["source"], field: PlacedExpectation["field"]): Diagnostic => ({
  code: "expectations-invalid-value",
  severity: "error",
  message,
  help,
  at: { source, field },
});
