/** `ktrace exec SOURCE -- CMD`: from inside a pod, node or host, as one would with `kubectl exec` or ssh. */

import { nearest } from "../../manifests/words.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { answer, clientQuestion } from "../ask.ts";
import { parseNc, parsePing } from "../client-args.ts";
import type { Call, CommandSpec } from "../command.ts";
import { parseDig, parseNslookup } from "../dig-args.ts";
import { type GlobalFlags, LONG_FLAGS, mergeOwnFlags } from "../flags.ts";
import { type FlagSpec, type Item, parseFlags } from "../getopt.ts";
import { runCurl } from "./curl.ts";

const CLIENTS = ["curl", "nc", "ping", "dig", "nslookup"] as const;
/** What prints the state of the network stack; exec/programs.ts has them. */
const VIEWERS = [
  "ip",
  "bridge",
  "ifconfig",
  "iptables-save",
  "ip6tables-save",
  "iptables",
  "ip6tables",
  "ipvsadm",
  "ipset",
  "ss",
  "netstat",
  "cat",
  "env",
  "hostname",
];

export const execCommand: CommandSpec = {
  name: "exec",
  usage: "SOURCE [-c CONTAINER] -- CMD [ARGS]",
  summary: "trace, or look at the network stack, from inside a pod or node",
  raw: true,
  help: [
    "SOURCE: pod/NAME, deploy/NAME, svc/NAME, NS/NAME, node/NAME, host/NAME, a bare name, an IP address",
    `CMD: ${[...CLIENTS, ...VIEWERS].join(", ")}`,
    "",
    "  ktrace exec pod/nginx -- curl http://tomcat6/",
    "  ktrace exec node/k8s-node2 -- iptables-save -t nat",
    "",
  ].join("\n"),
  run: runExec,
};

/** exec stands before `--`, so ktrace's short flags mean what they mean before any command. */
const EXEC_FLAGS: readonly FlagSpec[] = [
  ...LONG_FLAGS.filter((spec) => !["filename", "topology", "namespace", "quiet"].includes(spec.name)),
  { name: "filename", short: "f", value: true },
  { name: "topology", short: "t", value: true },
  { name: "namespace", short: "n", value: true },
  { name: "quiet", short: "q" },
  { name: "container", short: "c", value: true },
  { name: "stdin", short: "i" },
  { name: "tty" },
];

async function runExec(call: Call): Promise<number> {
  const end = call.words.indexOf("--");
  const before = (end < 0 ? call.words : call.words.slice(0, end)).filter((word) => word !== "-it" && word !== "-ti");
  const items = parseFlags(before, EXEC_FLAGS, "exec");
  const [source, ...extra] = items.filter((item) => item.kind === "word").map((item) => item.text);
  if (source === undefined) throw new UsageError("exec needs a SOURCE", "for example: ktrace exec pod/nginx -- curl http://tomcat6/");
  if (extra.length > 0)
    throw new UsageError(
      `exec: ${JSON.stringify(extra[0])} after the SOURCE`,
      `put -- before the command: exec ${source} -- ${extra.join(" ")}`,
    );
  const [program, ...args] = end < 0 ? [] : call.words.slice(end + 1);
  if (program === undefined) throw new UsageError("exec needs a command after --", `known: ${[...CLIENTS, ...VIEWERS].join(", ")}`);
  const flags: GlobalFlags = { ...mergeOwnFlags(call.flags, items), from: source };
  const client = CLIENTS.find((known) => known === program);
  if (client !== undefined) return runClient(call, client, args, flags);
  if (!VIEWERS.includes(program)) throw unknownProgram(program);
  return runViewer(call, flags, source, [program, ...args], containerOf(items));
}

const containerOf = (items: readonly Item[]): string | undefined =>
  items.filter((item) => item.kind === "flag").findLast((item) => item.name === "container")?.value;

/** Client programs exit as they themselves would. */
async function runClient(call: Call, program: (typeof CLIENTS)[number], args: readonly string[], flags: GlobalFlags): Promise<number> {
  if (program === "curl") return runCurl(call, args, flags, true);
  const parse = { nc: parseNc, ping: parsePing, dig: parseDig, nslookup: parseNslookup }[program];
  const request = parse(args);
  const all = { ...mergeOwnFlags(flags, request.own), from: flags.from ?? "" };
  return answer(call, all, clientQuestion(program, request, all), { clientExit: true });
}

async function runViewer(
  call: Call,
  flags: GlobalFlags,
  source: string,
  command: readonly string[],
  container: string | undefined,
): Promise<number> {
  const session = await call.open(flags, call.io);
  const { runProgram } = await import("../exec/programs.ts");
  const shown = runProgram(command, { session, source, container });
  if (shown.stdout !== "") call.io.stdout.write(shown.stdout);
  if (shown.stderr !== "") call.io.stderr.write(shown.stderr);
  return shown.status;
}

function unknownProgram(program: string): UsageError {
  const known = [...CLIENTS, ...VIEWERS];
  const near = nearest(program, known);
  return new UsageError(
    `exec does not know the command ${JSON.stringify(program)}${near === undefined ? "" : `; did you mean ${near}?`}`,
    `known: ${known.join(", ")}`,
  );
}
