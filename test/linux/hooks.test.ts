/** What the tables at the hooks do to one packet's course, and what is left in conntrack after it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { entryTuples } from "../../src/linux/conntrack.ts";
import { sendPacket } from "../../src/linux/kernel.ts";
import type { Match, Rule, Target } from "../../src/linux/netfilter/rule.ts";
import type { IptablesTable } from "../../src/linux/netfilter/table.ts";
import type { Netns, World } from "../../src/linux/netns.ts";
import { createRun } from "../../src/linux/run.ts";
import type { Packet } from "../../src/net/packet.ts";
import { jump, link, listener, netfilter, netns, packet, route, rule, table, world } from "./build.ts";

const VIP: Match = { kind: "dst", cidr: { ip: "10.96.0.1", length: 32 } };
const toServer: Target = { kind: "dnat", ip: "10.0.1.9", ports: { from: 8080, to: 8080 } };
const masquerade: Target = { kind: "masquerade", randomFully: true };

const client = netns("client", [link("eth0", ["10.0.0.9/24"], { type: { kind: "device", segment: "left" } })], {
  routes: [route("default", { via: "10.0.0.1", dev: "eth0" })],
});
const server = netns("server", [link("eth0", ["10.0.1.9/24"], { type: { kind: "device", segment: "right" } })], {
  routes: [route("default", { via: "10.0.1.1", dev: "eth0" })],
  sockets: [listener(8080), listener(80)],
});
const router = (tables: readonly IptablesTable[], over: Partial<Netns> = {}): World =>
  world(
    client,
    server,
    netns(
      "router",
      [
        link("eth0", ["10.0.0.1/24"], { type: { kind: "device", segment: "left" } }),
        link("eth1", ["10.0.1.1/24"], { type: { kind: "device", segment: "right" } }),
      ],
      {
        sysctls: { "net.ipv4.ip_forward": "1" },
        netfilter: tables.length === 0 ? netfilter() : netfilter(...tables),
        sockets: [listener(9090)],
        ...over,
      },
    ),
  );
/** A rule that asks for a state, so that connections are tracked. It matches nothing here. */
const AWAKE = rule([{ kind: "ctstate", states: ["INVALID"] }], { kind: "none" });
const nat = (chains: Readonly<Record<string, readonly Rule[]>>) => table("nat", chains);

