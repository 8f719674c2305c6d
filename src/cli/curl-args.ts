/**
 * A pasted curl command as a question: the flags that decide where packets go and what an HTTP proxy reads. curl(1) is the
 * authority. Not read: config files, URL globbing, more than one URL.
 */
import { type Family, parseIp } from "../net/address.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { ConnectTo, HttpQuestion, ResolveOverride } from "../trace/question.ts";
import { CURL_FLAGS, REFUSED_FLAGS, SILENT_FLAGS } from "./curl-flags.ts";
import { isOwnFlag, LONG_FLAGS } from "./flags.ts";
import { type FlagItem, type Item, parseFlags, wordsAgain } from "./getopt.ts";
import { readUrl } from "./url.ts";
import { familyFlag, readHost, readPort } from "./words.ts";

export type CurlRequest = {
  readonly command: readonly string[]; // what remains without ktrace's flags: "curl", "-I", …
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly http: HttpQuestion;
  readonly family?: Family;
  readonly localPort?: number;
  readonly sourceAddress?: string;
  readonly writeOut?: string; // -w
  readonly notes: readonly string[]; // for stderr
  readonly own: readonly Item[]; // ktrace's flags among curl's
};

/** Reads the words after `curl`. `exists` tells whether a path is there: `-f PATH` is then a mistake, not --fail. */
export function parseCurl(args: readonly string[], exists: (path: string) => boolean): CurlRequest {
  const items = parseFlags(args, [...LONG_FLAGS, ...CURL_FLAGS], "curl");
  refuseMisplaced(items, exists);
  const flags = items.filter((item) => item.kind === "flag").filter((item) => !isOwnFlag(item));
  for (const flag of flags) {
    const why = REFUSED_FLAGS.get(flag.name);
    if (why !== undefined) throw new UsageError(`curl: ${flag.typed} cannot be traced`, why);
  }
  const url = readUrl(urlOf(items, flags));
  const last = (name: string): string | undefined => flags.findLast((flag) => flag.name === name)?.value;
  const has = (...names: readonly string[]): boolean => flags.some((flag) => names.includes(flag.name));
  const every = (...names: readonly string[]): string[] => flags.filter((flag) => names.includes(flag.name)).map((flag) => flag.value);
  const family = flags.map((flag) => familyFlag(flag.name)).findLast((found) => found !== undefined);
  const localPort = last("local-port");
  const sourceAddress = last("interface");
  const writeOut = last("write-out");
  const hostHeader = hostHeaderOf(every("header"));
  const maxTime = last("max-time");
  if (maxTime !== undefined && !/^\d+(\.\d+)?$/.test(maxTime))
    throw new UsageError(`curl: --max-time is a number of seconds, not ${JSON.stringify(maxTime)}`);
  return {
    command: ["curl", ...wordsAgain(items, (item) => !isOwnFlag(item))],
    url: url.text,
    host: url.host,
    port: url.port,
    http: {
      scheme: url.scheme,
      path: last("request-target") ?? url.path,
      method: methodOf(last("request"), has),
      ...(hostHeader === undefined ? {} : { hostHeader }),
      insecure: has("insecure"),
      head: has("head"),
      follow: has("location", "location-trusted"),
      fail: has("fail", "fail-with-body"),
      resolve: every("resolve").map(readResolve),
      connectTo: every("connect-to").map(readConnectTo),
    },
    ...(family === undefined ? {} : { family }),
    ...(localPort === undefined ? {} : { localPort: readPort(localPort.split("-")[0] ?? "", "curl: --local-port") }),
    ...(sourceAddress === undefined ? {} : { sourceAddress: sourceAddress.replace(/^(if|host)!/, "") }),
    ...(writeOut === undefined ? {} : { writeOut }),
    notes: notesOf(flags),
    own: items.filter(isOwnFlag),
  };
}

/** `curl … -f FILE`: after `curl` every short flag is curl's, so the manifests were meant to stand before it. */
function refuseMisplaced(items: readonly Item[], exists: (path: string) => boolean): void {
  items.forEach((item, at) => {
    if (item.kind !== "flag") return;
    const next = items[at + 1];
    const path = item.typed === "-f" && next?.kind === "word" ? next.text : item.typed === "-t" ? item.value : undefined;
    if (path === undefined || path.includes("://") || !exists(path)) return;
    const flag = item.typed;
    const long = flag === "-f" ? "--filename" : "--topology";
    throw new UsageError(
      `after curl, ${flag} is curl's own ${flag === "-f" ? "--fail" : "--telnet-option"}, and ${path} would be a URL`,
      `put it first: ktrace ${flag} ${path} curl … (or write ${long} ${path})`,
    );
  });
}

