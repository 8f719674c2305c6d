/**
 * ktrace's own flags. Before the command all of them hold, in both forms; after `curl`, `nc`, `ping`, `dig` and `exec` only
 * the long ones and `-o`, because the short ones belong to the program that is imitated; after other commands all again.
 */
import type { Command } from "commander";
import { UsageError } from "../objects/diagnostic.ts";
import type { FlagSpec, Item } from "./getopt.ts";

export const TRACE_FORMATS = ["text", "json", "jsonl", "yaml"] as const;
export type ColorChoice = "auto" | "always" | "never";

export type GlobalFlags = {
  readonly filename: readonly string[];
  readonly topology?: string;
  readonly apply: readonly string[];
  readonly namespace?: string;
  readonly kubernetesVersion?: string;
  readonly from?: string;
  readonly output?: string;
  readonly color?: ColorChoice;
  readonly quiet: boolean;
  readonly verbose: number;
  readonly allPaths: boolean;
  readonly curlExitCodes: boolean;
  readonly again: number; // how often the request is repeated
  readonly config?: string | false; // the project file; false: none
};

const list = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...value.split(",").filter((part) => part !== ""),
];
const count = (_: string, before: number | undefined): number => (before ?? 0) + 1;

/** Declares the flags on the program, or on a command that reads them after its name too. */
export function addGlobalFlags(command: Command): Command {
  return command
    .option("-f, --filename <path>", "manifests: a file, directory, glob, or - for stdin; may be repeated", list)
    .option("--apply <path>", "manifests to lay over the input: what if I apply this? may be repeated", list)
    .option("-t, --topology <file>", "topology file: machines, addresses, kube-proxy and CNI settings")
    .option("-n, --namespace <ns>", "namespace of names that state none (default: default)")
    .option("--kubernetes-version <release>", "as if the cluster ran this release: 1.17, 1.36")
    .option("--from <source>", "who asks: external, host/NAME, node/NAME, pod/NAME, deploy/NAME, NS/NAME, an IP address")
    .option("--config <file>", "the project file, instead of the nearest ktrace.yaml")
    .option("--no-config", "no project file")
    .option("-o, --output <format>", "output format")
    .option("--color <when>", "auto, always or never")
    .option("--no-color", "the same as --color never")
    .option("-q, --quiet", "no notes on stderr")
    .option("-v, --verbose", "show the evidence: rules, routes, forwarding entries", count)
    .option("--all-paths", "show every path in full, none folded into the table")
    .option("--again [n]", "repeat the request n times (default 1) with the state each path left: does it stick?")
    .option("--curl-exit-codes", "exit as the client program itself would");
}

/** The same flags for the own parser of the commands whose short flags are another program's. */
export const LONG_FLAGS: readonly FlagSpec[] = [
  { name: "filename", value: true },
  { name: "topology", value: true },
  { name: "apply", value: true },
  { name: "namespace", value: true },
  { name: "kubernetes-version", value: true },
  { name: "from", value: true },
  { name: "config", value: true },
  { name: "no-config" },
  { name: "output", short: "o", value: true },
  { name: "color", value: true },
  { name: "no-color" },
  { name: "quiet" },
  { name: "verbose", short: "v" },
  { name: "all-paths" },
  { name: "curl-exit-codes" },
  { name: "again", value: true },
  { name: "help" },
];

const ownNames = new Set(LONG_FLAGS.map((spec) => spec.name));
export const isOwnFlag = (item: Item): boolean => item.kind === "flag" && ownNames.has(item.name);

/** The flags found among a client program's, laid over those that stood before the command. */
export function mergeOwnFlags(before: GlobalFlags, items: readonly Item[]): GlobalFlags {
  let flags = before;
  for (const item of items) if (item.kind === "flag" && isOwnFlag(item)) flags = withFlag(flags, item.name, item.value);
  return flags;
}

