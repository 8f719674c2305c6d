/**
 * ktrace as a library (the npm package's `import`): the commands as functions that give their JSON documents. The one place
 * that runs a command line inside another program's process; nothing is printed, and no exit status set.
 */
import { main } from "./main.ts";
import { openSession } from "./open.ts";
import { splitWords } from "./words.ts";

/** What to read; without `files` the nearest ktrace.yaml upward from `cwd`. types/index.d.ts says it to those who import this. */
type Input = {
  readonly files?: readonly string[];
  readonly stdin?: string;
  readonly topology?: string;
  readonly namespace?: string;
  readonly kubernetesVersion?: string;
  readonly cwd?: string;
};
type Document = { readonly apiVersion: "ktrace.dev/v1alpha1"; readonly kind: string; readonly [key: string]: unknown };
type Of<K extends string> = Document & { readonly kind: K };
type Verdict = "delivered" | "rejected" | "dropped" | "unresolved" | "http-error" | "unanswered" | "looped" | "exits" | "unknown";
type Destination = {
  readonly kind: string;
  readonly name: string;
  readonly ip: string;
  readonly port?: number;
  readonly [key: string]: unknown;
};
type PathDocument = {
  readonly share: string;
  readonly probability: number;
  readonly verdict: Verdict;
  readonly reason: string | null;
  readonly destination?: Destination;
  readonly [key: string]: unknown;
};
type TraceDocument = Of<"Trace"> & { readonly verdict: Verdict | "mixed"; readonly paths: readonly PathDocument[] };

/** Wrong usage or unreadable input. The message is what the command prints on stderr. */
export class KtraceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "KtraceError";
  }
}

type Run = { readonly words: readonly string[]; readonly cwd?: string | undefined; readonly stdin?: string | undefined };

async function documentOf<D extends Document>(kind: D["kind"], { words, cwd, stdin }: Run): Promise<D> {
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
const inputFlags = ({ files = [], topology, namespace, kubernetesVersion }: Input): readonly string[] => [
  "--quiet",
  "--output",
  "json",
  ...files.flatMap((file) => flag("filename", file)),
  ...flag("topology", topology),
  ...flag("namespace", namespace),
  ...flag("kubernetes-version", kubernetesVersion),
];

export function trace(options: Input & { readonly request: string | readonly string[]; readonly from?: string }): Promise<TraceDocument> {
  const request = typeof options.request === "string" ? splitWords(options.request) : options.request;
  return documentOf("Trace", { ...options, words: [...inputFlags(options), ...flag("from", options.from), ...request] });
}

export const lint = (options: Input & { readonly args?: readonly string[] } = {}): Promise<Of<"LintReport">> =>
  documentOf("LintReport", { ...options, words: [...inputFlags(options), "lint", ...(options.args ?? [])] });

export const matrix = (options: Input & { readonly args?: readonly string[] } = {}): Promise<Of<"Matrix">> =>
  documentOf("Matrix", { ...options, words: [...inputFlags(options), "matrix", ...(options.args ?? [])] });

export const diff = (options: Omit<Input, "files" | "stdin"> & { readonly old: string; readonly new: string }): Promise<Of<"Diff">> =>
  documentOf("Diff", { ...options, words: [...inputFlags(options), "diff", options.old, options.new] });

export const test = (options: Input & { readonly expectations?: readonly string[] } = {}): Promise<Of<"TestReport">> =>
  documentOf("TestReport", { ...options, words: [...inputFlags(options), "test", ...(options.expectations ?? [])] });
