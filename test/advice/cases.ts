/** Variants of the reference cluster, each with one mistake, and what is advised about a question to it. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCluster, type Session } from "../../src/ktrace.ts";
import { invariant } from "../../src/objects/diagnostic.ts";
import type { HttpQuestion, Question } from "../../src/trace/question.ts";
import type { Trace } from "../../src/trace/trace.ts";
import { ROOT } from "../transcript.ts";

/** A change of one file of the cluster: a text in it and what stands there instead. */
export type Written = readonly [file: string, from: string, to: string];

export const SERVICE = "tomcat6-service.yaml";
export const DEPLOYMENT = "tomcat6-deployment.yaml";
export const TOPOLOGY = "topology.yaml";
export const INGRESS = "ingress.yaml";

/** Opens the reference cluster with these changes; each must find its text. */
export function open(changes: readonly Written[]): Session {
  const folder = mkdtempSync(join(tmpdir(), "ktrace-advice-"));
  try {
    cpSync(join(ROOT, "fixtures/tomcat6"), folder, { recursive: true });
    for (const [file, from, to] of changes) {
      const text = readFileSync(join(folder, file), "utf8");
      invariant(text.includes(from), `${file} has ${from}`);
      writeFileSync(join(folder, file), text.replace(from, to));
    }
    const files = readdirSync(folder).filter((file) => file.endsWith(".yaml") && file !== "ktrace.yaml" && file !== TOPOLOGY);
    return openCluster({ files, topology: TOPOLOGY, cwd: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export type Ask = {
  readonly to: string; // HOST or HOST:PORT
  readonly from?: string;
  readonly program?: "curl" | "nc" | "ping";
  readonly protocol?: "tcp" | "udp" | "icmp";
  readonly http?: Partial<HttpQuestion>;
};

const HTTP: HttpQuestion = {
  scheme: "http",
  path: "/",
  method: "GET",
  insecure: false,
  head: false,
  follow: false,
  fail: false,
  resolve: [],
  connectTo: [],
};

export function question({ to, from, program = "curl", protocol = "tcp", http }: Ask): Question {
  const [host = "", port] = to.split(":");
  const number = program === "ping" ? {} : { port: Number(port ?? 80) };
  return {
    command: `${program} ${to}`,
    program,
    from,
    namespace: "default",
    to: { host, protocol, ...number },
    evidence: false,
    ...(program === "curl" ? { http: { ...HTTP, ...http } } : {}),
  };
}

/** What is said about the first path that failed: facts as `fact (place)`, changes as `change (place): outcome`. */
export function counselLines(session: Session, trace: Trace): string[] {
  const failed = trace.paths.find((path) => path.verdict !== "delivered");
  const counsel = failed && session.context.advice?.(failed);
  const placed = (text: string, place: string | undefined) => `${text}${place === undefined ? "" : ` (${place})`}`;
  return [
    ...(counsel?.because ?? []).map(({ text, place }) => placed(text, place)),
    ...(counsel?.advice ?? []).map(
      ({ text, place, outcome, walked }) => `${walked ? "*" : "-"} ${placed(text, place)}${outcome === undefined ? "" : `: ${outcome}`}`,
    ),
  ];
}
