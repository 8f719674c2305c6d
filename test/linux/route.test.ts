/** Routing and source selection: what `ip route get` answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Netns } from "../../src/linux/netns.ts";
import { isBroadcastAddress, isLocalAddress, lookupRoute, masqueradeSource, sourceFor } from "../../src/linux/route.ts";
import { formatCidr } from "../../src/net/address.ts";
import { address, link, netns, route } from "./build.ts";

const machine = netns(
  "m",
  [
    link("eth0", ["10.0.2.5/24", "10.0.2.50/24", "10.9.0.5/16"]),
    link("eth1", ["192.168.56.101/24"]),
    link("down0", ["172.31.0.1/16"], { up: false }),
    link("dark0", ["172.17.0.1/16"], { carrier: false }),
    link("flannel.1", ["10.244.1.0/32"]),
  ],
  {
    routes: [
      route("default", { via: "10.0.2.2", dev: "eth0" }),
      route("default", { via: "192.168.56.1", dev: "eth1", metric: 100 }),
      route("10.244.2.0/24", { via: "10.244.2.0", dev: "flannel.1", onlink: true }),
      route("203.0.113.0/24", { via: "10.9.0.1", dev: "eth0" }),
      route("198.51.100.0/24", { type: "blackhole" }),
      route("198.51.100.7/32", { via: "10.0.2.2", dev: "eth0", src: "192.168.56.101" }),
      route("100.64.0.0/10", { type: "local", dev: "lo" }),
    ],
  },
);

const answer = (from: Netns, dst: string): string => {
  const found = lookupRoute(from, dst);
  if (!found) return "none";
  const kind = found.type === "unicast" ? "" : `${found.type} `;
  const src = found.type === "unicast" || found.type === "local" ? ` src ${sourceFor(from, found, dst)}` : "";
  return `${kind}${formatCidr(found.to)} dev ${found.dev}${found.via === undefined ? "" : ` via ${found.via}`}${src}`;
};

const lookups: readonly (readonly [string, string, string])[] = [
  ["the longest prefix wins", "192.168.56.1", "192.168.56.0/24 dev eth1 src 192.168.56.101"],
  ["else the default route with the lowest metric", "8.8.8.8", "0.0.0.0/0 dev eth0 via 10.0.2.2 src 10.0.2.5"],
  ["an own address is local, whatever device has it", "192.168.56.101", "local 192.168.56.101/32 dev eth1 src 192.168.56.101"],
  ["a secondary address is reached from the primary one of its subnet", "10.0.2.50", "local 10.0.2.50/32 dev eth0 src 10.0.2.5"],
  ["127.0.0.0/8 is local as a whole", "127.9.9.9", "local 127.0.0.1/8 dev lo src 127.0.0.1"],
  ["a source hint of the route wins", "198.51.100.7", "198.51.100.7/32 dev eth0 via 10.0.2.2 src 192.168.56.101"],
  ["else the address whose subnet holds the gateway", "203.0.113.9", "203.0.113.0/24 dev eth0 via 10.9.0.1 src 10.9.0.5"],
  ["a tunnel device's /32 is its source", "10.244.2.10", "10.244.2.0/24 dev flannel.1 via 10.244.2.0 src 10.244.1.0"],
  ["a blackhole hides the default route", "198.51.100.8", "blackhole 198.51.100.0/24 dev undefined"],
  ["a route through a device that is down is withdrawn", "172.31.0.9", "0.0.0.0/0 dev eth0 via 10.0.2.2 src 10.0.2.5"],
  ["but its own addresses stay local", "172.31.0.1", "local 172.31.0.1/32 dev down0 src 172.31.0.1"],
  ["one without carrier stays", "172.17.0.9", "172.17.0.0/16 dev dark0 src 172.17.0.1"],
  ["a local route without a hint: from the address itself", "100.64.1.1", "local 100.64.0.0/10 dev lo src 100.64.1.1"],
];
for (const [name, dst, expected] of lookups) test(`route to ${dst}: ${name}`, () => assert.equal(answer(machine, dst), expected));

test("without a default route there is none", () => assert.equal(answer(netns("m", [link("eth0", ["10.0.0.1/24"])]), "10.1.0.1"), "none"));
test("an IPv4 address has no IPv6 route", () => assert.equal(lookupRoute(machine, "fd00::1"), undefined));

const bare = link("cali1");
const masquerades: readonly (readonly [string, Netns, string, string, string | undefined])[] = [
  ["the outgoing device's address", machine, "eth1", "192.168.56.1", "192.168.56.101"],
  ["of several the one near the next hop", machine, "eth0", "10.9.0.1", "10.9.0.5"],
  ["of one subnet the primary one", machine, "eth0", "10.0.2.2", "10.0.2.5"],
  [
    "without one the first device's, in the order of creation",
    netns("m", [link("eth0", ["10.0.2.5/24"]), link("cni0", ["10.244.1.1/24"]), bare]),
    "cali1",
    "10.244.1.9",
    "10.0.2.5",
  ],
  [
    "made in another order, another address",
    netns("m", [link("cni0", ["10.244.1.1/24"]), link("eth0", ["10.0.2.5/24"]), bare]),
    "cali1",
    "10.244.1.9",
    "10.244.1.1",
  ],
  ["lo's address is of scope host and never taken", netns("m", [link("eth0", ["10.0.2.5/24"])]), "lo", "10.0.2.5", "10.0.2.5"],
  [
    "a device that is down lends its address, too",
    netns("m", [link("eth0", ["10.0.2.5/24"], { up: false }), link("eth1", ["192.168.56.101/24"]), bare]),
    "cali1",
    "10.244.1.9",
    "10.0.2.5",
  ],
  [
    "an address of scope link neither",
    netns("m", [link("eth0", [address("169.254.7.7/16", "link")]), link("eth1", ["10.0.2.5/24"]), bare]),
    "cali1",
    "10.244.1.9",
    "10.0.2.5",
  ],
  ["no address at all", netns("m", [bare]), "cali1", "10.244.1.9", undefined],
];
for (const [name, from, dev, nexthop, expected] of masquerades)
  test(`masquerade: ${name}`, () => assert.equal(masqueradeSource(from, dev, nexthop, nexthop), expected));

const dual = netns(
  "m",
  [link("eth0", ["10.0.2.5/24", "fd00:2::5/64", address("fe80::5/64", "link")]), link("cni0", ["fd00:244:1::1/64"])],
  { routes: [{ ...route("default"), to: { ip: "::", length: 0 }, via: "fd00:2::1", dev: "eth0" }] },
);
const sources6: readonly (readonly [string, string, string])[] = [
  ["of the outgoing device, global for a global destination", "2001:db8::1", "fd00:2::5"],
  ["link-local for link-local", "fe80::9", "fe80::5"],
  ["on-link", "fd00:244:1::9", "fd00:244:1::1"],
];
for (const [name, dst, expected] of sources6)
  test(`IPv6 source: ${name}`, () => {
    const found = lookupRoute(dual, dst);
    assert.ok(found);
    const { src: _hint, ...without } = found;
    assert.equal(sourceFor(dual, without, dst), expected);
  });

test("which addresses are the machine's own", () => {
  assert.ok(isLocalAddress(machine, "10.0.2.50") && isLocalAddress(machine, "127.1.2.3") && isLocalAddress(dual, "::1"));
  assert.ok(isLocalAddress(machine, "172.31.0.1"), "fib_add_ifaddr adds the local route before it looks whether the device is up");
  assert.ok(!isLocalAddress(machine, "10.0.2.6") && !isLocalAddress(dual, "::2"));
});
test("the broadcast address of each subnet", () => {
  assert.ok(isBroadcastAddress(machine, "10.0.2.255") && isBroadcastAddress(machine, "255.255.255.255"));
  assert.ok(!isBroadcastAddress(machine, "10.0.2.5") && !isBroadcastAddress(machine, "10.244.1.0"));
});
