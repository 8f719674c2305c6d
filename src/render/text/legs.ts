/** A path from its first packet to its end: its legs, each with hops, cables and the way back. */
import type { Hop } from "../../linux/step.ts";
import { NO_ANSWER } from "../../trace/ask-name-servers.ts";
import type { Leg, Path } from "../../trace/trace.ts";
import { connector, type Extras, hopBlock, hopHeader, nameRows, proxyRows, triedRow } from "./hop.ts";
import { justify, layoutRow, type Row } from "./layout.ts";
import { partyText } from "./question.ts";
import { replyLines } from "./reply.ts";
import { portsOf, type Scene } from "./scene.ts";
import { EMPTY, type Line, line, span } from "./spans.ts";

/** One part of a path's text: a hop's block, or what stands between. Equal blocks of two paths are printed once. */
export type Block = { readonly lines: readonly Line[]; readonly hop?: Hop };

/** A path in full, as blocks. */
export function pathBlocks(scene: Scene, path: Path): Block[] {
  const blocks: Block[] = [];
  const transports = path.legs.filter((leg) => leg.kind === "transport");
  const numbered = transports.length > 1;
  let waiting: Leg[] = [];
  for (const [i, leg] of path.legs.entries()) {
    const isLast = i === path.legs.length - 1;
    if (leg.kind === "dns" && isAnswered(leg) && scene.options.depth !== "verbose") {
      waiting.push(leg);
      if (isLast) blocks.push({ lines: dnsLines(scene, path, waiting) });
      continue;
    }
    if (waiting.length > 0) blocks.push({ lines: [...dnsLines(scene, path, waiting), EMPTY] });
    const resolved = waiting.length > 0;
    waiting = [];
    const number = transports.indexOf(leg);
    if (numbered || leg.kind === "dns") blocks.push({ lines: legHeading(scene, leg, number, path.legs[i - 1]) });
    blocks.push(...legBlocks(scene, leg, Math.max(0, number), isLast && path.verdict !== "delivered", path, isLast, resolved));
    if (!isLast) blocks.push({ lines: [EMPTY] });
  }
  return blocks;
}

/** A query that nobody answered is told in full: its end is what went wrong. */
const isAnswered = (leg: Leg): boolean => leg.query?.answer !== NO_ANSWER;

function legBlocks(scene: Scene, leg: Leg, number: number, failed: boolean, path: Path, isLast: boolean, resolved: boolean): Block[] {
  const ports = portsOf(leg, number);
  const name = resolved && leg.name?.how === "dns" && leg.name.ip !== undefined ? [] : nameRows(scene, leg.name);
  if (leg.hops.length === 0) {
    const rows = [...name, ...endRows(path, undefined)];
    const header = leg.from.netns === undefined ? [] : hopHeader(scene, leg.from.netns);
    return [{ lines: [...header, ...rows.flatMap((row) => layoutRow(row, scene.options.width))] }];
  }
  const blocks: Block[] = [];
  const chance = leg.kind === "transport" && rewrites(path) === 1 ? { chance: path.share } : {};
  for (const [i, hop] of leg.hops.entries()) {
    const previous = leg.hops[i - 1];
    const atEnd = i === leg.hops.length - 1;
    const last = atEnd ? [...proxyRows(scene, leg.proxy), ...(isLast ? endRows(path, hop) : [])] : [];
    const extras: Extras = { first: i === 0 ? name : [], last };
    if (previous) blocks.push({ lines: connector(scene, previous, hop) });
    blocks.push({ lines: hopBlock(scene, hop, { ports, failed, ...chance }, extras), hop });
  }
  const reply = replyLines(scene, leg, ports);
  return reply.length === 0 ? blocks : [...blocks, { lines: [EMPTY, ...reply] }];
}

/** How often the path's connections had their destination rewritten: with one, the path's share is that rewrite's chance. */
const rewrites = (path: Path): number =>
  path.legs
    .filter((leg) => leg.kind === "transport")
    .flatMap((leg) => leg.hops.flatMap((hop) => hop.steps))
    .filter((step) => step.kind === "nat" && step.manip === "dst" && !step.reverse).length;

