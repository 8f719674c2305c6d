/** The first line: what was asked, and from where. */
import type { Party, Request } from "../../trace/trace.ts";
import { justify } from "./layout.ts";
import { type Line, line, span } from "./spans.ts";

/** `curl http://node2:31160/   from client 192.168.56.1` */
export function questionLines(request: Request, width: number): Line[] {
  const asked = request.url === undefined ? request.command : `${request.program} ${request.url}`;
  const from = `from ${partyText(request.from)}${request.from.ip === undefined ? "" : ` ${request.from.ip}`}`;
  const one = line(span(asked, "bold"), `   ${from}`);
  return one.reduce((sum, { text }) => sum + text.length, 0) <= width
    ? [one]
    : [...justify(line(span(asked, "bold")), [], width), line(`  ${from}`)];
}

/** `client`, `node k8s-node2`, `pod default/nginx`. */
export function partyText(party: Party): string {
  if (party.kind === "pod") return `pod ${party.namespace === undefined ? "" : `${party.namespace}/`}${party.name}`;
  return party.kind === "node" ? `node ${party.name}` : party.name;
}
