/**
 * The helper processes of a lab: `agent.mjs` once in every namespace, since node cannot change its own. They serve, and for
 * observation they also open connections on request, many at a time over one pipe.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { NetnsId } from "../linux/netns.ts";
import type { Ip } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";
import { LabError } from "./error.ts";
import type { LabNamespace } from "./plan.ts";
import { labEnv } from "./process.ts";

/** One connection to open. `sport` is the source port, or the ICMP id. */
export type FlowRequest = {
  readonly protocol: Protocol;
  readonly dst: Ip;
  readonly dport: number;
  readonly sport: number;
  readonly src?: Ip;
  readonly ttl?: number;
  readonly timeoutMs: number;
};
/** What the client program learned. `errno` as node names it; `timeout`: nothing at all, or nothing after the handshake. */
export type FlowAnswer = {
  readonly connected: boolean;
  readonly answer?: { readonly server: string; readonly local: string; readonly peer: string };
  readonly errno?: string;
  readonly timeout?: boolean;
  readonly ms: number;
};

export type Agent = {
  readonly netns: NetnsId;
  /** Ports that could not be taken. */
  readonly failed: readonly string[];
  readonly ask: (flow: FlowRequest) => Promise<FlowAnswer>;
  readonly greet: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const AGENT = fileURLToPath(new URL("./agent.mjs", import.meta.url));

/** The namespace's name is there for `ps`. */
const agentArgs = (namespace: LabNamespace): string[] => [`--net=/run/netns/${namespace.name}`, process.execPath, AGENT, namespace.name];

/** The helper's first line: a zone of names may be longer than an argument can be. */
export const agentConfig = (namespace: LabNamespace, daemon: boolean): string =>
  `${JSON.stringify({ sockets: namespace.agent.sockets, daemon })}\n`;

/** The helper itself, for a script that shall stand alone. */
export const agentText = (): string => readFileSync(AGENT, "utf8");

/** Starts the helper and waits until it listens. It ends when we do. */
export async function startAgent(namespace: LabNamespace): Promise<Agent> {
  const child = spawn("nsenter", agentArgs(namespace), { stdio: ["pipe", "pipe", "pipe"], env: labEnv() });
  child.stdin.write(agentConfig(namespace, false));
  let complaint = "";
  child.stderr.on("data", (data: Buffer) => {
    complaint += data.toString("utf8");
  });
  child.stdin.on("error", () => {});
  const waiting = new Map<number, (message: Record<string, unknown>) => void>();
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const ready = new Promise<readonly string[]>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const message: Record<string, unknown> = JSON.parse(line);
      if (message.ready === true) resolve(textsOf(message.failed));
      else waiting.get(Number(message.id))?.(message);
    });
    child.on("error", (error) => reject(new LabError(`${namespace.name}: ${error.message}`)));
    child.on("close", () => reject(new LabError(`${namespace.name}: the helper process ended: ${complaint.slice(0, 500)}`)));
  });
  const failed = await ready;
  let lastId = 0;
  const call = (op: string, body: object): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, resolve);
      ended.then(() => reject(new LabError(`${namespace.name}: the helper process ended: ${complaint.slice(0, 500)}`)));
      child.stdin.write(`${JSON.stringify({ id: lastId, op, ...body })}\n`);
    });
  return {
    netns: namespace.id,
    failed,
    ask: async (flow) => answerOf(await call("ask", flow)),
    greet: async () => void (await call("greet", { ips: namespace.agent.neighbours })),
    stop: () => stopChild(child, ended),
  };
}

/** Starts the helper for good: it stays when we end, until `down`. Answers the ports it could not take. */
export function startDaemon(namespace: LabNamespace): Promise<readonly string[]> {
  const child = spawn("nsenter", agentArgs(namespace), { stdio: ["pipe", "pipe", "ignore"], env: labEnv(), detached: true });
  child.stdin.on("error", () => {});
  child.stdin.end(agentConfig(namespace, true));
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => {
      const message: Record<string, unknown> = JSON.parse(line);
      child.unref();
      child.stdout.destroy();
      resolve(textsOf(message.failed));
    });
    child.on("error", (error) => reject(new LabError(`${namespace.name}: ${error.message}`)));
    child.on("exit", (code) => reject(new LabError(`${namespace.name}: the helper process ended with status ${code}`)));
  });
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.stdin?.end();
  child.kill("SIGKILL");
  await ended;
}

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

function answerOf(message: Record<string, unknown>): FlowAnswer {
  const { answer, errno } = message;
  const told = isRecord(answer) ? { server: String(answer.server), local: String(answer.local), peer: String(answer.peer) } : undefined;
  return {
    connected: message.connected === true,
    ms: Number(message.ms),
    ...(told ? { answer: told } : {}),
    ...(typeof errno === "string" ? { errno } : {}),
    ...(message.timeout === true ? { timeout: true } : {}),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
