/** Single packets through small networks: what each part of a stack does with them, one fault at a time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sendPacket } from "../../src/linux/kernel.ts";
import type { Rule } from "../../src/linux/netfilter/rule.ts";
import type { Link, Netns, World } from "../../src/linux/netns.ts";
import { createRun } from "../../src/linux/run.ts";
import type { End, Journey } from "../../src/linux/step.ts";
import type { Packet } from "../../src/net/packet.ts";
import { link, listener, netfilter, netns, packet, route, rule, table, veth, world } from "./build.ts";

const send = (in_: World, from: string, over: Partial<Packet>): Journey =>
  sendPacket(
    createRun(in_, () => 0),
    from,
    packet(over),
    "process",
  );

/** How a packet ended, in one phrase. */
function phrase({ end }: Journey): string {
  const answer = end.kind === "answered" ? ` ${describe(end.answer)}` : "";
  const reason = "reason" in end && end.reason !== undefined ? ` ${end.reason}` : "";
  return `${end.kind}${reason} in ${end.netns}${answer}${ttlOf(end)}`;
}
const describe = ({ src, segment }: Packet): string =>
  segment.kind === "icmp-error" ? `${segment.type}/${segment.code} from ${src}` : `${segment.kind} from ${src}`;
const ttlOf = (end: End): string => (end.kind === "socket" ? ` ttl ${end.packet.ttl}` : "");

const server = (over: Partial<Netns> = {}) =>
  netns("server", [link("eth0", ["10.0.1.9/24"], { type: { kind: "device", segment: "right" } })], {
    routes: [route("default", { via: "10.0.1.1", dev: "eth0" })],
    sockets: [listener(80), listener(53, { protocol: "udp", ip: "10.0.1.9" })],
    ...over,
  });
const router = (over: Partial<Netns> = {}) =>
  netns(
    "router",
    [
      link("eth0", ["10.0.0.1/24"], { type: { kind: "device", segment: "left" } }),
      link("eth1", ["10.0.1.1/24"], { type: { kind: "device", segment: "right" } }),
    ],
    { ...over, sysctls: { "net.ipv4.ip_forward": "1", ...over.sysctls } },
  );
const client = (over: Partial<Netns> = {}) =>
  netns("client", [link("eth0", ["10.0.0.9/24"], { type: { kind: "device", segment: "left" } })], {
    routes: [route("default", { via: "10.0.0.1", dev: "eth0" })],
    ...over,
  });

const request = { src: "10.0.0.9", dst: "10.0.1.9" };
type Row = { readonly name: string; readonly in?: World; readonly from?: string; readonly packet?: Partial<Packet>; readonly ends: string };
const through = (middle: Partial<Netns>): World => world(client(), router(middle), server());

