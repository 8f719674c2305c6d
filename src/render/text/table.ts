/** The alternatives side by side: share, endpoint, node, what the endpoint sees. Borderless; narrow terminals lose columns. */
import Table from "cli-table3";
import { formatFraction } from "../../net/fraction.ts";
import { formatSocket } from "../../net/packet.ts";
import type { Destination, Path, Trace } from "../../trace/trace.ts";
import { escapeText } from "../escape.ts";
import type { Tone } from "../paint.ts";
import { type Group, groupPaths } from "./choose.ts";
import type { Scene } from "./scene.ts";
import { textWidth } from "./spans.ts";

type Cell = { readonly text: string; readonly tone?: Tone };
type Column = { readonly title: string; readonly right?: boolean; readonly cell: (group: Group) => Cell };

/** The table as printed lines; none when there is nothing to compare. `shown` are the paths told in full. */
export function tableLines(scene: Scene, trace: Trace, shown: readonly Path[]): string[] {
  const { width, allPaths, paint } = scene.options;
  if (trace.paths.length < 2) return [];
  const groups = groupPaths(trace.paths, allPaths);
  const columns = fitting(columnsOf(scene, trace, shown), groups, width);
  const table = new Table({ chars: NO_BORDERS, style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true } });
  table.push(columns.map((column) => ({ content: column.title === "" ? "" : paint.dim(column.title), hAlign: align(column) })));
  for (const group of groups) {
    table.push(
      columns.map((column) => {
        const { text, tone } = column.cell(group);
        const shownText = escapeText(text);
        return { content: tone === undefined || shownText === "" ? shownText : paint[tone](shownText), hAlign: align(column) };
      }),
    );
  }
  const cut = trace.pathsTotal > trace.paths.length ? [`${trace.pathsTotal - trace.paths.length} more ways are not listed`] : [];
  return [
    ...table
      .toString()
      .split("\n")
      .map((row) => row.trimEnd()),
    ...cut,
  ];
}

const align = (column: Column): "left" | "right" => (column.right ? "right" : "left");

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

function columnsOf(scene: Scene, trace: Trace, shown: readonly Path[]): Column[] {
  const seen = trace.paths.some((path) => path.destination?.kind === "pod") ? "pod sees" : "it sees";
  const first = nodeAsked(scene, trace);
  return [
    { title: "share", right: true, cell: (group) => ({ text: formatFraction(group.share), tone: "cyan" }) },
    { title: "endpoint", cell: (group) => ({ text: endpointText(group) }) },
    { title: "on", cell: ({ paths }) => ({ text: paths[0].destination?.node ?? "" }) },
    { title: seen, cell: ({ paths }) => ({ text: paths[0].destination?.clientIPSeen ?? "" }) },
    {
      title: "ttl",
      right: true,
      cell: ({ paths }) => ({ text: paths[0].destination?.ttl === undefined ? "" : String(paths[0].destination.ttl) }),
    },
    { title: "verdict", cell: ({ paths }) => verdictCell(paths[0]) },
    { title: "pod", cell: (group) => ({ text: podText(group) }) },
    { title: "", cell: ({ paths }) => ({ text: remark(paths, shown, first), tone: "dim" }) },
  ];
}

/**
 * Columns are given up from the least needed on until the rest fits: a verdict that all share, where that saves the
 * remark; else the remark, pod, ttl, node, what it sees.
 */
function fitting(columns: readonly Column[], groups: readonly Group[], width: number): readonly Column[] {
  const used = columns.filter((column) => groups.some((group) => column.cell(group).text !== ""));
  const isUniform = new Set(groups.map(({ paths }) => paths[0].verdict)).size === 1;
  const plain = used.filter((column) => column.title !== "verdict");
  if (isUniform && tableWidth(used, groups) > width && tableWidth(plain, groups) <= width) return plain;
  let left = used;
  for (const title of ["", "pod", "ttl", "on", "pod sees", "it sees"]) {
    if (tableWidth(left, groups) <= width) break;
    left = left.filter((column) => column.title !== title);
  }
  return left;
}

const tableWidth = (columns: readonly Column[], groups: readonly Group[]): number =>
  columns.reduce(
    (sum, column) => sum + 2 + Math.max(column.title.length, ...groups.map((group) => textWidth(escapeText(column.cell(group).text)))),
    -2,
  );

function endpointText({ paths }: Group): string {
  const destination = paths[0].destination;
  if (paths.length > 1) return `${paths.length} endpoints`;
  return destination === undefined
    ? "none"
    : destination.port === undefined
      ? destination.ip
      : formatSocket(destination.ip, destination.port);
}

function podText({ paths }: Group): string {
  const destination = paths[0].destination;
  if (destination === undefined) return "";
  return paths.length > 1 ? `${destination.name} and ${paths.length - 1} more` : nameOf(destination);
}

const nameOf = (destination: Destination): string =>
  destination.kind === "pod" ? destination.name : `${destination.kind} ${destination.name}`;

function verdictCell(path: Path): Cell {
  if (path.status !== undefined && path.verdict === "http-error") return { text: String(path.status), tone: "red" };
  return { text: path.verdict, tone: path.verdict === "delivered" ? "green" : "red" };
}

function remark(paths: readonly Path[], shown: readonly Path[], first: string | undefined): string {
  const path = paths.find((candidate) => shown.includes(candidate));
  const notes = path ? ["shown above"] : [];
  const destination = paths[0]?.destination;
  if (first !== undefined && destination?.node === first && destination.kind === "pod") notes.unshift("same node");
  return notes.join(", ");
}

/** The node that every path enters first. */
function nodeAsked(scene: Scene, trace: Trace): string | undefined {
  const firsts = new Set(
    trace.paths.map((path) => {
      const hop = path.legs
        .findLast((leg) => leg.kind === "transport")
        ?.hops.find(({ netns }) => scene.context.describe(netns).kind === "node");
      return hop && scene.context.describe(hop.netns).title;
    }),
  );
  return firsts.size === 1 ? [...firsts][0] : undefined;
}
