/** `ktrace test`: requests and how they should end, written beside the manifests; and what no test asks. */

import type { TestResult } from "../../expect/run.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { Expectation, PlacedExpectation } from "../../objects/expectation.ts";
import type { Place } from "../../objects/source.ts";
import type { Call, CommandSpec } from "../command.ts";
import { chooseFormat } from "../flags.ts";
import type { Session } from "../session.ts";

const FORMATS = ["text", "dots", "tap", "junit", "json"] as const;

export const testCommand: CommandSpec = {
  name: "test",
  usage: "[FILE…] [--coverage | --record]",
  summary: "hold the cluster against expectations: who reaches what, and how each request ends",
  help: [
    "Expectations stand among the manifests, or in the files named here, then only those: documents of apiVersion ktrace.dev/v1alpha1 and kind",
    "Expectations (`ktrace schema expectations`). Exit status 1 when one fails. A request whose end is unknown fails.",
    "",
    "  ktrace test",
    "  ktrace -f k8s -t topology.yaml test expectations.yaml -o junit",
    "  ktrace test --coverage",
    "  ktrace test --record > expectations.yaml",
    "",
  ].join("\n"),
  declare: (command) => {
    command
      .option("--coverage", "list the Service ports, Ingress routes and policies that no test asks")
      .option("--record", "print expectations of what is so today, and test nothing")
      .option("--only <pattern>", "only tests whose name has this in it");
  },
  run: async (call) => {
    const format = chooseFormat(call.flags.output, FORMATS, "text");
    const session = await call.open(call.flags, call.io);
    if (call.options.record === true) return await record(call, session);
    const { tests, placeOf } = await testsOf(call, session);
    const { runTests } = await import("../../expect/run.ts");
    const { opener } = await import("../reopen.ts");
    const { testQuestion } = await import("../test-question.ts");
    const results = runTests({
      tests,
      input: session.input,
      open: await opener(session.input),
      opened: session,
      questionOf: (test, from, cluster) => testQuestion(test, from, cluster, call.flags),
    });
    call.io.stdout.write(await printed(results, { format, call, session, placeOf }));
    if (call.options.coverage === true && (format === "text" || format === "dots")) {
      const { coverageOf } = await import("../../expect/coverage.ts");
      const { renderCoverage } = await import("../../render/expect/text.ts");
      const traces = results.flatMap(({ asked }) => asked.map(({ trace }) => trace));
      call.io.stdout.write(renderCoverage(coverageOf(session.cluster, session.input.objects, traces)));
    }
    return results.some(({ outcome }) => outcome === "failed") ? 1 : 0;
  },
};

type Tests = { readonly tests: readonly PlacedExpectation[]; readonly placeOf: (test: PlacedExpectation) => Place | undefined };

/** Those of the files named, else those among the manifests. */
async function testsOf(call: Call, { input }: Session): Promise<Tests> {
  const { readExpectations } = await import("../../manifests/expectations.ts");
  const { readExpectationFiles } = await import("../../manifests/input.ts");
  const files =
    call.words.length === 0 ? undefined : readExpectationFiles({ files: call.words, cwd: call.io.cwd, stdin: call.io.readStdin });
  const all = files ? readExpectations(files.expectations, files.sources) : readExpectations(input.expectations, input.sources);
  const { only } = call.options;
  const tests = typeof only === "string" ? all.filter(({ name }) => name.includes(only)) : all;
  const placeOf: Tests["placeOf"] = (test) => (files?.sources ?? input.sources).place(test.source, [...test.field, "name"]);
  if (tests.length > 0) return { tests, placeOf };
  if (all.length > 0) throw new UsageError(`--only: no test has ${JSON.stringify(only)} in its name`, `there are ${all.length} tests`);
  throw new UsageError(
    "no expectations: neither among the manifests nor in a file named here",
    "`ktrace test --record > expectations.yaml` writes a first set",
  );
}

type Printing = {
  readonly format: (typeof FORMATS)[number];
  readonly call: Call;
  readonly session: Session;
  readonly placeOf: Tests["placeOf"];
};

async function printed(results: readonly TestResult[], { format, call, session, placeOf: placeOfTest }: Printing): Promise<string> {
  const placeOf = ({ test }: TestResult): Place | undefined => placeOfTest(test);
  if (format === "text" || format === "dots") {
    const { renderDots, renderTests } = await import("../../render/expect/text.ts");
    const { colorLevel, isAsciiOnly, widthOf } = await import("../terminal.ts");
    const { paintOf } = await import("../print.ts");
    const { renderText } = await import("../../render/text.ts");
    const { contextOf } = await import("../reopen.ts");
    const { stdout, env } = call.io;
    const paint = await paintOf(colorLevel(call.flags.color, stdout, env));
    const layout = { width: widthOf(stdout) - INDENT, depth: "default" as const, paint, ascii: isAsciiOnly(stdout, env), allPaths: false };
    return (format === "text" ? renderTests : renderDots)(results, {
      paint,
      placeOf,
      traceText: ({ trace, world }) => renderText(trace, contextOf(world, session.context), layout),
    });
  }
  const { renderJunit, renderTap, renderTestJson } = await import("../../render/expect/formats.ts");
  return format === "tap" ? renderTap(results) : format === "junit" ? renderJunit(results, placeOf) : renderTestJson(results, placeOf);
}
const INDENT = 6;

/** What is so today, as a file of expectations. */
async function record({ io }: Call, session: Session): Promise<number> {
  const { matrixOf } = await import("../../compare/matrix.ts");
  const { recordTests } = await import("../../expect/record.ts");
  const { printYaml } = await import("../../manifests/yaml/print.ts");
  const tests: readonly Expectation[] = recordTests(
    session.cluster,
    matrixOf(session, { source: ({ kind }) => kind !== "namespace", target: ({ kind }) => kind !== "pod" }),
  );
  io.stdout.write(printYaml({ apiVersion: "ktrace.dev/v1alpha1", kind: "Expectations", tests }, { sorted: false }));
  return 0;
}
