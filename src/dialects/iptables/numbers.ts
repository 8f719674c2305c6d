/** The numbers of iptables text: ports, marks, and the probability of `-m statistic`. */
import type { PortRange } from "../../linux/netfilter/rule.ts";

/** All ports: what `-m tcp` without an option stands for (xt_tcp's default range). */
export const ALL_PORTS: PortRange = { from: 0, to: 0xffff };
export const isAllPorts = (ports: PortRange): boolean => ports.from === 0 && ports.to === 0xffff;

/** Ports 80, 1:5 or 1-5. Names of services are not read: iptables-save never prints them. */
export function readPorts(text: string | undefined, separator: ":" | "-" = ":"): PortRange | undefined {
  const [first = "", second, ...more] = (text ?? "").split(separator);
  const from = first === "" && second !== undefined ? 0 : readDecimal(first);
  const to = second === undefined ? from : second === "" ? 0xffff : readDecimal(second);
  if (from === undefined || to === undefined || more.length > 0 || from > to || to > 0xffff) return undefined;
  return { from, to };
}

export const printPorts = (ports: PortRange, separator: ":" | "-" = ":"): string =>
  ports.from === ports.to ? String(ports.from) : `${ports.from}${separator}${ports.to}`;

export const readDecimal = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;

/** A 32-bit number, decimal or hexadecimal. */
export function readU32(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text)) return undefined;
  const value = Number(text);
  return value <= 0xffffffff ? value : undefined;
}

/** `0x4000/0x4000`; without a slash the mask is all ones. */
export function readMasked(text: string | undefined): { readonly value: number; readonly mask: number } | undefined {
  const [first, second, ...more] = (text ?? "").split("/");
  const value = readU32(first);
  const mask = second === undefined ? 0xffffffff : readU32(second);
  return value === undefined || mask === undefined || more.length > 0 ? undefined : { value, mask };
}

export const hex = (value: number): string => `0x${value.toString(16)}`;

/**
 * The probability that iptables-save prints for 1/inverse. kube-proxy writes it with ten digits, xt_statistic keeps
 * lround(p * 2^31), libxt_statistic prints that over 2^31 with eleven digits, halves rounded to even as printf does.
 */
export function printProbability(inverse: number): string {
  const written = inverse === 0 ? 0 : Number((1 / inverse).toFixed(10));
  const count = BigInt(Math.round(written * 2 ** 31));
  const scaled = count * 10n ** 11n;
  const floor = scaled >> 31n;
  const rest = scaled - (floor << 31n);
  const half = 1n << 30n;
  const digits = floor + (rest > half || (rest === half && floor % 2n === 1n) ? 1n : 0n);
  const text = digits.toString().padStart(12, "0");
  return `${text.slice(0, -11)}.${text.slice(-11)}`;
}

/**
 * The k of a printed probability 1/k, or undefined when it is none. Old kube-proxies wrote five digits, so the error may
 * be half of the fifth.
 */
export function readProbability(text: string | undefined): number | undefined {
  if (text === undefined || !/^(\d(\.\d*)?|\.\d+)$/.test(text)) return undefined;
  const value = Number(text);
  if (value === 0) return 0;
  const inverse = Math.round(1 / value);
  return inverse >= 1 && Math.abs(value - 1 / inverse) <= 0.000006 ? inverse : undefined;
}
