/**
 * ktrace as a library: each function does what the command of its name does with `-o json`, and gives that document. The
 * documents are described by the JSON Schemas in `schema/`.
 */

/** What to read; without `files` the nearest ktrace.yaml upward from `cwd`. */
export type Input = {
  /** Files, directories, globs, as -f takes them. */
  readonly files?: readonly string[];
  /** The text that the file name `-` stands for. */
  readonly stdin?: string;
  readonly topology?: string;
  readonly namespace?: string;
  readonly kubernetesVersion?: string;
  /** What relative names are relative to. Default: the process's working directory. */
  readonly cwd?: string;
};

/** A document as `-o json` prints it. */
export type Document = { readonly apiVersion: "ktrace.dev/v1alpha1"; readonly kind: string; readonly [key: string]: unknown };
export type Verdict =
  | "delivered"
  | "rejected"
  | "dropped"
  | "unresolved"
  | "http-error"
  | "unanswered"
  | "looped"
  | "exits"
  | "unknown";
export type TraceDocument = Document & {
  readonly kind: "Trace";
  readonly verdict: Verdict | "mixed";
  readonly paths: readonly {
    readonly share: string;
    readonly probability: number;
    readonly verdict: Verdict;
    readonly reason: string | null;
    readonly destination?: { readonly kind: string; readonly name: string; readonly ip: string; readonly port?: number; readonly [key: string]: unknown };
    readonly [key: string]: unknown;
  }[];
};
export type LintDocument = Document & { readonly kind: "LintReport" };
export type MatrixDocument = Document & { readonly kind: "Matrix" };
export type DiffDocument = Document & { readonly kind: "Diff" };
export type TestDocument = Document & { readonly kind: "TestReport" };

/** Traces one request: `trace({ request: "curl node2:31160", from: "pod/nginx" })`. */
export function trace(options: Input & { readonly request: string | readonly string[]; readonly from?: string }): Promise<TraceDocument>;
/** Lints the input. `args`: further flags of `ktrace lint`, such as `["--select", "KT1"]`. */
export function lint(options?: Input & { readonly args?: readonly string[] }): Promise<LintDocument>;
/** Who reaches what. */
export function matrix(options?: Input & { readonly args?: readonly string[] }): Promise<MatrixDocument>;
/** Which flows differ between two inputs. */
export function diff(options: Omit<Input, "files" | "stdin"> & { readonly old: string; readonly new: string }): Promise<DiffDocument>;
/** Runs expectations: those of `expectations`, or those among the manifests. */
export function test(options?: Input & { readonly expectations?: readonly string[] }): Promise<TestDocument>;

/** Wrong usage or unreadable input; `message` is what the command prints on stderr. */
export class KtraceError extends Error {
  constructor(message: string);
}