type Row = {
  readonly name: string;
  readonly in: World;
  readonly from?: string;
  readonly packet?: Partial<Packet>;
  readonly ends: string;
  readonly tracked: readonly string[];
};
const rows: readonly Row[] = [
  {
    name: "without tables there is no conntrack",
    in: router([]),
    packet: { dst: "10.0.1.9" },
    ends: "socket server 10.0.0.9:40000>10.0.1.9:80",
    tracked: [],
  },
  {
    name: "nor with one that asks for no state",
    in: router([table("filter", {}), nat({})]),
    packet: { dst: "10.0.1.9" },
    ends: "socket server 10.0.0.9:40000>10.0.1.9:80",
    tracked: [],
  },
  {
    name: "with one that does there is",
    in: router([table("filter", { FORWARD: [AWAKE] })]),
    packet: { dst: "10.0.1.9" },
    ends: "socket server 10.0.0.9:40000>10.0.1.9:80",
    tracked: ["10.0.0.9:40000>10.0.1.9:80 | 10.0.1.9:80>10.0.0.9:40000"],
  },
  {
    name: "DNAT before routing",
    in: router([nat({ PREROUTING: [rule([VIP], toServer)] })]),
    ends: "socket server 10.0.0.9:40000>10.0.1.9:8080",
    tracked: ["10.0.0.9:40000>10.96.0.1:80 | 10.0.1.9:8080>10.0.0.9:40000"],
  },
  {
    name: "and masquerade after it",
    in: router([nat({ PREROUTING: [rule([VIP], toServer)], POSTROUTING: [rule([], masquerade)] })]),
    ends: "socket server 10.0.1.1:mport1>10.0.1.9:8080",
    tracked: ["10.0.0.9:40000>10.96.0.1:80 | 10.0.1.9:8080>10.0.1.1:mport1"],
  },
  {
    name: "a mark from PREROUTING is there in POSTROUTING",
    in: router([
      table("mangle", { PREROUTING: [rule([VIP], { kind: "mark", value: 0x4000, mask: 0x4000 })] }),
      nat({ PREROUTING: [rule([VIP], toServer)], POSTROUTING: [rule([{ kind: "mark", value: 0x4000, mask: 0x4000 }], masquerade)] }),
    ]),
    ends: "socket server 10.0.1.1:mport1>10.0.1.9:8080",
    tracked: ["10.0.0.9:40000>10.96.0.1:80 | 10.0.1.9:8080>10.0.1.1:mport1"],
  },
  {
    name: "NOTRACK keeps nat away",
    in: router([table("raw", { PREROUTING: [rule([], { kind: "notrack" })] }), nat({ PREROUTING: [rule([], toServer)] })]),
    packet: { dst: "10.0.1.9" },
    ends: "socket server 10.0.0.9:40000>10.0.1.9:80",
    tracked: [],
  },
  {
    name: "REDIRECT to the router itself",
    in: router([nat({ PREROUTING: [rule([VIP], { kind: "redirect", ports: { from: 9090, to: 9090 } })] })]),
    ends: "socket router 10.0.0.9:40000>10.0.0.1:9090",
    tracked: ["10.0.0.9:40000>10.96.0.1:80 | 10.0.0.1:9090>10.0.0.9:40000"],
  },
  {
    name: "a packet dropped in FORWARD leaves no entry",
    in: router([table("filter", { FORWARD: [rule([], { kind: "drop" })] })]),
    packet: { dst: "10.0.1.9" },
    ends: "dropped router",
    tracked: [],
  },
  {
    name: "nor does one refused in INPUT",
    in: router([table("filter", { INPUT: [rule([], { kind: "reject", with: "icmp-port-unreachable" })] })]),
    packet: { dst: "10.0.0.1" },
    ends: "answered router",
    tracked: [],
  },
  {
    name: "one that reached a closed port does",
    in: router([table("filter", { FORWARD: [AWAKE] })]),
    packet: { dst: "10.0.0.1", dport: 81 },
    ends: "answered router",
    tracked: ["10.0.0.9:40000>10.0.0.1:81 | 10.0.0.1:81>10.0.0.9:40000"],
  },
  {
    name: "FORWARD sees the rewritten destination and the source as it was",
    in: router([
      nat({ PREROUTING: [rule([VIP], toServer)], POSTROUTING: [rule([], masquerade)] }),
      table("filter", {
        FORWARD: [
          rule(
            [
              { kind: "dst", cidr: { ip: "10.0.1.9", length: 32 } },
              { kind: "src", cidr: { ip: "10.0.0.9", length: 32 } },
              { kind: "in", name: "eth0" },
              { kind: "out", name: "eth1" },
              { kind: "ctstate", states: ["DNAT"] },
            ],
            { kind: "drop" },
          ),
        ],
      }),
    ]),
    ends: "dropped router",
    tracked: [],
  },
  {
    name: "a local packet is routed again after DNAT in OUTPUT",
    in: router([nat({ OUTPUT: [rule([VIP], toServer)] })], { routes: [route("default", { via: "10.0.0.9", dev: "eth0" })] }),
    from: "router",
    packet: { src: "10.0.0.1" },
    ends: "socket server 10.0.0.1:40000>10.0.1.9:8080",
    tracked: ["10.0.0.1:40000>10.96.0.1:80 | 10.0.1.9:8080>10.0.0.1:40000"],
  },
  {
    name: "filter OUTPUT still sees the device of the first route",
    in: router(
      [
        nat({ OUTPUT: [rule([VIP], toServer)] }),
        table("filter", { OUTPUT: [rule([{ kind: "out", name: "eth1" }], { kind: "reject", with: "icmp-port-unreachable" })] }),
      ],
      { routes: [route("default", { via: "10.0.0.9", dev: "eth0" })] },
    ),
    from: "router",
    packet: { src: "10.0.0.1" },
    ends: "socket server 10.0.0.1:40000>10.0.1.9:8080",
    tracked: ["10.0.0.1:40000>10.96.0.1:80 | 10.0.1.9:8080>10.0.0.1:40000"],
  },
  {
    name: "a packet to oneself passes OUTPUT, POSTROUTING and INPUT, and PREROUTING asks nat no more",
    in: router([nat({ PREROUTING: [rule([], toServer)] })]),
    from: "router",
    packet: { src: "127.0.0.1", dst: "127.0.0.1", dport: 9090 },
    ends: "socket router 127.0.0.1:40000>127.0.0.1:9090",
    tracked: ["127.0.0.1:40000>127.0.0.1:9090 | 127.0.0.1:9090>127.0.0.1:40000"],
  },
  {
    name: "masquerade without any address drops",
    in: world(
      netns("router", [link("eth0", [])], {
        routes: [route("10.0.1.0/24", { dev: "eth0" })],
        netfilter: netfilter(nat({ POSTROUTING: [rule([], masquerade)] })),
      }),
    ),
    from: "router",
    packet: { src: "10.0.0.1", dst: "10.0.1.9" },
    ends: "dropped router",
    tracked: [],
  },
];
for (const row of rows) {
  test(`hooks: ${row.name}`, () => {
    const run = createRun(row.in, () => 0);
    const { end } = sendPacket(run, row.from ?? "client", packet({ src: "10.0.0.9", dst: "10.96.0.1", ...row.packet }), "process");
    const tuple = end.kind === "socket" ? ` ${end.packet.src}:${end.packet.sport}>${end.packet.dst}:${end.packet.dport}` : "";
    assert.equal(`${end.kind} ${end.netns}${tuple}`, row.ends);
    assert.deepEqual(run.conntrack.map(entryTuples), row.tracked);
  });
}

