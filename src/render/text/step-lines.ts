/**
 * Each step of a hop as a row of the fixed columns: one verb, the field's own. At the default depth a hook that changed
 * nothing leaves no row; `-v` shows every step.
 */
import type { Route } from "../../linux/netns.ts";
import type { Hop, RuleRef, Step } from "../../linux/step.ts";
import { formatCidr } from "../../net/address.ts";
import type { Fraction } from "../../net/fraction.ts";
import { formatSocket } from "../../net/packet.ts";
import { commentOf, refusalWords } from "../rule-words.ts";
import { because, objectText, placeOf } from "./cause.ts";
import type { Row } from "./layout.ts";
import { natRows } from "./nat-lines.ts";
import { noNatRows } from "./no-nat.ts";
import { flowText, type Ports, type Scene, segmentText } from "./scene.ts";
import { line, span } from "./spans.ts";
import { evidenceRows } from "./verbose.ts";

/**
 * How a hop is told: whether the path fails (then a reader looks for what did not happen), the names of its ports, and the
 * share of the path where its one rewrite of the destination is what it depends on.
 */
export type Telling = { readonly ports: Ports; readonly failed: boolean; readonly chance?: Fraction };

/** The rows of one hop, in the order in which things happened. */
export function hopRows(scene: Scene, hop: Hop, telling: Telling): Row[] {
  const verbose = scene.options.depth === "verbose";
  const inner = innerSteps(hop);
  let missing = noNatRows(scene, { ...hop, steps: hop.steps.slice(inner.from, inner.to) }, telling.failed);
  const rows: Row[] = [];
  for (const [i, step] of hop.steps.entries()) {
    const isOuter = i < inner.from - 1 || i >= inner.to;
    if (verbose && isOuter && (i === 0 || i === inner.to)) rows.push({ verb: "", what: line(span("the VXLAN packet itself:", "dim")) });
    if (!isOuter && isTurning(step)) {
      rows.push(...missing);
      missing = [];
    }
    if (!isOuter || verbose || TELLING.has(step.kind)) rows.push(...stepRows(scene, hop, step, hop.steps.slice(0, i), telling));
    if (step.kind === "ttl" && !isOuter && !verbose) putTtl(rows, step.after);
    if (verbose) rows.push(...evidenceRows(scene, hop, i));
  }
  return [...rows, ...missing];
}

/** The steps of the packet itself: after a tunnel's header was taken off, and up to where one was put around it. */
function innerSteps({ steps }: Hop): { readonly from: number; readonly to: number } {
  const from = steps.findLastIndex((step) => step.kind === "decap") + 1;
  const encap = steps.findIndex((step, i) => step.kind === "encap" && i >= from);
  return { from, to: encap < 0 ? steps.length : encap + 1 };
}

/** What is told of a tunnel packet even at the default depth: that it was rewritten, or how it ended. */
const TELLING: ReadonlySet<Step["kind"]> = new Set(["nat", "drop", "answer", "note"]);

/** Where a rewrite would have come before, had there been one. */
const isTurning = (step: Step): boolean =>
  (step.kind === "route" && step.why !== "output") || step.kind === "drop" || step.kind === "answer";

/** The new TTL stands beside the routing decision that cost it. */
function putTtl(rows: Row[], after: number): void {
  const at = rows.findLastIndex((row) => row.verb === "route");
  const row = rows[at];
  if (row) rows[at] = { ...row, right: line(span(`ttl ${after}`, "dim")) };
}

function stepRows(scene: Scene, hop: Hop, step: Step, before: readonly Step[], telling: Telling): Row[] {
  const { ports } = telling;
  switch (step.kind) {
    case "send":
      return [sendRow(step, ports)];
    case "nat":
      return natRows(scene, hop, step, before, ports, telling.chance);
    case "route":
      return routeRows(scene, hop, step, before);
    case "bridge":
      return bridgeRows(step);
    case "encap": {
      const { outer, vni } = step;
      const entry = because(scene.context, step.fdb.cause);
      const outside = `${outer.src} > ${formatSocket(outer.dst, outer.dport)}`;
      return [{ verb: "encap", what: line(`vxlan ${vni}, udp ${outside}`), because: line(`forwarding entry of ${step.dev}`), ...entry }];
    }
    case "decap":
      return [{ verb: "decap", what: line(step.dev), because: line("the VXLAN header is taken off") }];
    case "accept":
      return [acceptRow(scene, hop, step, ports)];
    case "answer":
      return answerRows(scene, step, ports);
    case "drop":
      return dropRows(scene, step);
    case "note":
      return [{ verb: "note", what: line(step.text) }];
    case "ttl":
    case "conntrack":
    case "chain":
    case "rule":
    case "choice":
    case "mark":
    case "neighbour":
      return []; // evidence: verbose.ts
    default:
      return step satisfies never;
  }
}

function sendRow(step: Extract<Step, { kind: "send" }>, ports: Ports): Row {
  const { packet } = step;
  const what = packet.segment.kind === "echo-request" ? `echo request ${flowText(packet, ports)}` : flowText(packet, ports);
  const kernel = step.origin === "kernel" ? { because: line(`${segmentText(packet)}, from the kernel itself`) } : {};
  return { verb: "send", what: line(what), ...kernel, right: line(span(`ttl ${packet.ttl}`, "dim")) };
}

