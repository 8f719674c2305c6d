/** What a request is expected to end with, as text: `200`, `rejected`, `not-listening, node=k8s-node2`; `not dropped`. */
import type { Path, Trace, Verdict } from "../trace/trace.ts";

const VERDICTS: ReadonlySet<string> = new Set<Verdict | "mixed">([
  "delivered",
  "rejected",
  "dropped",
  "unresolved",
  "http-error",
  "unanswered",
  "looped",
  "exits",
  "unknown",
  "mixed",
]);

export type Judged = { readonly verdict: "met" | "missed" | "unreadable"; readonly got: string };

/**
 * Each word holds for every path: a status, a verdict, `exit N`, `node=NAME`, `pod=NAME`, `source=ADDRESS` (what the end of the
 * path sees) or a reason's code; `not` before a word turns it round.
 */
export function judgeExpected(expects: string, trace: Trace): Judged {
  const words = expects
    .replace(/\bnot\s+/g, "!")
    .replace(/\bexit\s+/g, "exit=")
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  if (words.length === 0) return { verdict: "unreadable", got: "" };
  const results = words.map((word) => (word.startsWith("!") ? negated(holds(word.slice(1), trace)) : holds(word, trace)));
  if (results.includes(undefined)) return { verdict: "unreadable", got: "" };
  return { verdict: results.every((each) => each === true) ? "met" : "missed", got: describe(trace) };
}

const negated = (held: boolean | undefined): boolean | undefined => (held === undefined ? undefined : !held);

function holds(word: string, trace: Trace): boolean | undefined {
  const every = (holdsFor: (path: Path) => boolean): boolean => trace.paths.length > 0 && trace.paths.every(holdsFor);
  const [, key, value = ""] = /^([a-z]+)=(.+)$/.exec(word) ?? [];
  switch (key) {
    case "node":
      return every(({ destination }) => (destination?.node ?? (destination?.kind === "node" ? destination.name : undefined)) === value);
    case "pod":
      return every(
        ({ destination }) => destination?.kind === "pod" && (destination.name === value || destination.name.startsWith(`${value}-`)),
      );
    case "source":
      return every(({ destination }) => destination?.clientIPSeen === value);
    case "exit":
      return every(({ clientSees }) => String(clientSees.exitCode) === value);
    case undefined:
      break;
    default:
      return undefined;
  }
  // A server in a pod is not modelled beyond its socket: what it answers to a request that arrives is taken to be 200.
  if (/^[1-5]\d\d$/.test(word)) return every((path) => (path.status ?? (path.verdict === "delivered" ? 200 : undefined)) === Number(word));
  if (word === "mixed") return trace.verdict === "mixed";
  if (VERDICTS.has(word)) return every(({ verdict }) => verdict === word);
  return /^[a-z]+(?:-[a-z]+)+$/.test(word) ? every(({ reason }) => reason === word) : undefined;
}

/** `rejected: …`, of the paths that tell. */
function describe({ paths, verdict }: Trace): string {
  const telling = paths.find((path) => path.verdict !== "delivered") ?? paths[0];
  return `${verdict}${telling?.status === undefined ? "" : `, status ${telling.status}`}${telling?.text ? `: ${telling.text}` : ""}`;
}
