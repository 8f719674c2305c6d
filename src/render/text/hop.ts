/** A hop as a block: who the network stack is, then its rows; and the cable between two hops. */
import type { Hop } from "../../linux/step.ts";
import type { NameStep, ProxyStep } from "../../trace/trace.ts";
import type { NetnsView } from "../context.ts";
import { because, placeOf } from "./cause.ts";
import { justify, layoutRow, type Row } from "./layout.ts";
import type { Scene } from "./scene.ts";
import { type Line, line, span } from "./spans.ts";
import { hopRows, type Telling } from "./step-lines.ts";
import { captureLines } from "./verbose.ts";

/** What a leg says in a hop beside the kernel's steps. */
export type Extras = { readonly first: readonly Row[]; readonly last: readonly Row[] };

export function hopBlock(scene: Scene, hop: Hop, telling: Telling, extras: Extras): Line[] {
  const { width } = scene.options;
  const rows = [...extras.first, ...hopRows(scene, hop, telling), ...extras.last];
  const captures = scene.options.depth === "verbose" ? captureLines(scene, hop, telling.ports) : [];
  return [...hopHeader(scene, hop.netns), ...rows.flatMap((row) => layoutRow(row, width)), ...captures];
}

/** `k8s-node2` and, at the right edge, what it is. */
export function hopHeader(scene: Scene, netns: string): Line[] {
  const view = scene.context.describe(netns);
  const right = [view.note ?? KIND[view.kind], view.place].filter((part) => part !== undefined).join(" ");
  return justify(line(span(titleOf(view), "bold")), line(span(right, "dim")), scene.options.width);
}

const KIND: Readonly<Record<NetnsView["kind"], string>> = { node: "node", pod: "pod", host: "host outside the cluster" };

export const titleOf = (view: NetnsView): string =>
  view.kind === "pod" && !view.title.startsWith("pod ") ? `pod ${view.title}` : view.title;

/** The cable between two hops: both devices and the network between them. */
export function connector(scene: Scene, from: Hop, to: Hop): Line[] {
  const { bar, down, wire } = scene.glyphs;
  const out = outermost(from, "out") ?? from.out ?? "?";
  const into = outermost(to, "in") ?? to.in ?? "?";
  const segment = scene.context.segmentOf(from.netns, out) ?? scene.context.segmentOf(to.netns, into);
  const cable = segment === undefined ? vethText(scene, from, to, out, into) : `${out} ${wire} ${segment} ${wire} ${into}`;
  const inside = from.outer ? "inside a VXLAN packet, itself unchanged" : "";
  const middle = justify(line(span(`  ${bar}  ${cable}`, "dim")), inside === "" ? [] : line(span(inside, "dim")), scene.options.width);
  return [line(span(`  ${bar}`, "dim")), ...middle, line(span(`  ${down}`, "dim"))];
}

/** A pod's cable: `vethc8f5d0e2 (port of cni0) ──── eth0`. */
function vethText(scene: Scene, from: Hop, to: Hop, out: string, into: string): string {
  return `${deviceText(scene, from.netns, out)} ${scene.glyphs.wire} ${deviceText(scene, to.netns, into)}`;
}

function deviceText(scene: Scene, netns: string, dev: string): string {
  const master = scene.context.link(netns, dev)?.master;
  return master === undefined ? dev : `${dev} (port of ${master})`;
}

/** The device nearest to the cable: a bridge's port rather than the bridge, the NIC rather than the tunnel. */
const outermost = (hop: Hop, direction: "in" | "out"): string | undefined => {
  const seen = hop.seen.filter((entry) => entry.direction === direction);
  return (direction === "out" ? seen.at(-1) : seen[0])?.dev;
};

/** How the name became an address; a literal address needs no row. */
export function nameRows(scene: Scene, name: NameStep | undefined): Row[] {
  if (name === undefined || name.how === "literal") return [];
  const found = name.ip === undefined ? `${name.host}: no address` : `${name.host} = ${name.ip}`;
  const view = scene.context.cause(name.cause);
  const head: Row = {
    verb: "name",
    ...(name.ip === undefined ? { tone: "red" as const } : {}),
    what: line(found),
    because: line(name.detail),
    ...placeOf(view),
  };
  const tell = name.ip === undefined || scene.options.depth === "verbose";
  return [head, ...(tell ? (name.tried ?? []).map(triedRow) : [])];
}

/** A name of the search list, and what was said to it. */
export const triedRow = (query: NonNullable<NameStep["tried"]>[number]): Row => ({
  verb: "",
  what: line(span(query.name, "dim")),
  because: line(span(query.answer, "dim")),
});

/** What the proxy process did with the request. */
export function proxyRows(scene: Scene, proxy: ProxyStep | undefined): Row[] {
  if (proxy === undefined) return [];
  const { to } = scene.glyphs;
  if (proxy.host === undefined)
    return [{ verb: "accept", what: line(`${proxy.process}: ${proxy.rule ?? proxy.text}`), ...because(scene.context, proxy.cause) }];
  const asked = `Host ${proxy.host}, path ${proxy.path}`;
  const target = proxy.status === undefined ? (proxy.rule === undefined ? "" : ` ${to} ${lastOf(proxy.rule)}`) : ` ${to} ${proxy.status}`;
  const failed = proxy.status !== undefined && proxy.status >= 400;
  const head: Row = {
    verb: "http",
    ...(failed ? { tone: "red" as const } : {}),
    what: line(`${asked}${target}`),
    ...because(scene.context, proxy.cause),
  };
  const moved = proxy.location === undefined ? [] : [{ verb: "", what: line(`Location: ${proxy.location}`) }];
  return [head, ...(proxy.text === "" || proxy.text === proxy.rule ? [] : [{ verb: "", what: line(span(proxy.text, "dim")) }]), ...moved];
}

/** The right half of `www.test.com/ -> tomcat6:80`. */
const lastOf = (rule: string): string => rule.split(" -> ").at(-1) ?? rule;
