/**
 * ktrace as a library (the npm package's `import`): the commands as functions that give their JSON documents. The one place
 * that runs a command line inside another program's process; nothing is printed, and no exit status set.
 */
import type * as Library from "../../types/index.d.ts";
import { main } from "./main.ts";
import { openSession } from "./open.ts";
import { splitWords } from "./words.ts";

/** Wrong usage or unreadable input. The message is what the command prints on stderr. */
export class KtraceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "KtraceError";
  }
}

type Run = { readonly words: readonly string[]; readonly cwd?: string | undefined; readonly stdin?: string | undefined };

async function documentOf<D extends Library.Document>(kind: D["kind"], { words, cwd, stdin }: Run): Promise<D> {
  const out = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({
    write: (text: string) => {
      out[name] += text;
    },
    isTTY: false,
    columns: undefined,
  });
  const io = {
    argv: words,
    program: "ktrace" as const,
    env: {},
    cwd: cwd ?? process.cwd(),
    readStdin: () => stdin ?? "",
    stdout: stream("stdout"),
    stderr: stream("stderr"),
  };
  const status = await main(io, openSession);
  const isOf = (value: unknown): value is D => typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
  const document: unknown = status === 2 || out.stdout === "" ? undefined : JSON.parse(out.stdout);
  if (!isOf(document)) throw new KtraceError(out.stderr.trim());
  return document;
}

const flag = (name: string, value: string | undefined): readonly string[] => (value === undefined ? [] : [`--${name}`, value]);
const inputFlags = ({ files = [], topology, namespace, kubernetesVersion }: Library.Input): readonly string[] => [
  "--quiet",
  "--output",
  "json",
  ...files.flatMap((file) => flag("filename", file)),
  ...flag("topology", topology),
  ...flag("namespace", namespace),
  ...flag("kubernetes-version", kubernetesVersion),
];

export const trace: typeof Library.trace = (options) => {
  const request = typeof options.request === "string" ? splitWords(options.request) : options.request;
  return documentOf("Trace", { ...options, words: [...inputFlags(options), ...flag("from", options.from), ...request] });
};

export const lint: typeof Library.lint = (options = {}) =>
  documentOf("LintReport", { ...options, words: [...inputFlags(options), "lint", ...(options.args ?? [])] });

export const matrix: typeof Library.matrix = (options = {}) =>
  documentOf("Matrix", { ...options, words: [...inputFlags(options), "matrix", ...(options.args ?? [])] });

export const diff: typeof Library.diff = (options) =>
  documentOf("Diff", { ...options, words: [...inputFlags(options), "diff", options.old, options.new] });

export const test: typeof Library.test = (options = {}) =>
  documentOf("TestReport", { ...options, words: [...inputFlags(options), "test", ...(options.expectations ?? [])] });
