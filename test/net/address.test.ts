/** Addresses and prefixes: canonical text in, exact containment out. Held against ipaddr.js where that has an opinion. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import {
  addressBits,
  bigIntToIp,
  broadcastOf,
  type Cidr,
  cidrContains,
  cidrSize,
  cidrsOverlap,
  type Family,
  familyOf,
  formatCidr,
  ipToBigInt,
  isLinkLocal,
  isLoopback,
  isMulticast,
  networkOf,
  nthAddress,
  parseCidr,
  parseIp,
} from "../../src/net/address.ts";

const canonical: readonly (readonly [string, string | undefined])[] = [
  ["10.0.2.5", "10.0.2.5"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["256.0.0.1", undefined],
  ["10.1", undefined],
  ["10.0.2.5.6", undefined],
  ["10.0.2.", undefined],
  [".10.0.2", undefined],
  ["10..2.5", undefined],
  ["010.0.2.5", undefined],
  ["10.0.2.05", undefined],
  ["0x0a.0.2.5", undefined],
  [" 10.0.2.5", undefined],
  ["10.0.2.5\n", undefined],
  ["", undefined],
  ["4294967295", undefined],
  ["fd00::1", "fd00::1"],
  ["FD00:0:0::0001", "fd00::1"],
  ["::", "::"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["fe80::1%eth0", undefined],
  ["fd00:::1", undefined],
  ["1:2:3:4:5:6:7:8:9", undefined],
  ["fd00::g", undefined],
  ["__proto__", undefined],
];
for (const [text, ip] of canonical) test(`parseIp ${JSON.stringify(text)}: ${ip}`, () => assert.equal(parseIp(text), ip));

const prefixes: readonly (readonly [string, string | undefined])[] = [
  ["10.0.2.5/24", "10.0.2.5/24"],
  ["10.0.2.5", "10.0.2.5/32"],
  ["fd00::5", "fd00::5/128"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["10.0.2.5/33", undefined],
  ["fd00::/129", undefined],
  ["10.0.2.5/", undefined],
  ["10.0.2.5/024", undefined],
  ["10.0.2.5/-1", undefined],
  ["10.0.2.5/24/8", undefined],
  ["10.0.2.5/1e1", undefined],
  ["10/8", undefined],
];
for (const [text, cidr] of prefixes)
  test(`parseCidr ${JSON.stringify(text)}: ${cidr}`, () => {
    const parsed = parseCidr(text);
    assert.equal(parsed && formatCidr(parsed), cidr);
  });

const families: fc.Arbitrary<Family> = fc.constantFrom(4, 6);
const anIp = families.chain((family) =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(addressBits(family))) - 1n }).map((value) => bigIntToIp(value, family)),
);
const aCidr: fc.Arbitrary<Cidr> = anIp.chain((ip) =>
  fc.integer({ min: 0, max: addressBits(familyOf(ip)) }).map((length) => ({ ip, length })),
);
/** A prefix and an address that is often in it. */
const aPair = fc.oneof(
  fc.tuple(aCidr, anIp),
  aCidr.chain((cidr) => fc.bigInt({ min: 0n, max: cidrSize(cidr) - 1n }).map((n): [Cidr, string] => [cidr, nthAddress(cidr, n)])),
);
const law = <T>(name: string, values: fc.Arbitrary<T>, holds: (value: T) => void): void => {
  test(name, () => fc.assert(fc.property(values, holds), { seed: 1 }));
};

/** ipaddr.js's own answer, on its own parse. */
function contains(cidr: Cidr, ip: string): boolean {
  const [address, network] = [ipaddr.parse(ip), ipaddr.parse(cidr.ip)];
  if (address instanceof ipaddr.IPv4 && network instanceof ipaddr.IPv4) return address.match(network, cidr.length);
  return address instanceof ipaddr.IPv6 && network instanceof ipaddr.IPv6 && address.match(network, cidr.length);
}

law("containment is ipaddr.js's", aPair, ([cidr, ip]) => assert.equal(cidrContains(cidr, ip), contains(cidr, ip)));
law("numbers and text are two forms of one address", anIp, (ip) => assert.equal(bigIntToIp(ipToBigInt(ip), familyOf(ip)), ip));
law("parsing answers canonical text unchanged", anIp, (ip) => assert.equal(parseIp(ip), ip));
law("parsing takes what ipaddr.js takes of IPv6, and says it in its canonical form", anIp, (ip) => {
  if (familyOf(ip) === 6) assert.equal(parseIp(ipaddr.IPv6.parse(ip).toNormalizedString()), ipaddr.IPv6.parse(ip).toRFC5952String());
});
law("a prefix holds its network address, and its network is its own network", aCidr, (cidr) => {
  const network = networkOf(cidr);
  assert.ok(cidrContains(cidr, network.ip) && cidrContains(network, cidr.ip));
  assert.deepEqual(networkOf(network), network);
});
law("the first and last address are inside, the ones around are not", aCidr, (cidr) => {
  const size = cidrSize(cidr);
  assert.ok(cidrContains(cidr, nthAddress(cidr, 0n)) && cidrContains(cidr, nthAddress(cidr, size - 1n)));
  const width = 1n << BigInt(addressBits(familyOf(cidr.ip)));
  const after = ipToBigInt(nthAddress(cidr, size - 1n)) + 1n;
  if (after < width) assert.ok(!cidrContains(cidr, bigIntToIp(after, familyOf(cidr.ip))));
});
law("overlap is mutual, and is one holding the other's network", fc.tuple(aCidr, aCidr), ([a, b]) => {
  assert.equal(cidrsOverlap(a, b), cidrsOverlap(b, a));
  assert.equal(cidrsOverlap(a, b), contains(a, networkOf(b).ip) || contains(b, networkOf(a).ip));
});
law("any text is parsed or refused, never thrown at", fc.string(), (text) => {
  const ip = parseIp(text);
  if (ip !== undefined) assert.ok(ipaddr.isValid(ip));
  parseCidr(text);
});

test("broadcast addresses", () => {
  const of = (text: string) => broadcastOf(parseCidr(text) ?? { ip: "0.0.0.0", length: 32 });
  assert.deepEqual(
    [of("10.0.2.5/24"), of("10.0.2.5/30"), of("10.0.2.5/31"), of("10.0.2.5/32"), of("fd00::1/64")],
    ["10.0.2.255", "10.0.2.7", undefined, undefined, undefined],
  );
});
test("kinds of address", () => {
  assert.deepEqual(["127.0.0.1", "127.255.0.1", "::1", "128.0.0.1", "::2"].map(isLoopback), [true, true, true, false, false]);
  assert.deepEqual(["224.0.0.1", "239.255.255.255", "ff02::1", "240.0.0.1", "223.255.255.255"].map(isMulticast), [
    true,
    true,
    true,
    false,
    false,
  ]);
  assert.deepEqual(["169.254.1.1", "fe80::1", "febf::1", "fec0::1", "169.253.1.1"].map(isLinkLocal), [true, true, true, false, false]);
});
