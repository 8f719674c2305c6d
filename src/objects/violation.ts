/**
 * One reason why the API server refuses an object: a field, and the sentence it says about it, in the words of
 * apimachinery's field errors (k8s.io/apimachinery/pkg/util/validation/field/errors.go). Who checks: `manifests` what cannot
 * be decoded, `cluster/validation` everything else. Who reads: admission, and the rules of lint.
 */
import type { PathPart } from "./source.ts";

/** The types of a field error, under their names in Go. */
export type ViolationKind = "Invalid" | "Required" | "Forbidden" | "Duplicate" | "NotSupported" | "TooLong" | "TooMany";
export type Violation = {
  readonly kind: ViolationKind;
  readonly path: readonly PathPart[];
  readonly value?: unknown; // as written; absent for Required and Forbidden
  readonly detail: string; // the server's own; "" when the kind says it all
  readonly code: string; // the rule of lint that reports it
  readonly help?: string; // how to mend it, where the detail does not say
  readonly written?: readonly PathPart[]; // the field that the author wrote, where the server names one that it filled in
};
/** What a check adds to the server's sentence. */
export type More = Pick<Partial<Violation>, "code" | "help" | "written">;
type Path = readonly PathPart[];

const KT008 = "KT008";

/** A value that breaks the rule that `detail` states. */
export const invalid = (path: Path, value: unknown, detail: string, more: More = {}): Violation => ({
  kind: "Invalid",
  path,
  value,
  detail,
  code: KT008,
  ...more,
});

/** A field that has to be there. */
export const required = (path: Path, detail = "", more: More = {}): Violation => ({ kind: "Required", path, detail, code: KT008, ...more });

/** A field that must not be there, given the others. */
export const forbidden = (path: Path, detail: string, more: More = {}): Violation => ({
  kind: "Forbidden",
  path,
  detail,
  code: KT008,
  ...more,
});

/** A value that another entry of the same list has already. */
export const duplicate = (path: Path, value: unknown, more: More = {}): Violation => ({
  kind: "Duplicate",
  path,
  value,
  detail: "",
  code: KT008,
  ...more,
});

/** A word that is none of those known. */
export const notSupported = (path: Path, value: unknown, supported: readonly string[], more: More = {}): Violation => ({
  kind: "NotSupported",
  path,
  value,
  detail: `supported values: ${[...supported].sort().map(quoted).join(", ")}`,
  code: KT008,
  ...more,
});

/** Text of more bytes than the field holds. The server does not repeat it. */
export const tooLong = (path: Path, bytes: number, more: More = {}): Violation => ({
  kind: "TooLong",
  path,
  detail: `may not be more than ${bytes} bytes`,
  code: KT008,
  ...more,
});

/** A list of more members than the field holds. */
export const tooMany = (path: Path, count: number, most: number, more: More = {}): Violation => ({
  kind: "TooMany",
  path,
  value: count,
  detail: `must have at most ${most} item${most === 1 ? "" : "s"}`,
  code: KT008,
  ...more,
});

const WORDS: Readonly<Record<ViolationKind, string>> = {
  Invalid: "Invalid value",
  Required: "Required value",
  Forbidden: "Forbidden",
  Duplicate: "Duplicate value",
  NotSupported: "Unsupported value",
  TooLong: "Too long",
  TooMany: "Too many",
};
const LONGEST_VALUE = 120;

/** `spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive`, as field.Error prints it. */
export function violationText({ kind, path, value, detail }: Violation): string {
  const parts = [WORDS[kind], ...(value === undefined ? [] : [valueText(value)]), ...(detail === "" ? [] : [detail])];
  return `${formatPath(path)}: ${parts.join(": ")}`;
}

/** A value as JSON, as the server prints it; cut, for it may be anything. */
function valueText(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

const quoted = (text: string): string => JSON.stringify(text);

/** `spec.ports[0].port`; a key that is no word stands in brackets, as in `metadata.labels[app.kubernetes.io/name]`. */
export const formatPath = (path: readonly PathPart[]): string =>
  path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      if (/^[\w-]+$/.test(part)) return `${index > 0 ? "." : ""}${part}`;
      return `[${part.length > LONGEST_VALUE ? `${part.slice(0, LONGEST_VALUE)}…` : part}]`;
    })
    .join("");

/** How to mend it: what the check says, else what its kind means. */
export function mendingOf({ kind, path, help }: Violation): string | undefined {
  const field = path.findLast((part) => typeof part === "string") ?? "it";
  if (help !== undefined) return help;
  switch (kind) {
    case "Required":
      return `add ${field}`;
    case "Forbidden":
      return `remove ${field}`;
    case "Duplicate":
      return "change one of the two, or remove it";
    case "NotSupported":
      return "write one of these, in the same letters";
    case "TooLong":
    case "TooMany":
      return `shorten ${field}`;
    case "Invalid":
      return undefined;
    default:
      return kind satisfies never;
  }
}
