/** Who reaches what, as one page without scripts or anything fetched: a heat map whose cells say the verdict in words too. */
import type { Cell, Matrix } from "../compare/matrix.ts";
import { escapeText } from "./escape.ts";

const STYLE = `body{font:14px system-ui,sans-serif;margin:2em;color:#222;background:#fff}
table{border-collapse:collapse}
th,td{border:1px solid #ccc;padding:.25em .5em;text-align:left;vertical-align:bottom}
thead th{position:sticky;top:0;background:#fff;max-width:9em;overflow-wrap:anywhere;font-weight:normal}
tbody th{position:sticky;left:0;background:#fff;font-weight:normal;white-space:nowrap}
.delivered{background:#cfe8cf}.rejected,.dropped,.looped,.unanswered,.unresolved,.http-error{background:#f3c6c0}
.mixed,.exits,.unknown{background:#f6e3ae}.none{color:#999}
small{display:block;color:#444}`;

export function renderMatrixHtml({ sources, targets, cells }: Matrix): string {
  const head = targets.map(({ id }) => `<th scope="col">${html(id)}</th>`).join("");
  const rows = cells.map((row, i) => `<tr><th scope="row">${html(sources[i]?.id ?? "")}</th>${row.map(cellOf).join("")}</tr>`);
  return `${[
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><title>ktrace: who reaches what</title>',
    `<style>${STYLE}</style></head><body>`,
    "<h1>Who reaches what</h1>",
    `<p>${sources.length} sources down, ${targets.length} targets across. <code>ktrace matrix --cell SOURCE TARGET</code> opens one.</p>`,
    `<table><thead><tr><th></th>${head}</tr></thead><tbody>`,
    ...rows,
    "</tbody></table></body></html>",
  ].join("\n")}\n`;
}

function cellOf({ verdict, reasons, parts }: Cell): string {
  if (verdict === "none") return '<td class="none" title="not asked from there">·</td>';
  const text = [...new Set(parts.map(({ outcome }) => outcome.text))].join("; ");
  return `<td class="${verdict}" title="${html(text)}">${verdict}${reasons.length > 0 ? `<small>${html(reasons.join(", "))}</small>` : ""}</td>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const html = (text: string): string => escapeText(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
