/**
 * The two allocators of the API server, for cluster addresses and node ports (pkg/registry/core/service/{ipallocator,
 * portallocator}; KEP-3070, KEP-3668): what is asked for is taken first, the rest comes from the upper band, and only when
 * that is full from the lower one. The real ones start at a random place; here it follows from the Service's name.
 */
import {
  addressBits,
  broadcastOf,
  type Cidr,
  cidrContains,
  cidrSize,
  familyOf,
  type Ip,
  ipToBigInt,
  nthAddress,
} from "../../net/address.ts";
import { drawNumber } from "../synthetic.ts";

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

export type IpAllocator = {
  readonly cidr: Cidr;
  readonly allocate: (seed: string) => Ip | undefined;
};

/** `taken` is shared with the caller, who reserves what the Services ask for before anything is allocated. */
export function createIpAllocator(cidr: Cidr, taken: Set<Ip>): IpAllocator {
  const size = cidrSize(cidr);
  // .0 and the IPv4 broadcast address are never used; neither is more of an IPv6 prefix than 2^16 (ipallocator.go).
  const count = min(size, 1n << 16n) === size || familyOf(cidr.ip) === 4 ? size : 1n << 16n;
  const last = count - (broadcastOf(cidr) === undefined ? 1n : 2n);
  const band = dynamicOffset(count);
  return {
    cidr,
    allocate: (seed) => scan(1n + band, last, seed, (n) => take(cidr, n, taken)) ?? scan(1n, band, seed, (n) => take(cidr, n, taken)),
  };
}

/** The static band's size: 16 addresses or a 16th of the range, 256 at most, none for a tiny range. */
function dynamicOffset(size: bigint): bigint {
  return size <= 16n ? 0n : min(max(16n, size / 16n), 256n);
}

function take(cidr: Cidr, n: bigint, taken: Set<Ip>): Ip | undefined {
  const ip = nthAddress(cidr, n);
  if (taken.has(ip)) return undefined;
  taken.add(ip);
  return ip;
}

/** Upward from a place that follows from the seed, with wrap. */
function scan<T>(from: bigint, to: bigint, seed: string, attempt: (n: bigint) => T | undefined): T | undefined {
  const size = to - from + 1n;
  if (size <= 0n) return undefined;
  const start = BigInt(drawNumber(seed)) % size;
  for (let i = 0n; i < size; i++) {
    const found = attempt(from + ((start + i) % size));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The position of an address in the range, to tell whether the allocator could have given it. */
export const isAllocatable = (cidr: Cidr, ip: Ip): boolean => {
  if (!cidrContains(cidr, ip)) return false;
  const offset = ipToBigInt(ip) - ipToBigInt(nthAddress(cidr, 0n));
  return cidr.length === addressBits(familyOf(cidr.ip)) || (offset > 0n && ip !== broadcastOf(cidr));
};

export type PortRange = { readonly from: number; readonly to: number };

/** A free node port for every one of `protocols`, which get the same number. */
export function allocateNodePort(range: PortRange, seed: string, protocols: readonly string[], taken: Set<string>): number | undefined {
  const size = range.to - range.from + 1;
  const band = size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128);
  const attempt = (n: bigint): number | undefined => {
    const keys = protocols.map((protocol) => nodePortKey(protocol, Number(n)));
    if (keys.some((key) => taken.has(key))) return undefined;
    for (const key of keys) taken.add(key);
    return Number(n);
  };
  const [first, middle, last] = [BigInt(range.from), BigInt(range.from + band), BigInt(range.to)];
  return scan(middle, last, seed, attempt) ?? scan(first, middle - 1n, seed, attempt);
}

export const nodePortKey = (protocol: string, port: number): string => `${protocol}/${port}`;