function routeRows(scene: Scene, hop: Hop, step: Extract<Step, { kind: "route" }>, before: readonly Step[]): Row[] {
  if (step.local) return localRows(scene, hop, step);
  const { route } = step;
  // A sender that reaches its target directly needs no words: the connector below shows the network.
  if (step.why === "output" && route.via === undefined && route.type === "unicast" && scene.options.depth !== "verbose") return [];
  const why = because(scene.context, route.cause);
  const natAhead =
    before.length < hop.steps.length && hop.steps.slice(before.length).some((other) => other.kind === "nat" && other.manip === "dst");
  const source =
    step.why === "output" && step.source !== undefined ? [`source ${step.source}${natAhead ? ", decided before nat" : ""}`] : [];
  const again = step.why === "reroute" ? ["routed again, after nat"] : [];
  const assumed = route.assumed ? ["assumed"] : [];
  const note = scene.context.cause(route.cause)?.note;
  const words = [...(note === undefined ? [] : [note]), ...source, ...again, ...assumed];
  const text = words.length > 0 ? { because: line(words.join("; ")) } : why.because ? { because: why.because } : {};
  return [
    {
      verb: "route",
      what: line(scene.options.depth === "verbose" ? scene.context.routeText(route) : shortRoute(route)),
      ...text,
      ...(why.right ? { right: why.right } : {}),
    },
  ];
}

/** The route's decision alone, as `ip route` would begin it. */
function shortRoute({ type, to, via, dev }: Route): string {
  const target = to.length === 0 ? "default" : formatCidr(to);
  return [
    ...(type === "unicast" ? [] : [type]),
    target,
    ...(via === undefined ? [] : ["via", via]),
    ...(dev === undefined ? [] : ["dev", dev]),
  ].join(" ");
}

function localRows(scene: Scene, hop: Hop, step: Extract<Step, { kind: "route" }>): Row[] {
  const { kind } = scene.context.describe(hop.netns);
  if (kind === "pod" || step.why === "output" || hop.in === undefined)
    return scene.options.depth === "verbose" ? [ownAddress(step.dst, kind)] : [];
  return [ownAddress(step.dst, kind)];
}

const ownAddress = (ip: string, kind: string): Row => ({
  verb: "route",
  what: line(`${ip} is this ${kind}'s own address: up to its INPUT`),
});

function bridgeRows(step: Extract<Step, { kind: "bridge" }>): Row[] {
  const ports = `${step.in} > ${step.out}`;
  if (step.why === "bridged") return [{ verb: "bridge", what: line(`${step.bridge} (bridged, ttl kept)`), because: line(ports) }];
  if (step.why === "dnat-bridged") {
    return [
      { verb: "bridge", what: line(`${step.bridge} (bridged, ttl kept)`), because: line(`${ports}: the new target is on the same bridge`) },
    ];
  }
  return []; // up to the stack or down from it: the route row tells
}

function acceptRow(scene: Scene, hop: Hop, step: Extract<Step, { kind: "accept" }>, ports: Ports): Row {
  const { socket } = step;
  const view = scene.context.cause(socket.cause);
  const listens = `${socket.process} ${socket.assumed ? "is assumed to listen" : "listens"} on ${formatSocket(socket.ip === "*" ? "*" : socket.ip, socket.port)}`;
  const note = view?.note === undefined ? "" : ` (${view.note})`;
  const arrived = hop.steps.findLast((other) => other.kind === "nat");
  const { packetIn } = hop;
  const packet =
    arrived?.kind !== "nat"
      ? packetIn
      : arrived.manip === "dst"
        ? { ...packetIn, dst: arrived.after.ip, dport: arrived.after.port }
        : packetIn;
  return { verb: "accept", tone: "green", what: line(flowText(packet, ports)), because: line(`${listens}${note}`), ...placeOf(view) };
}

function answerRows(scene: Scene, step: Extract<Step, { kind: "answer" }>, ports: Ports): Row[] {
  const { packet } = step;
  const said = segmentText(packet);
  if (packet.segment.kind === "echo-reply")
    return [{ verb: "answer", tone: "green", what: line(`${said} ${flowText(packet, ports)}`), because: line("by the kernel itself") }];
  const what = line(`${said} ${flowText(packet, ports)}`);
  if (!step.because)
    return [
      {
        verb: "answer",
        tone: "red",
        what,
        because: line(packet.segment.kind === "rst" ? "nothing listens there" : "by the kernel itself"),
      },
    ];
  return [ruleRow(scene, step.because, "REJECT"), { verb: "answer", tone: "red", what, because: line(refusalWords(step.because) ?? "") }];
}

function ruleRow(scene: Scene, ref: RuleRef, verb: string): Row {
  const view = scene.context.cause(ref.rule.cause);
  const comment = commentOf(ref);
  const text = comment === undefined ? "" : ` "${comment}"`;
  const why = view?.note ?? (view?.object && objectText(view.object));
  return {
    verb,
    tone: "red",
    what: line(`${ref.table} ${ref.chain}${text}`),
    ...(why === undefined ? {} : { because: line(why) }),
    ...placeOf(view),
  };
}

function dropRows(scene: Scene, step: Extract<Step, { kind: "drop" }>): Row[] {
  if (!step.because) return [{ verb: "DROP", tone: "red", what: line(step.text), right: line(step.reason) }];
  const said = step.text !== "a rule drops it" && step.text !== commentOf(step.because);
  return [ruleRow(scene, step.because, "DROP"), ...(said ? [{ verb: "", what: line(span(step.text, "dim")) }] : [])];
}
