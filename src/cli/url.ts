/** A URL as curl reads one: a missing scheme is http, brackets around IPv6, credentials dropped (RFC 3986 §3.2, curl(1) URL). */
import { UsageError } from "../objects/diagnostic.ts";
import { readHost, readPort, splitHostPort } from "./words.ts";

export type Url = {
  readonly text: string; // with scheme and path
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly path: string;
};

/** `node2:31160`, `http://[fd00::1]:8080/a?b`, `https://user@host/`. Anything but http and https is an error. */
export function readUrl(typed: string): Url {
  const parts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/?#]*)([^#]*)/.exec(typed);
  const scheme = (parts?.[1] ?? "http").toLowerCase();
  if (scheme !== "http" && scheme !== "https")
    throw new UsageError(`curl: (1) Protocol "${scheme}" is not traced`, "http and https are; for a bare connection: ktrace nc HOST PORT");
  const authority = (parts?.[2] ?? "").replace(/^.*@/, "");
  const what = `curl: URL ${JSON.stringify(typed)}`;
  const split = splitHostPort(authority);
  const host = readHost(split.host, what);
  const port = split.port === undefined ? (scheme === "https" ? 443 : 80) : readPort(split.port, what);
  const rest = (parts?.[3] ?? "").replaceAll(/\s/g, "%20");
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  const shown = host.includes(":") ? `[${host}]` : host;
  return { text: `${scheme}://${shown}${split.port === undefined ? "" : `:${port}`}${path}`, scheme, host, port, path };
}