function withFlag(flags: GlobalFlags, name: string, value: string): GlobalFlags {
  switch (name) {
    case "filename":
      return { ...flags, filename: list(value, flags.filename) };
    case "apply":
      return { ...flags, apply: list(value, flags.apply) };
    case "topology":
      return { ...flags, topology: value };
    case "namespace":
      return { ...flags, namespace: value };
    case "kubernetes-version":
      return { ...flags, kubernetesVersion: value };
    case "from":
      return { ...flags, from: value };
    case "output":
      return { ...flags, output: value };
    case "color":
      return { ...flags, color: colorChoice(value) };
    case "config":
      return { ...flags, config: value };
    case "no-config":
      return { ...flags, config: false };
    case "no-color":
      return { ...flags, color: "never" };
    case "quiet":
      return { ...flags, quiet: true };
    case "verbose":
      return { ...flags, verbose: flags.verbose + 1 };
    case "all-paths":
      return { ...flags, allPaths: true };
    case "again":
      return { ...flags, again: readAgain(value) };
    case "curl-exit-codes":
      return { ...flags, curlExitCodes: true };
    default:
      return flags;
  }
}

/** Commander's option values, of the program and of the command, as one record; the command's win. */
export function readGlobalFlags(before: Record<string, unknown>, after: Record<string, unknown>): GlobalFlags {
  const pick = (key: string): unknown => after[key] ?? before[key];
  const text = (key: string): string | undefined => asText(pick(key));
  const color = after.color === false || before.color === false ? "never" : asText(pick("color"));
  const topology = text("topology");
  const namespace = text("namespace");
  const kubernetesVersion = text("kubernetesVersion");
  const from = text("from");
  const output = text("output");
  const config = before.config === false || after.config === false ? false : text("config");
  return {
    filename: [...asList(before.filename), ...asList(after.filename)],
    apply: [...asList(before.apply), ...asList(after.apply)],
    ...(topology === undefined ? {} : { topology }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(from === undefined ? {} : { from }),
    ...(output === undefined ? {} : { output }),
    ...(color === undefined ? {} : { color: colorChoice(color) }),
    ...(config === undefined ? {} : { config }),
    quiet: pick("quiet") === true,
    verbose: asNumber(before.verbose) + asNumber(after.verbose),
    allPaths: pick("allPaths") === true,
    curlExitCodes: pick("curlExitCodes") === true,
    again: readAgain(pick("again")),
  };
}

const MOST_AGAIN = 20;

function readAgain(value: unknown): number {
  if (value === undefined || value === true) return value === undefined ? 0 : 1;
  const count = typeof value === "string" && /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (count >= 1 && count <= MOST_AGAIN) return count;
  throw new UsageError(`--again is a number from 1 to ${MOST_AGAIN}, not ${JSON.stringify(value)}`);
}

/** `--again` takes the next word only when that is a number: what follows it is mostly the command. `--fix` takes none. */
export const joinAgain = (argv: readonly string[]): string[] =>
  argv.flatMap((word, i) => {
    if (word === "--fix" && argv.includes("lint")) return ["--fix=safe"];
    if (argv[i - 1] === "--again" && /^\d+$/.test(word)) return [];
    return word === "--again" ? [`--again=${/^\d+$/.test(argv[i + 1] ?? "") ? argv[i + 1] : "1"}`] : [word];
  });

const asText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const asNumber = (value: unknown): number => (typeof value === "number" ? value : 0);
const asList = (value: unknown): string[] => (Array.isArray(value) ? value.filter((part) => typeof part === "string") : []);

function colorChoice(value: string): ColorChoice {
  if (value === "auto" || value === "always" || value === "never") return value;
  throw new UsageError(`--color is auto, always or never, not ${JSON.stringify(value)}`);
}

/** The chosen format, checked against those that the command prints; the first is the default. */
export function chooseFormat<F extends string>(asked: string | undefined, known: readonly F[], default_: F): F {
  if (asked === undefined) return default_;
  const found = known.find((format) => format === asked);
  if (found !== undefined) return found;
  const file = /[./]/.test(asked) ? "; nothing is downloaded, so there is no file to name" : "";
  throw new UsageError(`-o is the output format, one of ${known.join(", ")}, not ${JSON.stringify(asked)}${file}`);
}
