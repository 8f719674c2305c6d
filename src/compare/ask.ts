/** What is asked of a target: a plain connection, a ping, or an HTTP request to an Ingress. */
import type { Protocol } from "../net/packet.ts";
import type { HttpQuestion, Question } from "../trace/question.ts";

export type Asked = {
  readonly from: string; // SOURCE
  readonly host: string;
  readonly port?: number; // absent for a ping
  readonly protocol: Protocol;
  /** A URL's path, for what is asked over HTTP. */
  readonly path?: string;
  readonly scheme?: "http" | "https";
  /** Where the URL's host is to be found, as curl's --resolve says it. */
  readonly resolve?: string;
};

/** `node2:31160`, `[fd00::1]:80` */
export const hostPort = (host: string, port: number | undefined): string => {
  if (port === undefined) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
};

export function questionOf({ from, host, port, protocol, path, scheme, resolve }: Asked, namespace: string): Question {
  const base = { from, namespace, to: { host, protocol, ...(port === undefined ? {} : { port }) }, evidence: false };
  if (path !== undefined && port !== undefined) {
    const at = resolve === undefined ? [] : [{ host, port, addresses: [resolve] }];
    const flags = resolve === undefined ? "" : `--resolve ${hostPort(host, port)}:${resolve} `;
    const insecure = scheme === "https";
    const usual = port === (scheme === "https" ? 443 : 80);
    const url = `${scheme ?? "http"}://${usual ? host : hostPort(host, port)}${path}`;
    return {
      ...base,
      command: `curl ${flags}${insecure ? "-k " : ""}${url}`,
      program: "curl",
      http: { ...HTTP, scheme: scheme ?? "http", path, insecure, resolve: at },
    };
  }
  const flag = protocol === "tcp" ? "" : ` --protocol ${protocol}`;
  return { ...base, command: `trace --to ${hostPort(host, port)}${flag}`, program: "trace" };
}

const HTTP: HttpQuestion = {
  scheme: "http",
  path: "/",
  method: "GET",
  insecure: false,
  head: false,
  follow: false,
  fail: false,
  resolve: [],
  connectTo: [],
};
