/** Who reaches what, as a table for people, as CSV, and as the document schema/matrix.schema.json describes. */
import type { Cell, Matrix } from "../compare/matrix.ts";
import type { SourceRow } from "../compare/sources.ts";
import { escapeJson, escapeText } from "./escape.ts";
import { API_VERSION } from "./json.ts";
import type { Paint } from "./paint.ts";

/** A verdict in a cell: never colour alone. */
const WORDS: Readonly<Record<Cell["verdict"], string>> = {
  delivered: "ok",
  rejected: "rej",
  dropped: "drop",
  unresolved: "name",
  "http-error": "http",
  unanswered: "lost",
  looped: "loop",
  exits: "exit",
  unknown: "?",
  mixed: "mix",
  none: ".",
};
const MEANINGS: Readonly<Record<Cell["verdict"], string>> = {
  delivered: "delivered",
  rejected: "rejected at once",
  dropped: "dropped in silence",
  unresolved: "the name does not resolve",
  "http-error": "a proxy answers with an error",
  unanswered: "arrives, and the answer is lost",
  looped: "loops",
  exits: "leaves the topology",
  unknown: "not known",
  mixed: "depends on the pod, or on chance",
  none: "not asked from there",
};
const CELL = 5;
const MOST_LABEL = 44;

export type MatrixLayout = { readonly width: number; readonly paint: Paint };

/**
 * Sources down, targets across by number; rows that are alike stand once. Inside and outside are tables of their own, since
 * they ask other things; a table that is wider than the screen goes on below.
 */
export function renderMatrix(matrix: Matrix, layout: MatrixLayout): string {
  const inside = sectionOf(matrix, (kind) => kind !== "host");
  const outside = sectionOf(matrix, (kind) => kind === "host");
  const blocks = [inside, outside].flatMap((section) => blocksOf(section, layout));
  const cells = matrix.cells.flat().filter(({ verdict }) => verdict !== "none");
  const used = [...new Set(matrix.cells.flat().map(({ verdict }) => verdict))].filter((verdict) => verdict !== "delivered");
  const isSparse = [inside, outside].some(({ rows }) => rows.some((row) => row.cells.some(({ verdict }) => verdict === "none")));
  const words = used
    .filter((verdict) => verdict !== "none" || isSparse)
    .map((verdict) => `${WORDS[verdict]}: ${MEANINGS[verdict]}`)
    .sort();
  const ok = cells.filter(({ verdict }) => verdict === "delivered").length;
  const counts = `${matrix.sources.length} sources, ${matrix.targets.length} targets: ${ok} of ${cells.length} requests delivered`;
  return `${[...blocks, ...(words.length > 0 ? [words.join(" · ")] : []), counts, ""].join("\n")}${trouble(matrix)}`;
}

type Section = { readonly rows: readonly Row[]; readonly targets: readonly string[] };

/** The rows of some kind, with the targets that any of them asks. */
function sectionOf({ sources, targets, cells }: Matrix, wanted: (kind: SourceRow["kind"]) => boolean): Section {
  const rows = cells.filter((_, i) => wanted(sources[i]?.kind ?? "host"));
  const asked = targets.flatMap((_, column) => (rows.some((row) => row[column]?.verdict !== "none") ? [column] : []));
  return {
    rows: alike(rows.map((row) => asked.flatMap((column) => row[column] ?? []))),
    targets: asked.map((column) => targets[column]?.id ?? ""),
  };
}

function blocksOf({ rows, targets }: Section, { width, paint }: MatrixLayout): string[] {
  const label = Math.min(MOST_LABEL, Math.max(0, ...rows.map(({ title }) => title.length)));
  const perBlock = Math.max(4, Math.floor((width - label - 1) / CELL));
  const blocks: string[] = [];
  for (let from = 0; from < targets.length; from += perBlock) {
    const columns = targets.slice(from, from + perBlock);
    const head = `${" ".repeat(label)} ${columns.map((_, i) => String(from + i + 1).padStart(CELL)).join("")}`;
    const lines = rows.map(
      ({ title, cells }) =>
        `${fit(title, label)} ${cells
          .slice(from, from + perBlock)
          .map((cell) => painted(cell, paint))
          .join("")}`,
    );
    const legend = columns.map((id, i) => `${String(from + i + 1).padStart(CELL)}  ${escapeText(id)}`);
    blocks.push([head, ...lines, "", ...legend, ""].join("\n"));
  }
  return blocks;
}

