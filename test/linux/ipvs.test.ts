/** A director with one virtual server, a client before it and two servers behind it: ip_vs_core.c and ip_vs_xmit.c, fact by fact. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Netns } from "../../src/linux/netns.ts";
import { createRun, explore, type Run } from "../../src/linux/run.ts";
import type { VirtualServer } from "../../src/linux/virtual-server.ts";
import { formatFraction } from "../../src/net/fraction.ts";
import { type Connection, type ConnectionSpec, walkConnection } from "../../src/trace/connection.ts";
import { link, listener, netfilter, netns, route, rule, table, world } from "./build.ts";

const VIP = "10.9.9.9";
const SERVERS = ["10.0.1.11", "10.0.1.12"] as const;

const serverOf = (over: Partial<VirtualServer> = {}): VirtualServer => ({
  protocol: "tcp",
  ip: VIP,
  port: 80,
  scheduler: "rr",
  servers: () => SERVERS.map((ip) => ({ ip, port: 8080, weight: 1 })),
  emptyReason: "no-endpoints",
  cause: 0,
  ...over,
});

function director(servers: readonly VirtualServer[], over: Partial<Netns> = {}): Netns {
  const links = [
    link("eth0", ["10.0.0.1/24"]),
    link("eth1", ["10.0.1.1/24"], { type: { kind: "device", segment: "back" } }),
    link("ipvs0", [`${VIP}/32`], { up: false, carrier: false, type: { kind: "dummy" } }),
  ];
  return netns("director", links, {
    sysctls: { "net.ipv4.ip_forward": "1", "net.ipv4.vs.conntrack": "1" },
    netfilter: netfilter(table("nat", {}), table("filter", {})),
    ipvs: {
      all: () => servers,
      lookup: (protocol, ip, port) => servers.find((one) => one.protocol === protocol && one.ip === ip && one.port === port),
    },
    sockets: [listener(22)],
    ...over,
  });
}

const backend = (ip: string, gateway = "10.0.1.1"): Netns =>
  netns(`server ${ip}`, [link("eth0", [`${ip}/24`], { type: { kind: "device", segment: "back" } })], {
    routes: [route("default", { dev: "eth0", via: gateway })],
    sockets: [listener(8080), listener(9000, { protocol: "udp" })],
  });
const client = (ip = "10.0.0.9"): Netns =>
  netns("client", [link("eth0", [`${ip}/24`])], { routes: [route("default", { dev: "eth0", via: "10.0.0.1" })] });

type Setup = { readonly servers?: readonly VirtualServer[]; readonly over?: Partial<Netns>; readonly client?: Netns };
const worldOf = ({ servers = [serverOf()], over, client: asker = client() }: Setup) =>
  world(asker, director(servers, over), ...SERVERS.map((ip) => backend(ip)));

const SPEC: ConnectionSpec = { from: "client", protocol: "tcp", dst: VIP, dport: 80, sport: 40000 };

/** Every course: its share, and who saw whom, or how it ended. */
const outcomes = (setup: Setup, spec: Partial<ConnectionSpec> = {}): string[] =>
  explore((choose) => walkConnection(createRun(worldOf(setup), choose), { ...SPEC, ...spec })).map(
    ({ share, value }) => `${formatFraction(share)} ${outcome(value)}`,
  );
const outcome = ({ verdict, reason, arrived }: Connection): string =>
  arrived && verdict === "delivered"
    ? `${arrived.dst}:${arrived.dport} sees ${arrived.src}:${arrived.sport} ttl ${arrived.ttl}`
    : `${verdict} ${reason}`;

const KEPT = SERVERS.map((ip) => `1/2 ${ip}:8080 sees 10.0.0.9:40000 ttl 63`);
const masquerade = rule([], { kind: "masquerade", randomFully: true });
const drop = rule([], { kind: "drop" });

