/** The first line: what was asked, and from where. */
import type { Party, Request } from "../../trace/trace.ts";
import { justify } from "./layout.ts";
import { type Line, line, span, widthOf } from "./spans.ts";

/** `curl http://node2:31160/   from client 192.168.56.1`, and the folder that places are printed without. */
export function questionLines(request: Request, folder: string, width: number): Line[] {
  const asked = request.url === undefined ? request.command : `${request.program} ${request.url}`;
  const from = `from ${partyText(request.from)}${request.from.ip === undefined ? "" : ` ${request.from.ip}`}`;
  const right = folder === "" ? [] : line(span(`files in ${folder}`, "dim"));
  const one = line(span(asked, "bold"), `   ${from}`);
  return widthOf(one) <= width ? justify(one, right, width) : [line(span(asked, "bold")), ...justify(line(`  ${from}`), right, width)];
}

/** `client`, `node k8s-node2`, `pod default/nginx`. */
export function partyText(party: Party): string {
  if (party.kind === "pod") return `pod ${party.namespace === undefined ? "" : `${party.namespace}/`}${party.name}`;
  return party.kind === "node" ? `node ${party.name}` : party.name;
}
