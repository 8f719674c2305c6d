/**
 * Scenario rows: a command line as a user types it, run through the whole program, and what its trace must say. A path is one
 * line: `1/3 10.244.1.11:8080 sees 10.244.1.1 ttl 63`, or `1/1 rejected no-endpoints`.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ktrace, type Outcome } from "../cli/io.ts";

export type Expected = {
  readonly verdict: string;
  readonly exit: number;
  readonly paths: readonly string[];
  /** How many network stacks the request of the last leg enters, for the path in that place. */
  readonly hops?: readonly string[];
  readonly clientSees?: RegExp;
  readonly legs?: readonly string[];
};

export type Row = { readonly id: string; readonly command: string; readonly in?: string; readonly expect: Expected };

/** The reference cluster as it lies in the repository. */
export const REFERENCE = "fixtures/tomcat6";

/** One test a row. */
export function runRows(rows: readonly Row[]): void {
  for (const row of rows) {
    test(`${row.id}: ${row.command}`, async () => {
      const outcome = await traced(row.command, row.in);
      const { trace } = outcome;
      const actual = {
        verdict: trace.verdict,
        exit: outcome.status,
        paths: trace.paths.map(pathLine),
        ...(row.expect.hops ? { hops: trace.paths.map(hopLine) } : {}),
        ...(row.expect.legs ? { legs: [...new Set(trace.paths.flatMap((path) => path.legs.map(legLine)))] } : {}),
      };
      const { clientSees, ...expected } = row.expect;
      assert.deepEqual(actual, expected, trace.paths.map(({ text }) => text).join("; "));
      for (const path of trace.paths) assertAnswered(path);
      if (clientSees) for (const path of trace.paths) assert.match(path.clientSees.message, clientSees);
    });
  }
}

/** A delivered request's answer is back in the network stack that asked, leg by leg. */
function assertAnswered(path: PathJson): void {
  if (path.verdict !== "delivered") return;
  for (const { hops, reply } of path.legs) {
    assert.equal(reply.verdict, "delivered");
    assert.equal(reply.hops.at(-1)?.netns, hops[0]?.netns);
    assert.equal(reply.hops[0]?.netns, hops.at(-1)?.netns);
  }
}

// What the tests read of a trace document (schema/trace.schema.json).
export type PacketJson = {
  readonly src: string;
  readonly sport: number | string;
  readonly dst: string;
  readonly dport: number | string;
  readonly protocol: string;
  readonly ttl: number;
};
export type StepJson = {
  readonly kind: string;
  readonly manip?: string;
  readonly before?: string;
  readonly after?: string;
  readonly table?: string;
  readonly chain?: string;
};
export type HopJson = {
  readonly netns: string;
  readonly in?: string;
  readonly out?: string;
  readonly packetIn: PacketJson;
  readonly packetOut?: PacketJson;
  readonly outer?: unknown;
  readonly steps: readonly StepJson[];
};
export type DestinationJson = {
  readonly kind: string;
  readonly name: string;
  readonly node?: string;
  readonly ip: string;
  readonly port?: number;
  readonly process?: string;
  readonly clientIPSeen?: string;
  readonly ttl?: number;
  readonly assumed?: boolean;
};
export type ReplyJson = { readonly verdict: string; readonly hops: readonly HopJson[] };
export type LegJson = {
  readonly kind: string;
  readonly from: { readonly kind: string; readonly name: string; readonly ip?: string };
  readonly to: { readonly host: string; readonly ip?: string; readonly port?: number; readonly protocol: string };
  readonly name?: { readonly tried?: readonly { readonly name: string; readonly answer: string }[] };
  readonly query?: { readonly name: string; readonly type: string; readonly answer: string };
  readonly destination?: DestinationJson;
  readonly hops: readonly HopJson[];
  readonly proxy?: { readonly process: string; readonly status?: number; readonly rule?: string };
  readonly reply: ReplyJson;
  readonly arms?: readonly { readonly share: string; readonly destination?: DestinationJson; readonly hops: readonly HopJson[] }[];
};
export type PathJson = {
  readonly share: string;
  readonly verdict: string;
  readonly reason: string | null;
  readonly text: string;
  readonly status?: number;
  readonly clientSees: { readonly exitCode: number; readonly message: string };
  readonly destination?: DestinationJson;
  readonly legs: readonly LegJson[];
};
export type TraceJson = {
  readonly verdict: string;
  readonly paths: readonly PathJson[];
  readonly pathsTotal: number;
  readonly assumed: readonly { readonly what: string; readonly key?: string }[];
  readonly clientSees?: { readonly exitCode: number; readonly message: string };
};

