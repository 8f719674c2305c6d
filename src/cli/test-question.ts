/** What a test asks, as the command that a person would type would ask it. */
import { existsSync } from "node:fs";
import type { Cluster } from "../cluster/cluster.ts";
import type { Protocol } from "../net/packet.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { PlacedExpectation } from "../objects/expectation.ts";
import type { Question } from "../trace/question.ts";
import { clientQuestion, curlQuestion } from "./ask.ts";
import { parseNc, parsePing } from "./client-args.ts";
import { parseCurl } from "./curl-args.ts";
import type { GlobalFlags } from "./flags.ts";
import { readHost, readPort, splitHostPort, splitWords } from "./words.ts";

/** The question of a test from one source. Throws UsageError that names the test. */
export function testQuestion(test: PlacedExpectation, from: string, cluster: Cluster, flags: GlobalFlags): Question {
  const own: GlobalFlags = { ...flags, from, namespace: test.namespace ?? flags.namespace ?? "default" };
  try {
    return test.run === undefined ? toQuestion(test, own, cluster) : runQuestion(test.run, own);
  } catch (error) {
    if (error instanceof UsageError)
      throw new UsageError(`test ${JSON.stringify(test.name)}: ${error.message}`, error.help, error.diagnostics);
    throw error;
  }
}

/** The question of an expectation of lint: `curl …`, with `exec SOURCE -- ` or `--from SOURCE` before it. */
export function expectedQuestion(command: string, flags: GlobalFlags): Question {
  const [, from, run] = /^(?:exec\s+|--from[\s=])(\S+)\s+(?:--\s+)?(.*)$/.exec(command.trim()) ?? [];
  return from === undefined || run === undefined ? runQuestion(command, flags) : runQuestion(run, { ...flags, from });
}

function runQuestion(run: string, flags: GlobalFlags): Question {
  const [program = "", ...args] = splitWords(run);
  if (program === "curl") return curlQuestion(parseCurl(args, existsSync), flags);
  if (program === "nc") return clientQuestion("nc", parseNc(args), flags);
  if (program === "ping") return clientQuestion("ping", parsePing(args), flags);
  throw new UsageError(`run: ${JSON.stringify(program)} is no command of a test`, "curl, nc or ping");
}

function toQuestion(
  { to = "", protocol = "tcp", namespace = "default" }: PlacedExpectation,
  flags: GlobalFlags,
  cluster: Cluster,
): Question {
  if (/^https?:\/\//.test(to))
    return curlQuestion(
      parseCurl([to], () => false),
      flags,
    );
  const split = splitHostPort(addressOf(to, namespace, cluster));
  const isPing = split.port === undefined;
  if (isPing && protocol !== "icmp" && protocol !== "tcp") throw new UsageError(`to: ${JSON.stringify(to)} has no port`, "HOST:PORT");
  const host = readHost(split.host, "to");
  const asked: Protocol = isPing ? "icmp" : protocol;
  return {
    command: `trace --to ${to}${asked === "tcp" ? "" : ` --protocol ${asked}`}`,
    program: "trace",
    from: flags.from,
    namespace: flags.namespace ?? "default",
    to: { host, protocol: asked, ...(split.port === undefined ? {} : { port: readPort(split.port, "to") }) },
    evidence: false,
  };
}

/** `svc/NAME:PORT` is its cluster IP, or its name when it has none; `pod/NAME:PORT` the pod's address. */
function addressOf(to: string, namespace: string, cluster: Cluster): string {
  const [, kind, path = "", port = ""] = /^(svc|service|pod)\/([^:]+)(:\d+)?$/.exec(to) ?? [];
  if (kind === undefined) return to;
  const slash = path.indexOf("/");
  const [ns, name] = slash < 0 ? [namespace, path] : [path.slice(0, slash), path.slice(slash + 1)];
  const bracketed = (ip: string): string => (ip.includes(":") ? `[${ip}]` : ip);
  if (kind === "pod") {
    const ip = cluster.pods.find((pod) => pod.namespace === ns && pod.name === name)?.ips[0];
    if (ip === undefined) throw new UsageError(`to: no pod ${ns}/${name} runs`, "`ktrace get pods -A` lists them");
    return `${bracketed(ip)}${port}`;
  }
  const service = cluster.services.find((each) => each.namespace === ns && each.name === name);
  if (!service) throw new UsageError(`to: no Service ${ns}/${name}`, "`ktrace get services -A` lists them");
  const ip = service.clusterIPs.find((each) => each !== "None");
  return `${ip === undefined ? `${name}.${ns}.svc.${cluster.clusterDomain}` : bracketed(ip)}${port}`;
}
