/** The rows of test/services/*.flows: `source | destination | protocol | modes | outcome | why`, a line each; `#` begins a comment. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { isMode, isSource, type ModeName, type SourceName } from "./cluster.ts";

export type Protocol = "tcp" | "udp" | "sctp";
export type FlowRow = {
  readonly source: SourceName;
  /** An address or a name. */
  readonly host: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly modes: readonly ModeName[];
  readonly outcome: string;
  readonly why: string;
};
export type FlowFile = { readonly name: string; readonly rows: readonly FlowRow[] };

const DIRECTORY = new URL("./", import.meta.url);

export const flowFiles = (): readonly FlowFile[] =>
  readdirSync(DIRECTORY)
    .filter((name) => name.endsWith(".flows"))
    .sort()
    .map((name) => ({ name, rows: readRows(readFileSync(new URL(name, DIRECTORY), "utf8")) }));

function readRows(text: string): readonly FlowRow[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [source = "", destination = "", protocol = "", modes = "", outcome = "", why = ""] = line.split(" | ").map((cell) => cell.trim());
    assert.ok(isSource(source), line);
    assert.ok(isProtocol(protocol), line);
    assert.notEqual(why, "", `a row says why: ${line}`);
    return { source, ...readDestination(destination), protocol, modes: modes.split(" ").map(readMode), outcome, why };
  });
}

function readMode(name: string): ModeName {
  assert.ok(isMode(name), name);
  return name;
}

const isProtocol = (text: string): text is Protocol => text === "tcp" || text === "udp" || text === "sctp";

/** `10.96.1.1:80`, `[fd00:96::27]:80`, `headless:8080` */
export function readDestination(text: string): { readonly host: string; readonly port: number } {
  const cut = text.lastIndexOf(":");
  return { host: text.slice(0, cut).replace(/^\[|\]$/g, ""), port: Number(text.slice(cut + 1)) };
}

export const bracketed = (ip: string): string => (ip.includes(":") ? `[${ip}]` : ip);

/** What the client learns of an outcome, without the reason that only the tracer knows. */
export const withoutReason = (outcome: string): string => outcome.replace(/^(closed|refused|timeout|unreachable) .*/, "$1");

const MANY = 20;

/** `10.244.1.11:8080=10.244.1.15` for each backend and whom it sees; with many, how many there are at each address. */
export function backendsText(answers: readonly string[]): string {
  const each = [...new Set(answers)].sort();
  if (each.length <= MANY) return each.join(" ");
  const counts = new Map<string, number>();
  for (const answer of each) {
    const folded = answer.replace(/:\d+=/, "=");
    counts.set(folded, (counts.get(folded) ?? 0) + 1);
  }
  return [...counts].map(([folded, count]) => `${count}x${folded}`).join(" ");
}
