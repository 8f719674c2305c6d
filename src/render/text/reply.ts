/** The way back: one line when it arrives, a block with the place of death when it does not. */
import type { Hop } from "../../linux/step.ts";
import type { Leg, Reply } from "../../trace/trace.ts";
import { connector, hopBlock, titleOf } from "./hop.ts";
import { layoutRow, type Row, wrap } from "./layout.ts";
import { type Ports, type Scene, segmentText, socketText } from "./scene.ts";
import { EMPTY, type Line, line, span } from "./spans.ts";

/** The rows after the last hop of a leg. */
export function replyLines(scene: Scene, leg: Leg, ports: Ports): Line[] {
  const { reply } = leg;
  const third = reply.third ? thirdLines(scene, reply.third.hops, ports) : [];
  const ownKernel = reply.hops.length === 1 && saidText(reply.hops[0]) !== undefined; // never left the sender: the hop says it all
  if (reply.verdict === "none" || reply.hops.length === 0 || ownKernel) return [...noReplyLines(scene, reply), ...third];
  if (reply.verdict === "delivered" && scene.options.depth !== "verbose")
    return [...layoutRow(replyRow(scene, reply, ports), scene.options.width), ...third];
  const full = blocks(scene, reply.hops, ports, reply.verdict !== "delivered");
  const head = line(span("reply", "bold"), `     the answer on its way back${reply.verdict === "delivered" ? "" : ": it never arrives"}`);
  const end =
    reply.verdict === "delivered" ? [EMPTY, ...layoutRow(replyRow(scene, reply, ports), scene.options.width)] : noReplyLines(scene, reply);
  return [head, ...full, ...end, ...third];
}

const noReplyLines = (scene: Scene, reply: Reply): Line[] =>
  reply.text === undefined || reply.text === "" || reply.verdict === "delivered"
    ? []
    : wrap(line(span("          "), reply.text), scene.options.width, 10);

/** `reply     pod > k8s-node3 > k8s-node2 (undoes both rewrites) > client      from 192.168.56.101:31160  ok` */
function replyRow(scene: Scene, reply: Reply, ports: Ports): Row {
  const last = reply.hops.at(-1);
  const first = reply.hops[0];
  const way = reply.hops
    .map((hop, i) => `${shortName(scene, hop, i === reply.hops.length - 1)}${undoneText(hop)}`)
    .join(` ${scene.glyphs.shows} `);
  const said = saidText(first);
  const from = last ? sourceText(last, ports) : "";
  return {
    verb: "reply",
    outside: true,
    what: line(said === undefined ? way : `${said}: ${way}`),
    ...(from === "" ? {} : { because: line(`from ${from}`) }),
    right: line(span(said === undefined ? "ok" : isRefusal(first) ? "refused" : "error", said === undefined ? "green" : "red")),
  };
}

/** An error, or nothing when it is the answer one hoped for. */
function saidText(hop: Hop | undefined): string | undefined {
  const kind = hop?.packetIn.segment.kind;
  return hop && (kind === "rst" || kind === "icmp-error") ? segmentText(hop.packetIn) : undefined;
}

/** RST and port unreachable are what connect() calls refused (ECONNREFUSED). */
function isRefusal(hop: Hop | undefined): boolean {
  const segment = hop?.packetIn.segment;
  if (segment?.kind !== "icmp-error") return true;
  return hop?.packetIn.family === 6 ? segment.type === 1 && segment.code === 4 : segment.type === 3 && segment.code === 3;
}

function sourceText(hop: Hop, ports: Ports): string {
  const { packetIn } = hop;
  if (packetIn.segment.kind === "icmp-error") return packetIn.src;
  const undone = hop.steps.findLast((step) => step.kind === "nat" && step.manip === "src");
  return undone?.kind === "nat" ? socketText(undone.after.ip, undone.after.port, ports) : socketText(packetIn.src, packetIn.sport, ports);
}

/** The answering pod was just shown; the asking one is named. */
const shortName = (scene: Scene, hop: Hop, isLast: boolean): string => {
  const view = scene.context.describe(hop.netns);
  if (view.kind !== "pod") return titleOf(view);
  return isLast ? view.title : "pod";
};

function undoneText(hop: Hop): string {
  const undone = hop.steps.filter((step) => step.kind === "nat" && step.reverse).length;
  if (undone === 0) return "";
  return undone === 1 ? " (undoes the rewrite)" : " (undoes both rewrites)";
}

/** Hops that carry an answer, each in full. */
function blocks(scene: Scene, hops: readonly Hop[], ports: Ports, failed: boolean): Line[] {
  return hops.flatMap((hop, i) => {
    const previous = hops[i - 1];
    const cable = previous ? connector(scene, previous, hop) : [];
    return [...cable, ...hopBlock(scene, hop, { ports, failed }, { first: [], last: [] })];
  });
}

/** The client's next packet, where it dies though the answer came. */
function thirdLines(scene: Scene, hops: readonly Hop[], ports: Ports): Line[] {
  const head = line(span("next", "bold"), "      the client's next packet, after the answer");
  return [EMPTY, head, ...blocks(scene, hops, ports, true)];
}
