/** `ktrace matrix`: who reaches what, as a table; one cell of it as a trace. */
import type { Matrix, MatrixScope } from "../../compare/matrix.ts";
import type { TargetKind } from "../../compare/targets.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { Call, CommandSpec } from "../command.ts";
import { chooseFormat, TRACE_FORMATS } from "../flags.ts";
import type { Session } from "../session.ts";

const FORMATS = ["text", "csv", "json", "html"] as const;
const SOURCES = ["workloads", "namespaces", "nodes", "hosts"] as const;
const TARGETS: Readonly<Record<string, readonly TargetKind[]>> = {
  services: ["service", "load-balancer", "external-ip"],
  nodeports: ["node-port"],
  ingresses: ["ingress"],
  pods: ["pod"],
};

export const matrixCommand: CommandSpec = {
  name: "matrix",
  usage: "[--sources LIST] [--targets LIST] [--cell SOURCE TARGET] [-o text|csv|json|html]",
  summary: "who reaches what: workloads, nodes and outside hosts against Services, node ports, Ingress routes and pods",
  help: [
    "Sources that fare alike towards a target are walked once, so large clusters take seconds. With -n only the workloads of",
    "that namespace ask. --cell opens one cell as a trace; its words are the names in the table.",
    "",
    "  ktrace matrix",
    "  ktrace matrix --sources hosts --targets nodeports,ingresses",
    "  ktrace matrix --cell pod/default/nginx svc/default/tomcat6:80",
    "  ktrace matrix -o html > matrix.html",
    "",
  ].join("\n"),
  declare: (command) => {
    command
      .option("--sources <list>", `of ${SOURCES.join(", ")} (default: all but namespaces)`)
      .option("--targets <list>", `of ${Object.keys(TARGETS).join(", ")} (default: all but pods)`)
      .option("--cell", "open one cell as a trace: SOURCE TARGET follow");
  },
  run: async (call) => {
    const isCell = call.options.cell === true;
    const session = await call.open(call.flags, call.io);
    const scope = scopeOf(call);
    if (isCell) return await openCell(call, session);
    if (call.words.length > 0) throw new UsageError(`matrix takes flags only, not ${JSON.stringify(call.words[0])}`);
    const format = chooseFormat(call.flags.output, FORMATS, "text");
    const { matrixOf } = await import("../../compare/matrix.ts");
    call.io.stdout.write(await printed(matrixOf(session, scope), format, call));
    return 0;
  },
};

async function printed(matrix: Matrix, format: (typeof FORMATS)[number], { io, flags }: Call): Promise<string> {
  if (format === "html") return (await import("../../render/matrix-html.ts")).renderMatrixHtml(matrix);
  const { renderMatrix, renderMatrixCsv, renderMatrixJson } = await import("../../render/matrix.ts");
  if (format === "csv") return renderMatrixCsv(matrix);
  if (format === "json") return renderMatrixJson(matrix);
  const { colorLevel, widthOf } = await import("../terminal.ts");
  const { paintOf } = await import("../print.ts");
  return renderMatrix(matrix, { width: widthOf(io.stdout), paint: await paintOf(colorLevel(flags.color, io.stdout, io.env)) });
}

function scopeOf({ options, flags }: Call): MatrixScope {
  const sources = listed("--sources", options.sources, SOURCES);
  const targets = listed("--targets", options.targets, Object.keys(TARGETS));
  const kinds = targets.length === 0 ? Object.keys(TARGETS).filter((name) => name !== "pods") : targets;
  const wanted = new Set(kinds.flatMap((name) => TARGETS[name] ?? []));
  const { namespace, from } = flags;
  if (from !== undefined)
    throw new UsageError("matrix asks from everywhere", "narrow it with --sources or -n, or open one cell: --cell SOURCE TARGET");
  return {
    source: ({ kind, namespace: own }) =>
      (sources.length === 0 ? kind !== "namespace" : sources.includes(`${kind}s`)) &&
      (namespace === undefined || own === undefined || own === namespace),
    target: ({ kind }) => wanted.has(kind),
  };
}

function listed(flag: string, value: unknown, known: readonly string[]): readonly string[] {
  if (typeof value !== "string") return [];
  const words = value.split(",").map((word) => word.trim());
  const wrong = words.find((word) => !known.includes(word));
  if (wrong !== undefined) throw new UsageError(`${flag}: no ${JSON.stringify(wrong)}`, `known: ${known.join(", ")}`);
  return words;
}

/** The trace of one cell; of several classes of sources the first that is not delivered. */
async function openCell(call: Call, session: Session): Promise<number> {
  const [from, to, extra] = call.words;
  if (from === undefined || to === undefined || extra !== undefined)
    throw new UsageError("--cell needs SOURCE and TARGET", "ktrace matrix --cell pod/default/nginx svc/default/tomcat6:80");
  const { findById, matrixOf } = await import("../../compare/matrix.ts");
  const { sourcesOf } = await import("../../compare/sources.ts");
  const { targetsOf } = await import("../../compare/targets.ts");
  const { questionOf } = await import("../../compare/ask.ts");
  const source = findById("source", sourcesOf(session.cluster), from);
  const target = findById("target", targetsOf(session.cluster), to);
  const { cells } = matrixOf(session, { source: ({ id }) => id === source.id, target: ({ id }) => id === target.id });
  const parts = cells[0]?.[0]?.parts ?? [];
  const part = parts.find(({ outcome }) => outcome.verdict !== "delivered") ?? parts[0];
  if (!part) throw new UsageError(`${target.id} is not asked from ${source.id}`, "no pod of it runs, or the target has no address there");
  const trace = session.trace({ ...questionOf(part.asked, "default"), evidence: call.flags.verbose > 0 });
  const { printTrace } = await import("../print.ts");
  await printTrace(trace, session.context, chooseFormat(call.flags.output, TRACE_FORMATS, "text"), call.flags, call.io);
  return trace.verdict === "delivered" ? 0 : 1;
}