const rows: readonly Row[] = [
  { name: "a routed packet loses one of its TTL", ends: "socket in server ttl 63" },
  {
    name: "the last TTL is enough for a machine on the wire",
    packet: { dst: "10.0.0.1", ttl: 1, segment: { kind: "echo-request" }, protocol: "icmp" },
    ends: "answered in router echo-reply from 10.0.0.1",
  },
  {
    name: "TTL 1 ends at the router, which says so from the client's side",
    packet: { ttl: 1 },
    ends: "answered ttl-exceeded in router 11/0 from 10.0.0.1",
  },
  {
    name: "no ICMP error about an ICMP error",
    packet: { ttl: 1, protocol: "icmp", segment: { kind: "icmp-error", type: 3, code: 3, quoted: packet() } },
    ends: "dropped ttl-exceeded in router",
  },
  { name: "a closed TCP port answers with a reset", packet: { dport: 81 }, ends: "answered not-listening in server rst from 10.0.1.9" },
  {
    name: "a closed UDP port with ICMP 3/3 from the address asked",
    packet: { protocol: "udp", dport: 81, segment: { kind: "datagram" } },
    ends: "answered not-listening in server 3/3 from 10.0.1.9",
  },
  { name: "a UDP listener", packet: { protocol: "udp", dport: 53, segment: { kind: "datagram" } }, ends: "socket in server ttl 63" },
  { name: "TCP does not reach a UDP listener", packet: { dport: 53 }, ends: "answered not-listening in server rst from 10.0.1.9" },
  { name: "a lone reset is answered by nobody", packet: { segment: { kind: "rst" } }, ends: "dropped not-listening in server" },
  {
    name: "nobody answers ARP for the destination: 3/1 from the router's near side",
    packet: { dst: "10.0.1.77" },
    ends: "answered host-unreachable in router 3/1 from 10.0.0.1",
  },
  {
    name: "nobody answers ARP on the own wire: 3/1 from oneself",
    packet: { dst: "10.0.0.77" },
    ends: "answered host-unreachable in client 3/1 from 10.0.0.9",
  },
  { name: "the router has no route: 3/0", packet: { dst: "192.0.2.1" }, ends: "answered no-route in router 3/0 from 10.0.0.1" },
  {
    name: "a blackhole route keeps silent",
    in: through({ routes: [route("192.0.2.0/24", { type: "blackhole" })] }),
    packet: { dst: "192.0.2.1" },
    ends: "dropped blackhole-route in router",
  },
  {
    name: "an unreachable route says 3/1",
    in: through({ routes: [route("192.0.2.0/24", { type: "unreachable" })] }),
    packet: { dst: "192.0.2.1" },
    ends: "answered host-unreachable in router 3/1 from 10.0.0.1",
  },
  {
    name: "a prohibit route says 3/13",
    in: through({ routes: [route("192.0.2.0/24", { type: "prohibit" })] }),
    packet: { dst: "192.0.2.1" },
    ends: "answered no-route in router 3/13 from 10.0.0.1",
  },
  {
    name: "a sender without a route is told at once",
    in: world(client({ routes: [] }), router(), server()),
    ends: "errno no-route in client",
  },
  {
    name: "a machine that does not forward",
    in: through({ sysctls: { "net.ipv4.ip_forward": "0" } }),
    ends: "dropped forwarding-off in router",
  },
  { name: "a gateway that is no listed machine is the end of the model", in: world(client()), ends: "exits in client" },
  {
    name: "a gateway whose device is down is not found",
    in: world(client(), netns("router", [link("eth0", ["10.0.0.1/24"], { up: false, type: { kind: "device", segment: "left" } })])),
    ends: "answered host-unreachable in client 3/1 from 10.0.0.9",
  },

  {
    name: "martian: a loopback source off lo",
    packet: { src: "127.0.0.1" },
    from: "attacker",
    in: world(attacker(), router(), server()),
    ends: "dropped spoofed-source in router",
  },
  {
    name: "martian: a loopback destination off lo",
    packet: { dst: "127.0.0.1", src: "10.0.0.66" },
    from: "attacker",
    in: world(attacker(), router(), server()),
    ends: "dropped spoofed-source in router",
  },
  {
    name: "route_localnet lets it in",
    packet: { dst: "127.0.0.1", src: "10.0.0.66" },
    from: "attacker",
    in: world(attacker(), router({ sysctls: { "net.ipv4.conf.all.route_localnet": "1" }, sockets: [listener(80)] }), server()),
    ends: "socket in router ttl 64",
  },
  {
    name: "martian: the receiver's own address as source",
    packet: { src: "10.0.0.1" },
    from: "attacker",
    in: world(attacker(), router(), server()),
    ends: "dropped spoofed-source in router",
  },
  {
    name: "rp_filter 1: the way back is another device",
    packet: { src: "10.0.1.50" },
    from: "attacker",
    in: world(attacker(), router({ sysctls: { "net.ipv4.conf.all.rp_filter": "1" } }), server()),
    ends: "dropped spoofed-source in router",
  },
  {
    name: "rp_filter of the device counts when it is larger",
    packet: { src: "10.0.1.50" },
    from: "attacker",
    in: world(attacker(), router({ sysctls: { "net.ipv4.conf.eth0.rp_filter": "1" } }), server()),
    ends: "dropped spoofed-source in router",
  },
  {
    name: "rp_filter 2 asks only for some way back",
    packet: { src: "10.0.1.50" },
    from: "attacker",
    in: world(attacker(), router({ sysctls: { "net.ipv4.conf.all.rp_filter": "2" } }), server()),
    ends: "socket in server ttl 63",
  },
  {
    name: "rp_filter 2 without any way back",
    packet: { src: "192.0.2.7" },
    from: "attacker",
    in: world(attacker(), router({ sysctls: { "net.ipv4.conf.all.rp_filter": "2" } }), server()),
    ends: "dropped spoofed-source in router",
  },
  {
    name: "rp_filter 0 takes what comes",
    packet: { src: "192.0.2.7" },
    from: "attacker",
    in: world(attacker(), router(), server()),
    ends: "socket in server ttl 63",
  },

  {
    name: "REJECT in FORWARD: 3/3 from the router's near side",
    in: through({ netfilter: netfilter(table("filter", { FORWARD: [rule([], { kind: "reject", with: "icmp-port-unreachable" })] })) }),
    ends: "answered rule-denied in router 3/3 from 10.0.0.1",
  },
  {
    name: "REJECT with a reset",
    in: through({ netfilter: netfilter(table("filter", { FORWARD: [rule([], { kind: "reject", with: "tcp-reset" })] })) }),
    ends: "answered rule-denied in router rst from 10.0.1.9",
  },
  {
    name: "REJECT with admin-prohibited",
    in: through({ netfilter: netfilter(table("filter", { FORWARD: [rule([], { kind: "reject", with: "icmp-admin-prohibited" })] })) }),
    ends: "answered rule-denied in router 3/13 from 10.0.0.1",
  },
  {
    name: "REJECT in INPUT: from the address asked, whichever side it is on",
    packet: { dst: "10.0.1.1" },
    in: through({ netfilter: netfilter(table("filter", { INPUT: [rule([], { kind: "reject", with: "icmp-port-unreachable" })] })) }),
    ends: "answered rule-denied in router 3/3 from 10.0.1.1",
  },
  {
    name: "DROP is silence",
    in: through({ netfilter: netfilter(table("filter", { FORWARD: [rule([], { kind: "drop" })] })) }),
    ends: "dropped rule-denied in router",
  },
  {
    name: "a rule's writer names the reason",
    in: through({ netfilter: netfilter(table("filter", { FORWARD: [{ ...rule([], { kind: "drop" }), reason: "policy-denied" }] })) }),
    ends: "dropped policy-denied in router",
  },
  {
    name: "a policy of DROP",
    in: through({ netfilter: netfilter(table("filter", {}, { FORWARD: "drop" })) }),
    ends: "dropped rule-denied in router",
  },
  {
    name: "a rule that cannot be decided",
    in: through({
      netfilter: netfilter(table("filter", { FORWARD: [rule([{ kind: "unknown", text: "-m foreign" }], { kind: "drop" })] })),
    }),
    ends: "unknown in router",
  },
];
for (const row of rows)
  test(`kernel: ${row.name}`, () =>
    assert.equal(
      phrase(send(row.in ?? world(client(), router(), server()), row.from ?? "client", { ...request, ...row.packet })),
      row.ends,
    ));