test("hooks: in the order of priority: raw, mangle, nat, filter, and nat last on the way out", () => {
  const note: Rule = rule([], { kind: "none" });
  const all = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
  const tables = (["filter", "nat", "mangle", "raw"] as const).map((name) =>
    table(name, Object.fromEntries(all.map((chain) => [chain, name === "filter" ? [note, AWAKE] : [note]]))),
  );
  const journey = sendPacket(
    createRun(router(tables), () => 0),
    "client",
    packet({ src: "10.0.0.9", dst: "10.0.1.9" }),
    "process",
  );
  const seen = journey.hops.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "rule" && "table" in step.ref ? [`${step.ref.table} ${step.ref.chain}`] : [])),
  );
  assert.deepEqual(seen, [
    "raw PREROUTING",
    "mangle PREROUTING",
    "nat PREROUTING",
    "mangle FORWARD",
    "filter FORWARD",
    "mangle POSTROUTING",
    "nat POSTROUTING",
  ]);
});

test("hooks: a mark stays with the machine that set it", () => {
  const marked: Match = { kind: "mark", value: 0x4000, mask: 0x4000 };
  const marks = netfilter(table("mangle", { POSTROUTING: [rule([], { kind: "mark", value: 0x4000, mask: 0x4000 })] }));
  const dropsMarked = router([table("filter", { FORWARD: [rule([marked], { kind: "drop" })] })]);
  const all: World = { ...dropsMarked, netns: (id) => (id === "client" ? { ...client, netfilter: marks } : dropsMarked.netns(id)) };
  const { hops, end } = sendPacket(
    createRun(all, () => 0),
    "client",
    packet({ src: "10.0.0.9", dst: "10.0.1.9" }),
    "process",
  );
  assert.ok(hops[0]?.steps.some((step) => step.kind === "mark" && step.mark === 0x4000));
  assert.equal(end.kind, "socket");
});

const SET: Target = { kind: "mark", value: 0x8000, mask: 0x8000 };
const IS_SET: Match = { kind: "mark", value: 0x8000, mask: 0x8000 };
const named = (target: Target): Rule => ({ ...rule([], target), reason: "no-local-endpoints", cause: 7 });
const drops = { FORWARD: [{ ...rule([IS_SET], { kind: "drop" }), cause: 9 }] };
const marking: readonly { readonly name: string; readonly chains: Readonly<Record<string, readonly Rule[]>>; readonly ends: string }[] = [
  { name: "the rule that marks", chains: { PREROUTING: [named(SET)] }, ends: "no-local-endpoints 7" },
  {
    name: "the jump to the chain that marks",
    chains: { PREROUTING: [named(jump("MARK"))], MARK: [rule([], SET)] },
    ends: "no-local-endpoints 7",
  },
  {
    name: "a jump that has returned is behind no later mark",
    chains: { PREROUTING: [named(jump("MARK")), rule([], SET)], MARK: [] },
    ends: "rule-denied 9",
  },
  { name: "who marks again what is marked takes nothing over", chains: { PREROUTING: [rule([], SET), named(SET)] }, ends: "rule-denied 9" },
];
for (const { name, chains, ends } of marking)
  test(`hooks: who drops by a mark drops for the reason of who set it: ${name}`, () => {
    const run = createRun(router([table("mangle", chains), table("filter", drops)]), () => 0);
    const { end } = sendPacket(run, "client", packet({ src: "10.0.0.9", dst: "10.0.1.9" }), "process");
    assert.equal(end.kind === "dropped" && `${end.reason} ${end.because?.rule.cause}`, ends);
  });
