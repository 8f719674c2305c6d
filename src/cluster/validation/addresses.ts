/**
 * Addresses and prefixes in API fields (k8s.io/apimachinery/pkg/util/validation/ip.go). Forms that programs read in different
 * ways (octets with leading zeros, IPv4 in IPv6, host bits after a prefix) are refused from 1.36 (StrictIPCIDRValidation, KEP-4858).
 */
import { type Cidr, cidrContains, familyOf, type Ip, isLinkLocal, isLoopback, networkOf, parseCidr, parseIp } from "../../net/address.ts";
import type { PathPart } from "../../objects/source.ts";
import { invalid, type More, type Violation } from "../../objects/violation.ts";
import type { Version } from "../cluster.ts";
import { atLeast } from "../version.ts";

const KT009 = "KT009";
const ZEROS_HELP = "write each number without leading zeros: some programs read them as octal";
const isStrict = (version: Version): boolean => atLeast(version, 1, 36);

/** IPv4 or IPv6 text: IsValidIPForLegacyField. */
export function ipViolations(path: readonly PathPart[], text: string, version: Version, more: More = {}): Violation[] {
  if (parseIp(text) === undefined) {
    if (parseIp(withoutZeros(text)) === undefined)
      return [
        invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)", {
          help: "names are not looked up: write the address",
          ...more,
        }),
      ];
    return [invalid(path, text, "must not have leading 0s", { code: KT009, help: ZEROS_HELP, ...more })];
  }
  if (isStrict(version) && isMapped(text))
    return [invalid(path, text, "must not be an IPv4-mapped IPv6 address", { code: KT009, help: "write it as IPv4", ...more })];
  return [];
}

/** A prefix as text: IsValidCIDRForLegacyField. Spaces around it are tolerated where `trim` says so. */
export function cidrViolations(path: readonly PathPart[], text: string, version: Version): Violation[] {
  const cidr = text.includes("/") ? parseCidr(text) : undefined;
  if (cidr === undefined) {
    if (text.includes("/") && parseCidr(withoutZeros(text)) !== undefined)
      return [invalid(path, text, "must not have leading 0s in IP or prefix length", { code: KT009, help: ZEROS_HELP })];
    return [
      invalid(path, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)", {
        help: "write an address, `/`, and a length of at most 32, or 128 for IPv6",
      }),
    ];
  }
  if (!isStrict(version)) return [];
  if (isMapped(text)) return [invalid(path, text, "must not have an IPv4-mapped IPv6 address", { code: KT009, help: "write it as IPv4" })];
  const network = networkOf(cidr);
  if (network.ip === cidr.ip) return [];
  return [
    invalid(path, text, "must not have bits set beyond the prefix length", { code: KT009, help: `write ${network.ip}/${network.length}` }),
  ];
}

const withoutZeros = (text: string): string => text.replace(/(^|[./])0+(?=\d)/g, "$1");
const isMapped = (text: string): boolean => /^::ffff:/i.test(text);

/** An address that no endpoint and no external IP may be: ValidateNonSpecialIP. The text is an address. */
export function specialIpViolations(path: readonly PathPart[], text: string): Violation[] {
  const ip = parseIp(text);
  const why = ip === undefined ? undefined : specialRange(ip);
  return why === undefined ? [] : [invalid(path, text, why, { help: "write an address that packets can be sent to" })];
}

function specialRange(ip: Ip): string | undefined {
  if (ip === "0.0.0.0" || ip === "::") return "may not be unspecified (0.0.0.0, ::)";
  if (isLoopback(ip)) return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
  if (isLinkLocal(ip)) return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
  const isLinkLocalGroup = familyOf(ip) === 4 ? ip.startsWith("224.0.0.") : /^ff[0-9a-f]2:/.test(ip);
  return isLinkLocalGroup ? "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)" : undefined;
}

/** Whether a prefix lies strictly inside another. */
export const isInside = (inner: Cidr, outer: Cidr): boolean => inner.length > outer.length && cidrContains(outer, inner.ip);