/** A machine on the client's wire that sends whatever source it likes to the router, 127.0.0.1 as destination too. */
function attacker(): Netns {
  const bare = netns("attacker", [link("eth0", ["10.0.0.66/24"], { type: { kind: "device", segment: "left" } })], {
    sysctls: { "net.ipv4.conf.all.route_localnet": "1" },
  });
  return {
    ...bare,
    links: bare.links.filter(({ name }) => name !== "lo"),
    routes: [route("default", { via: "10.0.0.1", dev: "eth0" }), ...bare.routes],
  };
}

// Two pods behind one bridge, as flannel and the bridge plugin wire them.
const pod = (name: string, ip: string): Netns =>
  netns(name, [link("eth0", [`${ip}/24`], { type: veth("node", `veth${name}`) })], {
    routes: [route("default", { via: "10.244.1.1", dev: "eth0" })],
    sockets: [listener(8080)],
  });
const port = (name: string, over: Partial<Link> = {}): Link =>
  link(`veth${name}`, [], { type: veth(name, "eth0"), master: "cni0", hairpin: true, ...over });
const cni0 = link("cni0", ["10.244.1.1/24"], { type: { kind: "bridge" } });
const dnatTo = (ip: string): Readonly<Record<string, readonly Rule[]>> => ({
  PREROUTING: [rule([{ kind: "dst", cidr: { ip: "10.96.0.1", length: 32 } }], { kind: "dnat", ip, ports: { from: 8080, to: 8080 } })],
});
const dnat = (ip: string) => table("nat", dnatTo(ip));
const toOwnPod = dnatTo("10.244.1.11");
const node = (over: Partial<Netns> = {}, ports: readonly Link[] = [port("a"), port("b")]): Netns =>
  netns("node", [cni0, ...ports], { ...over, sysctls: { "net.ipv4.ip_forward": "1", ...over.sysctls } });
