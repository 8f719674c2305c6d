/** Small values on a command line: ports, numbers, hosts, and a command as a person would type it again. */

import type { Family } from "../net/address.ts";
import { parseIp } from "../net/address.ts";
import { UsageError } from "../objects/diagnostic.ts";

/** 1 to 65535, as curl and nc read a port. */
export function readPort(text: string, what: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  throw new UsageError(`${what}: a port is a number from 1 to 65535, not ${JSON.stringify(text)}`);
}

/** A whole number in a range. */
export function readNumber(text: string, from: number, to: number, what: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (value >= from && value <= to) return value;
  throw new UsageError(`${what} is a number from ${from} to ${to}, not ${JSON.stringify(text)}`);
}

/** A name or an address, without the brackets that an IPv6 address may wear. */
export function readHost(text: string, what: string): string {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (bare === "") throw new UsageError(`${what}: the host is missing`);
  if (bare.includes(":")) {
    const ip = parseIp(bare);
    if (ip !== undefined) return ip;
    throw new UsageError(`${what}: ${JSON.stringify(text)} is no IPv6 address`);
  }
  if (bare.length > 253 || !/^[A-Za-z0-9_]([A-Za-z0-9_.-]*)$/.test(bare))
    throw new UsageError(`${what}: ${JSON.stringify(text)} is neither a host name nor an address`);
  return bare;
}

/** `HOST:PORT`, `[V6]:PORT`, `HOST`. */
export function splitHostPort(text: string): { readonly host: string; readonly port?: string } {
  const bracketed = /^(\[[^\]]*\])(?::(.*))?$/.exec(text);
  if (bracketed) return hostPort(bracketed[1] ?? "", bracketed[2]);
  const colon = text.indexOf(":");
  if (colon < 0 || text.indexOf(":", colon + 1) >= 0) return { host: text }; // none, or a bare IPv6 address
  return hostPort(text.slice(0, colon), text.slice(colon + 1));
}

const hostPort = (host: string, port: string | undefined) => (port === undefined || port === "" ? { host } : { host, port });

/** The family that `-4`, `-6` ask for; the last one wins. */
export const familyFlag = (name: string): Family | undefined => (name === "ipv4" ? 4 : name === "ipv6" ? 6 : undefined);

/** Words as a shell would take them back. */
export const quoteWords = (words: readonly string[]): string => words.map(quoteWord).join(" ");

const quoteWord = (word: string): string => (/^[\w@%+=:,./?&#[\]~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** Words as a shell splits them, quotes taken off; nothing is expanded. */
export function splitWords(text: string): readonly string[] {
  return [...text.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}