function urlOf(items: readonly Item[], flags: readonly FlagItem[]): string {
  const urls = [
    ...flags.filter((flag) => flag.name === "url").map((flag) => flag.value),
    ...items.filter((item) => item.kind === "word").map((item) => item.text),
  ];
  const [url, second] = urls;
  if (url === undefined) throw new UsageError("curl: the URL is missing", "for example: ktrace curl node2:31160");
  if (second !== undefined) throw new UsageError(`curl: one URL at a time; ${JSON.stringify(second)} is a second one`);
  return url;
}

function methodOf(asked: string | undefined, has: (...names: readonly string[]) => boolean): string {
  if (asked !== undefined) {
    if (!/^[A-Za-z!#$%&'*+.^_`|~-]{1,40}$/.test(asked)) throw new UsageError(`curl: -X is a method, not ${JSON.stringify(asked)}`);
    return asked;
  }
  if (has("head")) return "HEAD";
  if (has("upload-file")) return "PUT";
  const sends = has("data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json", "form", "form-string");
  return sends && !has("get") ? "POST" : "GET";
}

/** The last `Host:` header; its value without a port is what an Ingress rule is chosen by. */
function hostHeaderOf(headers: readonly string[]): string | undefined {
  const values = headers.map((header) => /^host:\s*(.*?)\s*$/i.exec(header)?.[1]).filter((value) => value !== undefined && value !== "");
  return values.at(-1);
}

/** `[+]HOST:PORT:ADDR[,ADDR]…`; `-HOST:PORT` removes an entry and is not needed here. */
function readResolve(text: string): ResolveOverride {
  const parts = /^\+?([^:]+|\[[^\]]+\]):(\d+):(.+)$/.exec(text);
  const addresses = (parts?.[3] ?? "").split(",").map((address) => parseIp(address.replace(/^\[|\]$/g, "")));
  const known = addresses.filter((address) => address !== undefined);
  if (parts === null || known.length !== addresses.length || known.length === 0)
    throw new UsageError(`curl: --resolve is HOST:PORT:ADDRESS, not ${JSON.stringify(text)}`);
  const host = parts[1] ?? "";
  return {
    host: host === "*" ? "*" : readHost(host, "curl: --resolve"),
    port: readPort(parts[2] ?? "", "curl: --resolve"),
    addresses: known,
  };
}

/** `HOST1:PORT1:HOST2:PORT2`, each part possibly empty. */
function readConnectTo(text: string): ConnectTo {
  const parts = /^([^:[\]]*|\[[^\]]+\]):(\d*):([^:[\]]*|\[[^\]]+\]):(\d*)$/.exec(text);
  if (parts === null) throw new UsageError(`curl: --connect-to is HOST1:PORT1:HOST2:PORT2, not ${JSON.stringify(text)}`);
  const [, host = "", port = "", toHost = "", toPort = ""] = parts;
  return {
    ...(host === "" ? {} : { host: readHost(host, "curl: --connect-to") }),
    ...(port === "" ? {} : { port: readPort(port, "curl: --connect-to") }),
    ...(toHost === "" ? {} : { toHost: readHost(toHost, "curl: --connect-to") }),
    ...(toPort === "" ? {} : { toPort: readPort(toPort, "curl: --connect-to") }),
  };
}

function notesOf(flags: readonly FlagItem[]): string[] {
  const ignored = [...new Set(flags.filter((flag) => !SILENT_FLAGS.has(flag.name)).map((flag) => flag.typed))];
  return ignored.length === 0 ? [] : [`curl's ${ignored.join(", ")} ${ignored.length === 1 ? "changes" : "change"} nothing here`];
}

/** curl's -w text with the variables that a trace can answer; others stay empty, as curl prints what it does not know. */
export function expandWriteOut(format: string, values: ReadonlyMap<string, string>): string {
  return format
    .replace(/%\{([a-z_.]+)\}/g, (_, name: string) => values.get(name) ?? "")
    .replaceAll("%%", "%")
    .replace(/\\([nrt\\])/g, (_, letter: string) => ({ n: "\n", r: "\r", t: "\t" })[letter] ?? "\\");
}