const pods = [pod("a", "10.244.1.11"), pod("b", "10.244.1.12")] as const;
const fromA = { src: "10.244.1.11", dst: "10.244.1.12", dport: 8080 };
const toService = { ...fromA, dst: "10.96.0.1", dport: 80 };

const bridgeRows: readonly {
  readonly name: string;
  readonly node: Netns;
  readonly packet?: Partial<Packet>;
  readonly ends: string;
  readonly why: readonly string[];
}[] = [
  { name: "a frame for another port is bridged, TTL untouched", node: node(), ends: "socket in b ttl 64", why: ["vetha>vethb bridged"] },
  { name: "even with the last TTL", node: node(), packet: { ttl: 1 }, ends: "socket in b ttl 1", why: ["vetha>vethb bridged"] },
  {
    name: "a frame for the bridge goes up to IP",
    node: node({ sockets: [listener(8080)] }),
    packet: { dst: "10.244.1.1" },
    ends: "socket in node ttl 64",
    why: ["vetha>cni0 up"],
  },
  {
    name: "DNAT to behind the same bridge is bridged",
    node: node({ netfilter: netfilter(dnat("10.244.1.12")) }),
    packet: toService,
    ends: "socket in b ttl 64",
    why: ["vetha>vethb dnat-bridged"],
  },
  {
    name: "without br_netfilter it is routed",
    node: node({ netfilter: netfilter(dnat("10.244.1.12")), sysctls: { "net.bridge.bridge-nf-call-iptables": "0" } }),
    packet: toService,
    ends: "socket in b ttl 63",
    why: ["vetha>cni0 up", "cni0>vethb down"],
  },
  {
    name: "without forwarding neither",
    node: node({ netfilter: netfilter(dnat("10.244.1.12")), sysctls: { "net.ipv4.ip_forward": "0" } }),
    packet: toService,
    ends: "dropped forwarding-off in node",
    why: ["vetha>cni0 up"],
  },
  {
    name: "FORWARD sees bridged packets",
    node: node({
      netfilter: netfilter(
        table("filter", {
          FORWARD: [
            rule(
              [
                { kind: "in", name: "cni0" },
                { kind: "out", name: "cni0" },
                { kind: "physdev", text: "", in: "vetha", out: "vethb" },
              ],
              { kind: "drop" },
            ),
          ],
        }),
      ),
    }),
    ends: "dropped rule-denied in node",
    why: ["vetha>vethb bridged"],
  },
  {
    name: "not without br_netfilter",
    node: node({ netfilter: netfilter(table("filter", {}, { FORWARD: "drop" })), sysctls: { "net.bridge.bridge-nf-call-iptables": "0" } }),
    ends: "socket in b ttl 64",
    why: ["vetha>vethb bridged"],
  },
  {
    name: "back out of the port it came in by, masqueraded, hairpin mode on",
    node: node({ netfilter: netfilter(table("nat", { ...toOwnPod, POSTROUTING: [rule([], { kind: "masquerade", randomFully: true })] })) }),
    packet: toService,
    ends: "socket in a ttl 64",
    why: ["vetha>vetha dnat-bridged"],
  },
  {
    name: "without masquerade the pod refuses a packet from its own address",
    node: node({ netfilter: netfilter(table("nat", toOwnPod)) }),
    packet: toService,
    ends: "dropped spoofed-source in a",
    why: ["vetha>vetha dnat-bridged"],
  },
  {
    name: "hairpin mode off",
    node: node({ netfilter: netfilter(dnat("10.244.1.11")) }, [port("a", { hairpin: false }), port("b")]),
    packet: toService,
    ends: "dropped hairpin-off in node",
    why: [],
  },
  {
    name: "hairpin mode matters to that port only",
    node: node({ netfilter: netfilter(dnat("10.244.1.12")) }, [port("a", { hairpin: false }), port("b", { hairpin: false })]),
    packet: toService,
    ends: "socket in b ttl 64",
    why: ["vetha>vethb dnat-bridged"],
  },
  {
    name: "a port that is down hears nothing, so the sender finds out",
    node: node({}, [port("a"), port("b", { up: false })]),
    ends: "answered host-unreachable in a 3/1 from 10.244.1.11",
    why: [],
  },
];
for (const row of bridgeRows)
  test(`bridge: ${row.name}`, () => {
    const journey = send(world(...pods, row.node), "a", { ...fromA, ...row.packet });
    assert.equal(phrase(journey), row.ends);
    const why = journey.hops.flatMap(({ steps }) =>
      steps.flatMap((step) => (step.kind === "bridge" ? [`${step.in}>${step.out} ${step.why}`] : [])),
    );
    assert.deepEqual(why, row.why);
  });

