/**
 * Requests that somebody is known to make: the annotation `ktrace.dev/expect` (`curl http://10.0.2.5:31160/ => 200`, one a line;
 * `exec node/k8s-node2 -- curl …` says from where). Only what names a URL is read here.
 */
import { parseIp } from "../net/address.ts";
import { labelsAt } from "../objects/record.ts";
import type { HttpQuestion, Question } from "../trace/question.ts";
import type { Mark } from "./finding.ts";
import type { Subject } from "./subject.ts";

export type Url = { readonly scheme: "http" | "https"; readonly host: string; readonly port: number; readonly path: string };
export type Expectation = {
  readonly text: string; // the request, as written: "curl http://10.0.2.5:31160/"
  readonly expects: string; // "200"
  readonly from: string | undefined; // SOURCE; undefined: outside
  readonly url: Url;
  readonly hostHeader?: string;
  readonly resolve?: { readonly host: string; readonly port: number; readonly ip: string };
  readonly at: Mark;
};

const KEY = "ktrace.dev/expect";

/** Of every object that was read, in the order of the input. */
export const expectations = (subject: Subject): Expectation[] =>
  subject.written.flatMap(({ value, source }) =>
    (labelsAt(value, "metadata", "annotations")[KEY] ?? "").split("\n").flatMap((line): Expectation[] => {
      const [request = "", expects = ""] = line.split("=>").map((part) => part.trim());
      const url = urlIn(request);
      if (!url) return [];
      const from = /^exec\s+(\S+)\s+--\s/.exec(request)?.[1] ?? /--from[ =](\S+)/.exec(request)?.[1];
      const hostHeader = /-H\s+["']?Host:\s*([^"'\s]+)/i.exec(request)?.[1];
      const [, host, port, ip = ""] = /--resolve\s+([^:\s]+):(\d+):(\S+)/.exec(request) ?? [];
      const address = parseIp(ip.replace(/^\[|\]$/g, ""));
      return [
        {
          text: request,
          expects,
          from,
          url,
          ...(hostHeader === undefined ? {} : { hostHeader }),
          ...(host === undefined || address === undefined ? {} : { resolve: { host, port: Number(port), ip: address } }),
          at: { source, field: ["metadata", "annotations", KEY] },
        },
      ];
    }),
  );

const URL_FORM = /(https?):\/\/(\[[0-9A-Fa-f:.]+\]|[^\s/:?#"']+)(?::(\d{1,5}))?([/?][^\s"']*)?/;

/** The first URL in a text. */
export function urlIn(text: string): Url | undefined {
  const [found, scheme, host = "", port, path = "/"] = URL_FORM.exec(text) ?? [];
  if (found === undefined) return undefined;
  const secure = scheme === "https";
  const number = port === undefined ? (secure ? 443 : 80) : Number(port);
  return { scheme: secure ? "https" : "http", host: host.replace(/^\[|\]$/g, ""), port: number, path };
}

const HTTP: HttpQuestion = {
  scheme: "http",
  path: "/",
  method: "GET",
  insecure: true,
  head: false,
  follow: false,
  fail: false,
  resolve: [],
  connectTo: [],
};

export type Call = {
  readonly from: string | undefined;
  readonly url: Url;
  readonly hostHeader?: string;
  /** curl's --resolve: the address to take for the URL's host. */
  readonly address?: string;
};

/** A request over HTTP, as `ktrace curl` asks it. Certificates are not looked at. */
export function httpQuestion({ from, url, hostHeader, address }: Call): Question {
  const host = url.host.includes(":") ? `[${url.host}]` : url.host;
  const usual = url.port === (url.scheme === "https" ? 443 : 80);
  const flags = [
    ...(url.scheme === "https" ? ["-k"] : []),
    ...(hostHeader === undefined ? [] : [`-H 'Host: ${hostHeader}'`]),
    ...(address === undefined ? [] : [`--resolve ${host}:${url.port}:${address}`]),
  ];
  return {
    command: ["curl", ...flags, `${url.scheme}://${host}${usual ? "" : `:${url.port}`}${url.path}`].join(" "),
    program: "curl",
    from,
    namespace: "default",
    to: { host: url.host, port: url.port, protocol: "tcp" },
    http: {
      ...HTTP,
      scheme: url.scheme,
      path: url.path,
      ...(hostHeader === undefined ? {} : { hostHeader }),
      resolve: address === undefined ? [] : [{ host: url.host, port: url.port, addresses: [address] }],
    },
    evidence: false,
  };
}