const cases: readonly (readonly [name: string, setup: Setup, spec: Partial<ConnectionSpec>, expected: readonly string[]])[] = [
  ["a request is given to a server, its source kept, its answer comes from the virtual address", {}, {}, KEPT],
  [
    "masqueraded, the answer comes back through both",
    { over: { netfilter: netfilter(table("nat", { POSTROUTING: [masquerade] }), table("filter", {})) } },
    {},
    SERVERS.map((ip) => `1/2 ${ip}:8080 sees 10.0.1.1:mport1 ttl 63`),
  ],
  [
    "FORWARD never sees the request; it does see the answer",
    {
      over: {
        netfilter: netfilter(
          table("filter", { FORWARD: [rule([{ kind: "dport", protocol: "tcp", ports: { from: 8080, to: 8080 } }], { kind: "drop" })] }),
        ),
      },
    },
    {},
    KEPT,
  ],
  ["INPUT comes before IPVS", { over: { netfilter: netfilter(table("filter", { INPUT: [drop] })) } }, {}, ["1 dropped rule-denied"]],
  [
    "OUTPUT comes after it, with the server as destination",
    {
      over: {
        netfilter: netfilter(
          table("filter", { OUTPUT: [rule([{ kind: "dst", cidr: { ip: SERVERS[0], length: 32 } }], { kind: "drop" })] }),
        ),
      },
    },
    {},
    ["1/2 dropped rule-denied", KEPT[1] ?? ""],
  ],
  [
    "the answer's source is restored at FORWARD 100, after filter: a rule about the virtual address does not match",
    {
      over: {
        netfilter: netfilter(table("filter", { FORWARD: [rule([{ kind: "src", cidr: { ip: VIP, length: 32 } }], { kind: "drop" })] })),
      },
    },
    {},
    KEPT,
  ],
  ["without any rules IPVS works all the same", { over: { netfilter: netfilter() } }, {}, KEPT],
  [
    "weights are shares",
    { servers: [serverOf({ scheduler: "wrr", servers: () => SERVERS.map((ip, i) => ({ ip, port: 8080, weight: i + 1 })) })] },
    {},
    [`1/3 ${SERVERS[0]}:8080 sees 10.0.0.9:40000 ttl 63`, `2/3 ${SERVERS[1]}:8080 sees 10.0.0.9:40000 ttl 63`],
  ],
  [
    "a server of weight 0 is quiet",
    { servers: [serverOf({ servers: () => SERVERS.map((ip, i) => ({ ip, port: 8080, weight: i })) })] },
    {},
    [`1 ${SERVERS[1]}:8080 sees 10.0.0.9:40000 ttl 63`],
  ],
  [
    "no server: ICMP port unreachable, for the reason its writer named",
    { servers: [serverOf({ servers: () => [] })] },
    {},
    ["1 rejected no-endpoints"],
  ],
  ["another port of the address is the stack's own", {}, { dport: 22 }, [`1 ${VIP}:22 sees 10.0.0.9:40000 ttl 64`]],
  ["where nobody listens: RST", {}, { dport: 81 }, ["1 rejected not-listening"]],
  ["a ping is answered by the stack", {}, { protocol: "icmp", dport: 7 }, ["1 delivered undefined"]],
  ["the TTL is spent: 1 is too little", {}, { ttl: 1 }, ["1/2 looped ttl-exceeded", "1/2 looped ttl-exceeded"]],
  [
    "a closed port behind it: the server's RST comes back from the virtual address",
    { servers: [serverOf({ servers: () => [{ ip: SERVERS[0], port: 8081, weight: 1 }] })] },
    {},
    ["1 rejected not-listening"],
  ],
  [
    "UDP to a closed port: the ICMP error is translated, so that the client knows it",
    { servers: [serverOf({ protocol: "udp", servers: () => [{ ip: SERVERS[0], port: 9001, weight: 1 }] })] },
    { protocol: "udp" },
    ["1 rejected not-listening"],
  ],
  [
    "UDP",
    { servers: [serverOf({ protocol: "udp", servers: () => [{ ip: SERVERS[0], port: 9000, weight: 1 }] })] },
    { protocol: "udp" },
    [`1 ${SERVERS[0]}:9000 sees 10.0.0.9:40000 ttl 63`],
  ],
  [
    "the director asks: its source is the virtual address",
    {},
    { from: "director" },
    SERVERS.map((ip) => `1/2 ${ip}:8080 sees ${VIP}:40000 ttl 63`),
  ],
  [
    "the director itself is a server: the socket is here, no TTL is spent",
    { servers: [serverOf({ servers: () => [{ ip: "10.0.1.1", port: 22, weight: 1 }] })] },
    {},
    ["1 10.0.1.1:22 sees 10.0.0.9:40000 ttl 64"],
  ],
  [
    "the same for its own request",
    { servers: [serverOf({ servers: () => [{ ip: "10.0.1.1", port: 22, weight: 1 }] })] },
    { from: "director" },
    [`1 10.0.1.1:22 sees ${VIP}:40000 ttl 64`],
  ],
  [
    "no way to the server",
    { servers: [serverOf({ servers: () => [{ ip: "10.77.0.1", port: 80, weight: 1 }] })] },
    {},
    ["1 rejected no-route"],
  ],
];
for (const [name, setup, spec, expected] of cases) test(name, () => assert.deepEqual(outcomes(setup, spec), expected));