// Two machines joined by VXLAN, as flannel sets it up: no learning, one neighbour and one forwarding entry a peer.
const PEER_MAC = "4a:b3:98:6b:68:1b";
const vxlan = (last: number, over: Partial<Link> = {}): Link =>
  link("flannel.1", [`10.244.${last}.0/32`], {
    mac: last === 2 ? PEER_MAC : "ae:94:26:72:29:07",
    type: { kind: "vxlan", vni: 1, local: `10.0.0.${last}`, dev: "eth0", port: 8472 },
    ...over,
  });
const near = (over: Partial<Netns> = {}): Netns =>
  netns("near", [link("eth0", ["10.0.0.1/24"]), vxlan(1)], {
    routes: [route("10.244.2.0/24", { via: "10.244.2.0", dev: "flannel.1", onlink: true })],
    neighbours: [{ ip: "10.244.2.0", dev: "flannel.1", mac: PEER_MAC, cause: 0 }],
    fdb: [{ mac: PEER_MAC, dev: "flannel.1", dst: "10.0.0.2", cause: 0 }],
    ...over,
  });
const far = (device: Link = vxlan(2), over: Partial<Netns> = {}): Netns =>
  netns("far", [link("eth0", ["10.0.0.2/24"]), device, link("cni0", ["10.244.2.1/24"])], { sockets: [listener(8080)], ...over });
const udp8472 = { kind: "dport", protocol: "udp", ports: { from: 8472, to: 8472 } } as const;

const tunnelRows: readonly { readonly name: string; readonly in: World; readonly ends: string }[] = [
  { name: "through and out", in: world(near(), far()), ends: "socket in far ttl 64" },
  {
    name: "no neighbour entry: the probes go nowhere, EHOSTUNREACH",
    in: world(near({ neighbours: [] }), far()),
    ends: "answered no-tunnel-peer in near 3/1 from 10.244.1.0",
  },
  { name: "no forwarding entry", in: world(near({ fdb: [] }), far()), ends: "dropped no-tunnel-peer in near" },
  {
    name: "a forwarding entry of another MAC",
    in: world(near({ fdb: [{ mac: "02:00:00:00:00:99", dev: "flannel.1", dst: "10.0.0.2", cause: 0 }] }), far()),
    ends: "dropped no-tunnel-peer in near",
  },
  {
    name: "the far device has another MAC",
    in: world(near(), far(vxlan(2, { mac: "02:00:00:00:00:99" }))),
    ends: "dropped no-tunnel-peer in far",
  },
  {
    name: "the far device has another network id",
    in: world(near(), far(vxlan(2, { type: { kind: "vxlan", vni: 2, local: "10.0.0.2", dev: "eth0", port: 8472 } }))),
    ends: "dropped no-tunnel-peer in far",
  },
  { name: "the far device is down", in: world(near(), far(vxlan(2, { up: false }))), ends: "dropped no-tunnel-peer in far" },
  { name: "the far machine is not there", in: world(near()), ends: "answered host-unreachable in near 3/1 from 10.0.0.1" },
  {
    name: "the far machine drops UDP 8472",
    in: world(near(), far(vxlan(2), { netfilter: netfilter(table("filter", { INPUT: [rule([udp8472], { kind: "drop" })] })) })),
    ends: "dropped rule-denied in far",
  },
  {
    name: "the near machine drops UDP 8472 going out",
    in: world(near({ netfilter: netfilter(table("filter", { OUTPUT: [rule([udp8472], { kind: "drop" })] })) }), far()),
    ends: "dropped rule-denied in near",
  },
];
for (const row of tunnelRows)
  test(`vxlan: ${row.name}`, () =>
    assert.equal(phrase(send(row.in, "near", { src: "10.244.1.0", dst: "10.244.2.1", dport: 8080 })), row.ends));