/** What no step of the last hop says: that the sender's own kernel refused, the packet left the model, or nothing decides. */
function endRows(path: Path, last: Hop | undefined): Row[] {
  const told = last?.steps.some((step) => step.kind === "drop" || step.kind === "answer" || step.kind === "accept") ?? false;
  const verb = END_VERB.get(path.verdict);
  if (verb === undefined || (told && path.verdict !== "unknown")) return [];
  return [
    {
      verb,
      tone: path.verdict === "exits" ? "yellow" : "red",
      what: line(path.text),
      ...(path.reason === undefined ? {} : { right: line(path.reason) }),
    },
  ];
}

const END_VERB: ReadonlyMap<Path["verdict"], string> = new Map([
  ["rejected", "REFUSED"],
  ["dropped", "DROP"],
  ["looped", "LOOP"],
  ["exits", "exits"],
  ["unknown", "UNKNOWN"],
  ["unresolved", "FAILED"],
]);

/** `LEG 2  nginx on k8s-node2 -> Service default/tomcat6` */
function legHeading(scene: Scene, leg: Leg, number: number, previous: Leg | undefined): Line[] {
  const { to } = scene.glyphs;
  const process = previous?.proxy ? `${previous.proxy.process} on ${onWhat(scene, previous)}` : partyText(leg.from);
  const { host, port } = leg.to;
  const target = leg.proxy
    ? `${leg.proxy.process} on ${onWhat(scene, leg)}`
    : `${host}${port === undefined || host.endsWith(`:${port}`) ? "" : `:${port}`}`;
  const label = leg.kind === "dns" ? "DNS" : `LEG ${number + 1}`;
  const right = previous?.proxy ? "a new connection, opened by the proxy" : "";
  return justify(
    line(span(label, "bold"), `  ${process} ${to} ${target}`),
    right === "" ? [] : line(span(right, "dim")),
    scene.options.width,
  );
}

const onWhat = (scene: Scene, leg: Leg): string => {
  const netns = leg.proxy?.netns;
  return netns === undefined ? (leg.destination?.name ?? "?") : scene.context.describe(netns).title;
};

/**
 * Answered lookups in one row: `name    tomcat6 = 10.96.246.235    1 query, coredns on k8s-node1    tomcat6.default.svc…`;
 * where several names were tried, each on a line of its own.
 */
function dnsLines(scene: Scene, path: Path, legs: readonly Leg[]): Line[] {
  const { width } = scene.options;
  const last = legs.at(-1);
  if (!last) return [];
  const name = path.legs.find((leg) => leg.name?.how === "dns")?.name;
  const tried = name?.tried ?? [];
  const nodes = [...new Set((last.arms ?? [last]).map((arm) => arm.destination?.node).filter((node) => node !== undefined))];
  const server =
    last.reply.verdict === "exits"
      ? `${last.to.host} outside the model`
      : last.destination?.process || last.destination?.name || last.to.host;
  const where = nodes.length === 0 ? "" : ` on ${nodes.join(" or ")}`;
  const count = tried.length > 1 ? `${tried.length} names asked` : legs.length === 1 ? "1 query" : `${legs.length} queries`;
  const because = line(`${count}, ${server}${where}`);
  const each = tried.length > 1 ? tried.flatMap((one) => layoutRow(triedRow(one), width)) : [];
  const asked = last.query?.name ?? last.to.host;
  if (name !== undefined && tried.length > 1) {
    const found = name.ip === undefined ? `${name.host}: ${last.query?.answer ?? "no address"}` : `${name.host} = ${name.ip}`;
    return [...layoutRow({ verb: "name", what: line(found), because }, width), ...each];
  }
  if (name?.ip === undefined)
    return layoutRow({ verb: "name", what: line(`${asked}: ${last.query?.answer ?? "answered"}`), because }, width);
  const right = asked === name.host ? {} : { right: line(span(asked, "dim")) };
  return layoutRow({ verb: "name", what: line(`${name.host} = ${name.ip}`), because, ...right }, width);
}