test("a persistent service sends a client where it went before, and each client for itself", () => {
  const persistent = { servers: [serverOf({ persistentSeconds: 10800 })] };
  const twice = explore((choose) => {
    const run: Run = createRun(worldOf(persistent), choose);
    return [40000, 40001].map((sport) => outcome(walkConnection(run, { ...SPEC, sport })).split(" ")[0]);
  });
  assert.deepEqual(
    twice.map(({ share, value }) => `${formatFraction(share)} ${value.join(" ")}`),
    SERVERS.map((ip) => `1/2 ${ip}:8080 ${ip}:8080`),
  );
  assert.equal(
    explore((choose) => {
      const run: Run = createRun(worldOf({}), choose);
      return [40000, 40001].map((sport) => walkConnection(run, { ...SPEC, sport }).verdict);
    }).length,
    4,
  );
});

const PICKS = ["sh", "dh", "mh"] as const;
for (const scheduler of PICKS) {
  test(`${scheduler} picks one server, always the same`, () => {
    const flags = scheduler === "mh" ? { schedulerFlags: ["mh-port"] } : {};
    const pick = (ip: string, sport = 40000): string =>
      outcomes({ servers: [serverOf({ scheduler, ...flags })], client: client(ip) }, { sport })[0]
        ?.split(" ")
        .slice(0, 2)
        .join(" ") ?? "";
    const picks = Array.from({ length: 40 }, (_, n) => pick(`10.0.0.${n + 50}`));
    assert.deepEqual(
      picks,
      Array.from({ length: 40 }, (_, n) => pick(`10.0.0.${n + 50}`)),
    );
    assert.ok(picks.every((one) => one.startsWith("1 ")));
    assert.equal(new Set(picks).size, scheduler === "dh" ? 1 : 2, "dh looks at the destination only");
    const byPort = new Set(Array.from({ length: 20 }, (_, n) => pick("10.0.0.50", 40000 + n)));
    assert.equal(byPort.size, scheduler === "mh" ? 2 : 1, "mh-port hashes the client's port too");
  });
}

test("what a hash or a load decides is said to be assumed", () => {
  const assumedOf = (scheduler: string): string[] =>
    explore((choose) => walkConnection(createRun(worldOf({ servers: [serverOf({ scheduler })] }), choose), SPEC)).flatMap(({ value }) =>
      value.hops.flatMap(({ steps }) =>
        steps.flatMap((step) => (step.kind === "choice" && step.assumed !== undefined ? [step.assumed] : [])),
      ),
    );
  assert.deepEqual([assumedOf("rr"), assumedOf("lc").length, assumedOf("sh").length], [[], 2, 1]);
});
