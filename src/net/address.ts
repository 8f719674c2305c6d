/**
 * IP addresses and prefixes, both families. Not modelled: zone ids (`fe80::1%eth0`).
 * An address travels as its canonical text (RFC 5952 for IPv6), so that equality is `===`.
 */
import ipaddr from "ipaddr.js";

/** Canonical text of one address: "10.244.1.11", "fd00::1". Only `parseIp` makes one from foreign text. */
export type Ip = string;
export type Family = 4 | 6;
/** A prefix with the address as written: an interface's `10.244.1.1/24` keeps its host bits. */
export type Cidr = { readonly ip: Ip; readonly length: number };

/** The canonical form of an address, or undefined when the text is none. Refuses the short forms ("10.1") that inet_aton takes. */
export function parseIp(text: string): Ip | undefined {
  if (parseV4(text) !== undefined) return text;
  if (!text.includes(":") || !ipaddr.IPv6.isValid(text) || text.includes("%")) return undefined;
  const parsed = ipaddr.IPv6.parse(text);
  return parsed.toRFC5952String();
}

/** `10.0.2.5/24`, or a bare address as /32 or /128. Undefined when malformed. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (ip === undefined) return undefined;
  const width = familyOf(ip) === 4 ? 32 : 128;
  if (slash < 0) return { ip, length: width };
  const bits = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const length = Number(bits);
  return length <= width ? { ip, length } : undefined;
}

export const familyOf = (ip: Ip): Family => (ip.includes(":") ? 6 : 4);
export const addressBits = (family: Family): number => (family === 4 ? 32 : 128);
export const formatCidr = (cidr: Cidr): string => `${cidr.ip}/${cidr.length}`;
export const hostCidr = (ip: Ip): Cidr => ({ ip, length: addressBits(familyOf(ip)) });
export const isDefaultCidr = (cidr: Cidr): boolean => cidr.length === 0;
export const anyCidr = (family: Family): Cidr => ({ ip: family === 4 ? "0.0.0.0" : "::", length: 0 });

/** Whether `ip` lies in the prefix. Families never mix. */
export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  const family = familyOf(ip);
  if (familyOf(cidr.ip) !== family) return false;
  if (cidr.length === addressBits(family)) return cidr.ip === ip;
  if (cidr.length === 0) return true;
  if (family === 4) {
    const shift = 32 - cidr.length;
    return toV4(cidr.ip) >>> shift === toV4(ip) >>> shift;
  }
  const shift = BigInt(128 - cidr.length);
  return ipToBigInt(cidr.ip) >> shift === ipToBigInt(ip) >> shift;
}

/** Whether two prefixes share an address. */
export const cidrsOverlap = (a: Cidr, b: Cidr): boolean => (a.length <= b.length ? cidrContains(a, b.ip) : cidrContains(b, a.ip));

/** The prefix with its host bits cleared: `10.0.2.5/24` becomes `10.0.2.0/24`. */
export function networkOf(cidr: Cidr): Cidr {
  return { ip: nthAddress(cidr, 0n), length: cidr.length };
}

/** The `n`-th address of a prefix, counted from its network address (0). Not checked against the prefix's end. */
export function nthAddress(cidr: Cidr, n: bigint): Ip {
  const family = familyOf(cidr.ip);
  const hostBits = BigInt(addressBits(family) - cidr.length);
  return bigIntToIp(((ipToBigInt(cidr.ip) >> hostBits) << hostBits) + n, family);
}

/** Number of addresses of a prefix. */
export const cidrSize = (cidr: Cidr): bigint => 1n << BigInt(addressBits(familyOf(cidr.ip)) - cidr.length);

/** The IPv4 broadcast address of an interface address, undefined for IPv6, /31 and /32. */
export function broadcastOf(cidr: Cidr): Ip | undefined {
  if (familyOf(cidr.ip) === 6 || cidr.length >= 31) return undefined;
  return nthAddress(cidr, cidrSize(cidr) - 1n);
}

export function ipToBigInt(ip: Ip): bigint {
  if (familyOf(ip) === 4) return BigInt(toV4(ip));
  return ipaddr.IPv6.parse(ip)
    .toByteArray()
    .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

export function bigIntToIp(value: bigint, family: Family): Ip {
  const bytes = Array.from({ length: family === 4 ? 4 : 16 }, (_, i) =>
    Number((value >> BigInt(8 * ((family === 4 ? 3 : 15) - i))) & 0xffn),
  );
  if (family === 4) return bytes.join(".");
  return new ipaddr.IPv6(bytes).toRFC5952String();
}

/** IPv4 as an unsigned 32-bit number. The text must be canonical. */
function toV4(ip: Ip): number {
  return parseV4(ip) ?? 0;
}

function parseV4(text: string): number | undefined {
  let value = 0;
  let octet = -1;
  let dots = 0;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (octet < 0 || ++dots > 3) return undefined;
      value = value * 256 + octet;
      octet = -1;
      digits = 0;
      continue;
    }
    if (code < 48 || code > 57 || ++digits > 3 || octet === 0) return undefined;
    octet = Math.max(octet, 0) * 10 + code - 48;
    if (octet > 255) return undefined;
  }
  return dots === 3 && octet >= 0 ? (value * 256 + octet) >>> 0 : undefined;
}

export const isLoopback = (ip: Ip): boolean => ip === "::1" || ip.startsWith("127.");
export const isMulticast = (ip: Ip): boolean => (familyOf(ip) === 6 ? ip.startsWith("ff") : toV4(ip) >>> 28 === 14);
export const isLinkLocal = (ip: Ip): boolean => (familyOf(ip) === 6 ? /^fe[89ab]/.test(ip) : ip.startsWith("169.254."));