/** Runs a command of the trace family and reads its JSON. */
export async function traced(command: string, cwd = REFERENCE): Promise<Outcome & { readonly trace: TraceJson }> {
  const outcome = await ktrace(["-o", "json", ...wordsOf(command)], { cwd });
  assert.equal(outcome.stderr.includes("error:"), false, outcome.stderr);
  assert.notEqual(outcome.stdout, "", outcome.stderr);
  const trace: TraceJson = JSON.parse(outcome.stdout);
  return { ...outcome, trace };
}

/** Runs any command and answers its lines; it must succeed. */
export async function printed(command: string, cwd = REFERENCE): Promise<string[]> {
  const outcome = await ktrace(wordsOf(command), { cwd });
  assert.equal(outcome.status, 0, outcome.stderr);
  return outcome.stdout.trimEnd().split("\n");
}

/** A command line's words; only single quotes are understood. */
const wordsOf = (command: string): string[] => (command.match(/'[^']*'|[^ ]+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, "$1"));

export function pathLine(path: PathJson): string {
  const { share, verdict, reason, status, destination } = path;
  if (verdict === "delivered") return `${share} ${destinationLine(destination)}`;
  return [share, verdict, reason, ...(status === undefined ? [] : [status])].join(" ");
}

export const destinationLine = (to: DestinationJson | undefined): string =>
  to === undefined ? "nowhere" : `${to.ip}${to.port === undefined ? "" : `:${to.port}`} sees ${to.clientIPSeen} ttl ${to.ttl}`;

/** The network stacks of the last leg in order, without the kind: `client > k8s-node2 > tomcat6-…-8jxz7`. */
export const hopLine = (path: PathJson): string => (path.legs.at(-1)?.hops ?? []).map(({ netns }) => shortNetns(netns)).join(" > ");
const shortNetns = (netns: string): string =>
  netns
    .replace(/^.*\//, "")
    .replace(/^k8s-/, "")
    .replace(/^tomcat6-.*-/, "tomcat6-");

const legLine = ({ kind, from, to, query, proxy }: LegJson): string => {
  const asked = query ? ` ${query.name} ${query.type} ${query.answer}` : "";
  return `${kind} ${from.kind} ${to.ip}:${to.port}${asked}${proxy ? ` ${proxy.process}` : ""}`;
};

/** The three tomcat6 pods as they see requests that node n worked on: scenarios' V(n). `ttls` of local and remote pod. */
export function seenFrom(n: 1 | 2 | 3, ttls: { readonly local: number; readonly remote: number }, share = "1/3"): string[] {
  const pods = [
    { ip: "10.244.1.11", node: 2 },
    { ip: "10.244.2.10", node: 3 },
    { ip: "10.244.2.11", node: 3 },
  ];
  return pods.map(
    ({ ip, node }) => `${share} ${ip}:8080 sees 10.244.${n - 1}.${node === n ? 1 : 0} ttl ${node === n ? ttls.local : ttls.remote}`,
  );
}

type Edit = (text: string) => string;
/** A change of the reference cluster: files edited, left out (`undefined`), or added. */
export type Change = Readonly<Record<string, string | Edit | undefined>>;

const made: string[] = [];
after(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A copy of the reference cluster, or another, with some files changed, in a directory of its own. */
export function changed(change: Change, from = REFERENCE): string {
  const directory = mkdtempSync(join(tmpdir(), "ktrace-scenario-"));
  made.push(directory);
  const files = new Map(readdirSync(from).map((name): [string, string] => [name, readFileSync(join(from, name), "utf8")]));
  for (const [name, how] of Object.entries(change)) {
    const before = files.get(name);
    if (how === undefined) files.delete(name);
    else files.set(name, typeof how === "string" ? how : how(before ?? ""));
    assert.notEqual(files.get(name), before, `the change of ${name} changes it`);
  }
  for (const [name, text] of files) writeFileSync(join(directory, name), text);
  return directory;
}

/** Replaces a piece of text that must be there. */
export const replace =
  (piece: string, by: string): Edit =>
  (text) => {
    assert.ok(text.includes(piece), `"${piece}" is there`);
    return text.replace(piece, by);
  };
