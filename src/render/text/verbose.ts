/** The evidence under `-v`: connection states, every rule looked at and why it did not match, neighbours, marks, captures. */
import type { Hop, RuleVisit, Seen, Step } from "../../linux/step.ts";
import { formatFraction } from "../../net/fraction.ts";
import { chainAfter, failedPart } from "../rule-words.ts";
import { whyNot } from "../why-not.ts";
import { placeOf } from "./cause.ts";
import { layoutRow, type Row } from "./layout.ts";
import { flowText, type Ports, type Scene, segmentText } from "./scene.ts";
import { type Line, line, span } from "./spans.ts";

type ChainStep = Extract<Step, { kind: "chain" }>;

/** What `-v` adds for the hop's step at `index`. */
export function evidenceRows(scene: Scene, hop: Hop, index: number): Row[] {
  const step = hop.steps[index];
  switch (step?.kind) {
    case "conntrack":
      return [{ verb: "ct", what: line(span(`connection is ${step.state}`, "dim")) }];
    case "ttl":
      return [{ verb: "ttl", what: line(`${step.before} `, scene.glyphs.to, ` ${step.after}`) }];
    case "mark":
      return [{ verb: "mark", what: line(`0x${step.mark.toString(16)}`), because: line(`${step.ref.table} ${step.ref.chain}`) }];
    case "choice":
      return [{ verb: "chance", what: line(`${formatFraction(step.share)} of the packets that get here go this way`) }];
    case "neighbour":
      return [
        {
          verb: "neigh",
          what: line(`${step.ip} lladdr ${step.mac} dev ${step.dev}`),
          because: line(step.entry ? "permanent entry" : "ARP answered"),
          ...placeOf(step.entry && scene.context.cause(step.entry.cause)),
        },
      ];
    case "bridge":
      return step.why === "up" || step.why === "down" ? [{ verb: "bridge", what: line(`${step.bridge}: ${step.in} > ${step.out}`) }] : [];
    case "encap":
      return [
        {
          verb: "fdb",
          what: line(`${step.fdb.mac} dev ${step.fdb.dev} dst ${step.fdb.dst}`),
          right: line(span(`outer ttl ${step.outer.ttl}`, "dim")),
        },
      ];
    case "chain":
      return isRoot(step) && (step.visits.length > 0 || step.verdict !== "policy-accept") ? chainRows(scene, hop.steps, index) : [];
    default:
      return [];
  }
}

/** A built-in chain of iptables, a base chain of nftables: what hangs on the hook itself. */
const isRoot = (step: ChainStep): boolean => step.base === true || step.chain === step.hook.toUpperCase();

/** A built-in chain with the chains jumped to inside it, in the order of the packet. A chain is reported when it is left. */
function chainRows(scene: Scene, steps: readonly Step[], index: number): Row[] {
  const root = steps[index];
  if (root?.kind !== "chain") return [];
  const inner = chainsInside(steps, index);
  const rows = layoutChain(scene, root, inner, 0);
  const head: Row = { verb: root.table, what: line(span(`${root.chain}`, "bold"), span(`  ${root.verdict}`, "dim")) };
  return [head, ...rows];
}

/** The user chains left between the previous built-in chain and this one. */
function chainsInside(steps: readonly Step[], index: number): ChainStep[] {
  const inner: ChainStep[] = [];
  for (let i = index - 1; i >= 0; i--) {
    const step = steps[i];
    if (step?.kind !== "chain") continue;
    if (isRoot(step)) break;
    inner.unshift(step);
  }
  return inner;
}

/** Evidence rows carry rule text, which is never broken, so that it can be searched for as it stands. */
function layoutChain(scene: Scene, chain: ChainStep, inner: ChainStep[], depth: number): Row[] {
  const pad = "  ".repeat(depth);
  const rows: Row[] = [];
  for (const visit of chain.visits) {
    rows.push(visitRow(scene, visit, pad));
    const next = chainAfter(visit);
    if (!visit.matched || next === undefined) continue;
    const at = inner.findIndex((step) => step.chain === next);
    const entered = inner[at];
    if (!entered) continue;
    inner.splice(at, 1);
    rows.push(...layoutChain(scene, entered, inner, depth + 1));
  }
  if (chain.skipped > 0)
    rows.push({ verb: "", what: line(span(`${pad}    ${plural(chain.skipped, "rule")} for other destinations`, "dim")) });
  return rows;
}

function visitRow(scene: Scene, visit: RuleVisit, pad: string): Row {
  const text = scene.context.ruleText(visit);
  if (visit.matched) return { verb: "", whole: true, what: line(`${pad}yes `, span(text)) };
  const failed = failedPart(visit, visit.failedMatch);
  return { verb: "", whole: true, what: line(span(`${pad}no  ${text}${failed ? `   (${whyNot(failed)})` : ""}`, "dim")) };
}

/** What `tcpdump -i any` would print in this hop, one line a device. */
export function captureLines(scene: Scene, hop: Hop, ports: Ports): Line[] {
  const column = Math.max(0, ...hop.seen.map(({ dev }) => dev.length));
  return hop.seen.flatMap((seen, i) =>
    layoutRow({ verb: i === 0 ? "tcpdump" : "", what: captureLine(seen, ports, column) }, scene.options.width),
  );
}

function captureLine({ dev, direction, packet, outer }: Seen, ports: Ports, column: number): Line {
  const around = outer ? `  {${outer.src} > ${outer.dst}}` : "";
  const way = direction === "in" ? "In " : "Out";
  return line(span(`${dev.padEnd(column)} ${way} ${flowText(packet, ports)} ${segmentText(packet)} ttl ${packet.ttl}${around}`, "dim"));
}

/** What the symbols of the trace stand for. */
export function legend(symbols: ReadonlySet<string>): Line[] {
  const known: readonly (readonly [RegExp, string])[] = [
    [/^c\d*$/, "a port that the client's kernel picks (shown as 49152 in JSON)"],
    [/^m\d+$/, "a port that masquerading picks at random (--random-fully)"],
  ];
  return [...symbols]
    .sort()
    .map((symbol) => line(span(`  ${symbol.padEnd(4)}${known.find(([form]) => form.test(symbol))?.[1] ?? ""}`, "dim")));
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
