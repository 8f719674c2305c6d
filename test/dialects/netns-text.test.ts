/** Texts here were printed by iproute2 6.1.0 and net-tools 2.10 on Linux 6.18 for the same state; link-local lines and counters are cut. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseBridgeFdb, printBridgeFdb } from "../../src/dialects/bridge-fdb.ts";
import { printIfconfig } from "../../src/dialects/ifconfig.ts";
import { parseIpAddr, printIpAddr, printIpAddrBrief, printIpLink } from "../../src/dialects/ip-addr.ts";
import { parseIpNeigh, printIpNeigh } from "../../src/dialects/ip-neigh.ts";
import { parseIpRoute, printIpRoute } from "../../src/dialects/ip-route.ts";
import { printNetstat, printNetstatRoutes } from "../../src/dialects/netstat.ts";
import { printSs } from "../../src/dialects/ss.ts";
import { NO_NETFILTER } from "../../src/linux/netfilter/table.ts";
import type { Link, ListeningSocket, Netns, Route } from "../../src/linux/netns.ts";
import { parseCidr } from "../../src/net/address.ts";
import { invariant } from "../../src/objects/diagnostic.ts";

function cidr(text: string) {
  const parsed = parseCidr(text);
  invariant(parsed, `${text} is a prefix`);
  return parsed;
}

const link = (name: string, type: Link["type"], addresses: readonly string[], over: Partial<Link> = {}): Link => ({
  name,
  mac: "08:00:27:bc:45:9d",
  mtu: 1500,
  up: true,
  carrier: true,
  addresses: addresses.map((text) => ({ cidr: cidr(text), scope: type.kind === "loopback" ? "host" : "global" })),
  type,
  cause: 0,
  ...over,
});
const LO = link("lo", { kind: "loopback" }, ["127.0.0.1/8", "::1/128"], { mac: "00:00:00:00:00:00", mtu: 65536 });

const netns = (over: Partial<Netns>): Netns => ({
  id: "node/n",
  hostname: "n",
  links: [LO],
  routes: [],
  neighbours: [],
  fdb: [],
  sysctls: {},
  netfilter: NO_NETFILTER,
  sockets: [],
  cause: 0,
  ...over,
});

const node = netns({
  links: [
    LO,
    link("docker0", { kind: "bridge" }, ["172.17.0.1/16", "fd17::1/64"], { mac: "02:42:0a:00:00:01", carrier: false }),
    link("eth0", { kind: "device", segment: "s" }, ["10.244.0.1/24", "10.244.0.2/24", "10.0.0.1/16"], { mac: "02:52:8c:ba:21:c9" }),
    link("flannel.1", { kind: "vxlan", vni: 1, local: "10.0.0.1", dev: "eth0", port: 8472 }, ["10.244.1.0/32"], {
      mac: "ae:94:26:72:29:07",
      mtu: 1450,
    }),
    link("cni0", { kind: "bridge" }, ["10.244.1.1/24"], { mac: "c2:f6:5d:68:ac:7e", mtu: 1450 }),
    link("vethab074d55", { kind: "veth", peer: { netns: "pod/default/nginx", link: "eth0" } }, [], {
      mac: "c2:f6:5d:68:ac:7f",
      mtu: 1450,
      master: "cni0",
    }),
    link("eth9", { kind: "device", segment: "t" }, ["10.99.0.1/24"], { up: false, carrier: false, mac: "3e:1b:5e:8d:a4:ee" }),
  ],
});

test("ip addr: creation order, secondary addresses last, the far end's index, a link without carrier", () => {
  const text = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host 
       valid_lft forever preferred_lft forever
2: docker0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN group default 
    link/ether 02:42:0a:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0
       valid_lft forever preferred_lft forever
    inet6 fd17::1/64 scope global 
       valid_lft forever preferred_lft forever
3: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000
    link/ether 02:52:8c:ba:21:c9 brd ff:ff:ff:ff:ff:ff
    inet 10.244.0.1/24 brd 10.244.0.255 scope global eth0
       valid_lft forever preferred_lft forever
    inet 10.0.0.1/16 brd 10.0.255.255 scope global eth0
       valid_lft forever preferred_lft forever
    inet 10.244.0.2/24 brd 10.244.0.255 scope global secondary eth0
       valid_lft forever preferred_lft forever
4: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN group default 
    link/ether ae:94:26:72:29:07 brd ff:ff:ff:ff:ff:ff
    inet 10.244.1.0/32 scope global flannel.1
       valid_lft forever preferred_lft forever
5: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default qlen 1000
    link/ether c2:f6:5d:68:ac:7e brd ff:ff:ff:ff:ff:ff
    inet 10.244.1.1/24 brd 10.244.1.255 scope global cni0
       valid_lft forever preferred_lft forever
6: vethab074d55@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue master cni0 state UP group default 
    link/ether c2:f6:5d:68:ac:7f brd ff:ff:ff:ff:ff:ff link-netnsid 0
7: eth9: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default qlen 1000
    link/ether 3e:1b:5e:8d:a4:ee brd ff:ff:ff:ff:ff:ff
    inet 10.99.0.1/24 brd 10.99.0.255 scope global eth9
       valid_lft forever preferred_lft forever
`;
  assert.equal(printIpAddr(node, { indexOf: () => 2 }), text);
});

test("ip addr for one family or one link, brief, and ip link", () => {
  assert.equal(
    printIpAddr(node, { family: 4, dev: "cni0" }),
    `5: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default qlen 1000
    inet 10.244.1.1/24 brd 10.244.1.255 scope global cni0
       valid_lft forever preferred_lft forever
`,
  );
  assert.equal(printIpAddrBrief(node, { dev: "docker0" }), "docker0          DOWN           172.17.0.1/16 fd17::1/64 \n");
  assert.equal(
    printIpLink(node, { dev: "lo" }),
    "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n",
  );
});

test("what ip addr printed reads back as the same links", () => {
  const { links, unread } = parseIpAddr(printIpAddr(node, { indexOf: () => 2 }));
  assert.deepEqual(unread, []);
  assert.deepEqual(
    links.map(({ name, mac, mtu, up, carrier, master }) => ({ name, mac, mtu, up, carrier, master })),
    node.links.map(({ name, mac, mtu, up, carrier, master }) => ({ name, mac, mtu, up, carrier, master })),
  );
  assert.deepEqual(links[1]?.addresses, node.links[1]?.addresses);
  assert.equal(links[5]?.peerIndex, 2);
});

test("a real dump reads, its link-local addresses and veth names too", () => {
  const { links, unread } =
    parseIpAddr(`2: eth0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 08:00:27:bc:45:9d brd ff:ff:ff:ff:ff:ff link-netns lan
    inet 10.0.2.5/24 brd 10.0.2.255 scope global eth0
       valid_lft forever preferred_lft forever
    inet6 fe80::a00:27ff:febc:459d/64 scope link tentative 
       valid_lft forever preferred_lft forever
5: e0@eth0: <BROADCAST,MULTICAST,M-DOWN> mtu 1500 qdisc noop state DOWN group default qlen 1000
    link/ether 56:89:9d:e2:24:df brd ff:ff:ff:ff:ff:ff
what is this
`);
  assert.deepEqual(unread, ["what is this"]);
  assert.deepEqual(
    links.map((each) => [each.index, each.name, each.up, each.addresses.length]),
    [
      [2, "eth0", true, 2],
      [5, "e0", false, 0],
    ],
  );
});

const route = (over: Partial<Route> & { readonly to: Route["to"] }): Route => ({
  type: "unicast",
  metric: 0,
  proto: "boot",
  cause: 0,
  ...over,
});

const ROUTES = `0.0.0.0/1 via 10.244.0.9 dev eth0 
default via 10.244.0.9 dev eth0 
10.0.0.0/16 dev eth0 proto kernel scope link src 10.0.0.1 
10.0.0.0/8 via 10.244.0.9 dev eth0 
prohibit 10.6.0.0/16 
unreachable 10.8.0.0/16 metric 7 
blackhole 10.9.0.0/16 
10.244.0.0/24 dev eth0 proto kernel scope link src 10.244.0.1 
10.244.0.0/24 via 10.244.0.9 dev eth0 metric 5 
10.244.0.0/16 via 10.244.0.9 dev eth0 
10.244.0.1 via 10.244.0.7 dev eth0 
172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown 
172.18.0.0/16 via 172.17.0.9 dev docker0 onlink linkdown 
192.0.2.0/24 dev docker0 scope link src 172.17.0.1 metric 9 linkdown 
`;
const ROUTES6 = `::/1 via fd17::9 dev docker0 metric 1024 linkdown pref medium
fd17::/64 via fd17::8 dev docker0 metric 12 linkdown pref medium
fd17::/64 dev docker0 proto kernel metric 256 linkdown pref medium
fd17:0:0:1::/64 via fd17::9 dev docker0 metric 1024 linkdown pref medium
fd17::/16 via fd17::9 dev docker0 metric 1024 linkdown pref medium
unreachable fd20::/64 dev lo metric 1024 pref medium
prohibit fd21::/64 dev lo metric 1024 pref medium
default via fd17::9 dev docker0 metric 7 linkdown pref medium
`;

test("ip route: a real table reads and prints as it was, in the kernel's order whatever the order of the list", () => {
  const v4 = parseIpRoute(ROUTES);
  const v6 = parseIpRoute(ROUTES6, 6);
  assert.deepEqual([v4.unread, v6.unread], [[], []]);
  const routed = netns({ links: node.links, routes: [...v6.entries, ...v4.entries].reverse() });
  assert.equal(printIpRoute(routed), ROUTES);
  assert.equal(printIpRoute(routed, { family: 6 }), ROUTES6);
});

test("ip route show dev leaves the device out; routes of a device that is down are gone", () => {
  const down = route({ to: cidr("10.99.0.0/24"), dev: "eth9", scope: "link" });
  const routed = netns({ links: node.links, routes: [...parseIpRoute(ROUTES).entries, down] });
  assert.equal(
    printIpRoute(routed, { dev: "docker0" }),
    `172.17.0.0/16 proto kernel scope link src 172.17.0.1 linkdown 
172.18.0.0/16 via 172.17.0.9 onlink linkdown 
192.0.2.0/24 scope link src 172.17.0.1 metric 9 linkdown 
`,
  );
  assert.ok(!printIpRoute(routed).includes("10.99.0.0"));
});

test("a line that is no route is handed back", () => {
  assert.deepEqual(parseIpRoute("default via nowhere dev eth0\nnexthop via 10.0.0.1 dev eth0 weight 1\n\n10.0.0.0/8 dev eth0").unread, [
    "default via nowhere dev eth0",
    "nexthop via 10.0.0.1 dev eth0 weight 1",
  ]);
});

test("ip neigh and bridge fdb print and read back", () => {
  const state = netns({
    neighbours: [
      { ip: "fd17::44", dev: "docker0", mac: "4a:b3:98:6b:68:1b", cause: 0 },
      { ip: "10.244.2.0", dev: "flannel.1", mac: "4a:b3:98:6b:68:1b", cause: 0 },
    ],
    fdb: [{ mac: "4a:b3:98:6b:68:1b", dev: "flannel.1", dst: "10.0.2.15", cause: 0 }],
  });
  assert.equal(
    printIpNeigh(state),
    "10.244.2.0 dev flannel.1 lladdr 4a:b3:98:6b:68:1b PERMANENT \nfd17::44 dev docker0 lladdr 4a:b3:98:6b:68:1b PERMANENT \n",
  );
  assert.equal(printIpNeigh(state, { dev: "flannel.1" }), "10.244.2.0 lladdr 4a:b3:98:6b:68:1b PERMANENT \n");
  assert.equal(printBridgeFdb(state), "4a:b3:98:6b:68:1b dev flannel.1 dst 10.0.2.15 self permanent\n");
  assert.deepEqual(
    parseIpNeigh(printIpNeigh(state))
      .entries.map(({ state: _, ...entry }) => entry)
      .reverse(),
    state.neighbours,
  );
  assert.deepEqual(parseIpNeigh("10.0.2.2 dev eth0 FAILED").unread, ["10.0.2.2 dev eth0 FAILED"]);
  assert.deepEqual(parseBridgeFdb(printBridgeFdb(state, { dev: "flannel.1" }), "flannel.1").entries, state.fdb);
  assert.deepEqual(parseBridgeFdb("33:33:00:00:00:01 dev eth0 self permanent").unread.length, 1);
});

const socket = (protocol: "tcp" | "udp", ip: string, port: number, process: string, owner = "node/n"): ListeningSocket => ({
  protocol,
  ip,
  port,
  process,
  owner,
  cause: 0,
});
const SOCKETS = [
  socket("tcp", "*", 31080, "python3"),
  socket("tcp", "127.0.0.1", 10249, "python3"),
  socket("udp", "*", 8472, "vxlan", "kernel"),
  socket("udp", "127.0.0.1", 323, "chronyd"),
];

test("ss: the columns of iproute2 with IPv4 alone and with both families", () => {
  const v4 = netns({ links: [{ ...LO, addresses: LO.addresses.slice(0, 1) }], sockets: SOCKETS });
  assert.equal(
    printSs(v4, { tcp: true }).replaceAll("4096", "128 "),
    `State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
LISTEN 0      128        127.0.0.1:10249      0.0.0.0:*          
LISTEN 0      128          0.0.0.0:31080      0.0.0.0:*          
`,
  );
  const dual = netns({ sockets: [...SOCKETS, socket("tcp", "::1", 99, "x")] });
  assert.equal(
    printSs(dual, { tcp: true, udp: true }).replaceAll("4096", "128 "),
    `Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
udp   UNCONN 0      0          127.0.0.1:323        0.0.0.0:*          
udp   UNCONN 0      0                  *:8472             *:*          
tcp   LISTEN 0      128        127.0.0.1:10249      0.0.0.0:*          
tcp   LISTEN 0      128            [::1]:99            [::]:*          
tcp   LISTEN 0      128                *:31080            *:*          
`,
  );
  assert.match(
    printSs(v4, { udp: true, processes: true }),
    /^UNCONN 0 {6}0 {10}127\.0\.0\.1:323 {7}0\.0\.0\.0:\* {4}users:\(\("chronyd"\)\)$/m,
  );
  assert.match(printSs(v4, { udp: true, processes: true }), /:8472 .*\* {23}$/m);
});

test("netstat -ltunp and -rn: the columns of net-tools", () => {
  const v4 = netns({
    links: [{ ...LO, addresses: LO.addresses.slice(0, 1) }, ...node.links.slice(1, 2).map((each) => ({ ...each, addresses: [] }))],
    sockets: SOCKETS,
  });
  assert.equal(
    printNetstat(v4, { tcp: true, udp: true, processes: true }),
    `Active Internet connections (only servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name    
tcp        0      0 127.0.0.1:10249         0.0.0.0:*               LISTEN      -/python3           
tcp        0      0 0.0.0.0:31080           0.0.0.0:*               LISTEN      -/python3           
udp        0      0 127.0.0.1:323           0.0.0.0:*                           -/chronyd           
udp        0      0 0.0.0.0:8472            0.0.0.0:*                           -                   
`,
  );
  assert.equal(
    printNetstatRoutes(
      netns({
        links: [link("eth0", { kind: "device", segment: "s" }, []), link("cni0", { kind: "bridge" }, [])],
        routes: parseIpRoute(
          "10.244.1.0/24 dev cni0\nblackhole 10.9.0.0/16\nunreachable 10.8.0.0/16 metric 7\n10.7.0.0/16 via 10.0.2.9 dev eth0\ndefault via 10.0.2.2 dev eth0",
        ).entries,
      }),
    ),
    `Kernel IP routing table
Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface
0.0.0.0         10.0.2.2        0.0.0.0         UG        0 0          0 eth0
10.7.0.0        10.0.2.9        255.255.0.0     UG        0 0          0 eth0
10.8.0.0        -               255.255.0.0     !         - -          - -
10.9.0.0        0.0.0.0         255.255.0.0     U         0 0          0 *
10.244.1.0      0.0.0.0         255.255.255.0   U         0 0          0 cni0
`,
  );
});

test("ifconfig: by name, without those that are down unless asked", () => {
  assert.equal(
    printIfconfig(node, { dev: "docker0" }),
    `docker0: flags=4099<UP,BROADCAST,MULTICAST>  mtu 1500
        inet 172.17.0.1  netmask 255.255.0.0  broadcast 172.17.255.255
        inet6 fd17::1  prefixlen 64  scopeid 0x0<global>
        ether 02:42:0a:00:00:01  txqueuelen 0  (Ethernet)

`,
  );
  assert.match(
    printIfconfig(node, { dev: "flannel.1" }),
    /^flannel\.1: flags=4163<UP,BROADCAST,RUNNING,MULTICAST> {2}mtu 1450\n {8}inet 10\.244\.1\.0 {2}netmask 255\.255\.255\.255 {2}broadcast 0\.0\.0\.0$/m,
  );
  assert.match(
    printIfconfig(node, { dev: "lo" }),
    /^lo: flags=73<UP,LOOPBACK,RUNNING> {2}mtu 65536\n {8}inet 127\.0\.0\.1 {2}netmask 255\.0\.0\.0\n {8}inet6 ::1 {2}prefixlen 128 {2}scopeid 0x10<host>\n {8}loop/m,
  );
  const names = (text: string) => [...text.matchAll(/^(\S+): flags/gm)].map((match) => match[1]);
  assert.deepEqual(names(printIfconfig(node)), ["cni0", "docker0", "eth0", "flannel.1", "lo", "vethab074d55"]);
  assert.ok(names(printIfconfig(node, { all: true })).includes("eth9"));
});

test("names that would steer a terminal or break a line come out harmless", () => {
  const print = (name: string): string[] => {
    const state = netns({
      links: [LO, link(name, { kind: "device", segment: "s" }, ["10.0.0.1/24"])],
      routes: [route({ to: cidr("10.0.0.0/24"), dev: name })],
      neighbours: [{ ip: "10.0.0.2", dev: name, mac: name, cause: 0 }],
      fdb: [{ mac: name, dev: name, dst: "10.0.0.2", cause: 0 }],
      sockets: [socket("tcp", "*", 80, name)],
    });
    const processes = { processes: true };
    return [
      printIpAddr(state),
      printIpRoute(state),
      printIpNeigh(state),
      printBridgeFdb(state),
      printSs(state, processes),
      printNetstat(state, processes),
      printIfconfig(state),
    ];
  };
  const lineCounts = (texts: readonly string[]) => texts.map((text) => text.split("\n").length);
  const plain = lineCounts(print("eth0"));
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 12 }), (name) => {
      const texts = print(name);
      for (const text of texts) assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\u2028\u2029]/u);
      assert.deepEqual(lineCounts(texts), plain);
    }),
  );
});

test("no text makes the readers fail", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.constantFrom("", "1: lo: <UP> ", "default via ", "10.0.0.0/8 dev ", "    inet "),
      (text, head) => {
        for (const read of [parseIpAddr, parseIpRoute, parseIpNeigh, parseBridgeFdb]) assert.doesNotThrow(() => read(head + text));
      },
    ),
  );
});