const fit = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text.padEnd(length));

function painted({ verdict }: Cell, paint: Paint): string {
  const text = WORDS[verdict].padStart(CELL);
  if (verdict === "delivered") return paint.green(text);
  return verdict === "none"
    ? paint.dim(text)
    : verdict === "mixed" || verdict === "unknown" || verdict === "exits"
      ? paint.yellow(text)
      : paint.red(text);
}

type Row = { readonly title: string; readonly cells: readonly Cell[] };

/** `deploy/a/x and 3 more` */
function alike(cells: readonly (readonly Cell[])[]): Row[] {
  const groups = new Map<string, { names: string[]; cells: readonly Cell[] }>();
  for (const row of cells) {
    const key = JSON.stringify(row.map(({ verdict, reasons }) => [verdict, reasons]));
    const group = groups.get(key) ?? { names: [], cells: row };
    group.names.push(row[0]?.source ?? "");
    groups.set(key, group);
  }
  return [...groups.values()].map(({ names: [first = "", ...others], cells: row }) => ({
    title: escapeText(others.length === 0 ? first : others.length === 1 ? `${first}, ${others[0]}` : `${first} and ${others.length} more`),
    cells: row,
  }));
}

/** What is not delivered, by reason, with the sources counted. */
function trouble({ cells }: Matrix): string {
  const groups = new Map<string, { sources: Set<string>; targets: Set<string>; text: string }>();
  for (const cell of cells.flat()) {
    const part = cell.parts.find(({ outcome }) => outcome.verdict !== "delivered");
    if (!part) continue;
    const key = `${part.outcome.verdict} ${part.outcome.reasons.join(", ")}`.trim();
    const group = groups.get(key) ?? { sources: new Set(), targets: new Set(), text: part.outcome.text };
    group.sources.add(cell.source);
    group.targets.add(cell.target);
    groups.set(key, group);
  }
  const lines = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { sources, targets }]) => `  ${key}: ${few([...targets])} from ${few([...sources])}`);
  return lines.length === 0 ? "" : `${["", "Not delivered (open one with --cell SOURCE TARGET):", ...lines, ""].join("\n")}`;
}

const few = (names: readonly string[]): string =>
  escapeText(names.length <= 3 ? names.join(", ") : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`);

/** One line a cell that was asked: source, target, verdict, reasons, backends. */
export function renderMatrixCsv({ cells }: Matrix): string {
  const rows = cells
    .flat()
    .flatMap((cell) =>
      cell.parts.map(({ asked, members, outcome }) => [
        cell.source,
        cell.target,
        outcome.verdict,
        outcome.reasons.join(" "),
        asked.from,
        String(members.length),
        outcome.backends.map(({ endpoint, share }) => `${endpoint} ${share.num}/${share.den}`).join(" "),
      ]),
    );
  return [["source", "target", "verdict", "reasons", "walked_from", "stands_for", "backends"], ...rows]
    .map((row) => `${row.map(csvField).join(",")}\r\n`)
    .join("");
}

/** RFC 4180; a leading = + - @ would be a formula to a spreadsheet. */
function csvField(text: string): string {
  const safe = escapeText(/^[=+\-@]/.test(text) ? `'${text}` : text);
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function renderMatrixJson({ sources, targets, cells, walks }: Matrix): string {
  const document = {
    apiVersion: API_VERSION,
    kind: "Matrix",
    sources: sources.map(({ id, kind }) => ({ id, kind })),
    targets: targets.map(({ id, kind, object }) => ({ id, kind, object })),
    summary: { cells: cells.flat().filter(({ verdict }) => verdict !== "none").length, walks },
    cells: cells.flat().flatMap(({ source, target, verdict, reasons, parts }) =>
      verdict === "none"
        ? []
        : [
            {
              source,
              target,
              verdict,
              reasons,
              parts: parts.map(({ asked, members, outcome }) => ({
                from: asked.from,
                standsFor: members.length,
                verdict: outcome.verdict,
                text: outcome.text,
                backends: outcome.backends.map(({ endpoint, name, share, sees }) => ({
                  endpoint,
                  name,
                  share: `${share.num}/${share.den}`,
                  sees,
                })),
              })),
            },
          ],
    ),
  };
  return `${escapeJson(JSON.stringify(document, undefined, 2))}\n`;
}
