/** What differs between variants of a cluster: as text, and as the document schema/comparison.schema.json describes. */
import type { Change, Comparison, Result } from "../compare/compare.ts";
import type { Backend } from "../compare/outcome.ts";
import { escapeJson, escapeText } from "./escape.ts";
import { API_VERSION } from "./json.ts";

/** Each flow that differs with what every variant does with it, and how many were asked. */
export function renderComparison({ variants, flows, changes }: Comparison): string {
  const width = Math.max(...variants.map((name) => name.length));
  const blocks = alike(changes).map(({ sources, change }) =>
    [...headLines(sources, change), ...change.results.map((result) => `  ${result.variant.padEnd(width)}  ${resultText(result)}`), ""].join(
      "\n",
    ),
  );
  const names = variants.join(", ");
  const end =
    changes.length === 0
      ? `no difference: ${flows} ${flows === 1 ? "flow goes" : "flows go"} the same way with ${names}`
      : `${changes.length} of ${flows} ${flows === 1 ? "flow" : "flows"} ${changes.length === 1 ? "differs" : "differ"} between ${names}`;
  return escapeLines([...blocks, end, ""].join("\n"));
}

const escapeLines = (text: string): string => text.split("\n").map(escapeText).join("\n");

/** Sources whose requests to one target end the same way are said together. */
function alike(changes: readonly Change[]): { readonly sources: readonly string[]; readonly change: Change }[] {
  const groups = new Map<string, { sources: string[]; change: Change }>();
  for (const change of changes) {
    const { from, ...target } = change.flow;
    const key = JSON.stringify([target, change.differs, change.results.map(resultText)]);
    const group = groups.get(key);
    if (group) group.sources.push(from);
    else groups.set(key, { sources: [from], change });
  }
  return [...groups.values()];
}

const headLines = (sources: readonly string[], { flow, differs }: Change): string[] => [
  `to ${targetText(flow)}${flow.about === "" ? "" : `, ${flow.about}`}: ${differs.join(", ")}`,
  `  from ${sources.join(", ")}`,
];

function targetText({ host, port, protocol }: Change["flow"]): string {
  const shown = port !== undefined && host.includes(":") ? `[${host}]` : host;
  return `${shown}${port === undefined ? "" : `:${port}`}${protocol === "tcp" ? "" : ` ${protocol}`}`;
}

function resultText({ verdict, reasons, backends, text }: Result): string {
  const head = reasons.length === 0 ? verdict : `${verdict} ${reasons.join(", ")}`;
  return backends.length === 0 ? `${head}: ${text}` : `${head}: ${backends.map(backendText).join("; ")}`;
}

const backendText = ({ endpoint, sees, hops }: Backend): string =>
  `${endpoint} sees ${sees.join(" or ")} after ${hops.join(" or ")} ${hops.length === 1 && hops[0] === 1 ? "hop" : "hops"}`;

/** The document. */
export function renderComparisonJson({ variants, flows, changes }: Comparison): string {
  const document = {
    apiVersion: API_VERSION,
    kind: "Comparison",
    variants,
    summary: { flows, differ: changes.length },
    changes: changes.map(({ flow, differs, results }) => ({
      source: flow.from,
      target: {
        host: flow.host,
        ...(flow.port === undefined ? {} : { port: flow.port }),
        protocol: flow.protocol.toUpperCase(),
        ...(flow.about === "" ? {} : { about: flow.about }),
      },
      differs,
      results: results.map(({ variant, verdict, reasons, backends, text }) => ({
        variant,
        verdict,
        reasons,
        text,
        backends: backends.map(({ endpoint, name, sees, hops }) => ({ endpoint, name, sees, hops })),
      })),
    })),
  };
  return `${escapeJson(JSON.stringify(document, undefined, 2))}\n`;
}
