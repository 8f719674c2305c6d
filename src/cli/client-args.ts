/**
 * The command lines of nc(1) and ping(8) as far as they decide what is sent. OpenBSD's nc and iputils' ping are the
 * authorities. Not read: listening (nc -l), port ranges.
 */
import type { Family } from "../net/address.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { LookupOptions } from "../trace/question.ts";
import { isOwnFlag, LONG_FLAGS } from "./flags.ts";
import { type FlagSpec, type Item, parseFlags, wordsAgain } from "./getopt.ts";
import { familyFlag, readHost, readNumber, readPort } from "./words.ts";

export type ClientRequest = {
  readonly command: readonly string[];
  readonly host: string;
  readonly port?: number;
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly family?: Family;
  readonly localPort?: number;
  readonly sourceAddress?: string;
  readonly ttl?: number;
  readonly type?: string;
  readonly server?: string;
  readonly lookup?: LookupOptions;
  readonly own: readonly Item[];
};

const NC_FLAGS: readonly FlagSpec[] = [
  { name: "udp", short: "u" },
  { name: "zero", short: "z" },
  { name: "numeric", short: "n" },
  { name: "ipv4", short: "4" },
  { name: "ipv6", short: "6" },
  { name: "shutdown", short: "N" },
  { name: "listen", short: "l" },
  { name: "timeout", short: "w", value: true },
  { name: "port", short: "p", value: true },
  { name: "source", short: "s", value: true },
  { name: "quit", short: "q", value: true },
  { name: "interval", short: "i", value: true },
];

/** `nc [-u] [-zvn46N] [-w SECONDS] [-p PORT] [-s ADDRESS] HOST PORT`. */
export function parseNc(args: readonly string[]): ClientRequest {
  const read = readClient("nc", args, NC_FLAGS);
  if (read.has("listen")) throw new UsageError("nc: -l listens; only a connection can be traced");
  const [host, port, ...more] = read.words;
  if (host === undefined || port === undefined || more.length > 0)
    throw new UsageError("nc needs a host and a port", "for example: ktrace nc -u node2 31999");
  if (/^\d+-\d+$/.test(port)) throw new UsageError("nc: one port at a time, not a range");
  const localPort = read.last("port");
  const sourceAddress = read.last("source");
  return {
    ...read.common,
    host: readHost(host, "nc"),
    port: readPort(port, "nc"),
    protocol: read.has("udp") ? "udp" : "tcp",
    ...(localPort === undefined ? {} : { localPort: readPort(localPort, "nc: -p") }),
    ...(sourceAddress === undefined ? {} : { sourceAddress }),
  };
}

const PING_FLAGS: readonly FlagSpec[] = [
  { name: "count", short: "c", value: true },
  { name: "ttl", short: "t", value: true },
  { name: "interface", short: "I", value: true },
  { name: "timeout", short: "W", value: true },
  { name: "deadline", short: "w", value: true },
  { name: "interval", short: "i", value: true },
  { name: "size", short: "s", value: true },
  { name: "ipv4", short: "4" },
  { name: "ipv6", short: "6" },
  { name: "numeric", short: "n" },
];

/** `ping [-46n] [-c COUNT] [-t TTL] [-I DEVICE|ADDRESS] HOST`. */
export function parsePing(args: readonly string[]): ClientRequest {
  const read = readClient("ping", args, PING_FLAGS);
  const [host, ...more] = read.words;
  if (host === undefined || more.length > 0) throw new UsageError("ping needs one host", "for example: ktrace ping node2");
  const ttl = read.last("ttl");
  const sourceAddress = read.last("interface");
  return {
    ...read.common,
    host: readHost(host, "ping"),
    protocol: "icmp",
    ...(ttl === undefined ? {} : { ttl: readNumber(ttl, 1, 255, "ping: -t") }),
    ...(sourceAddress === undefined ? {} : { sourceAddress }),
  };
}

/** The flags and words of a client program, and which of them are ktrace's own. */
export function readClient(program: string, args: readonly string[], specs: readonly FlagSpec[]) {
  const items = parseFlags(args, [...LONG_FLAGS, ...specs], program);
  const flags = items.filter((item) => item.kind === "flag");
  const family = flags.map((flag) => familyFlag(flag.name)).findLast((found) => found !== undefined);
  const words = items.filter((item) => item.kind === "word").map((item) => item.text);
  const theirs = wordsAgain(items, (item) => !isOwnFlag(item));
  return {
    words,
    has: (name: string) => flags.some((flag) => flag.name === name),
    last: (name: string) => flags.findLast((flag) => flag.name === name)?.value,
    common: { command: [program, ...theirs], own: items.filter(isOwnFlag), ...(family === undefined ? {} : { family }) },
  };
}