test("vxlan: the outer packet is new, with a TTL of its own and one entry of its own on each machine", () => {
  const asking = table("filter", { INPUT: [rule([{ kind: "ctstate", states: ["INVALID"] }], { kind: "none" })] });
  const run = createRun(world(near({ netfilter: netfilter(asking) }), far(vxlan(2), { netfilter: netfilter(asking) })), () => 0);
  const journey = sendPacket(run, "near", packet({ src: "10.244.1.0", dst: "10.244.2.1", dport: 8080, ttl: 9 }), "process");
  const [first] = journey.hops;
  assert.deepEqual(
    [first?.outer?.src, first?.outer?.dst, first?.outer?.dport, first?.outer?.ttl, first?.packetOut?.ttl],
    ["10.0.0.1", "10.0.0.2", 8472, 64, 9],
  );
  const entries = run.conntrack.map(({ netns: where, original }) => `${where} ${original.protocol} ${original.src}>${original.dst}`);
  assert.deepEqual(entries, [
    "near tcp 10.244.1.0>10.244.2.1",
    "near udp 10.0.0.1>10.0.0.2",
    "far udp 10.0.0.1>10.0.0.2",
    "far tcp 10.244.1.0>10.244.2.1",
  ]);
});

// The same faults in IPv6: other types and codes, no reverse-path check, neighbour discovery for ARP.
const nic6 = (name: string, ip: string, segment: string): Link => link(name, [`${ip}/64`], { type: { kind: "device", segment } });
const default6 = (via: string) => ({ ...route("default", { via, dev: "eth0" }), to: { ip: "::", length: 0 } });
const world6 = (forwarding = "1"): World =>
  world(
    netns("client", [nic6("eth0", "fd00:1::9", "left")], { routes: [default6("fd00:1::1")] }),
    netns("router", [nic6("eth0", "fd00:1::1", "left"), nic6("eth1", "fd00:2::1", "right")], {
      sysctls: { "net.ipv6.conf.all.forwarding": forwarding },
    }),
    netns("server", [nic6("eth0", "fd00:2::9", "right")], { routes: [default6("fd00:2::1")], sockets: [listener(80)] }),
  );
const request6 = { family: 6, src: "fd00:1::9", dst: "fd00:2::9" } as const;
const rows6: readonly { readonly name: string; readonly in?: World; readonly packet?: Partial<Packet>; readonly ends: string }[] = [
  { name: "a routed packet", ends: "socket in server ttl 63" },
  { name: "a closed TCP port", packet: { dport: 81 }, ends: "answered not-listening in server rst from fd00:2::9" },
  {
    name: "a closed UDP port: 1/4",
    packet: { protocol: "udp", segment: { kind: "datagram" } },
    ends: "answered not-listening in server 1/4 from fd00:2::9",
  },
  { name: "the hop limit runs out: 3/0", packet: { ttl: 1 }, ends: "answered ttl-exceeded in router 3/0 from fd00:1::1" },
  { name: "nobody answers discovery: 1/3", packet: { dst: "fd00:2::77" }, ends: "answered host-unreachable in router 1/3 from fd00:1::1" },
  { name: "no route: 1/0", packet: { dst: "fd00:3::1" }, ends: "answered no-route in router 1/0 from fd00:1::1" },
  { name: "forwarding off", in: world6("0"), ends: "dropped forwarding-off in router" },
  {
    name: "an echo",
    packet: { protocol: "icmpv6", segment: { kind: "echo-request" } },
    ends: "answered in server echo-reply from fd00:2::9",
  },
];
for (const row of rows6)
  test(`kernel, IPv6: ${row.name}`, () =>
    assert.equal(phrase(send(row.in ?? world6(), "client", { ...request6, ...row.packet })), row.ends));
