/** Texts here were printed by iproute2 6.1.0 on Linux 6.18 for the same addresses and routes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIpRoute } from "../../src/dialects/ip-route.ts";
import { printIpRouteGet } from "../../src/dialects/ip-route-get.ts";
import { NO_NETFILTER } from "../../src/linux/netfilter/table.ts";
import type { Link, Netns } from "../../src/linux/netns.ts";
import { type Ip, parseCidr, parseIp } from "../../src/net/address.ts";
import { invariant } from "../../src/objects/diagnostic.ts";

function ip(text: string): Ip {
  const parsed = parseIp(text);
  invariant(parsed, `${text} is an address`);
  return parsed;
}

const link = (name: string, type: Link["type"], ...addresses: readonly string[]): Link => ({
  name,
  mac: "08:00:27:bc:45:9d",
  mtu: 1500,
  up: true,
  carrier: true,
  addresses: addresses.map((text) => {
    const cidr = parseCidr(text);
    invariant(cidr, `${text} is a prefix`);
    return { cidr, scope: type.kind === "loopback" ? "host" : "global" };
  }),
  type,
  cause: 0,
});

const ROUTES = `default via 10.0.2.2 dev eth0
10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.5
10.6.0.0/24 via 10.0.2.3 dev eth0 src 10.244.1.1 metric 50
prohibit 10.7.0.0/24
unreachable 10.8.0.0/24
blackhole 10.9.0.0/24
10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1
10.244.2.0/24 via 10.244.2.0 dev f1 onlink
`;
const ROUTES6 = `fd00::/64 dev eth0 proto kernel metric 256 pref medium
fd01::/64 dev f1 metric 5 pref medium
blackhole fd02::/64 dev lo metric 1024 pref medium
fd03::/64 via fd00::7 dev eth0 metric 1024 pref medium
`;

const node: Netns = {
  id: "node/n",
  hostname: "n",
  links: [
    link("lo", { kind: "loopback" }, "127.0.0.1/8", "::1/128"),
    link("eth0", { kind: "device", segment: "s" }, "10.0.2.5/24", "fd00::5/64"),
    link("cni0", { kind: "bridge" }, "10.244.1.1/24"),
    link("f1", { kind: "bridge" }, "10.244.1.0/32"),
  ],
  routes: [...parseIpRoute(ROUTES).entries, ...parseIpRoute(ROUTES6, 6).entries],
  neighbours: [],
  fdb: [],
  sysctls: {},
  netfilter: NO_NETFILTER,
  sockets: [],
  cause: 0,
};

const rows = [
  { asked: "10.244.2.10", text: "10.244.2.10 via 10.244.2.0 dev f1 src 10.244.1.0 uid 0 \n    cache \n" },
  { asked: "10.0.2.9", text: "10.0.2.9 dev eth0 src 10.0.2.5 uid 0 \n    cache \n" },
  { asked: "10.0.2.5", text: "local 10.0.2.5 dev lo src 10.0.2.5 uid 0 \n    cache <local> \n" },
  { asked: "127.0.0.1", text: "local 127.0.0.1 dev lo src 127.0.0.1 uid 0 \n    cache <local> \n" },
  { asked: "8.8.8.8", text: "8.8.8.8 via 10.0.2.2 dev eth0 src 10.0.2.5 uid 0 \n    cache \n" },
  { asked: "10.0.2.255", text: "broadcast 10.0.2.255 dev eth0 src 10.0.2.5 uid 0 \n    cache <local,brd> \n" },
  { asked: "255.255.255.255", text: "broadcast 255.255.255.255 dev eth0 src 10.0.2.5 uid 0 \n    cache <local,brd> \n" },
  { asked: "10.244.1.9", text: "10.244.1.9 dev cni0 src 10.244.1.1 uid 0 \n    cache \n" },
  { asked: "10.6.0.1", text: "10.6.0.1 via 10.0.2.3 dev eth0 src 10.244.1.1 uid 0 \n    cache \n" },
  { asked: "10.9.0.1", text: "RTNETLINK answers: Invalid argument" },
  { asked: "10.8.0.1", text: "RTNETLINK answers: No route to host" },
  { asked: "10.7.0.1", text: "RTNETLINK answers: Permission denied" },
  { asked: "8.8.8.8", from: "10.0.2.5", text: "8.8.8.8 from 10.0.2.5 via 10.0.2.2 dev eth0 uid 0 \n    cache \n" },
  { asked: "10.0.2.5", from: "10.244.1.1", text: "local 10.0.2.5 from 10.244.1.1 dev lo uid 0 \n    cache <local> \n" },
  { asked: "8.8.8.8", from: "1.1.1.1", text: "RTNETLINK answers: Network is unreachable" },
  { asked: "fd00::9", text: "fd00::9 from :: dev eth0 proto kernel src fd00::5 metric 256 pref medium\n" },
  { asked: "fd00::5", text: "local fd00::5 from :: dev lo table local proto kernel src fd00::5 metric 0 pref medium\n" },
  { asked: "fd01::1", text: "fd01::1 from :: dev f1 src fd00::5 metric 5 pref medium\n" },
  { asked: "fd03::1", text: "fd03::1 from :: via fd00::7 dev eth0 src fd00::5 metric 1024 pref medium\n" },
  { asked: "fd03::1", from: "fd00::5", text: "fd03::1 from fd00::5 via fd00::7 dev eth0 src fd00::5 metric 1024 pref medium\n" },
  { asked: "fd02::1", text: "RTNETLINK answers: Invalid argument" },
  { asked: "fd09::1", text: "RTNETLINK answers: Network is unreachable" },
  { asked: "224.0.0.1", text: "multicast routes are not modelled" },
] as const;
for (const row of rows) {
  const from = "from" in row ? row.from : undefined;
  test(`ip route get ${row.asked}${from === undefined ? "" : ` from ${from}`}`, () =>
    assert.equal(printIpRouteGet(node, ip(row.asked), from === undefined ? undefined : ip(from)).text, row.text));
}
